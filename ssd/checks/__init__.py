"""The data doctor: all problems of a data set in one pass, each with file, object, values and remedy.

``check_dataset(path)`` reads every annotation (through :mod:`ssd.data.scan`) and opens every picture
(through :mod:`ssd.data.images`), judges them by the rules of :mod:`ssd.checks.rules`, and returns a
:class:`DoctorReport`. Nothing is ever rewritten.
"""

from __future__ import annotations

from ssd.checks.doctor import check_dataset
from ssd.checks.records import ClassBalance, DoctorReport, Problem, ProblemGroup, Severity
from ssd.checks.rules import RULES, Rule, grouped

__all__ = [
    "RULES",
    "ClassBalance",
    "DoctorReport",
    "Problem",
    "ProblemGroup",
    "Rule",
    "Severity",
    "check_dataset",
    "grouped",
]
