"""The second process that opens pictures: ``python -m ssd.checks.child``; it ends with its input."""

from __future__ import annotations

import sys

from ssd.checks.pictures import serve

if __name__ == "__main__":
    for answer in serve(sys.stdin.buffer):
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()
