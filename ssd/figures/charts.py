"""Small Plotly charts beside the picture: records in, figures out; nothing is computed here."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from ssd.figures.colours import line
from ssd.figures.words import CODE_NAMES

__all__ = ["level_figure", "spread_figure"]

_GREY = "#7A828C"  # readable on a light and on a dark page
_LEVEL = line("plain").colour


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
