"""From words to an exit code: 0, or 2 usage, 3 data, 4 checkpoint, 5 numeric, 6 resources, 130, 143."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from ssd.cli import (
    check,
    convert,
    coverage,
    detect,
    download,
    evaluate,
    explore,
    fetch,
    fit_anchors,
    geometry,
    lesson,
    lesson_file,
    lr_find,
    missed,
    summary,
    train,
)
from ssd.cli.parsing import Command, parse
from ssd.errors import ResourceError, SSDError

__all__ = ["COMMANDS", "main"]

COMMANDS: tuple[Command, ...] = (
    geometry.ANCHORS,
    geometry.MATCH,
    check.CHECK,
    coverage.COVERAGE,
    fit_anchors.FIT_ANCHORS,
    explore.EXPLORE,
    detect.DETECT,
    evaluate.EVALUATE,
    missed.MISSED,
    train.TRAIN,
    lr_find.LR_FIND,
    lesson.LESSON,
    lesson_file.LESSON_FILE,
    convert.CONVERT,
    download.DOWNLOAD,
    fetch.FETCH,
    summary.SUMMARY,
)


class _TerminatedError(BaseException):
    """SIGTERM arrived; no ``except Exception`` may swallow it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: words after ``python -m ssd``; ``None``: those of this process.

    Returns:
        The exit code. Results go to stdout, everything else to stderr; an error is
        one sentence, with its traceback only under ``--debug``.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # file names need not be text
    try:
        if arguments is None:
            signal.signal(signal.SIGTERM, _terminate)
        return _run(words)
    except KeyboardInterrupt:
        return _told("Stopped by Ctrl-C.", 130)
    except _TerminatedError:
        return _told("Stopped by SIGTERM.", 143)
    except BrokenPipeError:  # the reader of our output has left, for example `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError:
        return _told("error: The memory of this machine ran out; give fewer or smaller pictures.", 6)
    except SSDError as error:
        return _failed(words, error, f"error: {error}", error.exit_code)
    except OSError as error:
        kind = error.strerror or "the system refused"
        return _failed(words, error, f"error: {kind}; check paths and free space.", ResourceError.exit_code)
    except Exception as error:
        text = f"error: Something unexpected happened ({type(error).__name__}); --debug shows where."
        return _failed(words, error, text, SSDError.exit_code)


def _run(words: list[str]) -> int:
    """Understand the words and do what they say."""
    options = parse(words, COMMANDS)
    if options.command is None:
        print(options.help_text, file=sys.stderr)
        return 2
    code: int = options.command.run(options)
    sys.stdout.flush()
    return code


def _failed(words: list[str], error: Exception, text: str, code: int) -> int:
    """Say what went wrong, with the traceback where it was asked for."""
    if "--debug" in words:
        traceback.print_exception(error)
    return _told(text, code)


def _told(text: str, code: int) -> int:
    """One line on stderr."""
    print(" ".join(text.split()), file=sys.stderr)
    return code


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    """Leave through the same door as Ctrl-C."""
    raise _TerminatedError
