"""``python -m ssd …``: the command line, the pages' twin.

Nothing heavy is imported before the arguments have been understood, so that help and
mistakes are answered at once.
"""

from __future__ import annotations

from ssd.cli.dispatch import main

__all__ = ["main"]
