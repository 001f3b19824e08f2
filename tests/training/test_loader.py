"""Batches: the same pictures whatever the workers, ranks and resumes; sentences when a worker fails."""

from __future__ import annotations

import dataclasses
import os
import re
import signal
import time
from pathlib import Path

import pytest
import torch

from ssd.data.augment import AUGMENT_PRESETS, AugmentConfig
from ssd.data.records import Sample
from ssd.errors import ConfigError, DataError, ResourceError
from ssd.training.config import TrainConfig
from ssd.training.loader import SyntheticSource, batches, coloured
from tests.data.painted import painted

TINY = TrainConfig(steps=6, batch_size=2, size_px=64, augment=AUGMENT_PRESETS["modern"])
PLACES = [(10.0, 12.0, 40.0, 50.0), (46.0, 60.0, 76.0, 100.0)]
FOREIGN = r"Traceback|site-packages|File \"/|0x[0-9a-f]{6,}|weights_only"


class Listed:
    """A few samples by number; counts how often each is read."""

    def __init__(self, count: int = 7) -> None:
        self.samples = [
            dataclasses.replace(painted(size_wh=(80 + 5 * n, 112), boxes_px=PLACES), name=f"picture {n}")
            for n in range(count)
        ]
        self.reads = [0] * count

    def __len__(self) -> int:
        return len(self.samples)

    def sample(self, index: int) -> Sample:
        self.reads[index] += 1
        return self.samples[index]


class Broken(Listed):
    """One of its samples cannot be read."""

    def sample(self, index: int) -> Sample:
        if index == 3:
            raise DataError("photo-3.jpg: the picture is cut off; copy it again.")
        return super().sample(index)


class Deadly(Listed):
    """Its reader is ended by a signal, in a worker only."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.parent, self.number = os.getpid(), number

    def sample(self, index: int) -> Sample:
        if os.getpid() != self.parent and index == 3:
            os.kill(os.getpid(), self.number)
            time.sleep(30)
        return super().sample(index)


def assert_same(a: list, b: list) -> None:
    """Two runs of batches agree to the last bit."""
    assert [batch.names for batch in a] == [batch.names for batch in b]
    for left, right in zip(a, b, strict=True):
        assert torch.equal(left.pictures, right.pictures)
        for one, other in zip(left.targets, right.targets, strict=True):
            assert torch.equal(one.boxes, other.boxes) and torch.equal(one.labels, other.labels)


@pytest.mark.parametrize("workers", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_workers_change_nothing(workers):
    assert_same(list(batches(Listed(), TINY)), list(batches(Listed(), TINY, num_workers=workers)))


@pytest.mark.parametrize("first", [1, 3, 5])
def test_a_run_taken_up_again_sees_what_it_would_have_seen(first):
    config = dataclasses.replace(TINY, sizes=((0.0, 32), (0.5, 64)), size_jitter=0.3, last_clean=0.4)

    whole, rest = list(batches(Listed(), config)), list(batches(Listed(), config, first_step=first))

    assert_same(rest, whole[first:])


def test_after_the_last_step_nothing_is_left():
    assert list(batches(Listed(), TINY, first_step=6)) == []


@pytest.mark.slow
def test_two_processes_see_together_what_one_sees_with_the_doubled_batch():
    one = list(batches(Listed(), dataclasses.replace(TINY, batch_size=4)))

    parts = [list(batches(Listed(), TINY, rank=rank, world_size=2)) for rank in range(2)]

    for whole, first, second in zip(one, *parts, strict=True):
        assert first.names + second.names == whole.names
        assert torch.equal(torch.cat([first.pictures, second.pictures]), whole.pictures)


@pytest.mark.parametrize(("rank", "world_size"), [(-1, 2), (2, 2), (0, 0)])
def test_a_rank_that_is_none_is_refused(rank, world_size):
    with pytest.raises(ConfigError, match="rank"):
        batches(Listed(), TINY, rank=rank, world_size=world_size)


@pytest.mark.slow
def test_each_step_has_the_size_that_the_config_says():
    config = dataclasses.replace(TINY, steps=12, sizes=((0.0, 32), (0.5, 64)), size_jitter=0.5)

    sizes = [tuple(batch.pictures.shape[-2:]) for batch in batches(Listed(), config)]

    assert sizes == [(config.size_at(step), config.size_at(step)) for step in range(12)]
    assert len(set(sizes)) > 1


def test_the_last_part_mixes_no_pictures():
    config = dataclasses.replace(TINY, augment=AugmentConfig(flip=0.0, mosaic=1.0), last_clean=0.5)
    source = Listed()

    made = list(batches(source, config))

    counts = {scene.name: len(scene.target) for scene in source.samples}
    own = [[len(t) == counts[name] for t, name in zip(b.targets, b.names, strict=True)] for b in made]
    assert all(all(batch) for batch in own[3:])
    assert not all(all(batch) for batch in own[:3])


def test_every_picture_comes_once_in_each_epoch():
    config = dataclasses.replace(TINY, steps=7, batch_size=4, augment=AugmentConfig())  # four epochs of 7

    names = [name for batch in batches(Listed(), config) for name in batch.names]

    epochs = [names[k : k + 7] for k in range(0, 28, 7)]
    assert all(sorted(epoch) == sorted(epochs[0]) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4


@pytest.mark.slow
def test_a_picture_is_decoded_once():
    source = Listed()

    list(batches(source, dataclasses.replace(TINY, steps=10)))

    assert source.reads == [1] * 7


def test_pictures_are_kept_smaller_but_sharp_enough_for_crops():
    class Large(Listed):
        def __init__(self) -> None:
            super().__init__(1)
            self.samples = [painted(size_wh=(900, 600))]

    seen = list(batches(Large(), dataclasses.replace(TINY, augment=AugmentConfig(flip=0.0), steps=1)))

    loader = _steps(Large())
    kept = loader._read(0)
    assert kept.picture.shape == (3, 96, 144)  # the shorter side: 1.5 times 64
    assert loader.cache.get(0).picture.shape == (3, 96, 144)
    torch.testing.assert_close(seen[0].targets[0].boxes, painted(size_wh=(900, 600)).target.boxes)


def _steps(source: Listed):
    """What the loader reads from."""
    from ssd.training.loader import _Steps

    return _Steps(source, TINY, rank=0, world_size=1, colours=True)


@pytest.mark.slow
def test_what_does_not_fit_is_read_again(monkeypatch):
    monkeypatch.setattr("ssd.training.loader.MAX_SAMPLE_CACHE_BYTES", 1)
    source = Listed()

    small = list(batches(source, TINY))

    assert max(source.reads) > 1
    assert_same(small, list(batches(Listed(), TINY, num_workers=2)))


@pytest.mark.slow
def test_colours_that_change_later_are_those_that_would_have_changed_here():
    config = dataclasses.replace(TINY, augment=AugmentConfig(photometric=0.5, lighting=0.1))

    here = list(batches(Listed(), config))
    later = [coloured(batch, config) for batch in batches(Listed(), config, colours=False)]

    for a, b in zip(here, later, strict=True):
        assert int((a.pictures.int() - b.pictures.int()).abs().max()) <= 1
    plain = next(batches(Listed(), config, colours=False))
    assert not torch.equal(plain.pictures, here[0].pictures)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_picture_that_cannot_be_read_is_named_as_it_is_without_workers(workers):
    with pytest.raises(DataError, match=r"^photo-3\.jpg: the picture is cut off; copy it again\.$"):
        list(batches(Broken(), TINY, num_workers=workers))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV], ids=["killed", "crashed"])
def test_a_dead_worker_is_explained_within_ten_seconds(number, capfd):
    started = time.monotonic()

    with pytest.raises(ResourceError) as caught:
        list(batches(Deadly(number), TINY, num_workers=2))

    assert time.monotonic() - started < 10
    message = str(caught.value)
    assert signal.Signals(number).name in message and "process" in message and "fewer workers" in message
    assert re.search(FOREIGN, message) is None


@pytest.mark.slow
def test_a_worker_that_dies_while_the_run_computes_is_told_at_the_next_batch():
    """Nothing is raised in the middle of somebody's step."""
    source, quiet = Deadly(signal.SIGKILL), AugmentConfig()
    run = batches(source, dataclasses.replace(TINY, steps=9, batch_size=1, augment=quiet), num_workers=1)

    for _ in range(2):
        next(run)
        end = time.monotonic() + 1.0
        while time.monotonic() < end:  # a handler that raised would do it here
            sum(range(1000))
    with pytest.raises(ResourceError):
        list(run)


def test_ctrl_c_is_left_to_the_process_that_trains():
    class Nosy(Listed):
        def sample(self, index: int) -> Sample:
            deaf = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            return dataclasses.replace(super().sample(index), name=str(deaf))

    (batch,) = batches(Nosy(), dataclasses.replace(TINY, steps=1), num_workers=1)

    assert set(batch.names) == {"True"}


@pytest.mark.slow
def test_no_workers_are_left_behind_when_a_run_is_given_up(tmp_path: Path):
    class Marking(Listed):
        def sample(self, index: int) -> Sample:
            (tmp_path / str(os.getpid())).touch()
            return super().sample(index)

    run = batches(Marking(), dataclasses.replace(TINY, steps=50), num_workers=2)
    next(run)
    run.close()

    pids = [int(path.name) for path in tmp_path.iterdir()]
    end = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < end:
        time.sleep(0.05)
    assert pids and not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_an_empty_source_is_refused_before_anything_starts():
    with pytest.raises(ConfigError, match="at least one picture"):
        batches(Listed(0), TINY)


def test_endless_scenes_are_not_shuffled_and_not_kept():
    loader = _steps(SyntheticSource())

    assert loader.cache is None
    assert [loader._at(position).name for position in (0, 5)] == ["shapes-1000000", "shapes-1000005"]
