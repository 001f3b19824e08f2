"""The losses once more, from their papers, in plain NumPy and float64, one anchor at a time."""

from __future__ import annotations

import math

import numpy as np
import torch

from ssd.anchors import make_anchors
from ssd.boxes import cxcywh_to_xyxy
from ssd.config import BACKGROUND, IGNORED, CoderConfig, GridAnchors, SizeAnchors

OBLONG = SizeAnchors(
    grids_wh=((5, 3), (2, 1)),
    sizes_px=(60.0, 150.0),
    extra_sizes_px=(80.0, 190.0),
    ratios=((2.0,), ()),
    picture_wh=(400, 240),
)
ANCHORS = make_anchors(OBLONG)  # a picture that is not square: 5·3·4 + 2·1·2 = 64 anchors
LESSON = make_anchors(GridAnchors(grids=(4, 2, 1), zooms=(0.7, 1.3), ratios=((1.0, 0.5),)))  # 42
CLASSES = 4


def random_case(seed: int, *, background: bool = True, batch: int = 3, anchors=ANCHORS):
    """Codes, logits, labels and boxes: some anchors ignored, some pictures without objects."""
    dice = torch.Generator().manual_seed(seed)
    shape = (batch, len(anchors))
    labels = torch.randint(1, CLASSES + 1, shape, generator=dice)
    kind = torch.rand(shape, generator=dice)
    labels = torch.where(kind < 0.8, BACKGROUND, labels)
    labels = torch.where(kind < 0.1, IGNORED, labels)
    labels[-1] = labels[-1].clamp(max=BACKGROUND)  # the last picture has no object
    codes = torch.randn(*shape, 4, generator=dice)
    logits = torch.randn(*shape, CLASSES + background, generator=dice) * 3
    centre = torch.rand(*shape, 2, generator=dice)
    size = torch.rand(*shape, 2, generator=dice) * 0.5 + 0.05
    return codes, logits, labels, cxcywh_to_xyxy(torch.cat([centre, size], dim=2))


def array(tensor: torch.Tensor) -> np.ndarray:
    """As float64."""
    return np.asarray(tensor.tolist(), dtype=np.float64)


def cross_entropy(row: np.ndarray, label: int) -> float:
    """−log softmax, with background in column 0."""
    shifted = row - row.max()
    return float(math.log(np.exp(shifted).sum()) - shifted[max(label, 0)])


def focal(row: np.ndarray, label: int, *, alpha: float, gamma: float) -> float:
    """Lin et al., equation 5, class by class; with alpha None the lesson's binary cross-entropy."""
    total = 0.0
    for column, logit in enumerate(row):
        there = label == column + 1
        p = 1 / (1 + math.exp(-logit))
        right = p if there else 1 - p
        total += (alpha if there else 1 - alpha) * (1 - right) ** gamma * -math.log(right)
    return total


def binary_cross_entropy(row: np.ndarray, label: int) -> float:
    """−log of the probability of each class's right answer."""
    return sum(
        -math.log(1 / (1 + math.exp(-logit if label == column + 1 else logit)))
        for column, logit in enumerate(row)
    )


def smooth_l1(code: np.ndarray, target: np.ndarray) -> float:
    """Liu et al., equation 2."""
    return sum(0.5 * d**2 if d < 1 else d - 0.5 for d in np.abs(code - target).tolist())


def decoded(code: np.ndarray, anchor: np.ndarray, cell: np.ndarray, coder: CoderConfig) -> np.ndarray:
    """The box of a code: offsets with variances, or the lesson's tanh."""
    centre, size = (anchor[:2] + anchor[2:]) / 2, anchor[2:] - anchor[:2]
    if coder.kind == "tanh":
        middle, wh = centre + np.tanh(code[:2]) / 2 * cell, (np.tanh(code[2:]) / 2 + 1) * size
    else:
        middle = centre + code[:2] * coder.variances[0] * size
        wh = np.exp(code[2:] * coder.variances[1]) * size
    return np.concatenate([middle - wh / 2, middle + wh / 2])


def giou(box: np.ndarray, other: np.ndarray) -> float:
    """Rezatofighi et al., algorithm 1."""
    inner = np.clip(np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2]), 0, None).prod()
    outer = (np.maximum(box[2:], other[2:]) - np.minimum(box[:2], other[:2])).prod()
    union = (box[2:] - box[:2]).prod() + (other[2:] - other[:2]).prod() - inner
    return float(inner / union - (outer - union) / outer)


def confidence(row, label, config) -> float:
    """The cost of one anchor's classes; 0 where it is ignored."""
    if label == IGNORED:
        return 0.0
    if config.confidence == "softmax":
        return cross_entropy(row, label)
    if config.confidence == "bce":
        total = binary_cross_entropy(row, label)
    else:
        total = focal(row, label, alpha=config.alpha, gamma=config.gamma)
    return total / len(row) if config.class_mean else total


def localisation(code, target, box, anchor, cell, config, coder) -> float:
    """The cost of one positive anchor's box."""
    if config.localisation == "smooth-l1":
        return smooth_l1(code, target)
    said = decoded(code, anchor, cell, coder)
    return float(np.abs(said - box).mean()) if config.localisation == "l1" else 1 - giou(said, box)


def detection(codes, logits, labels, targets, boxes, *, anchors, coder, config, overlap=None):
    """Localisation and confidence of a batch, each divided."""
    rows, columns = array(anchors.boxes), array(anchors.cells_wh)
    codes, logits, targets, boxes = array(codes), array(logits), array(targets), array(boxes)
    sums, positives = [0.0, 0.0], int((labels > 0).sum())
    for picture, told in enumerate(labels.tolist()):
        count = sum(label > 0 for label in told)
        places, negatives = 0.0, []
        for anchor, label in enumerate(told):
            cost = confidence(logits[picture, anchor], label, config)
            if label > 0:
                sums[1] += cost
                case = (codes[picture, anchor], targets[picture, anchor], boxes[picture, anchor])
                places += localisation(*case, rows[anchor], columns[anchor], config, coder)
            elif label == BACKGROUND and config.confidence != "softmax":
                sums[1] += cost
            elif label == BACKGROUND and (
                config.max_negative_overlap is None
                or float(overlap[picture, anchor]) < config.max_negative_overlap
            ):
                negatives.append(cost)
        wanted = max(int(count * config.negative_ratio), config.min_negatives)
        sums[1] += sum(sorted(negatives, reverse=True)[:wanted])
        sums[0] += places / max(count, 1) if config.divide_by == "pictures" else places
    divisor = len(labels) if config.divide_by == "pictures" else max(positives, 1)
    return sums[0] / divisor, sums[1] / divisor
