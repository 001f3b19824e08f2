"""Arguments: one parser whose complaints are sentences that suggest the nearest thing."""

from __future__ import annotations

import argparse
import difflib
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from ssd.errors import ConfigError

__all__ = ["Command", "choice", "parse", "share", "share_above_zero", "suggestion", "whole_number"]


@dataclass(frozen=True)
class Command:
    """A subcommand.

    Attributes:
        name: what is typed.
        summary: one line for the list of commands.
        add_options: gives the subcommand's parser its options.
        run: does the work and returns the exit code.
    """

    name: str
    summary: str
    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


class _Parser(argparse.ArgumentParser):
    """argparse, but a mistake is a ConfigError instead of usage and an exit."""

    def error(self, message: str) -> NoReturn:
        """Turn argparse's complaint into one sentence."""
        text = message.removeprefix("argument ").rstrip(".")
        raise ConfigError(f"{text[:1].upper()}{text[1:]}; `{self.prog} --help` lists what there is.")


def parse(arguments: Sequence[str], commands: Iterable[Command]) -> argparse.Namespace:
    """Understand the command line.

    Args:
        arguments: all words after ``python -m ssd``.
        commands: the subcommands.

    Returns:
        The options, with the chosen :class:`Command` as ``command``; ``None`` there
        where no command was given, and the help as ``help_text``.

    Raises:
        ConfigError: a word is not understood; the message suggests the nearest.
    """
    table = {command.name: command for command in commands}
    top = _Parser(prog="python -m ssd", description="See how a single shot multibox detector works.")
    top.set_defaults(command=None)
    choices = top.add_subparsers(title="commands", metavar="COMMAND")
    parsers = {name: _add_command(choices, command) for name, command in table.items()}
    first = next((word for word in arguments if not word.startswith("-")), None)
    if first is not None and first not in table:
        raise ConfigError(
            f"There is no command {first!r}{suggestion(first, table)}; commands: {', '.join(table)}."
        )
    options, unknown = top.parse_known_args(list(arguments))
    if unknown:
        chosen = parsers[options.command.name] if options.command is not None else top
        raise ConfigError(_unknown(unknown[0], chosen))
    options.help_text = top.format_help()
    return options


def _add_command(choices: argparse._SubParsersAction[_Parser], command: Command) -> argparse.ArgumentParser:
    """One subparser; every one has --debug."""
    parser = choices.add_parser(
        command.name, help=command.summary, description=command.summary, allow_abbrev=False
    )
    command.add_options(parser)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser.set_defaults(command=command)
    return parser


def _unknown(word: str, parser: argparse.ArgumentParser) -> str:
    """A word that no option took."""
    name = word.split("=", 1)[0]
    if not name.startswith("-"):
        return f"{name!r} is one word too many; `{parser.prog} --help` lists what there is."
    known = [option for action in parser._actions for option in action.option_strings]
    return f"There is no option {name!r}{suggestion(name, known)}; `{parser.prog} --help` lists all."


def suggestion(word: str, known: Iterable[str]) -> str:
    """The nearest known word in brackets, or nothing.

    Args:
        word: what was written.
        known: what could have been meant.

    Returns:
        The words " (did you mean …?)", or an empty text.
    """
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f" (did you mean {near[0]}?)" if near else ""


def choice(known: Iterable[str]) -> Callable[[str], str]:
    """A type for argparse: one of some words, with a suggestion for the others.

    Args:
        known: the words.

    Returns:
        A function that gives back a known word.

    Example:
        >>> choice(("bipartite", "overwrite"))("overwrite")
        'overwrite'
    """
    words = tuple(known)

    def check(text: str) -> str:
        if text not in words:
            near = suggestion(text, words)
            raise argparse.ArgumentTypeError(f"{text[:80]!r} is not one of {', '.join(words)}{near}")
        return text

    return check


def share(text: str) -> float:
    """A type for argparse: a number in 0–1.

    Args:
        text: what was typed.

    Returns:
        The number.

    Raises:
        ArgumentTypeError: it is no number, or outside.

    Example:
        >>> share("0.45")
        0.45
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"must be a number in 0–1, got {text[:80]!r}")
    return number


def share_above_zero(text: str) -> float:
    """A type for argparse: a number above 0 and at most 1.

    Args:
        text: what was typed.

    Returns:
        The number.

    Raises:
        ArgumentTypeError: it is no number, or outside.

    Example:
        >>> share_above_zero("0.45")
        0.45
    """
    number = share(text)
    if number == 0:
        raise argparse.ArgumentTypeError(f"must be a number above 0 and at most 1, got {text[:80]!r}")
    return number


def number_above_zero(text: str) -> float:
    """A type for argparse: a finite number above 0.

    Args:
        text: what was typed.

    Returns:
        The number.

    Raises:
        ArgumentTypeError: it is no number, not finite, or not above 0.

    Example:
        >>> number_above_zero("0.5")
        0.5
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise argparse.ArgumentTypeError(f"must be a number above 0, got {text[:80]!r}")
    return number


def whole_number(text: str) -> int:
    """A type for argparse: a whole number above 0.

    Args:
        text: what was typed.

    Returns:
        The number.

    Raises:
        ArgumentTypeError: it is no whole number above 0.

    Example:
        >>> whole_number("200")
        200
    """
    if not (text.isascii() and text.isdecimal() and 0 < len(text) <= 9 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, got {text[:80]!r}")
    return int(text)
