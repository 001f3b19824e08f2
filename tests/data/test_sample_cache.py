"""The cache: what goes in comes out, shared between processes, never beyond its limit."""

from __future__ import annotations

import multiprocessing
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ssd.data.records import Sample, Target, make_target
from ssd.data.sample_cache import SampleCache, shrunk
from tests.data.painted import painted
from tests.strategies import boxes


def assert_same(a: Sample, b: Sample) -> None:
    """Two samples agree in everything."""
    assert a.name == b.name and torch.equal(a.picture, b.picture)
    for name in ("boxes", "labels", "difficult", "ignore"):
        one, other = getattr(a.target, name), getattr(b.target, name)
        assert one.dtype == other.dtype and torch.equal(one, other)


@settings(max_examples=25)
@given(boxes(), st.integers(1, 30), st.integers(1, 30), st.text(max_size=12))
def test_what_goes_in_comes_out(found, height, width, name):
    flags = torch.arange(len(found)) % 2 == 0
    target = make_target(found, torch.arange(len(found)) + 1, difficult=flags, ignore=~flags)
    picture = torch.randint(0, 256, (3, height, width), dtype=torch.uint8, generator=torch.Generator())
    cache = SampleCache(3, limit_bytes=100_000)

    kept = cache.put(1, Sample(picture, target, name)), cache.put(2, painted(size_wh=(20, 12), boxes_px=[]))

    assert kept == (True, True)
    assert_same(cache.get(1), Sample(picture, target, name))
    assert cache.get(0) is None


def test_the_limit_is_kept():
    cache = SampleCache(10, limit_bytes=200_000)  # painted: 72,000 bytes and its objects

    kept = [cache.put(index, painted()) for index in range(4)]

    assert kept == [True, True, False, False]
    assert 144_000 < cache.used_bytes <= 200_000
    assert cache.get(2) is None


def test_a_second_put_changes_nothing():
    cache = SampleCache(1, limit_bytes=1_000_000)
    cache.put(0, painted())

    assert not cache.put(0, painted(boxes_px=[]))
    assert_same(cache.get(0), painted())


def test_without_room_nothing_is_kept():
    assert not SampleCache(1, limit_bytes=0).put(0, painted())


def _fill(cache: SampleCache, indices: list[int]) -> None:
    """In another process; of one thread, as the loader's workers are: OpenMP's do not survive a fork."""
    torch.set_num_threads(1)
    for index in indices:
        cache.put(index, painted(first_label=1 + index % 3, boxes_px=[(1.0, 2.0, 30.0, 40.0)]))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system has no fork")
def test_forked_processes_share_what_each_has_decoded():
    cache, fork = SampleCache(40, limit_bytes=20_000_000), multiprocessing.get_context("fork")
    processes = [fork.Process(target=_fill, args=(cache, list(range(k, 40)))) for k in (0, 10, 20)]

    for process in processes:
        process.start()
    for process in processes:
        process.join()

    for index in range(40):
        assert_same(cache.get(index), painted(first_label=1 + index % 3, boxes_px=[(1.0, 2.0, 30.0, 40.0)]))
    once = SampleCache(1, limit_bytes=1_000_000)
    once.put(0, painted(boxes_px=[(1.0, 2.0, 30.0, 40.0)]))
    assert cache.used_bytes == 40 * once.used_bytes  # three processes kept each picture once


def test_a_process_started_afresh_begins_empty():
    cache = SampleCache(2, limit_bytes=1_000_000)
    cache.put(0, painted())

    fresh = pickle.loads(pickle.dumps(_Without(cache))).cache

    assert fresh.get(0) is None and fresh.put(0, painted())


class _Without:
    """Pickles the cache as a process start does."""

    def __init__(self, cache: SampleCache) -> None:
        self.cache = cache


def test_a_larger_picture_is_shrunk_by_its_shorter_side_and_a_smaller_one_is_left_alone():
    sample = painted(size_wh=(200, 120))

    smaller = shrunk(sample, side_px=60)

    assert smaller.picture.shape == (3, 60, 100) and smaller.target is sample.target
    assert shrunk(sample, side_px=120) is sample


def test_a_name_that_is_no_text_survives():
    sample = Sample(painted().picture, Target.empty(), "p\udce9.jpg")
    cache = SampleCache(1, limit_bytes=1_000_000)
    cache.put(0, sample)

    assert cache.get(0).name == sample.name
