"""The ``ssd`` calls behind a view, as code that runs: what "Copy as Python" gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.shared.scene import CUSTOM, Scene
from pages.shared.sources import LESSONS, OWN, PHOTOGRAPHS, SYNTHETIC
from ssd.config import SelectionConfig

if TYPE_CHECKING:
    from ssd.losses import LossConfig
    from ssd.training.teach_job import TeachRules


def anchors_code(scene: Scene) -> str:
    """The anchors of the scene."""
    return "\n".join(
        [
            "from ssd.anchors import make_anchors",
            *_config_lines(scene),
            "anchors = make_anchors(config)",
            "print(len(anchors), anchors.per_level)",
        ]
    )


def match_code(scene: Scene) -> str:
    """The match of the scene."""
    rule = f"rule={scene.rule!r}, threshold={scene.threshold!r}, strict={scene.strict!r}"
    ignored = _boxes(scene.objects.ignored_boxes.tolist())
    return "\n".join(
        [
            "import torch",
            "from ssd.anchors import make_anchors",
            "from ssd.matching import match",
            *_config_lines(scene),
            "anchors = make_anchors(config)",
            f"boxes = {_boxes(scene.objects.boxes.tolist())}  # xyxy in [0, 1]",
            f"found = match(boxes, anchors.boxes, {rule}, ignored_boxes={ignored})",
            "print(int(found.positive.sum()), int(found.forced.sum()), int(found.orphan.sum()))",
        ]
    )


def assignment_code(scene: Scene) -> str:
    """Labels and targets of the scene."""
    lines = match_code(scene).splitlines()
    labels = scene.objects.labels.tolist()
    return "\n".join(
        [
            *lines[:2],
            "from ssd.config import CoderConfig",
            "from ssd.matching import assign, match",
            *lines[3:-1],
            f"labels = torch.tensor({labels}, dtype=torch.int64)",
            f"told = assign(found, anchors, gt_boxes=boxes, gt_labels=labels, coder={scene.coder!r})",
            "print(told.labels.bincount(minlength=1) if (told.labels >= 0).all() else told.labels.unique())",
            "print(told.targets[told.labels > 0])",
        ]
    )


def detect_code(scene: Scene, *, model: str, config: SelectionConfig) -> str:
    """The detections of a shipped model on the scene's picture, and the verdict on each object."""
    there = len(scene.sample.target) > 0
    return "\n".join(
        [
            *(["import torch"] if there else []),
            "from ssd.checkpoints import find_model, read_weights",
            "from ssd.config import SelectionConfig",
            *(["from ssd.diagnosis import Verdict, diagnose"] if there else []),
            *(["from ssd.metrics import PictureResult"] if there else []),
            "from ssd.prediction import Predictor",
            *_picture_lines(scene),
            f"loaded = read_weights(find_model({model!r}))",
            "predictor = Predictor(loaded.model, sha256=loaded.sha256)",
            "output = predictor.predict(picture)",
            f"selection = predictor.select(output, {config!r})",
            "print(len(selection.detections))",
            *(_verdict_lines(scene) if there else []),
        ]
    )


def _verdict_lines(scene: Scene) -> list[str]:
    """Why each object was missed, or that it was found."""
    target, (width, height) = scene.sample.target, scene.size_wh
    names = [scene.class_names[label - 1] if label else "" for label in target.labels.tolist()]
    return [
        f"boxes = {_boxes(target.boxes.tolist())}  # objects, xyxy in [0, 1]",
        f"known, names = predictor.config.class_names, {names!r}",
        "labels = torch.tensor([known.index(name) + 1 if name in known else 0 for name in names])",
        f"ignored = torch.tensor({(target.difficult | target.ignore).tolist()}) | (labels == 0)",
        "said = selection.detections",
        f"objects = ({width}, {height}, boxes, labels, ignored)",
        "result = PictureResult(*objects, said.boxes, said.labels, said.scores)",
        "found = diagnose(output.boxes, output.scores, picked=selection, result=result)",
        "print([Verdict(value).name for value in found.verdict.tolist()])",
    ]


def loss_code(scene: Scene, *, model: str, config: LossConfig) -> str:
    """What each anchor of the scene costs a shipped model; the scene as the loss lab has it."""
    rule = f"rule={scene.rule!r}, threshold={scene.threshold!r}, strict={scene.strict!r}"
    names = list(scene.object_names)
    return "\n".join(
        [
            "import torch",
            "from ssd.checkpoints import find_model, read_weights",
            "from ssd.losses import LossConfig",
            "from ssd.matching import assign, match",
            "from ssd.prediction import Predictor",
            "from ssd.training.lab import loss_lab",
            "from ssd.training.lab_parts import costs_by_level",
            *_picture_lines(scene),
            f"loaded = read_weights(find_model({model!r}))",
            "predictor = Predictor(loaded.model, sha256=loaded.sha256)",
            "anchors, network = predictor.anchors, predictor.config",
            "output = predictor.predict(picture)",
            f"boxes = {_boxes(scene.objects.boxes.tolist())}  # xyxy in [0, 1]",
            f"names = {names!r}",
            "labels = torch.tensor([network.class_names.index(n) + 1 for n in names], dtype=torch.int64)",
            f"found = match(boxes, anchors.boxes, {rule}, "
            f"ignored_boxes={_boxes(scene.objects.ignored_boxes.tolist())})",
            "told = assign(found, anchors, gt_boxes=boxes, gt_labels=labels, coder=network.coder)",
            f"config = {config!r}",
            "lab = loss_lab(output.codes, output.logits, anchors=anchors, assignment=told, config=config,",
            "    coder=network.coder, activation=network.activation, class_names=network.class_names)",
            "print(round(float(lab.report.total), 2), [round(p.total, 2) for p in costs_by_level(lab)])",
        ]
    )


def teach_code(scene: Scene, *, rules: TeachRules) -> str:
    """A lesson on the scene."""
    labels, names = scene.objects.labels.tolist(), scene.class_names
    return "\n".join(
        [
            "import torch",
            "from ssd.data.records import Sample, make_target",
            "from ssd.training.teach import teach",
            "from ssd.training.teach_job import TeachJob, TeachRules",
            *_picture_lines(scene),
            f"boxes = {_boxes(scene.objects.boxes.tolist())}  # xyxy in [0, 1]",
            f"target = make_target(boxes, torch.tensor({labels}, dtype=torch.int64))",
            f"rules = {rules!r}",
            f"for report in teach(TeachJob(Sample(picture, target, 'mine'), {names!r}, rules)):",
            "    if report.look is not None:",
            "        print(report.step, round(report.loss, 3), report.look.best)",
        ]
    )


def _config_lines(scene: Scene) -> list[str]:
    """The anchor configuration: by its preset's name, or written out."""
    if scene.anchors_name != CUSTOM:
        return [
            "from ssd.config import anchor_preset",
            f"config = anchor_preset({scene.anchors_name!r}).anchors",
        ]
    return ["from ssd.config import GridAnchors, SizeAnchors", f"config = {scene.config!r}"]


def _boxes(rows: list[list[float]]) -> str:
    """Boxes as a tensor, to the last bit of float32."""
    inner = ", ".join("[" + ", ".join(f"{value:.9g}" for value in row) + "]" for row in rows)
    return f"torch.tensor([{inner}], dtype=torch.float32).reshape(-1, 4)"


def _picture_lines(scene: Scene) -> list[str]:
    """The picture, from where everybody has it; a picture of the visitor from a file."""
    if scene.source == SYNTHETIC:
        return [
            "from ssd.data.synthetic import synthetic_scene",
            f"picture = synthetic_scene({scene.which}).picture",
        ]
    if scene.source == LESSONS:
        return [
            "from ssd.data.lessons import lesson_scene",
            f"picture = lesson_scene({scene.which!r}).sample.picture",
        ]
    if scene.source == PHOTOGRAPHS:
        return [
            "from ssd.data.samples import sample_scene",
            f"picture = sample_scene({scene.which!r}).picture",
        ]
    if scene.source in OWN:
        return [
            "from pathlib import Path",
            "from ssd.data.images import read_picture",
            "picture = read_picture(Path('picture.jpg'), name='picture.jpg').pixels  # your file",
        ]
    return [
        "from ssd.data.folders import open_dataset",
        f"picture = open_dataset({scene.source!r}).sample({int(scene.which) - 1}).picture  # its path",
    ]
