"""Numbers, sentences and cards that stand together, as one element of the page.

Every element costs the browser about two milliseconds of each run; an inspector of four cards
was fifteen of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pages.shared.canvas import component

if TYPE_CHECKING:
    from ssd.figures.inspector import Stage
    from ssd.figures.words import JaccardTable


def facts(
    *,
    key: str,
    numbers: Sequence[tuple[str, str, str]] = (),
    lines: Sequence[str] = (),
    cards: Sequence[Stage] = (),
) -> None:
    """Show them. Everything is text, whoever wrote it.

    Args:
        key: of the element.
        numbers: big ones: label, value, and what it means.
        lines: sentences.
        cards: stations of the pipeline, title and lines each.
    """
    component("facts")(
        key=key,
        data={
            "numbers": [{"label": label, "value": value, "meaning": said} for label, value, said in numbers],
            "lines": list(lines),
            "cards": [{"title": card.title, "lines": list(card.lines)} for card in cards],
        },
    )


def jaccard_grid(table: JaccardTable, *, names: Sequence[str]) -> None:
    """The jaccard table with both maxima marked; wider than the page, it scrolls.

    Args:
        table: from ``words.jaccard_table``.
        names: of the objects.
    """
    rows = [
        {
            "name": f"{g} · {name}",
            "values": list(values),
            "texts": [f"{value:.2f}" if value > 0 else "" for value in values],
            "best": table.row_best[g],
        }
        for g, (name, values) in enumerate(zip(names, table.values, strict=True))
    ]
    data = {"anchors": list(table.anchors), "rows": rows, "column_best": list(table.column_best)}
    component("grid")(key="jaccard_grid", data=data)
