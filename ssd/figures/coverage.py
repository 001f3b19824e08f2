"""Charts of coverage: records in, Plotly figures out; nothing is computed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from ssd.coverage import FitStep, RecallCurve, SizeMap
from ssd.coverage.groups import JaccardGroup
from ssd.data.object_table import ObjectTable
from ssd.figures.charts import compact
from ssd.figures.colours import LOSS_RAMP, line
from ssd.figures.learning_runs import RUN_LINES

__all__ = ["cause_figure", "fit_figure", "groups_figure", "map_figure", "recall_figure"]

_GREY = "#7A828C"  # readable on a light and on a dark page
_TICKS_PX = (8, 16, 32, 64, 128, 256, 512, 1024)
_MOST_DOTS = 1500


def groups_figure(groups: Sequence[JaccardGroup], *, threshold: float) -> go.Figure:
    """Best jaccard of each group as boxes (quartiles), with the threshold.

    Args:
        groups: of ``jaccard_groups``.
        threshold: the match threshold.

    Returns:
        A box a group on fixed axes; its label says how many objects it has and the share with an anchor.

    Example:
        >>> groups_figure([], threshold=0.5).layout.xaxis.range
        (0, 1)
    """
    figure = go.Figure()
    for group in groups:
        colour = line("positive" if group.recall >= 0.995 else "orphan").colour
        count, share = len(group.jaccards), _percent(group.recall)
        figure.add_box(
            x=_quantiles(group), y=[_label(group)] * 5, orientation="h", name=group.name, boxpoints=False,
            marker={"color": colour}, line={"width": 2}, hoverinfo="text", whiskerwidth=0.4,
            text=f"{_plain(group.name)}: {count:,} objects, {share} with an anchor",
        )  # fmt: skip
    figure.add_vline(x=threshold, line={"color": line("forced").colour, "dash": "dash", "width": 2})
    figure.update_xaxes(title="best jaccard of an object: lowest, quartiles, highest", range=[0, 1])
    figure.update_yaxes(autorange="reversed")
    return compact(figure, height=max(210, 70 + 36 * len(groups)))


def _quantiles(group: JaccardGroup) -> list[float]:
    """Five numbers stand for all: a page with 40,000 objects stays light."""
    values = sorted(group.jaccards.tolist())
    return [values[round(share * (len(values) - 1))] for share in (0.0, 0.25, 0.5, 0.75, 1.0)]


def _label(group: JaccardGroup) -> str:
    counted = f"{len(group.jaccards):,}: {_percent(group.recall)}"
    return f'{_plain(group.name)}<br><span style="font-size:11px">{counted}</span>'


def _percent(share: float) -> str:
    """A share that is 100 % only where it is all of them."""
    return f"{100 * share:.1f} %" if 0.99 < share < 1 else f"{100 * share:.0f} %"


def _plain(text: str) -> str:
    """A name without markup, short enough for the chart."""
    plain = text.replace("&", "＆").replace("<", "‹").replace(">", "›")
    return plain if len(plain) <= 22 else f"{plain[:21]}…"


def map_figure(found: SizeMap, objects: ObjectTable) -> go.Figure:
    """Best jaccard over width × height, the shapes of the anchors over it, and the data set's objects.

    Args:
        found: of ``size_map``.
        objects: the data set's; of very many every n-th is drawn.

    Returns:
        A heat map on logarithmic axes; the line is the threshold.

    Example:
        >>> from ssd.config import anchor_preset
        >>> from ssd.coverage import size_map
        >>> from ssd.data.object_table import object_table
        >>> none = object_table([], class_names=("cat",))
        >>> len(map_figure(size_map(anchor_preset("lesson-4x4"), steps=4), none).data)
        3
    """
    side = found.widths_px[-1]
    figure = go.Figure(
        go.Heatmap(
            x=found.widths_px, y=found.heights_px, z=found.mean_jaccard.tolist(), zmin=0, zmax=1,
            colorscale=[[k / 4, colour] for k, colour in enumerate(reversed(LOSS_RAMP))],
            colorbar={"title": "best<br>jaccard", "thickness": 12},
            hovertemplate="%{x:.0f} × %{y:.0f} px: best jaccard %{z:.2f}<extra></extra>",
        )
    )  # fmt: skip
    figure.add_contour(
        x=found.widths_px, y=found.heights_px, z=found.mean_jaccard.tolist(), showscale=False,
        contours={"start": found.threshold, "end": found.threshold, "size": 1, "coloring": "none"},
        line={"color": "#000000", "width": 2, "dash": "dash"}, hoverinfo="skip",
    )  # fmt: skip
    _add_objects(figure, objects, side)
    figure.add_scatter(
        x=[w for w, _, _ in found.shapes_px], y=[h for _, h, _ in found.shapes_px], mode="markers",
        name="anchors",
        marker={"symbol": "x", "size": 9, "color": "#0072B2", "line": {"width": 1, "color": "#FFFFFF"}},
        text=[f"level {k}" for _, _, k in found.shapes_px],
        hovertemplate="anchor %{x:.0f} × %{y:.0f} px, %{text}<extra></extra>",
    )  # fmt: skip
    _log_axis(figure, side)
    return compact(figure, height=430)


def _add_objects(figure: go.Figure, objects: ObjectTable, side: float) -> None:
    """The objects as dots."""
    if len(objects) == 0:
        return
    step = -(-len(objects) // _MOST_DOTS)
    wh = ((objects.boxes[:, 2:] - objects.boxes[:, :2]) * side)[::step]
    figure.add_scatter(
        x=wh[:, 0].tolist(), y=wh[:, 1].tolist(), mode="markers", name="objects", hoverinfo="skip",
        marker={"size": 4, "color": "#FFFFFF", "opacity": 0.8, "line": {"width": 0.8, "color": "#000000"}},
    )  # fmt: skip


def _log_axis(figure: go.Figure, side: float) -> None:
    """The same axis twice, in pixels."""
    ticks = [tick for tick in _TICKS_PX if tick < side * 0.8]
    axis = {"type": "log", "tickvals": [*ticks, side], "ticktext": [*map(str, ticks), f"{side:.0f}"]}
    figure.update_xaxes(title="width in px at training size", showgrid=False, **axis)
    figure.update_yaxes(title="height", showgrid=False, **axis)


def recall_figure(curves: Sequence[RecallCurve], *, captions: Mapping[str, str] | None = None) -> go.Figure:
    """Recall by size under several presets, on one axis.

    Args:
        curves: of ``recall_curves``; their groups are the same.
        captions: what a preset is called, where not by its name.

    Returns:
        A line a preset over √area as a share of the picture, logarithmic; behind them how many
        objects each group has.

    Example:
        >>> recall_figure([RecallCurve("a", 0.5, (0.1, 0.4), (0.0, 1.0), (3, 2))]).data[-1].y
        (0.0, 1.0)
    """
    figure = go.Figure()
    if curves:
        most = max(*curves[0].num_objects, 1)
        figure.add_bar(
            x=list(curves[0].sides), y=[count / most for count in curves[0].num_objects], yaxis="y2",
            marker={"color": _GREY, "opacity": 0.25}, name="objects",
            width=[side * 0.3 for side in curves[0].sides],
            text=[f"{count:,}" for count in curves[0].num_objects], textposition="outside",
            textfont={"color": _GREY, "size": 11}, hoverinfo="skip", cliponaxis=False,
        )  # fmt: skip
    for index, curve in enumerate(curves):
        name = (captions or {}).get(curve.preset, curve.preset)
        figure.add_scatter(
            x=list(curve.sides), y=list(curve.recall), mode="lines+markers", connectgaps=True,
            line={**RUN_LINES[index % len(RUN_LINES)], "width": 2.5}, marker={"size": 7},
            name=f"{name} (T = {curve.threshold:g})",
            hovertemplate=f"{name}<br>side %{{x:.1%}}: recall %{{y:.2f}}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="√area of an object, as a share of the picture", type="log", tickformat=".0%",
                        tickvals=[0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0])  # fmt: skip
    figure.update_layout(
        yaxis={"title": "share with an anchor at T", "range": [0, 1.08], "tickformat": ".1f"},
        yaxis2={"overlaying": "y", "range": [0, 3.2], "visible": False, "fixedrange": True},
    )
    return compact(figure, height=400, legend=True)


def cause_figure(counts: Mapping[str, int], *, selected: str | None = None) -> go.Figure:
    """Why objects have no anchor: a bar a cause.

    Args:
        counts: objects of each cause.
        selected: the cause whose objects are shown.

    Returns:
        Bars that can be clicked: each carries its cause.

    Example:
        >>> cause_figure({"size": 2, "ratio": 5}).data[0].x
        (2, 5)
    """
    names = list(counts)
    figure = go.Figure(
        go.Bar(
            x=list(counts.values()), y=names, orientation="h", customdata=names,
            text=[f"{count:,}" for count in counts.values()], textposition="outside", cliponaxis=False,
            marker={
                "color": line("orphan").colour,
                "line": {"width": [3 if name == selected else 0.5 for name in names], "color": _GREY},
            },
            hovertemplate="%{y}: %{x:,}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(rangemode="tozero", showgrid=False, showticklabels=False)
    figure.update_yaxes(autorange="reversed")
    return compact(figure, height=60 + 30 * len(names), right=48)


def fit_figure(steps: Sequence[FitStep]) -> go.Figure:
    """The best so far of an anchor optimiser, generation by generation.

    Args:
        steps: from the first to the last.

    Returns:
        Mean best jaccard of the objects that are fitted to and of those that are held out.

    Example:
        >>> len(fit_figure([]).data)
        0
    """
    figure = go.Figure()
    fitted = [step.after for step in steps]
    unseen = [step.held_out for step in steps if step.held_out is not None]
    for index, (name, found) in enumerate((("fitted to", fitted), ("held out", unseen))):
        if found:
            figure.add_scatter(
                x=[step.generation for step in steps], y=[each.mean_best_jaccard for each in found],
                mode="lines", name=name, line={**RUN_LINES[index], "width": 2.5},
                hovertemplate=f"{name}<br>generation %{{x}}: %{{y:.3f}}<extra></extra>",
            )  # fmt: skip
    last = steps[-1].generations if steps else 1
    figure.update_xaxes(title="generation", range=[0, last])
    figure.update_yaxes(title="mean best jaccard", tickformat=".2f")
    return compact(figure, height=230, legend=True)
