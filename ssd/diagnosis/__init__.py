"""The diagnosis room: why was this object missed, and what is wrong with this detection?"""

from __future__ import annotations

from ssd.diagnosis.cover import Cover, TrainingCover, training_cover
from ssd.diagnosis.ladders import Ladders, PictureLadder, Verdicts, join_ladders, picture_ladder
from ssd.diagnosis.missed import Diagnosis, Verdict, diagnose, lifted
from ssd.diagnosis.remedies import Remedy, Trials
from ssd.diagnosis.wrong import FalsePositive, FalsePositives, false_positives

__all__ = [
    "Cover",
    "Diagnosis",
    "FalsePositive",
    "FalsePositives",
    "Ladders",
    "PictureLadder",
    "Remedy",
    "TrainingCover",
    "Trials",
    "Verdict",
    "Verdicts",
    "diagnose",
    "false_positives",
    "join_ladders",
    "lifted",
    "picture_ladder",
    "training_cover",
]
