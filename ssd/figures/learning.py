"""Charts of the loss lab: records in, Plotly figures out; nothing is computed here."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from ssd.figures.charts import compact
from ssd.figures.colours import line
from ssd.training.lab_parts import CostPart

__all__ = ["checkpoints_figure", "curves_figure", "parts_figure"]

MOST_COST = 5.0  # where the axis of the curves ends: fixed, so that moving α and γ moves the curve
_PARTS = (
    ("boxes of positives", "localisation", line("forced").colour, "/"),
    ("classes of positives", "positive_confidence", line("positive").colour, ""),
    ("negatives", "negative_confidence", line("hard_negative").colour, "x"),
)
_PATTERN = {"fillmode": "overlay", "fgcolor": "rgba(16,20,28,0.55)", "size": 6, "solidity": 0.2}
_STYLES = (  # the curves: what is compared with, then what is moved
    {"color": "#7A828C", "width": 2, "dash": "dot"},
    {"color": line("positive").colour, "width": 2, "dash": "dash"},
    {"color": line("false_positive").colour, "width": 3.5},
)


def curves_figure(
    p: Sequence[float],
    curves: Sequence[tuple[str, Sequence[float]]],
    *,
    marks: Sequence[tuple[float, float]] = (),
) -> go.Figure:
    """Losses as functions of the probability that the right answer gets.

    Args:
        p: probabilities, rising.
        curves: caption and loss at each probability; the last one stands out.
        marks: probability and cost of the scene's own positive anchors.

    Returns:
        Lines on fixed axes.

    Example:
        >>> curves_figure([0.5, 1.0], [("focal", [0.1, 0.0])]).data[0].name
        'focal'
    """
    figure = go.Figure()
    for (caption, costs), style in zip(curves, _STYLES[-len(curves) :], strict=True):
        figure.add_scatter(
            x=list(p), y=list(costs), mode="lines", name=caption, line=style,
            hovertemplate=f"{caption}<br>p %{{x:.2f}} costs %{{y:.3f}}<extra></extra>",
        )  # fmt: skip
    if marks:
        figure.add_scatter(
            x=[x for x, _ in marks], y=[y for _, y in marks], mode="markers", name="positives of this scene",
            marker={"size": 9, "color": line("positive").colour, "line": {"width": 1, "color": "#14181f"}},
            hovertemplate="a positive anchor<br>p %{x:.2f} costs %{y:.3f}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="probability of the right answer", range=[0, 1.01], tickformat=".1f")
    figure.update_yaxes(title="loss", range=[0, MOST_COST], tickformat=".1f")
    return compact(figure, height=300, legend=True)


def parts_figure(parts: Sequence[CostPart], *, most: float | None = None) -> go.Figure:
    """What the loss is made of, level by level or class by class.

    Args:
        parts: of the loss; each a bar.
        most: end of the axis, to compare two charts; ``None``: the longest bar.

    Returns:
        Bars in three stretches: boxes and classes of positives, negatives.

    Example:
        >>> parts_figure([CostPart("level 0", 3, 9, 0.5, 0.25, 1.0)]).data[2].x
        (1.0,)
    """
    names = [part.name for part in parts]
    figure = go.Figure()
    for caption, field, colour, pattern in _PARTS:
        figure.add_bar(
            x=[getattr(part, field) for part in parts], y=names, orientation="h", name=caption,
            marker={"color": colour, "pattern": {"shape": pattern, **_PATTERN}},
            customdata=[(part.positives, part.negatives) for part in parts],
            hovertemplate=f"%{{y}}: {caption} %{{x:.3f}}<br>%{{customdata[0]}} positives, "
            "%{customdata[1]} negatives<extra></extra>",
        )  # fmt: skip
    totals = [part.total for part in parts]
    figure.add_scatter(
        x=totals, y=names, mode="text", text=[f" {total:.2f}" for total in totals],
        textposition="middle right", showlegend=False, hoverinfo="skip", cliponaxis=False,
    )  # fmt: skip
    figure.update_layout(barmode="stack", legend_traceorder="normal")
    longest = max([*totals, 1e-3]) if most is None else most
    figure.update_xaxes(title="part of the loss", range=[0, 1.12 * longest])
    figure.update_yaxes(autorange="reversed", type="category")
    return compact(figure, height=100 + 26 * max(len(parts), 2), legend=True, right=40)


def checkpoints_figure(points: Sequence[tuple[str, CostPart]], *, chosen: int | None = None) -> go.Figure:
    """The loss of one scene across the checkpoints of a run.

    Args:
        points: title of each checkpoint and its whole loss, in order.
        chosen: the checkpoint that the picture shows.

    Returns:
        Stacked bars, one a checkpoint.

    Example:
        >>> checkpoints_figure([("step 5", CostPart("all", 3, 9, 0.5, 0.25, 1.0))]).data[0].x
        ('step 5',)
    """
    titles = [title for title, _ in points]
    figure = go.Figure()
    for caption, field, colour, pattern in _PARTS:
        figure.add_bar(
            x=titles, y=[getattr(part, field) for _, part in points], name=caption,
            marker={
                "color": colour,
                "opacity": [1.0 if chosen in (None, i) else 0.55 for i in range(len(points))],
                "pattern": {"shape": pattern, **_PATTERN},
            },
            hovertemplate=f"%{{x}}: {caption} %{{y:.3f}}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(barmode="stack", legend_traceorder="normal")
    figure.update_xaxes(type="category", tickangle=0 if len(points) < 7 else -45)
    figure.update_yaxes(title="loss of this scene", rangemode="tozero")
    return compact(figure, height=260, legend=True)
