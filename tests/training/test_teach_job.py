"""What crosses between server and child comes back as it was."""

from __future__ import annotations

import io

import pytest
import torch

from ssd.data.lessons import lesson_scene
from ssd.data.records import Sample, make_target
from ssd.errors import DataError
from ssd.training.teach_job import (
    Look,
    TeachJob,
    TeachReport,
    TeachRules,
    Told,
    bytes_to_job,
    job_to_bytes,
    line_to_report,
    report_to_line,
)


def crossed(job: TeachJob) -> tuple[TeachJob, bytes]:
    stream = io.BytesIO(job_to_bytes(job) + b"what follows")
    return bytes_to_job(stream.readline(), read=stream.read), stream.read()


def test_a_lesson_crosses_bit_for_bit_and_leaves_what_follows():
    scene = lesson_scene("dog and ball")  # 480 × 320: not square
    rules = TeachRules(matching="overwrite", negatives="none", loss="focal", variances=False)
    job, rest = crossed(TeachJob(scene.sample, ("dög", "ball\n", "bird"), rules, 7))

    assert torch.equal(job.sample.picture, scene.sample.picture)
    assert torch.equal(job.sample.target.boxes, scene.sample.target.boxes)
    assert torch.equal(job.sample.target.labels, scene.sample.target.labels)
    assert (job.class_names, job.rules, job.steps) == (("dög", "ball\n", "bird"), rules, 7)
    assert rest == b"what follows"


def test_ignored_objects_and_a_picture_without_objects_cross():
    picture = torch.zeros(3, 8, 9, dtype=torch.uint8)
    boxes = torch.tensor([[0.1, 0.2, 0.3, 0.4]])
    target = make_target(boxes, torch.tensor([1]), ignore=torch.tensor([True]))

    assert crossed(TeachJob(Sample(picture, target, "x"), ("a",)))[0].sample.target.ignore.tolist() == [True]
    empty = make_target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))
    assert len(crossed(TeachJob(Sample(picture, empty, "x"), ("a",)))[0].sample.target) == 0


def test_a_visitors_file_name_stays_at_home():
    scene = lesson_scene("dog and ball").sample
    secret = Sample(scene.picture, scene.target, "holiday with anna.jpg")

    assert b"anna" not in job_to_bytes(TeachJob(secret, ("dog", "ball", "bird")))


def test_half_a_picture_is_refused():
    content = job_to_bytes(TeachJob(lesson_scene("dog and ball").sample, ("dog", "ball", "bird")))
    stream = io.BytesIO(content[:-1])

    with pytest.raises(DataError, match="announced"):
        bytes_to_job(stream.readline(), read=stream.read)


def test_a_report_crosses_as_one_line():
    look = Look(
        anchors=(3, 4),
        labels=(1, 2),
        scores=(0.9, 0.1),
        boxes=((0.0, 0.1, 0.2, 0.3), (0.4, 0.5, 0.6, 0.7)),
        fates=(0, 0),
        suppressed_by=(-1, -1),
        best=(0.93, 0.2),
        top_score=(0.9, 0.1),
        extra=1,
    )
    report = TeachReport(4, 1.5, 0.5, 1.0, 0.2, look=look, told=(Told(0, 1), Told(2)), mirrored=(0.9, 0.0))
    line = report_to_line(report)

    assert "\n" not in line
    assert line_to_report(line) == report
    assert look.found == 1
    assert report.is_last
    assert not line_to_report(report_to_line(TeachReport(4, 1.5, 0.5, 1.0, 0.2))).is_last
