"""What a network is told of the scene, and what that costs it: its own anchors, the scene's objects."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pages.shared import scene as scenes
from pages.shared.scene import Answer, Scene

if TYPE_CHECKING:
    from ssd.data.records import Target
    from ssd.losses import LossConfig
    from ssd.training.lab import LossLab


def told_to(scene: Scene, answer: Answer) -> Scene:
    """The scene with the network's own anchors; objects of classes it does not know are ignored."""
    from ssd.data.drawn import split_target

    target: Target = scene.sample.target
    known = _labels(scene, answer)
    sample = replace(scene.sample, target=replace(target, ignore=known.ignore))
    return replace(
        scene, sample=sample, objects=split_target(sample.target), config=answer.config.anchors,
        coder=answer.config.coder, anchor=None,
    )  # fmt: skip


def lab_of(scene: Scene, answer: Answer, config: LossConfig) -> LossLab:
    """What the scene costs the network; the scene as :func:`told_to` gives it."""
    from ssd.data.drawn import split_target
    from ssd.matching import assign
    from ssd.training.lab import loss_lab

    found, objects = scenes.match_of(scene), split_target(_labels(scene, answer))
    told = assign(
        found, answer.anchors, gt_boxes=objects.boxes, gt_labels=objects.labels, coder=answer.config.coder
    )
    return loss_lab(
        answer.output.codes, answer.output.logits, anchors=answer.anchors, assignment=told,
        coder=answer.config.coder, activation=answer.config.activation, config=config,
        class_names=answer.config.class_names,
    )  # fmt: skip


def usual_lab(scene: Scene, answer: Answer) -> LossLab:
    """What the scene costs the network under the usual loss of its kind."""
    from ssd.losses import LossConfig

    config = LossConfig(class_mean=False)
    if answer.config.activation != "softmax":
        config = replace(config, confidence="bce")  # it has no background column
    if answer.config.coder.kind == "tanh":
        config = replace(config, localisation="l1")  # of decoded boxes, as the lesson has it
    return lab_of(scene, answer, config)


def _labels(scene: Scene, answer: Answer) -> Target:
    """The objects in the network's order of classes."""
    from ssd.training.lab import relabelled

    return relabelled(scene.sample.target, names=scene.class_names, known=answer.config.class_names)
