"""``python -m tests.cli.tiny_cli``: the command line with the tiny networks of the tests."""

from __future__ import annotations

import sys

from ssd.cli import main
from tests.training.tiny import add_tiny

if __name__ == "__main__":
    add_tiny()
    sys.exit(main())
