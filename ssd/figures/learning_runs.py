"""Charts of training runs: records in, Plotly figures out; nothing is computed here."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10

import plotly.graph_objects as go

from ssd.figures.charts import compact
from ssd.figures.colours import line
from ssd.training.run_curves import Curve
from ssd.training.run_reader import Finding, Validation

__all__ = ["RUN_LINES", "curve_figure", "finding_figure", "validation_figure"]

# A run keeps colour and dashes on every chart; readable on a light and on a dark page.
RUN_LINES: tuple[dict[str, str], ...] = (
    {"color": "#2A8CCB", "dash": "solid"},
    {"color": "#E69F00", "dash": "dash"},
    {"color": "#00B98A", "dash": "dot"},
    {"color": "#CC79A7", "dash": "dashdot"},
)
_GREY = "#7A828C"


def curve_figure(
    curves: Sequence[tuple[str, Curve]],
    *,
    title: str,
    last_step: int,
    most: float | None = None,
    number: str = ".3f",
    legend: bool = True,
) -> go.Figure:
    """One quantity of several runs, or several of one run, step by step.

    Args:
        curves: caption and points of each; the spread of a stretch is a band behind a
            line that stands alone.
        title: of the upright axis.
        last_step: where the axis of steps ends, fixed while a run goes on.
        most: where the upright axis ends; ``None``: where the numbers end.
        number: how the numbers are written.
        legend: whether captions are shown.

    Returns:
        A line for each.

    Example:
        >>> curve = Curve((1, 2), (4.0, 3.0), (4.0, 3.0), (4.0, 3.0), 1)
        >>> curve_figure([("loss", curve)], title="loss", last_step=10).layout.xaxis.range
        (0, 10)
    """
    figure = go.Figure()
    for index, (caption, curve) in enumerate(curves):
        style = RUN_LINES[index % len(RUN_LINES)]
        if len(curves) == 1 and curve.stretch > 1:
            _add_band(figure, curve, style["color"])
        figure.add_scatter(
            x=curve.steps, y=curve.mean, mode="lines" if len(curve.steps) > 1 else "markers", name=caption,
            line={**style, "width": 2}, connectgaps=False,
            hovertemplate=f"{caption}<br>step %{{x:,}}: %{{y:{number}}}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="step", range=[0, max(last_step, 1)], tickformat=",")
    figure.update_yaxes(title=title)
    if most is not None:
        figure.update_yaxes(range=[0, most])
    else:
        figure.update_yaxes(rangemode="tozero")
    return compact(figure, height=250, legend=legend)


def _add_band(figure: go.Figure, curve: Curve, colour: str) -> None:
    """From the smallest to the largest number of each stretch."""
    figure.add_scatter(
        x=[*curve.steps, *reversed(curve.steps)], y=[*curve.high, *reversed(curve.low)], mode="lines",
        line={"width": 0}, fill="toself", fillcolor=colour, opacity=0.18, showlegend=False, hoverinfo="skip",
    )  # fmt: skip


def validation_figure(runs: Sequence[tuple[str, Sequence[Validation]]], *, last_step: int) -> go.Figure:
    """What the runs reach in validation, step by step; the metric's full name stands above the chart.

    Args:
        runs: caption and validations of each.
        last_step: where the axis of steps ends.

    Returns:
        A line with marks for each run; the best mark of each is larger and has its number.
        Shares are shown on 0 to 1, whatever was reached.

    Example:
        >>> points = [Validation(5, 0.5, None, "AP50")]
        >>> validation_figure([("a", points)], last_step=9).data[0].y
        (0.5,)
    """
    figure = go.Figure()
    for index, (caption, points) in enumerate(runs):
        best = max((point.value for point in points), default=None)
        style = RUN_LINES[index % len(RUN_LINES)]
        figure.add_scatter(
            x=[point.step for point in points], y=[point.value for point in points], name=caption,
            mode="lines+markers+text", line={**style, "width": 2},
            marker={"size": [11 if point.value == best else 6 for point in points]},
            text=[f"{point.value:.3f}" if point.value == best else "" for point in points],
            textposition="top left", cliponaxis=False,
            hovertemplate=f"{caption}<br>step %{{x:,}}: %{{y:.3f}}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="step", range=[0, max(last_step, 1)], tickformat=",")
    figure.update_yaxes(title="validation", tickformat=".1f")
    if all(0 <= point.value <= 1 for _, points in runs for point in points):
        figure.update_yaxes(range=[0, 1.05])
    return compact(figure, height=250, legend=len(runs) > 1)


def finding_figure(finding: Finding, *, used: float | None = None) -> go.Figure:
    """What the learning-rate finder saw, and what it suggests.

    Args:
        finding: rates and losses.
        used: the highest rate that the run takes, if known.

    Returns:
        The loss over the rate on a logarithmic axis; the suggestion is an upright line.

    Example:
        >>> finding_figure(Finding((0.001, 0.1), (5.0, 9.0), 0.001)).layout.shapes[0].x0
        0.001
    """
    figure = go.Figure(
        go.Scatter(
            x=finding.rates, y=finding.losses, mode="lines", line={**RUN_LINES[0], "width": 2}, name="loss",
            hovertemplate="rate %{x:.2g}: loss %{y:.3f}<extra></extra>",
        )
    )  # fmt: skip
    for rate, words, style in (
        (finding.suggestion, "suggestion", {"color": line("forced").colour, "dash": "dash"}),
        (used, "used", {"color": _GREY, "dash": "dot"}),
    ):
        if rate:
            figure.add_vline(x=rate, line={**style, "width": 2})
            figure.add_annotation(
                x=log10(rate), y=1.0 if words == "suggestion" else 0.86, yref="paper", showarrow=False,
                xanchor="left", xshift=5, text=f"{words} {rate:.2g}",
            )  # fmt: skip
    ends = [log10(finding.rates[0]), log10(finding.rates[-1])]
    figure.update_xaxes(title="learning rate", type="log", range=ends, exponentformat="power", dtick=1)
    figure.update_yaxes(title="loss")
    return compact(figure, height=250)
