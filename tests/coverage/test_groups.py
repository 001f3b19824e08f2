"""Best jaccard group by group: every object is in one group, with the numbers of the coverage."""

from __future__ import annotations

import pytest
import torch

from ssd.config import anchor_preset
from ssd.coverage import preset_coverage
from ssd.coverage.groups import GROUPINGS, jaccard_groups
from ssd.data.object_table import object_table
from ssd.data.records import make_target

BOXES = torch.tensor(
    [[0.1, 0.1, 0.13, 0.13], [0.2, 0.3, 0.6, 0.9], [0.0, 0.0, 1.0, 0.2], [0.4, 0.4, 0.9, 0.8]]
)


@pytest.fixture(scope="module")
def found():
    target = make_target(BOXES, torch.tensor([1, 2, 2, 1]))
    return preset_coverage(object_table([target], class_names=("cat", "dog")), anchor_preset("ssd300-voc"))


@pytest.mark.parametrize("by", GROUPINGS)
def test_every_object_is_in_exactly_one_group(found, by):
    groups = jaccard_groups(found, by=by)

    together = torch.cat([group.jaccards for group in groups]).sort().values
    assert torch.equal(together, found.best_jaccard.sort().values)


@pytest.mark.parametrize(
    ("by", "grouped"),
    [("size", lambda c: c.by_size()), ("class", lambda c: c.by_class()),
     ("level", lambda c: c.by_level()), ("ratio", lambda c: c.by_ratio())],
)  # fmt: skip
def test_counts_and_recalls_are_those_of_the_command_line(found, by, grouped):
    known = [(g.num_objects, g.recall) for g in grouped(found).values() if g.num_objects]

    assert [(len(g.jaccards), g.recall) for g in jaccard_groups(found, by=by)] == known
