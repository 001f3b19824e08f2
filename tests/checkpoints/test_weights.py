"""Weights files: what is written comes back, and nothing else comes in."""

import hashlib
import json
import struct
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save

from ssd.checkpoints import find_model, load_exactly, model_names, read_weights, weights, write_weights
from ssd.contract import config_from_dict, config_to_dict
from ssd.errors import CheckpointError, ConfigError, NumericError
from ssd.models.torchvision_ssd import torchvision_config
from tests.small_models import FORBIDDEN, small_config, small_model


@pytest.fixture
def path(tmp_path):
    return tmp_path / "small.safetensors"


@pytest.fixture
def written(path):
    write_weights(path, small_model(), card={"trained on": "nothing"}, half=False)
    return path


def refusal(path):
    """The sentence with which a file is refused."""
    with pytest.raises(CheckpointError) as caught:
        read_weights(path)
    assert not FORBIDDEN.search(str(caught.value))
    return str(caught.value)


def without_checksum(path):
    path.with_name(path.name + ".sha256").unlink()
    return path


def state_hash(model):
    digest = hashlib.sha256()
    for name, value in model.state_dict().items():
        digest.update(name.encode() + value.numpy().tobytes())
    return digest.hexdigest()


def test_what_is_written_comes_back(written):
    loaded = read_weights(written)

    assert state_hash(loaded.model) == state_hash(small_model())
    assert loaded.config == small_config()
    assert loaded.card == {"trained on": "nothing"}
    assert loaded.notes == ()
    assert not loaded.model.training


def test_half_weights_come_back_as_float32_within_half_precision(path):
    model = small_model()

    write_weights(path, model, card={}, half=True)

    for name, value in read_weights(path).model.state_dict().items():
        assert value.dtype == model.state_dict()[name].dtype
        torch.testing.assert_close(value, model.state_dict()[name], rtol=1e-3, atol=1e-7)


def test_half_weights_take_half_the_room(written, tmp_path):
    write_weights(tmp_path / "half.safetensors", small_model(), card={}, half=True)

    assert (tmp_path / "half.safetensors").stat().st_size < 0.55 * written.stat().st_size


def test_the_checksum_file_is_what_sha256sum_writes(written):
    digest = hashlib.sha256(written.read_bytes()).hexdigest()

    assert read_weights(written).sha256 == digest
    assert written.with_name("small.safetensors.sha256").read_text() == f"{digest}  small.safetensors\n"


@pytest.mark.parametrize(
    "config",
    [
        small_config("a", "b", "c"),
        torchvision_config("ssdlite320_mobilenet_v3_large"),
        replace(small_config(), category_ids=(7, 3), activation="sigmoid"),
    ],
    ids=["own", "torchvision", "ids and sigmoid"],
)
def test_a_configuration_survives_json(config):
    assert config_from_dict(json.loads(json.dumps(config_to_dict(config)))) == config


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("class_names", [1, 2]),
        ("class_names", "cat"),
        ("class_names", ["cat"] * 3),
        ("class_names", [f"c{k}" for k in range(2001)]),
        ("anchors", {"kind": "size"}),
        ("anchors", {"kind": "huge", "grids": [4]}),
        ("anchors", None),
        ("contract", {"size_wh": [80]}),
        ("contract", {"size_wh": [10**9, 10**9]}),
        ("contract", {"size_wh": ["80", "64"]}),
        ("selection", {"score_threshold": "high"}),
        ("activation", "tanh"),
        ("architecture", "os.system"),
        ("category_ids", [1.5, 2]),
        ("lerning_rate", 1),
    ],
)
def test_a_strangers_configuration_is_refused(name, value):
    values = {**json.loads(json.dumps(config_to_dict(small_config()))), name: value}

    with pytest.raises(ConfigError) as caught:
        config_from_dict(values)
    assert not FORBIDDEN.search(str(caught.value))


@pytest.mark.slow
def test_one_flipped_bit_is_noticed_wherever_it_is(written):
    whole = written.read_bytes()
    generator = torch.Generator().manual_seed(1)
    places = torch.randint(0, len(whole), (300,), generator=generator).tolist()

    for place in [0, 5, 9, 100, *places]:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        written.write_bytes(bytes(damaged))
        assert "damaged (checksum" in refusal(written), place


@pytest.mark.parametrize("checksum", [True, False])
@pytest.mark.parametrize("keep", [0.5, -10, 40, 12])
def test_a_file_that_ends_early_is_called_cut_off(written, keep, checksum):
    whole = written.read_bytes()
    written.write_bytes(whole[: int(len(whole) * keep) if isinstance(keep, float) else keep])
    if not checksum:
        without_checksum(written)

    assert "cut off" in refusal(written)


def test_a_wrong_checksum_is_refused_and_a_missing_one_is_told(written):
    sidecar = written.with_name("small.safetensors.sha256")
    sidecar.write_text("0" * 64)
    assert "damaged (checksum" in refusal(written)
    sidecar.write_bytes(b"\xff\x00 not a checksum")
    assert "damaged (checksum" in refusal(written)

    sidecar.unlink()

    (note,) = read_weights(written).notes
    assert "not verified" in note


def raw(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "must hold 1 to"),
        (b"\x00", "header"),
        (struct.pack("<Q", 10**12) + b"{}", "1,000,000,000,000 bytes"),
        (raw({"a": F32, "b": {**F32, "data_offsets": [4, 12]}}, bytes(12)), "damaged"),
        (raw({"a": F32}, bytes(20)), "damaged"),
        (raw({"a": {**F32, "shape": [2**62, 4]}}, bytes(8)), "damaged"),
        (raw({"a": {**F32, "dtype": "F99"}}, bytes(8)), "damaged"),
        (raw({"a": 3}, bytes(8)), "header"),
        (raw([1, 2], bytes(8)), "header"),
        (raw(b"[" * 100_000, bytes(8)), "header"),
        (raw(b"{'a': not json}", bytes(8)), "header"),
        (raw({"a": F32}, bytes(8)), "configuration"),
        (b"PK\x03\x04" + bytes(100), "zip or pickle"),
        (b"\x80\x04\x95" + bytes(100), "zip or pickle"),
        (b"<html><body>404 Not Found</body></html>", "header"),
    ],
)
def test_what_is_no_weights_file_is_refused(path, content, words):
    path.write_bytes(content)

    assert words in refusal(path)


def rewrite(path, tensors=None, **metadata):
    """The same file with other tensors or metadata, without a checksum."""
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + struct.unpack("<Q", content[:8])[0]])
    state = small_model().state_dict() if tensors is None else tensors
    path.write_bytes(save(state, metadata={**header["__metadata__"], **metadata}))
    return without_checksum(path)


def test_a_newer_format_is_refused_and_an_unknown_one_too(written):
    assert "newer version (format 3" in refusal(rewrite(written, format_version="3"))
    write_weights(written, small_model(), card={}, half=False)
    assert "configuration" in refusal(rewrite(written, format_version="one"))
    write_weights(written, small_model(), card={}, half=False)
    assert "configuration" in refusal(rewrite(written, format="another"))


@pytest.mark.parametrize("config", ["{", "[]", "null", "[" * 50_000, '{"class_names": ["a"]}'])
def test_a_broken_configuration_inside_is_refused(written, config):
    assert "The configuration inside small.safetensors" in refusal(rewrite(written, config=config))


def test_weights_of_another_model_are_refused_with_the_first_five_keys_and_nothing_is_loaded():
    model = small_model("circle", "star")
    before = state_hash(model)

    with pytest.raises(CheckpointError) as caught:
        load_exactly(model, small_model("circle", "star", "ring").state_dict(), name="three.safetensors")

    text = str(caught.value)
    assert text.count(" instead of ") == 4  # two levels, weight and bias of the logits
    assert "16 × 96 × 3 × 3 instead of 12 × 96 × 3 × 3" in text
    assert state_hash(model) == before


def test_missing_and_extra_keys_are_named_five_at_a_time():
    model = small_model()
    before = state_hash(model)
    state = dict(list(model.state_dict().items())[8:])

    with pytest.raises(CheckpointError, match=r"backbone\.stem.* is missing.*and 4 more"):
        load_exactly(model, {**state, "optimiser": torch.ones(1)}, name="half")
    assert state_hash(model) == before


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_numbers_that_are_not_finite_are_neither_written_nor_read(written, bad):
    before = written.read_bytes()
    model = small_model()
    model.heads[0].codes.bias.data[3] = bad

    with pytest.raises(NumericError, match=r"heads\.0\.codes\.bias"):
        write_weights(written, model, card={}, half=False)
    assert written.read_bytes() == before
    assert "is not finite" in refusal(rewrite(written, model.state_dict()))


def test_a_weight_beyond_float16_is_not_written_as_infinity(path):
    model = small_model()
    model.heads[0].codes.bias.data[0] = 1e6

    with pytest.raises(NumericError, match="in float16"):
        write_weights(path, model, card={}, half=True)
    assert not path.exists()


def test_whole_numbers_do_not_pass_as_weights(written):
    state = dict(small_model().state_dict())
    state["heads.0.codes.bias"] = torch.zeros(16, dtype=torch.int64)

    assert "another kind of number" in refusal(rewrite(written, state))


def test_a_model_without_a_configuration_cannot_be_written(path):
    with pytest.raises(ConfigError, match="carry its configuration"):
        write_weights(path, torch.nn.Linear(1, 1), card={}, half=False)


def test_names_are_only_those_of_shipped_models(monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "SHIPPED", tmp_path)
    monkeypatch.setattr("ssd.checkpoints.files.SHIPPED", tmp_path)
    (tmp_path / "shapes.safetensors").touch()
    (tmp_path.parent / "secret.safetensors").touch()

    assert model_names() == ("shapes",)
    assert find_model("shapes") == tmp_path / "shapes.safetensors"
    for name in ("../secret", str(tmp_path / "shapes"), "shapes\0", "shapes.safetensors", ""):
        with pytest.raises(CheckpointError, match="no shipped model"):
            find_model(name)
    with pytest.raises(CheckpointError, match=r"did you mean shapes\?"):
        find_model("shaps")
