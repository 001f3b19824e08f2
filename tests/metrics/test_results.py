"""A higher score threshold, without selecting again."""

from __future__ import annotations

from dataclasses import replace

import torch
from hypothesis import given
from hypothesis import strategies as st

from ssd.config import SelectionConfig
from ssd.metrics import PictureResult, above
from tests.diagnosis.scenes import random_answer


@given(
    seed=st.integers(0, 100_000),
    score=st.sampled_from([0.01, 0.1, 0.3, 0.45, 0.5, 0.75]),
    top_k=st.sampled_from([1, 2, 400]),
    cap=st.sampled_from([1, 2, 200]),
    agnostic=st.booleans(),
)
def test_filtering_the_lowest_selection_is_selecting_again(seed, score, top_k, cap, agnostic):
    answer = random_answer(seed)
    low = SelectionConfig(top_k=top_k, max_detections=cap, class_agnostic=agnostic, score_threshold=0.01)

    filtered = above([replace(answer, config=low).result()], score)[0]

    wanted = replace(answer, config=replace(low, score_threshold=score)).result()
    for name in ("boxes", "labels", "scores"):
        assert torch.equal(getattr(filtered, name), getattr(wanted, name))


def test_what_stays_whole_is_the_same_record():
    no = torch.zeros(0, dtype=torch.int64)
    empty = PictureResult(9, 9, torch.zeros(0, 4), no, no.bool(), torch.zeros(0, 4), no, torch.zeros(0))

    assert above([empty], 0.5)[0] is empty
