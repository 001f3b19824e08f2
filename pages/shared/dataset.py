"""The data set of Your data: its objects, its doctor's report and its coverage, kept by name.

Data sets belong to the machine, not to a visitor, so what was computed is kept for everybody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pages.shared import links, sources
from pages.shared import scene as scenes
from pages.shared.judged import FIRST_SCENE, NUM_SCENES, SCENES
from pages.shared.kept import Kept
from pages.shared.sources import SYNTHETIC
from ssd.config import AnchorPreset, MatchingRule, anchor_preset_names, anchors_for_side, any_preset
from ssd.errors import SSDError

if TYPE_CHECKING:
    from ssd.checks import DoctorReport
    from ssd.config import PyramidPreset
    from ssd.coverage import Coverage
    from ssd.data.folders import DataSet
    from ssd.data.object_table import ObjectTable

ALL = "all"
_KEPT = Kept(most=32)


@dataclass(frozen=True)
class Question:
    """What is asked: which objects, under which anchors; all by name, as a link has it.

    Attributes:
        data: name of the data set.
        split: which part of it.
        anchors: name of the preset.
        size_px: training size; ``None``: the preset's own.
        rule: matching rule.
        threshold: match threshold.
    """

    data: str
    split: str
    anchors: str
    size_px: int | None
    rule: MatchingRule
    threshold: float

    @property
    def is_folder(self) -> bool:
        """Whether there are files behind it."""
        return self.data != SCENES

    @property
    def preset(self) -> AnchorPreset | PyramidPreset:
        """The anchors."""
        return any_preset(self.anchors)


def data_now() -> str:
    """The data set that the sidebar has open; drawn scenes where it has none."""
    source, _ = scenes.picked()
    return source if source in sources.folder_paths() else SCENES


def splits_of(data: str) -> tuple[str, ...]:
    """All, and the parts."""
    if data == SCENES:
        return (ALL, "train", "val")
    from ssd.data.scan import dataset_splits

    return (ALL, *_KEPT.take(("splits", data), lambda: dataset_splits(sources.folder_paths()[data])))


def objects_of(data: str, split: str) -> ObjectTable:
    """All objects that count."""
    return _KEPT.take(("objects", data, split), lambda: _read_objects(data, split))


def _read_objects(data: str, split: str) -> ObjectTable:
    if data != SCENES:
        from ssd.data.object_table import read_objects

        return read_objects(sources.folder_paths()[data], split=split)
    from ssd.data.object_table import object_table
    from ssd.data.shapes import SHAPE_CLASSES
    from ssd.data.synthetic import synthetic_scene

    samples = [synthetic_scene(seed) for seed in scenes_of(split)]
    sizes_wh = tuple((s.picture.shape[2], s.picture.shape[1]) for s in samples)
    return object_table([s.target for s in samples], class_names=SHAPE_CLASSES, pictures_wh=sizes_wh)


def scenes_of(split: str) -> range:
    """Seeds of the drawn scenes: the last fifth is held out."""
    everything = range(FIRST_SCENE, FIRST_SCENE + NUM_SCENES)
    last = FIRST_SCENE + NUM_SCENES * 4 // 5
    return {"train": range(FIRST_SCENE, last), "val": range(last, everything.stop)}.get(split, everything)


def part_of(data: str, split: str) -> DataSet:
    """A part of a folder, opened once."""
    from ssd.data.folders import open_dataset

    return _KEPT.take(("part", data, split), lambda: open_dataset(sources.folder_paths()[data], split=split))


def scene_of(data: str, split: str, picture: int) -> tuple[str, int]:
    """Source and number under which the sidebar knows a picture of a part."""
    if data == SCENES:
        return SYNTHETIC, scenes_of(split)[picture]
    return data, numbers_of(data)[part_of(data, split).names[picture]]


def numbers_of(data: str) -> dict[str, int]:
    """Number of each picture of a folder in the sidebar, by name."""
    return _KEPT.take(
        ("numbers", data),
        lambda: {name: number for number, name in reversed([*enumerate(scenes.open_folder(data).names, 1)])},
    )


def usable_numbers(data: str) -> dict[str, int]:
    """The same; nothing where no picture of the folder can be used."""
    try:
        return numbers_of(data)
    except SSDError:
        return {}


def coverage_of(asked: Question, *, size_px: int | None = None) -> Coverage:
    """Coverage under the question's anchors, at its own training size or another."""
    from ssd.coverage import preset_coverage

    size = size_px or asked.size_px
    return _KEPT.take(
        ("coverage", replace(asked, size_px=size)),
        lambda: preset_coverage(
            objects_of(asked.data, asked.split), asked.preset, size_px=size, rule=asked.rule,
            threshold=asked.threshold,
        ),
    )  # fmt: skip


def preset_at_size(preset: AnchorPreset, size_px: int | None) -> AnchorPreset:
    """A preset for inputs of another side; its anchors keep their pixels."""
    if size_px is None:
        return preset
    return replace(preset, anchors=anchors_for_side(preset.anchors, side_px=size_px))


def door(asked: Question) -> dict[str, str]:
    """The parts of a link under which another page shows the same anchors, rule and threshold."""
    kept = {"rule": asked.rule, "threshold": f"{asked.threshold:g}"}
    if asked.anchors in anchor_preset_names() and asked.size_px is None:
        return {**kept, "anchors": asked.anchors}
    preset = asked.preset
    if not isinstance(preset, AnchorPreset):
        return kept  # the pages draw one grid for all pictures
    config = preset_at_size(preset, asked.size_px).anchors
    return {**kept, "anchors": scenes.CUSTOM, "knobs": links.knobs_to_text(config)}


def known_report(asked: Question) -> DoctorReport | None:
    """What the doctor said, where he was asked."""
    return _KEPT.get(_report_key(asked))


def keep_report(asked: Question, report: DoctorReport) -> None:
    """What the doctor says."""
    _KEPT.take(_report_key(asked), lambda: report)


def training_side(asked: Question) -> int:
    """Side of the input in pixels; where pictures keep their shape, the shorter one."""
    from ssd.coverage import training_size

    return min(training_size(asked.preset, size_px=asked.size_px))


def _report_key(asked: Question) -> tuple[Any, ...]:
    return ("doctor", asked.data, asked.split, training_side(asked))


def forget(data: str) -> None:
    """Read a folder again, because its files have changed."""
    _KEPT.forget(lambda key: key[1] == data or getattr(key[1], "data", "") == data)
    scenes.forget_folder(data)
