"""Charts of what a data set holds: records in, Plotly figures out; nothing is computed here."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from ssd.coverage import Group
from ssd.figures.charts import compact
from ssd.figures.colours import line

__all__ = ["balance_figure", "sizes_figure"]

_GREY = "#7A828C"


def balance_figure(counts: Sequence[tuple[str, int]], *, selected: str | None = None) -> go.Figure:
    """Objects of each class, the most frequent first.

    Args:
        counts: class and number of objects.
        selected: the class whose pictures are shown.

    Returns:
        Bars that can be clicked: each carries its class.

    Example:
        >>> balance_figure([("cat", 2), ("dog", 5)]).data[0].x
        (5, 2)
    """
    ranked = sorted(counts, key=lambda item: -item[1])
    names, shown = [name for name, _ in ranked], [_plain(name) for name, _ in ranked]
    figure = go.Figure(
        go.Bar(
            x=[count for _, count in ranked], y=shown, orientation="h", customdata=names,
            text=[f"{count:,}" for _, count in ranked], textposition="outside", cliponaxis=False,
            marker={
                "color": line("plain").colour,
                "line": {"width": [3 if name == selected else 0.5 for name in names], "color": _GREY},
            },
            hovertemplate="%{y}: %{x:,}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(title="objects", rangemode="tozero", showgrid=False, showticklabels=False)
    figure.update_yaxes(autorange="reversed", type="category")
    return compact(figure, height=min(900, 70 + 28 * max(len(names), 1)), right=48)


def sizes_figure(groups: dict[str, Group]) -> go.Figure:
    """How large the objects are at training size.

    Args:
        groups: by size, smallest first; each says which share has an anchor.

    Returns:
        Bars: the part with an anchor, and the part without.

    Example:
        >>> sizes_figure({"<16": Group(4, 0.25)}).data[1].y
        (3,)
    """
    names = list(groups)
    with_anchor = [round(g.num_objects * (g.recall or 0.0)) for g in groups.values()]
    without = [g.num_objects - n for g, n in zip(groups.values(), with_anchor, strict=True)]
    figure = go.Figure()
    for label, values, kind in (
        ("with an anchor", with_anchor, "positive"),
        ("without", without, "orphan"),
    ):
        figure.add_bar(x=names, y=values, name=label, marker_color=line(kind).colour,
                       hovertemplate=f"%{{x}} px: %{{y:,}} {label}<extra></extra>")  # fmt: skip
    figure.update_layout(barmode="stack")
    figure.update_xaxes(title="√area in px at training size", type="category")
    figure.update_yaxes(title="objects", showgrid=False)
    return compact(figure, height=240, legend=True)


def _plain(text: str) -> str:
    """A class name without markup, short enough for the chart."""
    plain = text.replace("&", "＆").replace("<", "‹").replace(">", "›")
    return plain if len(plain) <= 22 else f"{plain[:21]}…"
