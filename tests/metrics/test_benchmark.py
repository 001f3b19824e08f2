"""The benchmark runs, in a smoke size."""

from __future__ import annotations

import json

from benchmarks.metrics import main


def test_the_benchmark_measures_every_step(capsys):
    main(["--pictures", "8", "--detections", "30", "--metric", "voc07", "--metric", "coco"])

    said = json.loads(capsys.readouterr().out)
    assert (said["pictures"], said["detections"], said["objects"]) == (8, 240, 80)
    assert all(0 < ap <= 1 for ap in said["ap"].values()) and set(said["ap"]) == {"voc07", "coco"}
    assert set(said["seconds"]) >= {"read the detections", "pair detections and objects", "voc07", "coco"}
    assert said["peak_megabytes"] > 0
