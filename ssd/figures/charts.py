"""Small Plotly charts beside the picture: records in, figures out; nothing is computed here."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from ssd.config import AnchorLevel
from ssd.figures.colours import line
from ssd.figures.words import CODE_NAMES, JaccardTable

__all__ = ["funnel_figure", "jaccard_figure", "level_figure", "scale_figure", "spread_figure"]

_GREY = "#7A828C"  # readable on a light and on a dark page
_LEVEL = line("plain").colour
_BLUES = [[0.0, "rgba(86,180,233,0.04)"], [1.0, "rgba(0,114,178,0.95)"]]  # one hue for jaccard, 0 to 1


def scale_figure(levels: Sequence[AnchorLevel], *, chosen: int | None = None) -> go.Figure:
    """Width and height of every anchor shape, level by level.

    Args:
        levels: of an anchor configuration.
        chosen: the level to be told apart.

    Returns:
        A scatter with one mark a shape; both axes are shares of the picture with equal scales.

    Example:
        >>> from ssd.config import anchor_preset
        >>> len(scale_figure(anchor_preset("paper").anchors.levels()).data)
        6
    """
    figure = go.Figure()
    for index, level in enumerate(levels):
        bright = chosen is None or chosen == index
        figure.add_scatter(
            x=[w for w, _ in level.shapes_wh],
            y=[h for _, h in level.shapes_wh],
            mode="markers",
            name=f"level {index}",
            marker={"size": 9 if bright else 6, "symbol": index, "color": _LEVEL if bright else _GREY},
            hovertemplate=f"level {index}<br>width %{{x:.2f}}, height %{{y:.2f}}<extra></extra>",
        )
    limit = 1.08 * max(side for level in levels for shape in level.shapes_wh for side in shape)
    figure.update_xaxes(title="width", range=[0, limit], tickformat=".1f")
    figure.update_yaxes(title="height", range=[0, limit], tickformat=".1f")
    return compact(figure, height=300, legend=True)


def level_figure(counts: Sequence[int], *, kind: str, title: str) -> go.Figure:
    """How many anchors of a kind each level has.

    Args:
        counts: one a level, finest first.
        kind: a key of ``colours.LINES``; gives the colour.
        title: of the axis.

    Returns:
        Bars with their numbers.

    Example:
        >>> level_figure([3, 1], kind="positive", title="positive anchors").data[0].y
        (3, 1)
    """
    names = [str(index) for index in range(len(counts))]
    figure = go.Figure(
        go.Bar(x=names, y=list(counts), marker_color=line(kind).colour, text=[f"{n:,}" for n in counts])
    )
    figure.update_traces(
        textposition="outside", cliponaxis=False, hovertemplate="level %{x}: %{y}<extra></extra>"
    )
    figure.update_xaxes(title="level", type="category")
    figure.update_yaxes(title=title, showticklabels=False, showgrid=False)
    return compact(figure, height=190)


def jaccard_figure(table: JaccardTable, *, names: Sequence[str]) -> go.Figure:
    """The jaccard table: objects × anchors, both maxima marked.

    Args:
        table: from ``words.jaccard_table``.
        names: of the objects.

    Returns:
        A heat map with its numbers; a square marks each object's best anchor, bold type
        each anchor's best object.

    Example:
        >>> table = JaccardTable((4, 9), ((0.5, 0.2),), (0,), (0, 0))
        >>> jaccard_figure(table, names=["dog"]).data[0].x
        ('4', '9')
    """
    columns = [str(anchor) for anchor in table.anchors]
    rows = [f"{index} · {name}" for index, name in enumerate(names)]
    texts = [
        [_cell_text(value, table.column_best[c] == r) for c, value in enumerate(row)]
        for r, row in enumerate(table.values)
    ]
    figure = go.Figure(
        go.Heatmap(
            x=columns, y=rows, z=table.values, text=texts, texttemplate="%{text}", zmin=0, zmax=1,
            colorscale=_BLUES, showscale=False, xgap=1, ygap=1,
            hovertemplate="%{y}, anchor %{x}: jaccard %{z:.4f}<extra></extra>",
        )
    )  # fmt: skip
    best = [(columns[c], rows[r]) for r, c in enumerate(table.row_best) if c is not None]
    figure.add_scatter(
        x=[x for x, _ in best], y=[y for _, y in best], mode="markers", name="best anchor of the object",
        marker={"symbol": "square-open", "size": 26, "color": line("forced").colour, "line": {"width": 2.5}},
        hoverinfo="skip",
    )  # fmt: skip
    figure.update_xaxes(title="anchor", type="category", tickangle=0)
    figure.update_yaxes(autorange="reversed", type="category")
    return compact(figure, height=80 + 34 * len(rows))


def _cell_text(value: float, best: bool) -> str:
    """Nothing for 0, bold for the largest of a column."""
    text = f"{value:.2f}" if value > 0 else ""
    return f"<b>{text}</b>" if text and best else text


def spread_figure(spreads: Sequence[tuple[str, Sequence[float]]]) -> go.Figure:
    """How large the four codes are, under one setting of the variances and another.

    Args:
        spreads: caption and four numbers of each setting.

    Returns:
        Bars in groups of the four codes.

    Example:
        >>> len(spread_figure([("as they are", (0.1, 0.1, 0.2, 0.2))]).data)
        1
    """
    figure = go.Figure()
    colours = (_GREY, _LEVEL)
    for index, (caption, numbers) in enumerate(spreads):
        texts = [f"{number:.2f}" for number in numbers]
        figure.add_bar(
            x=list(CODE_NAMES), y=list(numbers), name=caption, text=texts, marker_color=colours[index % 2]
        )
    figure.update_traces(textposition="outside", cliponaxis=False, hoverinfo="skip")
    figure.update_yaxes(title="root mean square", rangemode="tozero", showgrid=False, showticklabels=False)
    return compact(figure, height=230, legend=True)


def funnel_figure(stages: Sequence[tuple[str, int]]) -> go.Figure:
    """How many boxes are left after each stage.

    Args:
        stages: name and count of each, first to last.

    Returns:
        Bars on a logarithmic axis with their numbers.

    Example:
        >>> funnel_figure([("anchors", 8732), ("kept", 3)]).data[0].y
        ('anchors', 'kept')
    """
    names, counts = [name for name, _ in stages], [count for _, count in stages]
    figure = go.Figure(
        go.Bar(
            x=[max(count, 0.5) for count in counts],
            y=names,
            orientation="h",
            text=[f"{count:,}" for count in counts],
            marker_color=[_GREY] * (len(stages) - 1) + [line("kept").colour],
            textposition="outside",
            cliponaxis=False,
            hoverinfo="skip",
        )
    )
    figure.update_xaxes(type="log", visible=False)
    figure.update_yaxes(autorange="reversed")
    return compact(figure, height=40 + 28 * len(stages), right=56)


def compact(figure: go.Figure, *, height: int, legend: bool = False, right: int = 8) -> go.Figure:
    """Small margins, no zooming, nothing behind the chart."""
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": right, "t": 8, "b": 8},
        showlegend=legend,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        dragmode=False,
        plot_bgcolor="rgba(0,0,0,0)",
        paper_bgcolor="rgba(0,0,0,0)",
        bargap=0.35,
    )
    figure.update_xaxes(fixedrange=True, automargin=True)
    figure.update_yaxes(fixedrange=True, automargin=True)
    return figure
