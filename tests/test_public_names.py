"""The public names: all there, from the room that owns them, and nothing heavy before they are used."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import ssd

HEAVY = ("torch", "torchvision", "numpy", "lightning_fabric", "plotly", "faster_coco_eval", "streamlit")


@pytest.mark.parametrize("name", ssd.__all__)
def test_a_public_name_is_one_of_its_rooms_own(name):
    home = importlib.import_module(f"ssd.{ssd._HOME[name]}")

    assert getattr(ssd, name) is getattr(home, name)
    assert name in getattr(home, "__all__", [name])


@pytest.mark.parametrize(
    "name",
    ["LossConfig", "detection_loss", "assign_batch", "diagnose", "Verdict", "average_precision", "confusion",
     "precision_recall", "raw_outputs", "missed_objects", "read_detections", "Predictor", "open_dataset"],
)  # fmt: skip
def test_what_the_documents_use_is_public(name):
    assert name in dir(ssd)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'prior_boxes'"):
        ssd.prior_boxes  # noqa: B018


def test_nothing_heavy_is_imported_with_the_package():
    code = f"import sys, ssd; print([name for name in {HEAVY} if name in sys.modules])"

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "[]"
