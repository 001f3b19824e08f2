"""Presets in files: the same numbers again, found by name, and nothing else let in."""

from __future__ import annotations

import os

import pytest
from hypothesis import given

from ssd.config import (
    AnchorPreset,
    CoderConfig,
    GridAnchors,
    anchor_preset,
    anchor_preset_names,
    any_preset,
    preset_paths,
    preset_to_toml,
    read_preset,
    validate_preset_name,
)
from ssd.errors import ConfigError
from tests.strategies import anchor_configs

MINE = AnchorPreset("mine", GridAnchors(grids=(4, 2)), "by hand", 0.4, CoderConfig(kind="tanh"))


@pytest.fixture
def presets(tmp_path, monkeypatch):
    """An empty folder of presets."""
    monkeypatch.setenv("SSD_PRESET_ROOTS", str(tmp_path))
    return tmp_path


@given(anchor_configs())
def test_what_is_written_is_read_number_for_number(tmp_path_factory, config):
    path = tmp_path_factory.mktemp("presets") / "fitted.toml"
    preset = AnchorPreset("fitted", config, "fitted to “my” set", 0.45)
    path.write_text(preset_to_toml(preset))

    assert read_preset(path) == preset


def test_a_file_is_found_by_its_name(presets):
    (presets / "mine.toml").write_text(preset_to_toml(MINE))

    assert anchor_preset("mine") == any_preset("mine") == MINE
    assert anchor_preset_names()[-1] == "mine"
    with pytest.raises(ConfigError, match="did you mean mine"):
        anchor_preset("mne")


def test_the_first_folder_wins(tmp_path, monkeypatch):
    for number, name in enumerate(("one", "two")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.toml").write_text(preset_to_toml(MINE).replace("0.4", f"0.{number + 1}"))
    monkeypatch.setenv("SSD_PRESET_ROOTS", f"{tmp_path / 'one'}{os.pathsep}{tmp_path / 'two'}")

    assert anchor_preset("mine").threshold == 0.1


def test_a_built_in_preset_cannot_be_hidden_by_a_file(presets):
    for name in ("paper", "retinanet", "a b", ".hidden"):
        (presets / f"{name}.toml").write_text(preset_to_toml(MINE))
    os.mkfifo(presets / "pipe.toml")

    assert preset_paths() == {}
    assert anchor_preset("paper").threshold == 0.5


GOOD = preset_to_toml(MINE)
BAD = {
    "no TOML": "anchors = [",
    "not text": "\udcff",
    "nothing": "",
    "unknown kind": GOOD.replace('"grid"', '"cube"'),
    "unknown number": GOOD + "colour = 3\n",
    "missing number": GOOD.replace("grids = [4, 2]\n", ""),
    "text for a number": GOOD.replace("zooms = [1.0]", 'zooms = ["a"]'),
    "half a cell": GOOD.replace("[4, 2]", "[4.5, 2]"),
    "not finite": GOOD.replace("zooms = [1.0]", "zooms = [inf]"),
    "negative": GOOD.replace("zooms = [1.0]", "zooms = [-1.0]"),
    "threshold": GOOD.replace("0.4", "4"),
    "too many": GOOD.replace("[4, 2]", "[4000, 2]"),
    "a table for a number": GOOD.replace("zooms = [1.0]", "zooms = {a = 1}"),
    "deep": "a = " + "[" * 5000,
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_broken_file_is_one_sentence(presets, text):
    (presets / "mine.toml").write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(ConfigError) as caught:
        anchor_preset("mine")

    assert "\n" not in str(caught.value) and len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("name", "words"), [("paper", "built-in"), ("a/b", "letters"), ("", "letters"), ("x" * 65, "at most 64")]
)
def test_a_name_that_cannot_be_taken_is_refused(name, words):
    with pytest.raises(ConfigError, match=words):
        validate_preset_name(name)
