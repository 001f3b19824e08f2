"""Labels and indices with a meaning of their own, and the names of the matching rules."""

from __future__ import annotations

from typing import Literal

__all__ = ["BACKGROUND", "IGNORED", "IGNORE_JACCARD", "MATCHING_RULES", "UNMATCHED", "MatchingRule"]

BACKGROUND = 0  # label of "no object"; objects are 1..C
UNMATCHED = -1  # matched_gt of an anchor that answers for no object
IGNORED = -2  # label of an anchor that takes no part in the loss

MatchingRule = Literal["bipartite", "overwrite", "torchvision"]
MATCHING_RULES: tuple[MatchingRule, ...] = ("bipartite", "overwrite", "torchvision")
IGNORE_JACCARD = 0.5  # facts.md: a free anchor this close to an ignored box is ignored
