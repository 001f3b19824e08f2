"""Rules compared in words, contested anchors, small tables."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssd.anchors import make_anchors
from ssd.config import IGNORED, GridAnchors, anchor_preset
from ssd.figures.words import (
    central_anchor,
    code_spread,
    contests,
    jaccard_table,
    label_list,
    numbered_names,
    positives_per_level,
    rule_difference,
    target_rows,
)
from ssd.matching import Assignment, match_overlaps

PAIR = torch.tensor([[0.2, 0.70, 0.1], [0.1, 0.60, 0.0]])  # both objects want anchor 1 most


def overlap_tables():
    sizes = st.tuples(st.integers(1, 5), st.integers(1, 12))
    return sizes.flatmap(
        lambda size: st.lists(
            st.lists(st.integers(0, 20).map(lambda n: n / 20), min_size=size[1], max_size=size[1]),
            min_size=size[0],
            max_size=size[0],
        ).map(torch.tensor)
    )


def compare(one, other, table=PAIR):
    found = [match_overlaps(table, rule=rule) for rule in (one, other)]
    return rule_difference(*found, names=["cat", "dog"], rules=(one, other))


def test_the_words_of_two_rules_name_the_object_that_loses():
    assert compare("bipartite", "overwrite") == (
        "2 anchors differ between bipartite and overwrite.",
        "cat loses its only anchor under overwrite.",
    )
    assert compare("overwrite", "bipartite")[1] == "cat gets its only anchor under bipartite."


def test_a_rule_agrees_with_itself():
    assert compare("overwrite", "overwrite") == (
        "On this scene overwrite and overwrite agree on every anchor.",
    )


@given(overlap_tables())
def test_the_words_count_the_anchors_that_differ(table):
    one, other = (match_overlaps(table, rule=rule) for rule in ("bipartite", "overwrite"))
    words = rule_difference(one, other, names=["x"] * len(table), rules=("bipartite", "overwrite"))
    count = int((one.matched_gt != other.matched_gt).sum())

    assert words[0].startswith(f"{count} anchor" if count else "On this scene")


def test_a_contested_anchor_goes_to_the_last_object_under_overwrite():
    (contest,) = contests(match_overlaps(PAIR, rule="overwrite"))

    assert (contest.anchor, contest.objects, contest.winner) == (1, (0, 1), 1)


def test_objects_that_overlap_nothing_contest_nothing():
    assert contests(match_overlaps(torch.zeros(3, 4))) == ()


@given(overlap_tables(), st.integers(1, 6))
def test_a_jaccard_table_shows_the_maxima_of_its_rows_and_columns(table, columns):
    shown = jaccard_table(table, columns=columns)

    assert len(shown.anchors) == min(columns, table.shape[1])
    for row, place in enumerate(shown.row_best):
        assert place is None or shown.anchors[place] == int(table[row].argmax())
    for place, row in enumerate(shown.column_best):
        column = table[:, shown.anchors[place]]
        assert (row is None) == (float(column.max()) == 0)
        assert row is None or float(column[row]) == float(column.max())


@given(overlap_tables())
def test_every_objects_best_anchor_is_shown_where_there_is_room(table):
    assert None not in jaccard_table(table, columns=len(table)).row_best


def test_a_table_without_objects_is_empty():
    assert jaccard_table(torch.zeros(0, 5), columns=3).anchors == ()


def test_labels_are_printed_as_the_lesson_prints_them():
    found = match_overlaps(torch.tensor([[0.7, 0.1, 0.2]]))
    told = Assignment(torch.tensor([2, 0, IGNORED]), torch.zeros(3, 4), found)

    assert label_list(told, class_names=["cat", "dog"], first=0, last=3) == "['dog', 'bg', '--']"
    assert label_list(told, class_names=["cat", "dog"], first=1, last=2) == "['bg']"


def told_of(table, targets):
    found = match_overlaps(table)
    return Assignment((found.matched_gt >= 0).long(), targets, found)


def test_target_rows_list_the_anchors_of_one_object_best_first():
    anchors = make_anchors(GridAnchors(grids=(2,)))
    told = told_of(
        torch.tensor([[0.6, 0.9, 0.0, 0.0], [0.0, 0.0, 0.8, 0.0]]), torch.arange(16.0).reshape(4, 4)
    )
    rows = target_rows(told, anchors, g=0, most=5)

    assert rows["anchor"] == ["1", "0"]
    assert rows["centre x"] == ["4.00", "0.00"]
    assert target_rows(told, anchors, g=None, most=2)["anchor"] == ["1", "2"]


def test_the_spread_of_codes_counts_positive_anchors_only():
    targets = torch.tensor([[3.0, 0.0, 0.0, 0.0], [100.0] * 4, [4.0, 0.0, 0.0, 0.0]])
    told = told_of(torch.tensor([[0.9, 0.1, 0.8]]), targets)

    assert code_spread(told)[0] == pytest.approx(12.5**0.5)
    assert code_spread(told_of(torch.zeros(0, 3), targets)) == (0.0,) * 4


def test_positives_are_counted_on_their_levels():
    anchors = make_anchors(GridAnchors(grids=(2, 1)))

    assert positives_per_level(match_overlaps(torch.tensor([[0.6, 0.9, 0.0, 0.0, 0.5]])), anchors) == (2, 1)


def test_the_central_anchor_of_each_level_lies_in_its_middle_cell():
    anchors = make_anchors(anchor_preset("ssd300-voc").anchors)
    for level in range(6):
        index = central_anchor(anchors, level=level)
        middle = anchors.levels[level].grid_wh[0] // 2
        place = [int(part[index]) for part in (anchors.level, anchors.row, anchors.column, anchors.shape)]

        assert place == [level, middle, middle, 0]


def test_only_names_that_occur_twice_are_numbered():
    assert numbered_names(["dog", "cat", "dog"]) == ("dog 1", "cat", "dog 2")
