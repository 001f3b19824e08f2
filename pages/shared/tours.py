"""The steps of Home's tours: each a page, a scene, and settings; a link names one with ``?tour=``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pages.shared.sources import LESSONS, NAMED, NUMBERED, START_SEED, SYNTHETIC, UPLOAD


@dataclass(frozen=True)
class Step:
    """One step of a tour.

    Attributes:
        label: of its link.
        page: where it leads.
        source: of the scene.
        which: name or number of the scene there.
        settings: values of widgets, by key.
    """

    label: str
    page: str
    source: str = LESSONS
    which: str | int = ""
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def link(self) -> dict[str, str]:
        """Values of the widgets that the page before did not show: they reach the link no other way."""
        picker = NAMED.get(self.source) or NUMBERED.get(self.source)
        values = {**self.settings, **({picker: self.which} if picker else {})}
        return {
            key: str(value).lower() if isinstance(value, bool) else str(value)
            for key, value in values.items()
        }


LEARNER = {
    "cells": Step(
        "1 · One anchor a cell", "anchors", which="worked example", settings={"show": "whole level"}
    ),
    "dog": Step("2 · Drag the dog", "matching", which="dog and ball"),
    "told": Step("3 · What each anchor is told", "assignment", which="dog and ball"),
    "boxes": Step("4 · From scores to boxes", "detections", SYNTHETIC, START_SEED),
}
TEACHER = {
    "table": Step("The lesson's 3 × 16 jaccard table", "matching", which="worked example"),
    "orphan": Step(
        "Predict: who becomes an orphan?", "matching", which="orphan pair", settings={"predict": True}
    ),
    "labels": Step(
        "The label list as printed", "assignment", which="worked example", settings={"tab": "label list"}
    ),
}
PRACTITIONER = {
    "small": Step("Too small for any anchor", "assignment", which="small objects"),
    "crowd": Step("Neighbours that compete", "matching", which="crowded"),
    "long": Step("Longer than any ratio", "matching", which="extreme ratios"),
    "mine": Step("A picture of my own", "matching", UPLOAD, 1),
}
STEPS = {**LEARNER, **TEACHER, **PRACTITIONER}
