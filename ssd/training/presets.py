"""Named runs: what each reproduces, where its numbers come from, and what it reached."""

from __future__ import annotations

from dataclasses import replace

from ssd.data.augment import AUGMENT_PRESETS, AugmentConfig
from ssd.errors import ConfigError
from ssd.losses import LossConfig, PictureLossConfig
from ssd.training.config import TrainConfig

__all__ = ["TRAINING_PRESETS", "from_scratch", "training_preset"]

_LESSON = TrainConfig(
    size_px=224,
    steps=400,  # about five passes over VOC2007's 2,501 training pictures, the lesson's cycle_len=5
    batch_size=32,
    optimiser="adam",
    learning_rate=1e-2,
    schedule="cyclic",
    warm_up=1 / 5,  # use_clr=(32, 5): from rate/32 up in a fifth of the cycle, and back
    start_div=32.0,
    group_rates=(1 / 100, 1 / 10, 1.0),  # lrs = [lr/100, lr/10, lr]
    weight_decay=0.0,
    ema=0.0,
    augment=AUGMENT_PRESETS["lesson"],
)
_CELLS = replace(
    _LESSON,
    learning_rate=3e-3,
    start_div=20.0,  # use_clr=(20, 10)
    warm_up=1 / 10,
    match_threshold=0.4,
    match_strict=True,  # "greater than 0.4"
    matching="overwrite",
    loss=LossConfig(confidence="bce", localisation="l1", divide_by="pictures"),
)
_PAPER = TrainConfig(
    model="ssd300-vgg16",
    size_px=300,
    steps=120_000,  # Liu et al., section 3.1: 1e-3, then 1e-4 from 80k on, 1e-5 from 100k on
    batch_size=32,
    optimiser="sgd",
    learning_rate=1e-3,
    schedule="multi-step",
    milestones=(2 / 3, 5 / 6),
    warm_up=0.01,  # not in the paper; nor is the clipping: from scratch the loss explodes without them
    weight_decay=5e-4,
    clip_norm=10.0,
    ema=0.0,
    loss=LossConfig(max_negative_overlap=0.5),  # Caffe-SSD, ssd_pascal.py, neg_overlap
    augment=AUGMENT_PRESETS["ssd"],
)
_SCRATCH = TrainConfig(
    steps=30_000,
    batch_size=32,
    last_clean=0.1,
    ema=0.999,
    augment=AUGMENT_PRESETS["modern"],
)

TRAINING_PRESETS: dict[str, TrainConfig] = {
    # The lesson, stage by stage. Its backbone comes from ImageNet; `from_scratch` is for one that does not.
    "multilabel": replace(_LESSON, model="multilabel", picture_loss=PictureLossConfig(confidence="bce")),
    "largest-class": replace(_LESSON, model="largest-class"),
    # One linear layer from 25,088 numbers to four edges: at the rate of the others its steps are too long.
    "largest-box": replace(_LESSON, model="largest-box", learning_rate=2e-3),
    "largest-object": replace(_LESSON, model="largest-object"),
    "ssd-4x4": replace(_CELLS, model="ssd-4x4"),
    "yolo-4x4": replace(_CELLS, model="yolo-4x4"),
    "ssd-multi": replace(_CELLS, model="ssd-multi", learning_rate=1e-2),
    "ssd-multi-144": replace(_CELLS, model="ssd-multi-144", learning_rate=1e-2),
    "ssd-multi-focal": replace(
        _CELLS, model="ssd-multi-focal", learning_rate=1e-2, loss=replace(_CELLS.loss, confidence="focal")
    ),
    # The paper: 77.2 on VOC2007 test after 07+12 (11-point AP; Caffe, from ImageNet).
    "ssd300-vgg16": _PAPER,
    # torchvision, references/detection: rate .002 for 32 pictures, drops at 80 and 110 of 120 epochs.
    "torchvision-ssd300-vgg16": replace(
        _PAPER, model="torchvision-ssd300-vgg16", learning_rate=2e-3, milestones=(80 / 120, 110 / 120)
    ),
    # The same source: .15 for 192 pictures, a cosine, little decay.
    "torchvision-ssdlite320": replace(
        _PAPER,
        model="torchvision-ssdlite320",
        size_px=320,
        learning_rate=0.15 * 32 / 192,
        schedule="cosine",
        weight_decay=4e-5,
    ),
    # Ours, from scratch: batch norm, a high rate, a long schedule, the average (facts.md on ScratchDet).
    "ssd-small": replace(_SCRATCH, model="ssd-small"),
    "ssd-small-wide": replace(_SCRATCH, model="ssd-small-wide"),
    "ssd300-resnet34": replace(_SCRATCH, model="ssd300-resnet34", size_px=300, learning_rate=1e-3),
    # The models that ship: assets/weights/*.md says what each reached, and with which command.
    "shapes": TrainConfig(steps=1800, augment=AugmentConfig(flip=0.5, upside_down=0.5, photometric=0.2)),
    "bccd": TrainConfig(
        steps=1700,
        augment=AugmentConfig(flip=0.5, upside_down=0.5, crop=0.4, zoom_out=0.1, photometric=0.4),
    ),
    # Corner signs are small: a large input. A mirrored 9 is no 9: no flips.
    "cards": TrainConfig(
        size_px=416,
        steps=1800,
        ema=0.998,
        sizes=((0.0, 288), (0.5, 416)),
        anchor_sizes="shares",
        last_clean=0.2,
        augment=AugmentConfig(
            flip=0.0,
            rotate=0.5,
            rotate_deg=8.0,
            zoom_out=0.35,
            zoom_out_max=2.0,
            crop=0.5,
            photometric=0.5,
            mosaic=0.3,
        ),
    ),
    # Small sides first, the full size last: what a laptop's processor can do in two hours.
    "voc5": TrainConfig(
        model="ssd-small-wide",
        steps=5000,
        ema=0.999,
        sizes=((0.0, 160), (0.55, 224), (0.85, 320)),
        size_jitter=0.15,
        last_clean=0.15,
        augment=AugmentConfig(flip=0.5, zoom_out=0.25, crop=0.5, photometric=0.4, mosaic=0.4),
    ),
    # One picture, again and again, until its objects are found: the Learning page, "Teach it this
    # picture". Reached, and how fast: `python -m benchmarks.teach`.
    "teach": TrainConfig(
        anchors="teach160",
        size_px=160,
        steps=120,
        batch_size=2,
        learning_rate=2e-3,
        warm_up=0.1,
        weight_decay=0.0,
        ema=0.0,
        augment=AugmentConfig(flip=0.0, min_side_px=0.5),
    ),
}


def training_preset(name: str) -> TrainConfig:
    """The training preset of that name.

    Args:
        name: a key of ``TRAINING_PRESETS``.

    Returns:
        The configuration.

    Raises:
        ConfigError: there is none of that name.

    Example:
        >>> training_preset("bccd").size_px
        320
    """
    if name not in TRAINING_PRESETS:
        raise ConfigError(f"There is no training preset {name!r}; presets: {', '.join(TRAINING_PRESETS)}.")
    return TRAINING_PRESETS[name]


def from_scratch(config: TrainConfig) -> TrainConfig:
    """The same run for a network whose backbone has no ImageNet weights.

    Args:
        config: a run that expects them: slow or frozen early layers.

    Returns:
        The run with every layer group learning at the full rate.

    Example:
        >>> from_scratch(training_preset("ssd-4x4")).group_rates
        (1.0, 1.0, 1.0)
    """
    return replace(config, group_rates=(1.0, 1.0, 1.0), freeze=0)
