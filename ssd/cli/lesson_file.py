"""``lesson-file``: a scene as one HTML file that works without a network; the pages' Download twin."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ssd.cli.lesson_subjects import SYNTHETIC, Subject, read_subject
from ssd.cli.parsing import Command, choice, share, share_above_zero, whole_number
from ssd.config import (
    MATCHING_RULES,
    SELECTION_PRESETS,
    SelectionConfig,
    anchor_preset,
    anchor_preset_names,
)
from ssd.errors import ConfigError
from ssd.limits import MAX_LESSON_BYTES

if TYPE_CHECKING:
    from ssd.figures.canvas import CanvasView
    from ssd.figures.takeaway import LevelGuide

__all__ = ["LESSON_FILE"]

PAGES = ("anchors", "matching", "assignment", "detections")
FLOOR = 0.01  # lowest score that the slider of the file reaches


def _add_lesson_file(parser: argparse.ArgumentParser) -> None:
    """Options of ``lesson-file``."""
    add = parser.add_argument
    add(
        "picture",
        metavar="PICTURE",
        help=f"a picture file, the name of a sample photograph or lesson scene, or {SYNTHETIC}SEED",
    )
    add("--page", type=choice(PAGES), required=True, metavar="PAGE", help=", ".join(PAGES))
    add(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help=f"the file; at most {MAX_LESSON_BYTES / 1e6:g} MB",
    )
    add("--boxes", default="", metavar="BOXES", help="objects on a picture file: x1,y1,x2,y2;… in pixels")
    add("--names", default="", metavar="A,B,…", help="class of each of --boxes; one name for all of them")
    add(
        "--preset",
        type=choice(anchor_preset_names()),
        metavar="NAME",
        help="anchors (the scene's, or ssd300-voc)",
    )
    add("--rule", type=choice(MATCHING_RULES), metavar="RULE", help=", ".join(MATCHING_RULES))
    add("--threshold", type=share, metavar="T", help="match threshold (the scene's, or 0.5)")
    add("--strict", action="store_true", help="the jaccard must be greater than the threshold")
    add("--level", type=int, metavar="K", help="anchors: the level that is shown (2)")
    add("--model", metavar="NAME|FILE", help="detections: a shipped model or a weights file")
    add("--score", type=share, metavar="S", help="detections: score threshold (0.5)")
    add("--nms", type=share_above_zero, metavar="N", help="detections: NMS threshold (the model's)")
    add("--top-k", type=whole_number, metavar="K", help="detections: top-k of each class (the model's)")
    add("--title", metavar="TEXT", help="in the place of the page's name")
    add("--source", metavar="TEXT", help="whose picture it is, and under which terms")
    add("--force", action="store_true", help="replace a file that exists")
    add("--json", action="store_true", help="one JSON object on stdout: file, bytes, page, objects")


def _run_lesson_file(options: argparse.Namespace) -> int:
    """Make the file, and say how large it is."""
    from ssd.data.images import shown_name
    from ssd.exports import write_new
    from ssd.figures.takeaway import LessonWords, lesson_file
    from ssd.figures.takeaway_words import LESSON_PAGES

    if options.out.exists() and not options.force:
        raise ConfigError(f"{options.out} exists already; add --force to replace it, or choose another name.")
    subject = read_subject(options)
    view, settings, guides = (_detections if options.page == "detections" else _geometry)(options, subject)
    words = LessonWords(
        title=options.title or options.page.capitalize(),
        scene=shown_name(subject.sample.name),
        theory=LESSON_PAGES[options.page],
        settings=settings,
        source=options.source or subject.source,
        privacy=subject.privacy,
    )
    content = lesson_file(view, picture=subject.sample.picture, words=words, guides=guides)
    write_new(options.out, content, force=options.force)
    told = {"file": str(options.out), "bytes": len(content), "page": options.page}
    if options.json:
        print(json.dumps({**told, "objects": len(view.objects)}))
    else:
        print(
            f"{options.out}: {options.page} with {len(view.objects)} object(s), {len(content) / 1e6:.2f} MB"
        )
    return 0


Parts = tuple["CanvasView", tuple[str, ...], "tuple[LevelGuide, ...]"]


def _geometry(options: argparse.Namespace, subject: Subject) -> Parts:
    """Anchors, matching or assignment: what needs no model."""
    from ssd.anchors import make_anchors
    from ssd.figures.blobs import anchors_blob
    from ssd.figures.canvas import LiveMatching
    from ssd.figures.takeaway import level_guides
    from ssd.figures.takeaway_words import anchor_settings, matching_settings

    preset = options.preset or subject.preset
    config = anchor_preset(preset).anchors
    anchors = make_anchors(config)
    rule = LiveMatching(
        rule=options.rule or subject.rule,
        threshold=subject.threshold if options.threshold is None else options.threshold,
        strict=options.strict or subject.strict,
    )
    view = replace(_plain(options, subject), anchors=anchors_blob(config))
    said = anchor_settings(preset=preset, per_level=anchors.per_level)
    if options.page == "anchors":
        level = _level(options.level, count=len(anchors.levels))
        hidden = tuple(k for k in range(len(anchors.levels)) if k != level)
        view = replace(view, hidden_levels=hidden, cell_only=True, grid_level=level, level_chips=False)
        return view, (said,), level_guides(config, network=preset)
    names = [each.name for each in view.objects if not each.ignored]
    view = replace(view, matching=rule, threshold_slider=True, editable=True, panel=True)
    return view, (said, *matching_settings(**vars(rule), objects=names)), ()


def _plain(
    options: argparse.Namespace, subject: Subject, *, known: Sequence[str] | None = None
) -> CanvasView:
    """The picture with its objects."""
    from ssd.figures.blobs import picture_blob
    from ssd.figures.canvas import CanvasView
    from ssd.figures.scene_views import canvas_objects

    height, width = subject.sample.picture.shape[1:]
    objects = canvas_objects(subject.sample.target, class_names=subject.class_names, known=known)
    names = ", ".join(each.name for each in objects)
    alt = f"The picture of this scene; its objects: {names or 'none'}."
    return CanvasView(
        mode=options.page,
        picture=picture_blob(b"", width_px=width, height_px=height, alt=alt),
        objects=objects,
        class_names=subject.class_names,
    )


def _level(asked: int | None, *, count: int) -> int:
    """The level that opens."""
    level = min(2, count - 1) if asked is None else asked
    if not 0 <= level < count:
        raise ConfigError(
            f"--level must be 0–{count - 1} for these anchors, got {level}; choose one of them."
        )
    return level


def _detections(options: argparse.Namespace, subject: Subject) -> Parts:
    """What a detector says about the picture, with every limit live."""
    from ssd.cli.detect import load_detector
    from ssd.figures.blobs import candidates_blob
    from ssd.figures.findings import worth_of
    from ssd.figures.takeaway_words import detection_settings
    from ssd.prediction import Predictor

    if options.model is None:
        raise ConfigError("A lesson about detections needs --model with a name or a weights file; add it.")
    loaded = load_detector(options.model)
    predictor, names = Predictor(loaded.model, sha256=loaded.sha256), loaded.config.class_names
    shown = _limits(options, loaded.config.selection)
    limits = replace(shown, score_threshold=min(FLOOR, shown.score_threshold))
    selection = predictor.select(predictor.predict(subject.sample.picture), limits)
    view = replace(
        _plain(options, subject, known=names),
        candidates=candidates_blob(selection, class_names=names, floor=limits.score_threshold),
        num_anchors=len(predictor.anchors),
        score=shown.score_threshold,
        limits=limits,
        panel=True,
    )
    target, (height, width) = subject.sample.target, subject.sample.picture.shape[1:]
    if len(target):
        worth = worth_of(
            selection,
            target,
            scene_classes=subject.class_names,
            model_classes=names,
            size_wh=(width, height),
        )
        view = replace(view, outcomes=worth.outcomes, hits=worth.hits, answers=worth.answers)
    said = detection_settings(
        model=Path(options.model).name,
        sha256=loaded.sha256,
        num_anchors=len(predictor.anchors),
        class_names=names,
        config=shown,
    )
    return view, said, ()


def _limits(options: argparse.Namespace, own: SelectionConfig) -> SelectionConfig:
    """The model's limits where nothing else was asked for."""
    usual = SELECTION_PRESETS["display"]
    return replace(
        own,
        score_threshold=usual.score_threshold if options.score is None else options.score,
        nms_threshold=options.nms or own.nms_threshold,
        top_k=options.top_k or own.top_k,
    )


LESSON_FILE = Command(
    "lesson-file",
    "write a scene as one HTML file that works without a network",
    _add_lesson_file,
    _run_lesson_file,
)
