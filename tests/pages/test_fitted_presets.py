"""Presets in files are chosen by name: on the pages, in training and in every ``--preset``."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ssd.cli import main
from ssd.config import AnchorPreset, anchor_preset, preset_to_toml
from ssd.training.config import TrainConfig


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A preset in a file: small320 with other sizes."""
    start = anchor_preset("small320").anchors
    preset = AnchorPreset("mine", replace(start, sizes_px=(12.0, 30.0, 70.0, 150.0)), "by hand")
    (tmp_path / "mine.toml").write_text(preset_to_toml(preset))
    monkeypatch.setenv("SSD_PRESET_ROOTS", str(tmp_path))
    return preset


def test_the_pages_offer_it_and_draw_it(open_page, mine):
    app = open_page("anchors", anchors="mine")

    assert [error.value for error in app.error] == []
    assert app.session_state["scene"].config == mine.anchors
    assert "mine" in app.sidebar.selectbox(key="anchors").options


def test_training_takes_it(mine):
    from ssd.training.setup import _model_config

    made = _model_config(replace(TrainConfig(model="ssd-small"), anchors="mine"), ("cell",))

    assert made.anchors == mine.anchors


def test_the_command_line_takes_it(capsys, mine):
    assert main(["anchors", "--preset", "mine", "--json"]) == 0
    own = json.loads(capsys.readouterr().out)
    assert main(["anchors", "--preset", "small320", "--json"]) == 0

    assert own != json.loads(capsys.readouterr().out)
