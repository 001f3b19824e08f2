"""The error tree, and every message that the package can say."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from ssd import errors, limits

ROOT = Path(__file__).parent.parent
FORBIDDEN = re.compile(r'Traceback|site-packages|File "/|0x[0-9a-f]{6,}|weights_only')
TREE = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, Exception)
}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ConfigError", 2),
        ("DataError", 3),
        ("BoxError", 3),
        ("CheckpointError", 4),
        ("NumericError", 5),
        ("ResourceError", 6),
    ],
)
def test_an_error_says_what_the_command_line_returns(name, code):
    assert TREE[name].exit_code == code
    assert issubclass(TREE[name], errors.SSDError)


def test_a_bad_box_is_bad_data():
    assert issubclass(errors.BoxError, errors.DataError)


def raised(path: Path) -> list[tuple[int, ast.expr]]:
    """Every message given to one of our errors, with its line."""
    return [
        (node.lineno, node.args[0])
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in TREE and node.args
    ]


def literal(message: ast.expr) -> str:
    """The fixed text of a message; what is filled in stands as {}."""
    parts = message.values if isinstance(message, ast.JoinedStr) else [message]
    return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in parts)


MESSAGES = [
    pytest.param(literal(message), id=f"{path.relative_to(ROOT).as_posix()}:{line}")
    for path in sorted((ROOT / "ssd").rglob("*.py"))
    for line, message in raised(path)
    if isinstance(message, ast.JoinedStr | ast.Constant)
]


@pytest.mark.parametrize("text", MESSAGES)
def test_a_message_shows_nothing_of_the_machine_s_inside(text):
    assert FORBIDDEN.search(text) is None
    assert len(text) > 5


def test_there_are_messages_to_look_at():
    assert len(MESSAGES) > 50


def test_the_limits_that_people_were_promised():
    assert limits.MAX_PICTURE_BYTES == 10_000_000
    assert limits.MAX_PICTURE_MEGAPIXELS == 25
    assert limits.MAX_PICTURE_SIDE_PX == 20_000
    assert limits.MIN_PICTURE_SIDE_PX == 8
    assert limits.MAX_PICTURE_ASPECT == 50
    assert limits.MAX_ANNOTATION_BYTES == 1_000_000
    assert limits.MAX_UPLOADS == 20
    assert limits.MAX_DRAWN_OBJECTS == 20
    assert limits.MAX_SHIPPED_WEIGHTS_BYTES == 12_000_000


def test_no_limit_is_typed_a_second_time():
    typed = re.compile(r"\b(?:10_000_000|10000000|20_000|12_000_000|25_000_000)\b")
    places = [
        path.relative_to(ROOT).as_posix()
        for folder in ("ssd", "pages")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if typed.search(path.read_text()) and path.name != "limits.py"
    ]

    assert places == []
