"""Pixel coordinates as text, without a rounding: what is written is read again as the same float.

``45.7`` counted from 1 is 44.7 as an edge; the nearest floats of the two are not exactly 1 apart,
so the subtraction is done on the decimal digits and rounded once.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf(?:inity)?)", re.ASCII | re.I)
_EXACT = Context(prec=1100)  # every float has fewer digits


def is_number(text: str) -> bool:
    """Whether a text is a number as files write it: no ``1_000``, no digits of other scripts.

    Args:
        text: one word.

    Returns:
        Also true for ``nan`` and ``inf``, which the rules for boxes refuse by their name.

    Example:
        >>> is_number("12.5"), is_number("1e3"), is_number("12,5"), is_number("1_000")
        (True, True, False, False)
    """
    return _NUMBER.fullmatch(text) is not None


def shifted(text: str, by: int) -> float:
    """A number plus a whole one, rounded once.

    Args:
        text: a number.
        by: what is added.

    Returns:
        The float that is nearest to the exact sum.

    Example:
        >>> shifted("45.7", -1), 45.7 - 1
        (44.7, 44.7)
        >>> shifted("1.0000000000000000001", -1), float("1.0000000000000000001") - 1
        (1e-19, 0.0)
    """
    if text.isdecimal():
        return float(text) + by
    try:
        return float(_EXACT.add(Decimal(text), Decimal(by)))
    except ArithmeticError:  # an exponent beyond what decimals hold; NaN and infinity come back as such
        return float(text) + by


def shifted_text(number: float, by: int) -> str:
    """The text that :func:`shifted` turns back into the number.

    Args:
        number: a finite float.
        by: what is added to it before it is written.

    Returns:
        Digits without an exponent, and no decimals where there are none.

    Example:
        >>> shifted_text(47.0, 1), shifted_text(44.7, 1)
        ('48', '45.7')
    """
    total = _EXACT.add(Decimal(repr(number)), Decimal(by))
    text = format(total, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
