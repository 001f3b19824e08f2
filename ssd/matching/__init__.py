"""The matching room: which anchor answers for which object, and what it is told to predict."""

from __future__ import annotations

from ssd.matching.assignment import Assignment, BatchAssignment, assign, assign_batch
from ssd.matching.rules import Match, Matches, match, match_overlaps, match_pictures

__all__ = [
    "Assignment",
    "BatchAssignment",
    "Match",
    "Matches",
    "assign",
    "assign_batch",
    "match",
    "match_overlaps",
    "match_pictures",
]
