"""``python -m ssd``."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    try:
        from ssd.cli import main

        sys.exit(main())
    except KeyboardInterrupt:  # before main could catch it
        print("Stopped by Ctrl-C.", file=sys.stderr)
        sys.exit(130)
