"""Settings as text: what can be meant is understood, what cannot is a sentence."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssd.config import CoderConfig
from ssd.errors import ConfigError
from ssd.training.config import TrainConfig
from ssd.training.presets import TRAINING_PRESETS
from ssd.training.settings import changed, differences, flat, from_values, read_toml, to_toml


@dataclass(frozen=True)
class Inner:
    """Inside."""

    share: float = 0.5
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outer:
    """A little of everything."""

    count: int = 3
    rate: float = 0.1
    on: bool = False
    kind: Literal["one", "two"] = "one"
    limit: float | None = None
    pairs: tuple[tuple[float, int], ...] = ()
    span: tuple[int, int] = (0, 1)
    inner: Inner = field(default_factory=Inner)
    maybe: Inner | None = None


@pytest.mark.parametrize(
    ("setting", "key", "value"),
    [
        ("count=1e3", "count", 1000),
        ("count=-4", "count", -4),
        ("count=12345678901234567890", "count", 12345678901234567890),
        ("rate=1e-3", "rate", 0.001),
        ("rate=2", "rate", 2.0),
        ("on=true", "on", True),
        ("kind=two", "kind", "two"),
        ("limit=0.5", "limit", 0.5),
        ("limit=none", "limit", None),
        ("pairs=[[0, 160], [0.5, 320]]", "pairs", ((0.0, 160), (0.5, 320))),
        ("span=4,5", "span", (4, 5)),
        ("inner.share = 0.25", "inner.share", 0.25),
        ("inner.words=cat, dog", "inner.words", ("cat", "dog")),
        ("maybe.share=1", "maybe.share", 1.0),
        ("maybe=none", "maybe", None),
    ],
)
def test_a_setting_is_read_as_what_is_there(setting: str, key: str, value: object) -> None:
    found = flat(changed(Outer(limit=2.0), [setting]))[key]

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("count", "key=value"),
        ("count=", "count needs a whole number, got ''"),
        ("count=1.5", "count needs a whole number, got '1.5'"),
        ("count=true", "needs a whole number"),
        ("count=nan", "needs a whole number"),
        ("rate=fast", "rate needs a number, got 'fast'"),
        ("on=1", "on needs true or false"),
        ("kind=tow", "one of one, two, got 'tow'; did you mean two?"),
        ("pairs=[[0, 160, 3]]", "a list such as"),
        ("pairs=[[0, 1", "a list such as"),
        ("span=1", "a list such as"),
        ("cuont=1", "no setting 'cuont'; did you mean count?"),
        ("share=1", "did you mean inner.share?"),
        ("inner.shar=1", "no setting 'inner.shar'; did you mean inner.share?"),
        ("count.deep=1", "count needs a whole number"),
        ("inner=3", "inner is a table of settings, got '3'; set one of inner.share, inner.words"),
        ("xyzzy=1", "settings: count, rate"),
    ],
)
def test_a_wrong_setting_is_one_sentence(setting: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        changed(Outer(), [setting])

    assert message in str(caught.value)


def test_settings_that_hold_only_together_may_come_in_any_order() -> None:
    settings = ["batch_size=9", "accumulate=3", "size_px=96", "sizes=[[0, 64], [0.5, 96]]"]

    assert changed(TrainConfig(), settings) == changed(TrainConfig(), settings[::-1])


@pytest.mark.parametrize("name", TRAINING_PRESETS)
def test_every_preset_comes_back_from_its_file(name: str, tmp_path: Path) -> None:
    config = replace(TRAINING_PRESETS[name], coder=CoderConfig(kind="tanh"), loss=TRAINING_PRESETS[name].loss)
    (tmp_path / "config.toml").write_text(to_toml(config))

    assert from_values(TrainConfig(), read_toml(tmp_path / "config.toml")) == config


@given(
    words=st.lists(st.text(st.characters(codec="utf-8"))).map(tuple),
    rate=st.floats(allow_nan=False),
    limit=st.none() | st.floats(allow_nan=False),
    pairs=st.lists(st.tuples(st.floats(allow_nan=False), st.integers(-(2**62), 2**62))).map(tuple),
)
def test_nothing_is_lost_on_the_way_through_toml(words, rate, limit, pairs) -> None:
    config = Outer(rate=rate, limit=limit, pairs=pairs, inner=Inner(words=words), maybe=Inner(share=rate))

    assert from_values(Outer(), tomllib.loads(to_toml(config))) == config


def test_differences_name_each_setting_and_both_values() -> None:
    new = Outer(count=4, inner=Inner(share=0.25), maybe=Inner())

    assert differences(Outer(), Outer()) == ()
    assert differences(Outer(), new) == (
        "count: 3 → 4",
        "inner.share: 0.5 → 0.25",
        "maybe.share: none → 0.5",
        "maybe.words: none → []",
    )


def test_a_file_that_is_no_toml_says_where(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    for content, message in [
        (b"steps = 3\nrate = = 3\n", "line 2"),
        (b"\xff\xfe\x00", "TOML file"),
        (b"a = [" + b"[" * 5000, "TOML file"),
        (b"#" * 1_000_001, "1,000,001 bytes"),
    ]:
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=message):
            read_toml(path)
    with pytest.raises(ConfigError, match="is no file"):
        read_toml(tmp_path)
    path.write_bytes(b"\xef\xbb\xbfsteps = 3\n")
    assert read_toml(path) == {"steps": 3}
