"""A batch matched picture by picture against all at once, side by side, and the losses.

    python -m benchmarks.losses
    python -m benchmarks.losses --anchors small320 --pictures 32 --objects 20

On one core, in milliseconds of processor time, so that a busy machine changes little: the
least of several rounds, in which both take turns.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch
from torch import Tensor

from ssd.anchors import Anchors, make_anchors
from ssd.config import CoderConfig, anchor_preset
from ssd.losses import LossConfig, detection_loss
from ssd.matching import BatchAssignment, assign, assign_batch, match

CODER, CLASSES = CoderConfig(), 20
KINDS = (("softmax", "smooth-l1"), ("bce", "l1"), ("focal", "giou"))


def scene(pictures: int, objects: int) -> tuple[list[Tensor], list[Tensor]]:
    """Boxes and labels of a batch: about so many objects a picture, some pictures with few."""
    dice = torch.Generator().manual_seed(0)
    counts = (objects * (0.5 + torch.rand(pictures, generator=dice))).long().tolist()
    boxes, labels = [], []
    for count in counts:
        centre, half = torch.rand(count, 2, generator=dice), torch.rand(count, 2, generator=dice) / 8 + 0.02
        boxes.append(torch.cat([centre - half, centre + half], dim=1).clamp(0, 1))
        labels.append(torch.randint(1, CLASSES + 1, (count,), generator=dice))
    return boxes, labels


def one_by_one(boxes: list[Tensor], labels: list[Tensor], anchors: Anchors) -> BatchAssignment:
    """The loop that the batched function replaces."""
    rows = []
    for gt, names in zip(boxes, labels, strict=True):
        found = match(gt, anchors.boxes)
        told = assign(found, anchors, gt_boxes=gt, gt_labels=names, coder=CODER)
        own = torch.zeros_like(anchors.boxes)
        own[found.positive] = gt[found.matched_gt[found.positive]]
        rows.append((told.labels, told.targets, found.overlap, found.matched_gt, own))
    return BatchAssignment(*(torch.stack(columns) for columns in zip(*rows, strict=True)))


def least_ms(rounds: int, *works: Callable[[], object]) -> list[float]:
    """The least processor time of each work over the rounds."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(rounds + 1):  # the first warms up
        for work, kept in zip(works, times, strict=True):
            start = time.process_time()
            work()
            kept.append((time.process_time() - start) * 1000)
    return [min(kept[1:]) for kept in times]


def loss_works(told: BatchAssignment, anchors: Anchors) -> dict[str, Callable[[], object]]:
    """Each loss, forward and backward."""
    dice = torch.Generator().manual_seed(1)
    codes = torch.randn(*told.labels.shape, 4, generator=dice).requires_grad_()

    def work(confidence: str, localisation: str) -> Callable[[], object]:
        config = LossConfig(confidence, localisation)
        columns = CLASSES + (confidence == "softmax")
        logits = torch.randn(*told.labels.shape, columns, generator=dice).requires_grad_()

        def run() -> None:
            detection_loss(
                codes,
                logits,
                labels=told.labels,
                targets=told.targets,
                boxes=told.boxes,
                anchors=anchors,
                coder=CODER,
                config=config,
            ).total.backward()

        return run

    return {f"{confidence}, {place}": work(confidence, place) for confidence, place in KINDS}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--anchors", default="ssd300-voc", help="an anchor preset")
    parser.add_argument("--pictures", type=int, default=16)
    parser.add_argument("--objects", type=int, default=8, help="about so many a picture")
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(1)
    anchors = make_anchors(anchor_preset(options.anchors).anchors)
    boxes, labels = scene(options.pictures, options.objects)
    objects = sum(len(part) for part in boxes)
    print(f"{options.anchors}: {len(anchors)} anchors, {options.pictures} pictures, {objects} objects")
    told = assign_batch(boxes, labels, anchors, coder=CODER)
    same = torch.equal(told.matched_gt, one_by_one(boxes, labels, anchors).matched_gt)
    loop, batched = least_ms(
        options.rounds,
        lambda: one_by_one(boxes, labels, anchors),
        lambda: assign_batch(boxes, labels, anchors, coder=CODER),
    )
    print(f"{'assigned one by one':<24} {loop:8.1f} ms")
    print(
        f"{'assigned all at once':<24} {batched:8.1f} ms   {loop / batched:.1f} times as fast, same: {same}"
    )
    works = loss_works(told, anchors)
    for name, least in zip(works, least_ms(options.rounds, *works.values()), strict=True):
        print(f"{name:<24} {least:8.1f} ms   forward and backward")


if __name__ == "__main__":
    main()
