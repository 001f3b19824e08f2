"""``lr-find``: a suggestion, its curve, and a file that is not replaced unasked."""

import json

import pytest

from ssd.cli import main
from ssd.model_presets import MODEL_PRESETS
from ssd.training.run_reader import read_finding
from tests.cli.tiny_runs import write_settings, write_squares
from tests.small_models import FORBIDDEN
from tests.training.tiny import PRESETS


@pytest.fixture
def find(capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(MODEL_PRESETS, "tiny", PRESETS["tiny"])
    settings, data = write_settings(tmp_path), write_squares(tmp_path / "data")

    def search(*words):
        base = ["lr-find", "--config", settings, "--data", data, "--tries", 12, "--highest", 10]
        code = main([str(word) for word in [*base, *words]])
        captured = capsys.readouterr()
        assert not FORBIDDEN.search(captured.err)
        return code, captured.out, captured.err

    return search


@pytest.mark.slow
def test_the_suggestion_lies_among_the_rates_and_the_file_holds_what_was_printed(find, tmp_path):
    code, out, _ = find("--out", tmp_path / "run", "--json")

    answer = json.loads(out)
    kept = read_finding(tmp_path / "run")
    assert code == 0
    assert answer["suggestion"] in answer["rates"] or answer["suggestion"] * 10 in answer["rates"]
    assert len(answer["rates"]) == len(answer["losses"]) <= 12
    assert answer["rates"][0] == 1e-6
    assert json.loads((tmp_path / "run" / "finder.json").read_text()) == answer
    assert (kept.rates, kept.suggestion) == (tuple(answer["rates"]), answer["suggestion"])


@pytest.mark.slow
def test_for_people_there_are_two_lines(find):
    code, out, _ = find()

    assert code == 0
    assert out.startswith("suggested learning rate: ")
    assert out.count("\n") == 2


@pytest.mark.slow
def test_a_file_that_exists_is_only_replaced_with_force(find, tmp_path):
    (tmp_path / "finder.json").write_text("old")

    code, out, err = find("--out", tmp_path)

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--force" in err
    assert (tmp_path / "finder.json").read_text() == "old"
    assert find("--out", tmp_path, "--force")[0] == 0
    assert (tmp_path / "finder.json").read_text() != "old"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--lowest", "0"], "above 0"),
        (["--highest", "nan"], "above 0"),
        (["--lowest", "20"], "lowest < highest"),
        (["--tries", "9"], "at least 10 steps"),
        (["--set", "lerning_rate=1"], "did you mean learning_rate?"),
    ],
)
def test_a_search_that_cannot_be_meant_is_a_sentence(find, words, message):
    code, out, err = find(*words)

    assert (code, out) == (2, "")
    assert message in err
