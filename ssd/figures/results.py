"""Charts of the Results page: records in, Plotly figures out; nothing is computed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from ssd.figures.charts import compact
from ssd.figures.colours import line
from ssd.figures.learning_runs import RUN_LINES
from ssd.metrics import Confusion, Curve, Metric, OperatingPoint

__all__ = ["confusion_figure", "f1_figure", "precision_recall_figure", "verdict_figure"]

_GREY = "#7A828C"
_MOST_POINTS = 500
_HEIGHT = 400


def precision_recall_figure(
    curves: Sequence[tuple[str, Curve]], *, metric: Metric, points: Sequence[OperatingPoint] = ()
) -> go.Figure:
    """Precision over recall: every exact point thinly, the metric's own interpolation on top.

    Args:
        curves: caption and curve of each class or model.
        metric: whose interpolation.
        points: where a score threshold stands on each curve.

    Returns:
        Lines on fixed axes, so that two models can be compared.

    Example:
        >>> import torch
        >>> one = Curve(torch.tensor([0.9]), torch.tensor([1]), num_objects=1)
        >>> precision_recall_figure([("cat", one)], metric="voc12").layout.xaxis.range
        (0, 1.02)
    """
    figure = go.Figure()
    for index, (caption, curve) in enumerate(curves):
        style = RUN_LINES[index % len(RUN_LINES)]
        envelope = curve.envelope(metric)
        if len(curves) == 1 and len(curve.scores):
            step = -(-len(curve.scores) // _MOST_POINTS)
            figure.add_scatter(
                x=curve.recall[::step].tolist(), y=curve.precision[::step].tolist(), mode="lines",
                name="every detection", line={"color": _GREY, "width": 1}, hoverinfo="skip",
            )  # fmt: skip
        figure.add_scatter(
            x=envelope.recall.tolist(), y=envelope.precision.tolist(), name=caption,
            mode="lines+markers" if metric == "voc07" else "lines",
            line={**style, "width": 2.5, "shape": "vh" if metric == "voc12" else "linear"},
            hovertemplate=f"{caption}<br>recall %{{x:.2f}}: precision %{{y:.2f}}<extra></extra>",
        )  # fmt: skip
    _add_points(figure, points)
    figure.update_xaxes(title="recall", range=[0, 1.02], tickformat=".1f")
    figure.update_yaxes(title="precision", range=[0, 1.05], tickformat=".1f")
    return compact(figure, height=_HEIGHT, legend=True)


def _add_points(figure: go.Figure, points: Sequence[OperatingPoint]) -> None:
    """Where the score threshold stands."""
    known = [(p.recall, p.precision) for p in points if p.recall is not None and p.precision is not None]
    if known:
        figure.add_scatter(
            x=[recall for recall, _ in known], y=[precision for _, precision in known], mode="markers",
            marker={"size": 11, "symbol": "diamond", "color": line("forced").colour},
            name=f"score > {points[0].score:.2f}",
            hovertemplate="recall %{x:.2f}: precision %{y:.2f}<extra></extra>",
        )  # fmt: skip


def f1_figure(curves: Sequence[tuple[str, Curve]], *, score: float) -> go.Figure:
    """F1 over the score threshold, with the best point of each curve.

    Args:
        curves: caption and curve of each class or model.
        score: where the threshold stands now.

    Returns:
        Lines on fixed axes.

    Example:
        >>> import torch
        >>> one = Curve(torch.tensor([0.9, 0.4]), torch.tensor([1, 1]), num_objects=1)
        >>> f1_figure([("cat", one)], score=0.5).layout.yaxis.range
        (0, 1.05)
    """
    figure = go.Figure()
    for index, (caption, curve) in enumerate(curves):
        style, best = RUN_LINES[index % len(RUN_LINES)], curve.best()
        step = -(-len(curve.scores) // _MOST_POINTS) or 1
        figure.add_scatter(
            x=curve.scores[::step].tolist(), y=curve.f1[::step].tolist(), mode="lines", name=caption,
            line={**style, "width": 2.5},
            hovertemplate=f"{caption}<br>score %{{x:.2f}}: F1 %{{y:.2f}}<extra></extra>",
        )  # fmt: skip
        if best is not None and best.f1 is not None:
            figure.add_scatter(
                x=[best.score], y=[best.f1], mode="markers+text", showlegend=False,
                marker={"size": 11, "color": style["color"]}, text=[f"{best.f1:.2f} at {best.score:.2f}"],
                textposition="top center", hoverinfo="skip", cliponaxis=False,
            )  # fmt: skip
    figure.add_vline(x=score, line={"color": line("forced").colour, "dash": "dash", "width": 2})
    figure.update_xaxes(title="score threshold", range=[0, 1], tickformat=".1f")
    figure.update_yaxes(title="F1", range=[0, 1.05], tickformat=".1f")
    return compact(figure, height=_HEIGHT, legend=True)


def confusion_figure(found: Confusion, *, selected: tuple[int, int] | None = None) -> go.Figure:
    """What is there against what was said, a square a cell.

    Args:
        found: the matrix.
        selected: row and column of the cell whose pictures are shown.

    Returns:
        Squares that can be clicked: each carries its row and column. Darker is a larger share
        of its row; the diagonal has the colour of what is right, the rest of what is wrong.

    Example:
        >>> import torch
        >>> empty = Confusion(("cat", "background"), torch.zeros(2, 2, dtype=torch.int64), {})
        >>> len(confusion_figure(empty).data[0].x)
        3
    """
    names, counts = [_short(name) for name in found.names], found.counts.tolist()
    last = len(names) - 1
    cells = [(r, c) for r in range(last + 1) for c in range(last + 1) if (r, c) != (last, last)]
    shares = [counts[r][c] / max(sum(counts[r]), 1) for r, c in cells]
    right, wrong = line("true_positive").colour, line("false_positive").colour
    paint = [_tinted(right if r == c else wrong, share) for (r, c), share in zip(cells, shares, strict=True)]
    side = max(14, min(56, round(330 / len(names))))
    figure = go.Figure(
        go.Scatter(
            x=[c for _, c in cells], y=[r for r, _ in cells], mode="markers+text",
            marker={
                "symbol": "square", "size": side,
                "color": paint,
                "line": {
                    "width": [4 if cell == selected else 1 for cell in cells],
                    "color": [line("cell").colour if cell == selected else _GREY for cell in cells],
                },
            },
            text=[f"{counts[r][c]:,}" if counts[r][c] else "" for r, c in cells],
            textfont={"color": ["#FFFFFF" if share > 0.5 else _GREY for share in shares], "size": 12},
            customdata=[[r, c] for r, c in cells],
            hovertemplate=[
                f"there: {names[r]}<br>said: {names[c]}<br>{counts[r][c]:,}<extra></extra>" for r, c in cells
            ],
        )
    )  # fmt: skip
    ticks = {
        "tickvals": list(range(len(names))),
        "range": [-0.6, last + 0.6],
        "showgrid": False,
        "zeroline": False,
    }
    figure.update_xaxes(title="said by the detector", ticktext=names, side="top", **ticks)
    figure.update_yaxes(title="there", ticktext=names, **{**ticks, "range": [last + 0.6, -0.6]})
    return compact(figure, height=max(300, min(620, 90 + (side + 8) * len(names))))


def _tinted(colour: str, share: float) -> str:
    """A colour that lets more of the page through the smaller the share is."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{0.15 + 0.85 * share if share else 0:.2f})"


def _short(name: str) -> str:
    """A class name that leaves room for the chart, without markup."""
    plain = name.replace("<", "‹").replace(">", "›").replace("&", "＆")
    return plain if len(plain) <= 16 else f"{plain[:15]}…"


def verdict_figure(counts: Mapping[str, int], *, selected: str | None = None) -> go.Figure:
    """Why objects were missed: a bar a verdict, in the order of the pipeline.

    Args:
        counts: how many objects met each verdict; ``found`` may be among them.
        selected: the verdict whose pictures are shown.

    Returns:
        Bars that can be clicked: each carries its verdict.

    Example:
        >>> verdict_figure({"no box": 2, "found": 5}).data[0].x
        (2, 5)
    """
    names = list(counts)
    colours = [line("true_positive" if name == "found" else "missed").colour for name in names]
    figure = go.Figure(
        go.Bar(
            x=list(counts.values()), y=names, orientation="h", customdata=names,
            marker={
                "color": colours,
                "line": {"width": [3 if name == selected else 0.5 for name in names], "color": _GREY},
            },
            text=[f"{count:,}" for count in counts.values()], textposition="outside", cliponaxis=False,
            hovertemplate="%{y}: %{x:,}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(title="objects", rangemode="tozero", showgrid=False, showticklabels=False)
    figure.update_yaxes(autorange="reversed")
    return compact(figure, height=70 + 38 * len(names), right=48)
