"""The benchmarks run, and what stands side by side in them is the same work."""

from __future__ import annotations

import pytest

from benchmarks.accumulate import measured
from benchmarks.ingredients import parts_of
from benchmarks.results import answers
from benchmarks.train import compared
from ssd.checkpoints import find_model, model_names, read_weights
from ssd.prediction import Predictor
from ssd.training.loader import SyntheticSource

pytestmark = pytest.mark.slow


def test_both_training_steps_start_from_the_same_loss_and_learn():
    found = compared("ssdlite320_mobilenet_v3_large", batch_size=2, rounds=3)

    ours, theirs = found["ours"]["losses"], found["torchvision"]["losses"]
    assert ours[0] == pytest.approx(theirs[0], rel=0.01)
    assert len(ours) == len(theirs) == 4
    assert found["ours_faster_by_factor"] > 0


def test_a_row_of_the_accumulation_table_counts_its_own_steps():
    whole, parts = (measured(4, accumulate, pictures=8, scenes=3) for accumulate in (1, 4))

    assert (whole.steps, parts.steps) == (2, 2)
    assert 0 <= whole.ap50 <= 1
    assert whole.seconds > 0


@pytest.mark.skipif("shapes" not in model_names(), reason="the model `shapes` is not shipped here")
def test_every_slider_of_results_has_an_answer_that_follows_it(tmp_path, capsys):
    loaded = read_weights(find_model("shapes"))

    asked = answers(Predictor(loaded.model, sha256=loaded.sha256), SyntheticSource(length=4), tmp_path)

    assert "4 pictures" in capsys.readouterr().out
    assert {"AP", "precision–recall", "confusion", "why missed"} == set(asked)
    assert asked["why missed"](0.99, 0.5).found < asked["why missed"](0.05, 0.5).found
    assert asked["AP"](0.5, 0.95).ap < asked["AP"](0.5, 0.5).ap


def test_folds_measure_every_picture_once_and_never_one_that_was_learnt(shared_data):
    parts = parts_of(shared_data / "voc5", 3)

    names = [name for _, validation in parts for name in validation.names]
    assert len(names) == len(set(names)) == 996
    for source, validation in parts:
        assert not set(source.names) & set(validation.names)
        assert len(source) + len(validation) == 996
    assert [len(each) for part in parts_of(shared_data / "voc5", 1) for each in part] == [846, 150]
