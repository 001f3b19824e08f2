"""Settings as text: ``key=value`` and TOML in, TOML out, and what differs between two runs."""

from __future__ import annotations

import difflib
import tomllib
import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from ssd.errors import ConfigError
from ssd.limits import MAX_CONFIG_BYTES

__all__ = ["changed", "differences", "flat", "from_values", "read_toml", "to_toml"]

Config = TypeVar("Config")  # any frozen dataclass
_NONE = "none"  # TOML has no word for it


def changed(config: Config, settings: Sequence[str]) -> Config:
    """A configuration with some numbers replaced.

    Args:
        config: a frozen dataclass, others inside it.
        settings: texts such as ``steps=200`` or ``augment.flip=0``.

    Returns:
        The new configuration.

    Raises:
        ConfigError: a setting is not ``key=value``, its key is unknown, or its value
            is not of the kind that is there or out of range.

    Example:
        >>> from ssd.training.config import TrainConfig
        >>> changed(TrainConfig(), ["learning_rate=1e-3", "augment.flip=0.25"]).augment.flip
        0.25
    """
    values: dict[str, Any] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise ConfigError(f"A setting is written key=value, got {setting[:80]!r}; for example steps=200.")
        inner = values
        *tables, last = key.strip().split(".")
        for table in tables:
            inner = inner.setdefault(table, {})
            if not isinstance(inner, dict):
                raise ConfigError(_unknown(key, config))
        inner[last] = value.strip()
    return from_values(config, values)


def from_values(config: Config, values: Mapping[str, Any]) -> Config:
    """A configuration with the values of nested tables put in.

    Args:
        config: a frozen dataclass, others inside it.
        values: new values by name; texts are read as what the setting needs.

    Returns:
        The new configuration.

    Raises:
        ConfigError: a name is unknown, or a value of the wrong kind or out of range.

    Example:
        >>> from ssd.training.config import TrainConfig
        >>> from_values(TrainConfig(), {"steps": "20", "augment": {"crop": 1}}).steps
        20
    """
    new: Config = _replaced(config, values, prefix="", root=config)
    return new


def _replaced(owner: Any, values: Mapping[str, Any], *, prefix: str, root: Any) -> Any:
    """One level of the nest."""
    hints = get_type_hints(type(owner))
    new: dict[str, Any] = {}
    for name, value in values.items():
        key = f"{prefix}{name}"
        if name not in hints:
            raise ConfigError(_unknown(key, root))
        table = _table(getattr(owner, name), hints[name])
        if table is not None and isinstance(value, Mapping):
            new[name] = _replaced(table, value, prefix=f"{key}.", root=root)
        elif table is not None and type(None) not in _kinds(hints[name]):
            inner = ", ".join(f"{key}.{field.name}" for field in fields(table))
            raise ConfigError(f"{key} is a table of settings, got {_shown(value)}; set one of {inner}.")
        else:
            new[name] = _converted(value, hints[name], key)
    return replace(owner, **new)


def _kinds(hint: Any) -> tuple[Any, ...]:
    """The kinds of value that an annotation allows."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _table(old: Any, hint: Any) -> Any:
    """The settings inside a setting; as they are by default where there are none yet."""
    if is_dataclass(old):
        return old
    return next((kind() for kind in _kinds(hint) if is_dataclass(kind) and isinstance(kind, type)), None)


def _unknown(key: str, config: Any) -> str:
    """There is no such setting, but perhaps a similar one."""
    known = list(flat(config))
    inner = [name for name in known if name.rpartition(".")[2] == key.rpartition(".")[2]]
    near = inner[:1] or difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"settings: {', '.join(known)}."
    return f"There is no setting {key[:80]!r}; {hint}"


def _converted(value: Any, hint: Any, key: str) -> Any:
    """A value as its setting needs it; texts are read."""
    kinds = tuple(kind for kind in _kinds(hint) if not is_dataclass(kind))
    for kind in kinds:
        try:
            return _as_kind(value, kind)
        except (ValueError, TypeError, OverflowError):
            continue
    words = " or ".join(_kind_words(kind) for kind in kinds)
    near = difflib.get_close_matches(
        str(value), [str(word) for kind in kinds for word in get_args(kind)], n=1
    )
    raise ConfigError(f"{key} needs {words}, got {_shown(value)}; {_meant(near)}")


def _meant(near: Sequence[str]) -> str:
    """How to mend a value."""
    return f"did you mean {near[0]}?" if near else "correct the value."


def _as_kind(value: Any, kind: Any) -> Any:
    """A value of one kind; ValueError or TypeError where it is none."""
    if get_origin(kind) is tuple:
        return _as_tuple(value, get_args(kind))
    if get_origin(kind) is Literal:
        return _one_of(value, {str(word): word for word in get_args(kind)})
    if kind is type(None):
        return _one_of(value, {_NONE: None, "None": None})
    if kind is bool:
        return value if isinstance(value, bool) else _one_of(value, {"true": True, "false": False})
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError
    if kind is int:
        number = float(value)
        if not number.is_integer():
            raise ValueError
        return int(value) if not isinstance(value, str) or value.lstrip("+-").isdecimal() else int(number)
    if kind is str and not isinstance(value, str):
        raise TypeError
    return kind(value)


def _one_of(value: Any, known: Mapping[str, Any]) -> Any:
    """The value that a word stands for."""
    if str(value) not in known:
        raise ValueError
    return known[str(value)]


def _as_tuple(value: Any, inner: tuple[Any, ...]) -> tuple[Any, ...]:
    """``[1, 2]``, ``1,2`` or a list, as ``tuple[int, ...]`` or ``tuple[int, float]`` says."""
    if isinstance(value, str):
        value = _listed(value)
    if not isinstance(value, list | tuple):
        raise TypeError
    if len(inner) == 2 and inner[1] is Ellipsis:
        return tuple(_as_kind(item, inner[0]) for item in value)
    if len(value) != len(inner):
        raise ValueError
    return tuple(_as_kind(item, kind) for item, kind in zip(value, inner, strict=True))


def _listed(text: str) -> list[Any]:
    """A list as typed on the command line."""
    if text.startswith("["):
        return list(tomllib.loads(f"value = {text}")["value"])
    return [part.strip() for part in text.split(",") if part.strip()]


def _kind_words(kind: Any) -> str:
    """A kind of value, for messages."""
    if get_origin(kind) is Literal:
        return f"one of {', '.join(str(word) for word in get_args(kind))}"
    if get_origin(kind) is tuple:
        return "a list such as [0.1, 1]"
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
    return names.get(kind, _NONE)


def _shown(value: Any) -> str:
    """A value as a message may show it."""
    return repr(value)[:80]


def flat(config: Any) -> dict[str, Any]:
    """Every setting under its full name.

    Args:
        config: a dataclass, others inside it.

    Returns:
        Values by dotted name, in the order of the fields.

    Example:
        >>> from ssd.training.config import TrainConfig
        >>> flat(TrainConfig())["augment.flip"]
        0.5
    """
    found: dict[str, Any] = {}
    for each in fields(config):
        value = getattr(config, each.name)
        if is_dataclass(value):
            found |= {f"{each.name}.{name}": inner for name, inner in flat(value).items()}
        else:
            found[each.name] = value
    return found


def differences(old: Any, new: Any) -> tuple[str, ...]:
    """What changed from one configuration to the next.

    Args:
        old: a dataclass.
        new: another one of the same kind.

    Returns:
        A line for each setting that differs.

    Example:
        >>> from ssd.training.config import TrainConfig
        >>> differences(TrainConfig(), TrainConfig(steps=20))
        ('steps: 1000 → 20',)
    """
    before, after = flat(old), flat(new)
    names = dict.fromkeys([*before, *after])
    pairs = ((name, before.get(name), after.get(name)) for name in names)
    return tuple(f"{name}: {_word(a)} → {_word(b)}" for name, a, b in pairs if a != b)


def _word(value: Any) -> Any:
    """A value as it is typed."""
    return _NONE if value is None else list(value) if isinstance(value, tuple) else value


def to_toml(config: Any) -> str:
    """A configuration as TOML, tables for what lies inside.

    Args:
        config: a dataclass, others inside it.

    Returns:
        Text that :func:`read_toml` and :func:`from_values` turn back into it.

    Example:
        >>> from ssd.config import CoderConfig
        >>> print(to_toml(CoderConfig()).splitlines()[0])
        kind = "offset"
    """
    import tomli_w

    return tomli_w.dumps(_plain(config))


def _plain(value: Any) -> Any:
    """Dataclasses as dictionaries, ``None`` as a word."""
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return _NONE if value is None else value


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; nothing else is ever read as a configuration.

    Args:
        path: the file.

    Returns:
        Its values.

    Raises:
        ConfigError: the file is missing, too large, not TOML.
    """
    try:
        if not path.is_file():
            raise ConfigError(f"{path} is no file; name a TOML file with settings.")
        size = path.stat().st_size
        if size > MAX_CONFIG_BYTES:
            raise ConfigError(
                f"{path.name} has {size:,} bytes; a configuration has at most {MAX_CONFIG_BYTES:,}."
            )
        text = path.read_text(encoding="utf-8-sig")
        return tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:  # TOMLDecodeError and UnicodeDecodeError too
        where = f" ({error})" if isinstance(error, tomllib.TOMLDecodeError) else ""
        raise ConfigError(
            f"{path.name} must be a TOML file with lines such as steps = 200, it cannot be read{where}."
        ) from error
