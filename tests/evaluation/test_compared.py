"""Which objects one detector finds and another does not."""

from __future__ import annotations

import pytest

from ssd.errors import DataError
from ssd.evaluation import changed_objects
from ssd.metrics import above
from tests.metrics.pictures import CAT, DOG, picture, random_results

TWO = [(DOG, 1, False), (CAT, 2, False)]


def test_gained_lost_both_and_neither_by_hand():
    first = [picture(TWO, [(DOG, 1, 0.9)]), picture([(DOG, 1, True)], [(DOG, 1, 0.9)])]
    second = [picture(TWO, [(CAT, 2, 0.8), (DOG, 2, 0.7)]), picture([(DOG, 1, True)], [])]

    changed = changed_objects(first, second)

    assert (changed.gained, changed.lost, changed.both, changed.neither) == (((0, 1),), ((0, 0),), 0, 0)


@pytest.mark.parametrize("seed", range(8))
def test_every_counted_object_is_in_one_of_four_groups_and_the_way_back_swaps_two(seed):
    results = random_results(seed)
    fewer = above(results, 0.5)

    there, back = changed_objects(results, fewer), changed_objects(fewer, results)

    counted = sum(int((~result.gt_ignored).sum()) for result in results)
    assert len(there.gained) + len(there.lost) + there.both + there.neither == counted
    assert (there.gained, there.lost) == (back.lost, back.gained)
    assert there.gained == ()  # a higher score threshold finds nothing new


def test_other_pictures_cannot_be_compared():
    with pytest.raises(DataError, match="same pictures"):
        changed_objects([picture(TWO, [])], [picture(TWO[:1], [])])
