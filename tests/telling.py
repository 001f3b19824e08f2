"""Scenes on which the shipped `shapes` goes wrong in a given way, looked for instead of written down.

Better weights make other mistakes: tests of the verdicts ask here for a scene that shows theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from ssd.checkpoints import find_model, read_weights
from ssd.config import SELECTION_PRESETS, SelectionConfig
from ssd.data.shapes import SHAPE_CLASSES
from ssd.data.synthetic import synthetic_scene
from ssd.diagnosis import Remedy, Trials, Verdict, diagnose, false_positives
from ssd.figures.findings import picture_result
from ssd.figures.verdict_case import Case, VerdictLine, object_titles
from ssd.figures.verdicts import false_positive_lines, object_lines
from ssd.prediction import Predictor

_SCENES = 400  # looked at before giving up
_LIKELY = (3, 6, 8, 9, 10, 16, 53)  # where they were found last
_MOST_LINES = 8  # so that all of them stand on one screen
Wanted = Callable[[VerdictLine], bool]


@dataclass(frozen=True)
class Telling:
    """A scene, and what the explorer has to say of it at the display limits.

    Attributes:
        seed: of the scene.
        line: what was looked for.
        lines: all that is said.
    """

    seed: int
    line: VerdictLine
    lines: tuple[VerdictLine, ...]

    def at(self, **limits: Any) -> tuple[VerdictLine, ...]:
        """What is said at other limits."""
        return _lines(_case(self.seed, replace(SELECTION_PRESETS["display"], **limits)))


def missed(lines: tuple[VerdictLine, ...]) -> int:
    """How many objects no detection found."""
    return sum(line.kind == "missed" for line in lines)


def moves(line: VerdictLine, limit: str) -> bool:
    """Whether one limit alone mends it."""
    return list(line.remedy) == [limit]


@cache
def suppressed() -> Telling:
    """An object whose box NMS took, and gives back at another threshold."""
    return _search("suppressed", lambda line: moves(line, "nms_threshold"))


@cache
def too_low() -> Telling:
    """An object whose score a lower threshold lets in, well above the slider's lower end."""
    return _search(
        "score too low",
        lambda line: moves(line, "score_threshold") and 0.2 < line.remedy["score_threshold"] < 0.45,
    )


@cache
def badly_placed() -> Telling:
    """A box on an object, too far off, that a higher score threshold drops."""
    return _search("badly placed", lambda line: moves(line, "score_threshold"))


@cache
def scene_with(*verdicts: str, score: float) -> int:
    """Seed of a scene with each of these verdicts at a score threshold."""
    config = replace(SELECTION_PRESETS["display"], score_threshold=score)
    for seed in _seeds():
        if set(verdicts) <= {line.verdict for line in _lines(_case(seed, config))}:
            return seed
    raise AssertionError("shapes makes no such mistakes any more; test another model")


def _search(verdict: str, wanted: Wanted) -> Telling:
    """The first scene with such a line, and few others."""
    for seed in _seeds():
        case = _case(seed, SELECTION_PRESETS["display"])
        said = _lines(case)
        if len(said) <= _MOST_LINES and any(line.verdict == verdict for line in said):
            lines = _lines(case, trials=_trials(seed, case))
            for line in lines:
                if line.verdict == verdict and wanted(line):
                    return Telling(seed, line, lines)
    raise AssertionError("shapes makes no such mistake any more; test another model")


def _seeds() -> Iterator[int]:
    """Likely scenes first."""
    yield from _LIKELY
    yield from (seed for seed in range(_SCENES) if seed not in _LIKELY)


def _case(seed: int, config: SelectionConfig) -> Case:
    """A scene, selected and diagnosed."""
    output, predictor, sample = _output(seed)
    picked = predictor.select(output, config)
    height, width = sample.picture.shape[1:]
    result = picture_result(
        picked.detections,
        sample.target,
        scene_classes=SHAPE_CLASSES,
        model_classes=predictor.config.class_names,
        size_wh=(width, height),
    )
    names = [SHAPE_CLASSES[label - 1] for label in sample.target.labels.tolist()]
    return Case(
        boxes=output.boxes,
        picked=picked,
        config=config,
        result=result,
        diagnosis=diagnose(output.boxes, output.scores, picked=picked, result=result),
        wrong=false_positives(result),
        class_names=predictor.config.class_names,
        titles=object_titles(names, result.gt_ignored),
        object_classes=names,
        levels=predictor.anchors.level,
    )


def _trials(seed: int, case: Case) -> Trials:
    """Other limits, to be tried."""
    output, _, _ = _output(seed)
    return Trials(output.boxes, output.scores, config=case.config, truth=case.result)


def _lines(case: Case, trials: Trials | None = None) -> tuple[VerdictLine, ...]:
    """What is said of a scene, with remedies where they are tried."""
    objects: dict[int, Remedy | None] = {}
    detections: dict[int, Remedy | None] = {}
    if trials is not None:
        lost = (case.diagnosis.verdict != int(Verdict.FOUND)).nonzero()[:, 0].tolist()
        objects = {g: trials.finding(g) for g in lost}
        kept, twins = case.picked.kept.tolist(), case.wrong.duplicate_of.tolist()
        for row in (case.wrong.kind >= 0).nonzero()[:, 0].tolist():
            first = kept[twins[row]] if twins[row] >= 0 else None
            detections[kept[row]] = trials.silencing(kept[row], duplicate_of=first)
    return (*object_lines(case, objects), *false_positive_lines(case, detections))


@cache
def _output(seed: int) -> tuple[Any, Predictor, Any]:
    """The network's answer."""
    sample, predictor = synthetic_scene(seed), _predictor()
    return predictor.predict(sample.picture), predictor, sample


@cache
def _predictor() -> Predictor:
    """The shipped weights."""
    loaded = read_weights(find_model("shapes"))
    return Predictor(loaded.model, sha256=loaded.sha256)
