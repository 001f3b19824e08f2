"""The error tree: one root, and one branch for each thing a person can mend.

Every message is one sentence in three parts: what must hold, what was found,
how to mend it. ``exit_code`` is what the command line returns.
"""

from __future__ import annotations


class SSDError(Exception):
    """Root of all errors that are meant to be read by the person at the screen."""

    exit_code: int = 1


class ConfigError(SSDError):
    """A setting, option or parameter is outside what is allowed."""

    exit_code = 2


class DataError(SSDError):
    """A picture, an annotation or a data set cannot be used as it is.

    Attributes:
        rule: short name of the rule that is broken, where it has one, for lists and counts.
    """

    exit_code = 3

    def __init__(self, message: str = "", *, rule: str = "") -> None:
        super().__init__(message)
        self.rule = rule


class BoxError(DataError):
    """A box is inverted, not finite, or has the wrong shape."""


class CheckpointError(SSDError):
    """A checkpoint is missing, damaged, unsafe or made for another model."""

    exit_code = 4


class NumericError(SSDError):
    """A computation left the finite numbers."""

    exit_code = 5


class ResourceError(SSDError):
    """Memory, disk, time or network ran out or is not there."""

    exit_code = 6
