"""State dicts of torch.save: tensors come in, code and bombs do not."""

import argparse
import io
import os
import pathlib
import resource
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save

from ssd.checkpoints import read_run_state, read_state_dict, write_run_state
from ssd.errors import CheckpointError, NumericError
from tests.small_models import FORBIDDEN


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.pth"


class Evil:
    """Pickles to a call of os.system."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return os.system, (f"touch {self.canary}",)


def refusal(path):
    with pytest.raises(CheckpointError) as caught:
        read_state_dict(path)
    assert not FORBIDDEN.search(str(caught.value))
    assert "torch.load" not in str(caught.value)
    return str(caught.value)


def test_tensors_come_back(path):
    state = {"a": torch.randn(3, 5), "b": torch.arange(4)}
    torch.save(state, path)

    found = read_state_dict(path)

    assert list(found) == ["a", "b"]
    for name, value in state.items():
        assert torch.equal(found[name], value)


def test_safetensors_are_taken_too(path):
    path.write_bytes(save({"a": torch.ones(2)}))

    assert torch.equal(read_state_dict(path)["a"], torch.ones(2))


@pytest.mark.filterwarnings("ignore")  # torch warns before it obeys the variable; a warning is no safety
@pytest.mark.parametrize("variable", [None, "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "both"])
def test_code_in_a_pickle_never_runs(path, tmp_path, monkeypatch, variable):
    canary = tmp_path / "canary"
    torch.save({"a": Evil(canary)}, path)
    for name in ("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_WEIGHTS_ONLY_LOAD"):
        if variable in (name, "both"):
            monkeypatch.setenv(name, "1")

    assert "objects other than numbers and tensors" in refusal(path)
    assert not canary.exists()


@pytest.mark.parametrize(
    "thing",
    [
        torch.nn.Linear(2, 2),
        argparse.Namespace(lr=1),
        {"path": pathlib.PurePosixPath("a")},
        {"number": np.float64(1.0)},
        {"epoch": 3},
        {1: torch.ones(1)},
        [torch.ones(1)],
        {},
        torch.ones(3),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_what_is_no_state_dict_is_refused_with_advice(path, thing):
    torch.save(thing, path)

    assert "state_dict()" in refusal(path)


@pytest.mark.slow
def test_a_compressed_bomb_is_refused_unopened(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data.pkl", b"")
        archive.writestr("x/data/0", bytes(200_000_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    assert "compressed or oversized" in refusal(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kB


def test_compression_is_refused_also_where_it_saves_nothing(path):
    torch.save({"a": torch.randn(50, 50)}, path)
    whole = path.read_bytes()
    with (
        zipfile.ZipFile(io.BytesIO(whole)) as source,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for entry in source.infolist():
            target.writestr(entry.filename, source.read(entry))
        target.comment = bytes(60_000)  # the file is larger than all its entries

    assert "compressed or oversized" in refusal(path)


def test_a_tensor_that_repeats_one_number_is_refused(path):
    torch.save({"a": torch.ones(1).expand(100_000, 100_000)}, path)
    assert path.stat().st_size < 5_000

    assert "oversized" in refusal(path)


def test_a_record_that_is_shorter_than_its_tensor_is_refused(path):
    buffer = io.BytesIO()
    torch.save({"a": torch.ones(100_000)}, buffer)
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as target:
        for entry in source.infolist():
            content = source.read(entry)
            target.writestr(entry.filename, content[:64] if "/data/" in entry.filename else content)

    refusal(path)


@pytest.mark.parametrize("keep", [0.5, -10])
def test_a_file_that_ends_early_is_called_cut_off(path, keep):
    torch.save({"a": torch.randn(50, 50)}, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep) if isinstance(keep, float) else keep])

    assert "cut off" in refusal(path)


def test_a_flipped_bit_in_the_weights_is_noticed(path):
    state = {"a": torch.randn(50, 50)}
    torch.save(state, path)
    whole = path.read_bytes()
    start = whole.index(state["a"].numpy().tobytes())
    generator = torch.Generator().manual_seed(2)

    for place in torch.randint(start, start + 10_000, (300,), generator=generator).tolist():
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(bytes(damaged))
        assert "damaged" in refusal(path)


def test_a_wrong_checksum_beside_the_file_is_refused(path):
    torch.save({"a": torch.ones(1)}, path)
    path.with_name("state.pth.sha256").write_text("1" * 64)

    assert "damaged (checksum" in refusal(path)


@pytest.mark.parametrize("inside", ["META-INF/MANIFEST.MF", "word/document.xml", "data.txt"])
def test_another_zip_is_told_from_a_checkpoint(path, inside):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(inside, "x")

    assert "a zip file but no checkpoint" in refusal(path)


def test_the_format_before_zip_is_refused(path):
    torch.save({"a": torch.ones(3)}, path, _use_new_zipfile_serialization=False)

    assert "before 1.6" in refusal(path)


RUN_STATE = {
    "step": 7,
    "best": -float("inf"),
    "optimiser": {
        "state": {0: {"exp_avg": torch.ones(3)}},
        "param_groups": [{"betas": (0.9, 0.99), "name": None}],
    },
    "model": {"weight": torch.randn(50, 50)},
}


def run_refusal(path):
    with pytest.raises(CheckpointError) as caught:
        read_run_state(path)
    assert not FORBIDDEN.search(str(caught.value))
    return str(caught.value)


def test_the_state_of_a_run_comes_back_as_it_was(path):
    digest = write_run_state(path, RUN_STATE)

    found = read_run_state(path)

    assert torch.equal(found["model"]["weight"], RUN_STATE["model"]["weight"])
    assert found["optimiser"]["param_groups"] == RUN_STATE["optimiser"]["param_groups"]
    assert (found["step"], found["best"], list(found["optimiser"]["state"])) == (7, -float("inf"), [0])
    assert path.with_name("state.pth.sha256").read_text().startswith(digest)


@pytest.mark.parametrize("value", [torch.tensor([1.0, torch.nan]), torch.tensor(torch.inf)])
def test_a_state_that_is_not_finite_is_never_kept(path, value):
    write_run_state(path, RUN_STATE)
    before = path.read_bytes()

    with pytest.raises(NumericError, match=r"model\.weight is not"):
        write_run_state(path, {**RUN_STATE, "model": {"weight": value}})

    assert path.read_bytes() == before


@pytest.mark.parametrize("value", [np.float64(1), pathlib.PurePosixPath("a"), {1, 2}, torch.nn.Linear(2, 2)])
def test_a_state_with_anything_else_is_refused_before_it_is_written(path, value):
    with pytest.raises(CheckpointError, match=r"inner\.0 is a"):
        write_run_state(path, {"inner": [value]})

    assert not path.exists()


def test_the_state_of_a_newer_version_and_of_something_else_is_refused(path):
    torch.save({"format": "ssd-explorer-run", "format_version": 2, "state": {}}, path)
    assert "newer version (format 2" in run_refusal(path)
    for version in (0, "1", None):
        torch.save({"format": "ssd-explorer-run", "format_version": version, "state": {}}, path)
        assert "unknown format" in run_refusal(path)
    torch.save({"weight": torch.ones(2)}, path)
    assert "must be the state of a run" in run_refusal(path)
    path.write_bytes(save({"a": torch.ones(2)}))
    assert "must be the state of a run" in run_refusal(path)


def test_a_state_that_is_damaged_cut_off_or_holds_code_is_refused(path, tmp_path):
    write_run_state(path, RUN_STATE)
    whole, sidecar = path.read_bytes(), path.with_name("state.pth.sha256")
    path.write_bytes(whole[:-10])
    assert "damaged" in run_refusal(path) or "cut off" in run_refusal(path)
    sidecar.unlink()
    assert "cut off" in run_refusal(path)
    start = whole.index(RUN_STATE["model"]["weight"].numpy().tobytes())
    for place in range(start, start + 9_000, 300):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert "damaged" in run_refusal(path)
    canary = tmp_path / "canary"
    torch.save({"format": "ssd-explorer-run", "format_version": 1, "state": {"a": Evil(canary)}}, path)
    assert "objects other than numbers and tensors" in run_refusal(path)
    assert not canary.exists()


def test_a_state_that_claims_more_than_its_file_holds_is_refused(path):
    huge = torch.ones(1).expand(100_000, 100_000)
    torch.save({"format": "ssd-explorer-run", "format_version": 1, "state": {"model": [huge]}}, path)

    assert "oversized entries ('model.0')" in run_refusal(path)
