"""The loss of a detector: confidence + localisation, summed and one anchor at a time."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from ssd.anchors import Anchors
from ssd.coding import decode
from ssd.config import BACKGROUND, CoderConfig
from ssd.errors import ConfigError
from ssd.losses import confidence as costs
from ssd.losses.config import LossConfig
from ssd.losses.localisation import giou_loss, l1, smooth_l1
from ssd.losses.mining import hard_negatives

__all__ = ["LossReport", "detection_loss", "loss_normaliser"]


@dataclass(frozen=True)
class LossReport:
    """The loss of a batch and what it is made of.

    Attributes:
        total: confidence + ``localisation_weight`` × localisation.
        localisation: over positive anchors, divided by the normaliser.
        confidence: over positives and the negatives that count, divided by the normaliser.
        num_positive: anchors that answer for an object, in the batch.
        num_negative: negatives that count.
        localisation_per_anchor: before division; 0 where not positive.
        confidence_per_anchor: before mining and division; 0 where ignored.
        mined: the negatives that count; with a sigmoid loss all of them.
    """

    total: Float[Tensor, ""]
    localisation: Float[Tensor, ""]
    confidence: Float[Tensor, ""]
    num_positive: int
    num_negative: int
    localisation_per_anchor: Float[Tensor, "b a"]
    confidence_per_anchor: Float[Tensor, "b a"]
    mined: Bool[Tensor, "b a"]


def detection_loss(
    codes: Float[Tensor, "b a 4"],
    logits: Float[Tensor, "b a c"],
    *,
    labels: Int64[Tensor, "b a"],
    targets: Float[Tensor, "b a 4"],
    anchors: Anchors,
    coder: CoderConfig,
    config: LossConfig,
    overlap: Float[Tensor, "b a"] | None = None,
    boxes: Float[Tensor, "b a 4"] | None = None,
    normaliser: Float[Tensor, ""] | float | None = None,
) -> LossReport:
    """What a batch of predictions costs, under any of the losses of :class:`LossConfig`.

    Args:
        codes: predicted codes.
        logits: with background in column 0 for ``"softmax"``, without it for the others.
        labels: 1..C, ``BACKGROUND`` or ``IGNORED`` for each anchor.
        targets: encoded boxes; only those of positive anchors are read.
        anchors: the anchors.
        coder: how codes become boxes.
        config: which losses, and their numbers.
        overlap: jaccard of each anchor with its best object; needed only with
            ``max_negative_overlap``.
        boxes: for each positive anchor its object's box, for the losses on decoded boxes;
            ``None``: the decoded target, which differs only where the tanh coder cannot
            reach the object.
        normaliser: what both parts are divided by; ``None``: :func:`loss_normaliser` of
            this batch, at least 1. With many processes: that of all of them.

    Returns:
        The parts, computed in float32 also under autocast. A batch without objects has
        a finite loss: its localisation is 0.

    Raises:
        ConfigError: a label has no column of logits, ``max_negative_overlap`` is set but
            ``overlap`` is missing, or the normaliser is not above 0.

    Source:
        Liu et al., SSD, ECCV 2016, equations 1 to 3; the lesson: ``ssd_loss``.

    Example:
        >>> from ssd.anchors import make_anchors
        >>> from ssd.config import GridAnchors
        >>> report = detection_loss(
        ...     torch.zeros(1, 4, 4), torch.zeros(1, 4, 3),
        ...     labels=torch.tensor([[1, 0, 0, 0]]), targets=torch.full((1, 4, 4), 0.5),
        ...     anchors=make_anchors(GridAnchors(grids=(2,))), coder=CoderConfig(), config=LossConfig(),
        ... )
        >>> round(float(report.confidence), 4), round(float(report.localisation), 4)
        (4.3944, 0.5)
    """
    codes, logits = costs.widened(codes), costs.widened(logits)
    positive = labels > 0
    confidence = _confidence(logits, labels, config)
    mined = _counted_negatives(logits, labels, overlap, config)
    distance = _distances(codes, positive, targets, boxes, anchors, coder, config)
    divisor = _divisor(labels, normaliser, config)
    return _summed(confidence, distance, positive=positive, mined=mined, divisor=divisor, config=config)


def loss_normaliser(labels: Int64[Tensor, "b a"], *, config: LossConfig) -> Float[Tensor, ""]:
    """What one process adds to the number that the loss is divided by.

    Args:
        labels: of the batch of this process.
        config: ``divide_by`` says what is counted.

    Returns:
        Positive anchors or pictures, maybe 0. Where gradients are averaged over n
        processes, divide by the sum over all of them over n, at least 1 over n.

    Source:
        Liu et al., SSD, ECCV 2016, equation 1 ("N is the number of matched default boxes").

    Example:
        >>> loss_normaliser(torch.tensor([[2, 0, 1], [0, 0, 0]]), config=LossConfig())
        tensor(2.)
    """
    if config.divide_by == "pictures":
        return torch.tensor(float(len(labels)), device=labels.device)
    return (labels > 0).sum().to(torch.float32)


def _confidence(logits: Tensor, labels: Tensor, config: LossConfig) -> Tensor:
    """The cost of each anchor's classes."""
    if config.confidence == "softmax":
        return costs.cross_entropy(logits, labels)
    if config.confidence == "bce":
        total = costs.binary_cross_entropy(logits, labels)
    else:
        total = costs.focal(logits, labels, alpha=config.alpha, gamma=config.gamma)
    return total / logits.shape[2] if config.class_mean else total


def _counted_negatives(logits: Tensor, labels: Tensor, overlap: Tensor | None, config: LossConfig) -> Tensor:
    """The hard ones for softmax, all of them for sigmoid losses."""
    if config.confidence != "softmax":
        return labels == BACKGROUND
    return hard_negatives(
        costs.background_cost(logits),
        labels,
        ratio=config.negative_ratio,
        minimum=config.min_negatives,
        overlap=overlap,
        max_overlap=config.max_negative_overlap,
    )


def _distances(
    codes: Tensor,
    positive: Tensor,
    targets: Tensor,
    boxes: Tensor | None,
    anchors: Anchors,
    coder: CoderConfig,
    config: LossConfig,
) -> Tensor:
    """The cost of each positive anchor's box, in the order of the mask; the others are never decoded."""
    if config.localisation == "smooth-l1":
        return smooth_l1(codes[positive], targets[positive])
    of_anchor = anchors.take(positive.nonzero()[:, 1])
    wanted = decode(targets[positive], of_anchor, coder=coder) if boxes is None else boxes[positive]
    distance = l1 if config.localisation == "l1" else giou_loss
    return distance(decode(codes[positive], of_anchor, coder=coder), wanted)


def _summed(
    confidence: Tensor,
    distance: Tensor,
    *,
    positive: Tensor,
    mined: Tensor,
    divisor: Tensor | float,
    config: LossConfig,
) -> LossReport:
    """The report of costs that are known anchor by anchor."""
    localisation = torch.zeros_like(confidence).masked_scatter(positive, distance.to(confidence.dtype))
    confidence_sum = (confidence * (positive | mined)).sum() / divisor
    localisation_sum = (localisation * _share_of_picture(positive, config)).sum() / divisor
    return LossReport(
        total=confidence_sum + config.localisation_weight * localisation_sum,
        localisation=localisation_sum,
        confidence=confidence_sum,
        num_positive=int(positive.sum()),
        num_negative=int(mined.sum()),
        localisation_per_anchor=localisation,
        confidence_per_anchor=confidence,
        mined=mined,
    )


def _share_of_picture(positive: Tensor, config: LossConfig) -> Tensor | float:
    """What an anchor's localisation counts: each picture alike, or each anchor alike."""
    if config.divide_by == "pictures":
        return 1 / positive.sum(dim=1, keepdim=True).clamp(min=1)  # (b, 1)
    return 1.0


def _divisor(labels: Tensor, normaliser: Tensor | float | None, config: LossConfig) -> Tensor | float:
    """The given one, or this batch's own."""
    if normaliser is None:
        return loss_normaliser(labels, config=config).clamp(min=1)
    if not float(normaliser) > 0:
        raise ConfigError(
            f"The normaliser of a loss must be above 0, got {float(normaliser):g}; use at least 1."
        )
    return normaliser
