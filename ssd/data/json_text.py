"""JSON from outside: every way in which Python's reader can fail becomes a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ssd.errors import DataError

__all__ = ["parse_json"]


def parse_json(
    content: bytes, *, shown: str, pairs: Callable[[list[tuple[str, Any]]], Any] | None = None
) -> Any:
    """Parse JSON bytes.

    Args:
        content: in UTF-8, with or without a byte order mark.
        shown: what messages call the file.
        pairs: makes an object of its pairs, as ``object_pairs_hook`` of ``json.loads``.

    Returns:
        Whatever stands at the top level.

    Raises:
        DataError: not UTF-8, not JSON, nested too deeply, or a number with too many digits.

    Example:
        >>> parse_json(b"[1, 2]", shown="a.json")
        [1, 2]
    """
    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=pairs)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{shown}: JSON must be UTF-8, byte {error.start + 1} is not; save it again."
        ) from None
    except json.JSONDecodeError as error:
        raise DataError(
            f"{shown}: not well-formed JSON at line {error.lineno}, column {error.colno}; "
            "the file may be cut off, copy it again."
        ) from None
    except RecursionError:
        raise DataError(f"{shown}: JSON may not be nested so deeply; export it again.") from None
    except ValueError:  # Python refuses integers of more than 4,300 digits
        raise DataError(f"{shown}: a number has too many digits; correct it.") from None
