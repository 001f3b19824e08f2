"""``python -m ssd``."""

from __future__ import annotations

import os
import sys


def _run() -> int:
    """The command line, also when Ctrl-C comes before it is imported."""
    try:
        from ssd.cli import main

        return main()
    except KeyboardInterrupt:
        print("Stopped by Ctrl-C.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    code = _run()
    if code == 130:  # Ctrl-C inside an exec, as dataclasses use it, makes a usual exit report a signal
        sys.stdout.flush()
        os._exit(code)
    sys.exit(code)
