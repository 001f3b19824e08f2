"""The benchmark runs, in a smoke size."""

from __future__ import annotations

import json

import pytest
import torch

from benchmarks.augment import main
from ssd.data.augment import AUGMENT_PRESETS


@pytest.mark.slow
def test_the_benchmark_measures_every_preset(capsys):
    threads = torch.get_num_threads()

    main(["--size", "64", "--count", "2"])

    torch.set_num_threads(threads)
    rates = json.loads(capsys.readouterr().out)["pictures_a_second"]
    assert set(rates) == set(AUGMENT_PRESETS)
    assert all(rate > 0 for row in rates.values() for rate in row.values())
