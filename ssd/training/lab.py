"""The loss lab: what one picture costs a network, anchor by anchor, and where the sum comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional

from ssd.anchors import Anchors
from ssd.config import BACKGROUND, CoderConfig
from ssd.contract import Activation
from ssd.data.records import Target
from ssd.errors import ConfigError
from ssd.losses import LossConfig, LossReport, detection_loss
from ssd.matching import Assignment

__all__ = [
    "NEVER_MINED",
    "LossLab",
    "class_log_odds",
    "loss_lab",
    "negative_ranks",
    "relabelled",
    "right_shares",
]

NEVER_MINED = 65_535  # the rank of an anchor that mining may not take; also the highest rank told apart


@dataclass(frozen=True)
class LossLab:
    """What one picture costs a network.

    Attributes:
        config: of the loss.
        anchors: of the network.
        assignment: what each anchor is told.
        report: the loss of this picture alone, a batch of one.
        confidence: cost of each anchor's class scores, before mining and division.
        localisation: cost of each positive anchor's box, weighted, before division.
        rank: place of a negative among the negatives, the costliest at 0;
            ``NEVER_MINED`` for all others, and for every anchor where nothing is mined.
        counted: anchors whose confidence loss counts.
        said: class 1..C that the network gives the highest score.
        divisor: what the sums are divided by.
        class_names: of labels 1..C.
    """

    config: LossConfig
    anchors: Anchors
    assignment: Assignment
    report: LossReport
    confidence: Float[Tensor, "a"]
    localisation: Float[Tensor, "a"]
    rank: Int64[Tensor, "a"]
    counted: Bool[Tensor, "a"]
    said: Int64[Tensor, "a"]
    divisor: float
    class_names: tuple[str, ...]

    @property
    def mines(self) -> bool:
        """Whether hard negatives are mined; otherwise every anchor counts."""
        return self.config.confidence == "softmax"

    @property
    def labels(self) -> Int64[Tensor, "a"]:
        """Of each anchor: 1..C, ``BACKGROUND`` or ``IGNORED``."""
        return self.assignment.labels

    @property
    def cost(self) -> Float[Tensor, "a"]:
        """Confidence and localisation of each anchor together, before mining and division."""
        return self.confidence + self.localisation


def loss_lab(
    codes: Float[Tensor, "a 4"],
    logits: Float[Tensor, "a c"],
    *,
    anchors: Anchors,
    assignment: Assignment,
    coder: CoderConfig,
    activation: Activation,
    config: LossConfig,
    class_names: tuple[str, ...],
) -> LossLab:
    """Work out what each anchor of one picture costs.

    A network that was trained with softmax can also be asked what binary cross-entropy or
    focal loss would charge for the same probabilities: its logits then become the log-odds
    of each class (:func:`class_log_odds`).

    Args:
        codes: predicted for the picture.
        logits: as the network gave them.
        anchors: of the network.
        assignment: what each anchor is told, with labels in the network's order.
        coder: how the network codes boxes.
        activation: of the network's logits.
        config: of the loss.
        class_names: of labels 1..C.

    Returns:
        The record.

    Raises:
        ConfigError: softmax is asked of a network without a background column.
    """
    if config.confidence == "softmax" and activation != "softmax":
        raise ConfigError(
            "Softmax needs a background column, and this network has none; choose bce or focal."
        )
    codes, logits = codes.nan_to_num(), logits.nan_to_num()
    odds = class_log_odds(logits) if activation == "softmax" else logits
    used = logits if config.confidence == "softmax" else odds
    labels = assignment.labels
    report = detection_loss(
        codes[None],
        used[None],
        labels=labels[None],
        targets=assignment.targets[None],
        anchors=anchors,
        coder=coder,
        config=config,
    )
    mines = config.confidence == "softmax"
    confidence = report.confidence_per_anchor[0]
    return LossLab(
        config=config,
        anchors=anchors,
        assignment=assignment,
        report=report,
        confidence=confidence,
        localisation=report.localisation_per_anchor[0] * config.localisation_weight,
        rank=negative_ranks(confidence, labels) if mines else torch.full_like(labels, NEVER_MINED),
        counted=(labels > 0) | report.mined[0] if mines else labels >= BACKGROUND,
        said=odds.argmax(dim=1) + 1,
        divisor=float(max(report.num_positive, 1)),
        class_names=class_names,
    )


def class_log_odds(logits: Float[Tensor, "a c"]) -> Float[Tensor, "a k"]:
    """What a sigmoid would need to say the probabilities that softmax says, class by class.

    Args:
        logits: with background in column 0.

    Returns:
        log p − log (1 − p) of each class 1..C.

    Example:
        >>> torch.sigmoid(class_log_odds(torch.zeros(1, 4)))
        tensor([[0.2500, 0.2500, 0.2500]])
    """
    columns = [torch.cat([logits[:, :k], logits[:, k + 1 :]], dim=1) for k in range(1, logits.shape[1])]
    others = torch.stack([column.logsumexp(dim=1) for column in columns], dim=1)  # (a, k)
    return logits[:, 1:] - others


def negative_ranks(costs: Float[Tensor, "a"], labels: Int64[Tensor, "a"]) -> Int64[Tensor, "a"]:
    """The place of each negative when they are mined: so many are taken, so many ranks count.

    Args:
        costs: −log p(background) of each anchor.
        labels: 1..C, ``BACKGROUND`` or ``IGNORED``.

    Returns:
        0 for the costliest negative; of equal costs the lower index first; at most
        ``NEVER_MINED``, which every other anchor has.

    Example:
        >>> negative_ranks(torch.tensor([0.1, 3.0, 2.0, 1.0]), torch.tensor([4, 0, 0, 0]))
        tensor([65535,     0,     1,     2])
    """
    negative = labels == BACKGROUND
    order = costs.detach().masked_fill(~negative, -torch.inf).argsort(descending=True, stable=True)
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order)).clamp(max=NEVER_MINED)
    return rank.masked_fill(~negative, NEVER_MINED)


def relabelled(target: Target, *, names: Sequence[str], known: Sequence[str]) -> Target:
    """Objects of a picture with labels in a network's order.

    Args:
        target: the objects.
        names: of its labels.
        known: classes of the network; an object of another class becomes an ignored one.

    Returns:
        The objects; boxes are shared, nothing is changed.

    Example:
        >>> from ssd.data.records import make_target
        >>> box = torch.tensor([[0.0, 0.0, 0.5, 0.5]])
        >>> relabelled(make_target(box, torch.tensor([2])), names=["a", "b"], known=["b"]).labels
        tensor([1])
    """
    place = {name: index for index, name in enumerate(known, start=1)}
    labels = [place.get(names[label - 1], 0) if label else 0 for label in target.labels.tolist()]
    new = torch.tensor(labels, dtype=torch.int64)
    return replace(target, labels=new, ignore=target.ignore | (new == 0))


def right_shares(
    logits: Float[Tensor, "a c"], labels: Int64[Tensor, "a"], *, activation: Activation
) -> Float[Tensor, "a"]:
    """The probability that each anchor gives to what it is told: its place on the loss curves.

    Args:
        logits: as the network gave them.
        labels: 1..C, ``BACKGROUND`` or ``IGNORED``.
        activation: of the logits.

    Returns:
        With softmax the probability of its class or of background; with sigmoid that of
        its class, or for a negative 1 − its highest. NaN where ignored.

    Example:
        >>> right_shares(torch.zeros(1, 4), torch.tensor([0]), activation="softmax")
        tensor([0.2500])
    """
    wanted = labels.clamp(min=BACKGROUND)
    if activation == "softmax":
        share = logits.softmax(dim=1).gather(1, wanted[:, None])[:, 0]
    else:
        scores = functional.pad(logits.sigmoid(), (1, 0))
        share = torch.where(wanted > 0, scores.gather(1, wanted[:, None])[:, 0], 1 - scores.amax(dim=1))
    return share.masked_fill(labels < BACKGROUND, torch.nan)
