"""Records in words and small tables: what two rules disagree about, who contests an anchor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ssd.anchors import Anchors
from ssd.config import IGNORED
from ssd.matching import Assignment, Match

__all__ = [
    "CODE_NAMES",
    "Contest",
    "JaccardTable",
    "central_anchor",
    "code_spread",
    "contests",
    "jaccard_table",
    "label_list",
    "numbered_names",
    "positives_per_level",
    "rule_difference",
    "target_rows",
]


CODE_NAMES = ("centre x", "centre y", "width", "height")


@dataclass(frozen=True)
class Contest:
    """An anchor that is the best of several objects, so that only one can have it.

    Attributes:
        anchor: its index.
        objects: the objects whose best it is.
        winner: the object it answers for under the rule, or ``None``.
    """

    anchor: int
    objects: tuple[int, ...]
    winner: int | None


@dataclass(frozen=True)
class JaccardTable:
    """Objects × some anchors.

    Attributes:
        anchors: index of each column's anchor.
        values: one row an object.
        row_best: column of each object's best anchor, or ``None`` where it is not shown.
        column_best: row of each anchor's best object, or ``None`` where it overlaps none.
    """

    anchors: tuple[int, ...]
    values: tuple[tuple[float, ...], ...]
    row_best: tuple[int | None, ...]
    column_best: tuple[int | None, ...]


def numbered_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names that can be told apart: those that occur twice carry a number.

    Args:
        names: class of each object.

    Returns:
        One name an object.

    Example:
        >>> numbered_names(["dog", "cat", "dog"])
        ('dog 1', 'cat', 'dog 2')
    """
    seen: dict[str, int] = {}
    titles = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        titles.append(f"{name} {seen[name]}" if list(names).count(name) > 1 else name)
    return tuple(titles)


def rule_difference(
    one: Match, other: Match, *, names: Sequence[str], rules: tuple[str, str]
) -> tuple[str, ...]:
    """What changes from one rule to another, in words.

    Args:
        one: match by the rule in use.
        other: match of the same objects by the other rule.
        names: class of each object.
        rules: names of the two rules.

    Returns:
        The number of anchors that differ first, then a sentence for each object that
        gains or loses.

    Example:
        >>> from ssd.matching import match_overlaps
        >>> table = torch.tensor([[0.2, 0.7], [0.1, 0.6]])
        >>> one, other = (match_overlaps(table, rule=rule) for rule in ("bipartite", "overwrite"))
        >>> rule_difference(one, other, names=["cat", "dog"], rules=("bipartite", "overwrite"))
        ('2 anchors differ between bipartite and overwrite.', 'cat loses its only anchor under overwrite.')
    """
    count = int((one.matched_gt != other.matched_gt).sum())
    if count == 0:
        return (f"On this scene {rules[0]} and {rules[1]} agree on every anchor.",)
    noun = "anchor differs" if count == 1 else "anchors differ"
    lines = [f"{count} {noun} between {rules[0]} and {rules[1]}."]
    before, after = one.anchors_per_object.tolist(), other.anchors_per_object.tolist()
    for name, had, has in zip(numbered_names(names), before, after, strict=True):
        if had != has:
            lines.append(f"{name} {_change(had, has)} under {rules[1]}.")
    return tuple(lines)


def _change(had: int, has: int) -> str:
    """From one number of anchors to another."""
    if has == 0:
        return "loses its only anchor" if had == 1 else f"loses all its {had} anchors"
    if had == 0:
        return "gets its only anchor" if has == 1 else f"gets {has} anchors instead of none"
    return f"has {has} instead of {had} anchors"


def contests(found: Match) -> tuple[Contest, ...]:
    """Anchors that are the best of several objects.

    Args:
        found: the match.

    Returns:
        One record an anchor, lowest anchor first.

    Example:
        >>> from ssd.matching import match_overlaps
        >>> contests(match_overlaps(torch.tensor([[0.2, 0.7], [0.1, 0.6]]), rule="overwrite"))
        (Contest(anchor=1, objects=(0, 1), winner=1),)
    """
    wanted: dict[int, list[int]] = {}
    for g, (anchor, overlap) in enumerate(
        zip(found.best_anchor.tolist(), found.best_overlap.tolist(), strict=True)
    ):
        if overlap > 0:
            wanted.setdefault(anchor, []).append(g)
    shared = sorted((anchor, objects) for anchor, objects in wanted.items() if len(objects) > 1)
    return tuple(Contest(anchor, tuple(objects), _owner(found, anchor)) for anchor, objects in shared)


def _owner(found: Match, anchor: int) -> int | None:
    """The object an anchor answers for."""
    g = int(found.matched_gt[anchor])
    return g if g >= 0 else None


def jaccard_table(overlaps: Float[Tensor, "g a"], *, columns: int) -> JaccardTable:
    """The part of the jaccard table that decides: the best anchors of every object.

    Args:
        overlaps: objects × anchors.
        columns: how many anchors fit; with no more anchors than that all are shown.

    Returns:
        The columns in the order of the anchors, each object's best among them as far as they fit.

    Example:
        >>> jaccard_table(torch.tensor([[0.1, 0.0, 0.7], [0.0, 0.4, 0.6]]), columns=2).anchors
        (0, 2)
    """
    objects, total = overlaps.shape
    if objects == 0 or total == 0:
        return JaccardTable((), (), (), ())
    shown = torch.arange(total) if total <= columns else _best_columns(overlaps, columns)
    part = overlaps[:, shown]
    best, best_rows = overlaps.argmax(dim=1).tolist(), part.argmax(dim=0).tolist()
    places = {anchor: place for place, anchor in enumerate(shown.tolist())}
    high = part.max(dim=0).values.tolist()
    return JaccardTable(
        anchors=tuple(shown.tolist()),
        values=tuple(tuple(row) for row in part.tolist()),
        row_best=tuple(places.get(anchor) for anchor in best),
        column_best=tuple(row if value > 0 else None for row, value in zip(best_rows, high, strict=True)),
    )


def _best_columns(overlaps: Tensor, columns: int) -> Tensor:
    """First every object's best anchor, then every object's second, and so on."""
    order = overlaps.argsort(dim=1, descending=True, stable=True)[:, :columns]  # (g, columns)
    picked: list[int] = []
    for anchor in order.t().reshape(-1).tolist():
        if anchor not in picked and len(picked) < columns:
            picked.append(anchor)
    return torch.tensor(sorted(picked))


def label_list(assignment: Assignment, *, class_names: Sequence[str], first: int, last: int) -> str:
    """Labels in words, as the lesson prints them.

    Args:
        assignment: of all anchors.
        class_names: of labels 1..C.
        first: index of the first anchor.
        last: index after the last anchor.

    Returns:
        ``bg`` for background, ``--`` for ignored anchors, else the class.

    Example:
        >>> from ssd.matching import match_overlaps
        >>> found = match_overlaps(torch.tensor([[0.2, 0.7]]))
        >>> picked = Assignment(torch.tensor([0, 1]), torch.zeros(2, 4), found)
        >>> label_list(picked, class_names=["dog"], first=0, last=2)
        "['bg', 'dog']"
    """
    words = {0: "bg", IGNORED: "--"}
    labels = assignment.labels[first:last].tolist()
    return str([words.get(label) or class_names[label - 1] for label in labels])


def central_anchor(anchors: Anchors, *, level: int) -> int:
    """The first anchor of the cell in the middle of a level.

    Args:
        anchors: of a detector.
        level: feature map, 0 = finest.

    Returns:
        Its index.

    Example:
        >>> from ssd.anchors import make_anchors
        >>> from ssd.config import GridAnchors
        >>> central_anchor(make_anchors(GridAnchors(grids=(4, 1))), level=0)
        10
    """
    columns, rows = anchors.levels[level].grid_wh
    cell = (anchors.level == level) & (anchors.row == rows // 2) & (anchors.column == columns // 2)
    return int(cell.nonzero()[0, 0])


def target_rows(
    assignment: Assignment, anchors: Anchors, *, g: int | None, most: int
) -> dict[str, list[str]]:
    """Encoded targets of positive anchors, a column a list.

    Args:
        assignment: of all anchors.
        anchors: the anchors.
        g: the object whose anchors are listed; ``None``: of all objects.
        most: how many rows at most; the best jaccards first.

    Returns:
        Columns anchor, level, jaccard and the four codes.

    Example:
        >>> from ssd.anchors import make_anchors
        >>> from ssd.config import GridAnchors
        >>> from ssd.matching import match_overlaps
        >>> told = Assignment(torch.tensor([1]), torch.ones(1, 4), match_overlaps(torch.tensor([[0.7]])))
        >>> target_rows(told, make_anchors(GridAnchors(grids=(1,))), g=None, most=5)["jaccard"]
        ['0.70']
    """
    found = assignment.match
    rows = (found.positive if g is None else found.matched_gt == g).nonzero()[:, 0]
    rows = rows[found.overlap[rows].argsort(descending=True, stable=True)][:most]
    columns = {
        "anchor": [f"{index:,}" for index in rows.tolist()],
        "level": [str(level) for level in anchors.level[rows].tolist()],
        "jaccard": [f"{value:.2f}" for value in found.overlap[rows].tolist()],
    }
    codes = assignment.targets[rows].tolist()
    for place, name in enumerate(CODE_NAMES):
        columns[name] = [f"{code[place]:.2f}" for code in codes]
    return columns


def code_spread(assignment: Assignment) -> tuple[float, ...]:
    """How large the encoded targets are: the root mean square of each of the four codes.

    Args:
        assignment: of all anchors.

    Returns:
        One number a code; zeros where no anchor is positive.

    Example:
        >>> from ssd.matching import match_overlaps
        >>> told = Assignment(torch.tensor([1]), torch.ones(1, 4), match_overlaps(torch.tensor([[0.7]])))
        >>> code_spread(told)
        (1.0, 1.0, 1.0, 1.0)
    """
    codes = assignment.targets[assignment.match.positive]
    return (0.0,) * 4 if len(codes) == 0 else tuple(codes.square().mean(dim=0).sqrt().tolist())


def positives_per_level(found: Match, anchors: Anchors) -> tuple[int, ...]:
    """How many positive anchors each level has.

    Args:
        found: the match.
        anchors: the anchors.

    Returns:
        One count a level.

    Example:
        >>> from ssd.anchors import make_anchors
        >>> from ssd.config import GridAnchors
        >>> from ssd.matching import match_overlaps
        >>> anchors = make_anchors(GridAnchors(grids=(1, 1)))
        >>> positives_per_level(match_overlaps(torch.tensor([[0.7, 0.2]])), anchors)
        (1, 0)
    """
    return tuple(torch.bincount(anchors.level[found.positive], minlength=len(anchors.levels)).tolist())
