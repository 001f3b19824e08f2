"""Raw outputs in files: exactly what the network said, computed once, computed again where damaged."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from dataclasses import replace
from functools import partial

import pytest
import torch

from ssd.config import SelectionConfig
from ssd.data.folders import open_dataset
from ssd.data.images import picture_to_png
from ssd.errors import ConfigError, DataError, ResourceError
from ssd.evaluation import raw_outputs, results
from ssd.evaluation.cache import make_room
from ssd.metrics import above
from ssd.training.loader import SyntheticSource
from tests.evaluation.cells import SIZE, cells, counting, predictor, write_cells

CONFIGS = (
    None,
    SelectionConfig(),
    SelectionConfig(score_threshold=0.3, nms_threshold=0.2),
    SelectionConfig(score_threshold=0.02, top_k=7, max_detections=9),
    SelectionConfig(score_threshold=0.0, max_detections=10_000),  # below what is kept ready
    SelectionConfig(class_agnostic=True),
    SelectionConfig(nms_kind="soft", top_k=20),
)


@pytest.fixture
def root(tmp_path):
    return write_cells(tmp_path / "cells")


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def files(folder):
    """Path to content of everything below a folder."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def same(left, right):
    """Two lists of results, number by number."""
    assert len(left) == len(right)
    for a, b in zip(left, right, strict=True):
        for name in vars(a):
            assert torch.equal(torch.as_tensor(getattr(a, name)), torch.as_tensor(getattr(b, name))), name


def test_an_output_from_a_file_is_the_predictors_to_the_bit(root, cache):
    detector, data = predictor(), cells(root)

    raw = raw_outputs(detector, data, cache=cache)

    assert len(raw) == 5
    for index in range(5):
        fresh, kept = detector.predict(data.sample(index).picture), raw.output(index)
        for name in ("boxes", "scores", "codes", "logits"):
            assert torch.equal(getattr(kept, name), getattr(fresh, name))
        assert raw.size_px(index) == SIZE
        assert raw.name(index) == data.names[index]
        assert raw.image_id(index) == f"{index:03}.png"
        assert torch.equal(raw.target(index).boxes, data.target(index).boxes)


@pytest.mark.slow
@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_results_are_those_of_the_network_itself_under_any_limits(root, cache, config):
    detector, data = predictor(), cells(root)

    kept = raw_outputs(detector, data, cache=cache).results(config)

    assert sum(len(result.boxes) for result in kept) > 0
    same(kept, list(results(detector, data, config=config)))


@pytest.mark.slow
def test_limits_asked_one_after_another_never_answer_for_each_other(root, cache):
    detector, data = predictor(), cells(root)
    raw = raw_outputs(detector, data, cache=cache)
    low = [replace(CONFIGS[1], nms_threshold=share) for share in (0.45, 0.1, 0.9)]
    few = [replace(low[0], max_detections=cap) for cap in (1, 3, 200)]  # others wait behind the best

    for config in (*CONFIGS, *low, *few, *reversed(low), *CONFIGS):
        same(raw.results(config), list(results(detector, data, config=config)))


def test_for_another_nms_threshold_no_file_is_read(root, cache, monkeypatch):
    raw = raw_outputs(predictor(), cells(root), cache=cache)
    raw.results()
    monkeypatch.setattr(raw, "candidates", lambda index: pytest.fail(f"picture {index} was read"))

    raw.results(replace(raw.predictor.config.selection, nms_threshold=0.9))


def test_soft_nms_too_reads_the_few_candidates_only(root, cache, monkeypatch):
    raw = raw_outputs(predictor(), cells(root), cache=cache)
    monkeypatch.setattr(raw, "output", lambda index: pytest.fail(f"all of picture {index} was read"))

    raw.results(SelectionConfig(nms_kind="soft", top_k=20))


def test_memory_has_an_end_and_pictures_behind_it_are_read_again(root, cache, monkeypatch):
    detector, data = predictor(), cells(root)
    raw = raw_outputs(detector, data, cache=cache)
    rows = sorted(len(raw._rank(index, CONFIGS[1], ahead=True)) for index in range(5))
    monkeypatch.setattr("ssd.evaluation.raw._ROWS", 5 * rows[2])

    for _ in range(2):
        same(raw.results(CONFIGS[1]), list(results(detector, data, config=CONFIGS[1])))

    held = [len(ranked) for _, ranked in raw._ranked.values()]
    assert sorted(held) == [count for count in rows if count <= rows[2]]
    assert rows[2] < rows[4]  # somebody is left out


@pytest.mark.slow
def test_a_higher_score_threshold_needs_no_new_selection(root, cache):
    raw = raw_outputs(predictor(), cells(root), cache=cache)

    for kind in ("hard", "soft"):
        low = SelectionConfig(nms_kind=kind, top_k=20)
        lowest = raw.results(low)
        for score in (0.1, 0.4, 0.8):
            same(above(lowest, score), raw.results(replace(low, score_threshold=score)))


@pytest.mark.slow
def test_the_network_runs_once_for_each_picture(root, cache):
    first, again, other = counting(), counting(), counting(sha256="cd" * 32, seed=1)

    raw = raw_outputs(first, cells(root), cache=cache)
    for config in CONFIGS:
        raw.results(config)
    raw_outputs(again, cells(root), cache=cache).results()
    raw_outputs(other, cells(root), cache=cache)

    assert (first.runs, again.runs, other.runs) == (5, 0, 5)


def test_a_split_takes_what_another_split_has(root, cache):
    detector = counting()
    raw_outputs(detector, cells(root, "val"), cache=cache)

    raw_outputs(detector, cells(root, "train"), cache=cache)
    raw_outputs(detector, cells(root), cache=cache)

    assert detector.runs == 5


def test_a_picture_that_changed_is_computed_anew(root, cache):
    raw_outputs(predictor(), cells(root), cache=cache)
    grey = torch.full((3, SIZE[1], SIZE[0]), 90, dtype=torch.uint8)
    (root / "JPEGImages" / "001.png").write_bytes(picture_to_png(grey))
    detector = counting()

    raw = raw_outputs(detector, cells(root), cache=cache)

    assert detector.runs == 1
    assert torch.equal(raw.output(1).codes, detector.predict(grey).codes)


def damaged(content: bytes) -> dict[str, bytes]:
    """Ways in which a file goes bad."""
    ways = {"empty": b"", "text": b"hello", "cut off": content[:-4], "half": content[: len(content) // 2]}
    ways |= {"longer": content + b"\0\0\0\0", "zeros": bytes(len(content))}
    for place in (0, 9, 13, 40, 300, len(content) // 3, len(content) // 2, len(content) - 2):
        ways[f"bit of byte {place}"] = bytes(
            byte ^ (16 if index == place else 0) for index, byte in enumerate(content)
        )
    return ways


@pytest.mark.slow
def test_a_damaged_file_is_computed_again_whenever_it_is_noticed(root, cache):
    data, wanted = cells(root, "val"), predictor()
    raw_outputs(wanted, data, cache=cache)
    (path,) = (path for path in cache.rglob("*") if path.is_file())
    good = path.read_bytes()

    for way, content in damaged(good).items():
        path.write_bytes(content)
        early = raw_outputs(wanted, data, cache=cache)
        same(early.results(), list(results(wanted, data)))
        assert torch.equal(early.output(0).logits, wanted.predict(data.sample(0).picture).logits), way
        assert path.read_bytes() == good, way
        used = raw_outputs(wanted, data, cache=cache)
        path.write_bytes(content)  # while it is in use
        same(used.results(), list(results(wanted, data)))
        used.output(0)
        assert path.read_bytes() == good, way


def test_a_file_of_other_weights_or_another_picture_is_not_believed(root, cache):
    raw_outputs(predictor(), cells(root), cache=cache)
    paths = sorted(path for path in cache.rglob("*") if path.is_file())
    paths[0].write_bytes(paths[1].read_bytes())
    detector = counting()

    raw = raw_outputs(detector, cells(root), cache=cache)
    same(raw.results(), list(results(predictor(), cells(root))))

    assert detector.runs == 1
    foreign = paths[0].parents[1] / ("cd" * 16)
    foreign.mkdir()
    for path in paths:
        (foreign / path.name).write_bytes(path.read_bytes())
    other = counting(sha256="cd" * 32, seed=1)
    raw_outputs(other, cells(root), cache=cache)
    assert other.runs == 5


def test_the_disk_has_an_end_and_weights_asked_for_longest_ago_leave_first(root, cache, monkeypatch):
    first, second, third = (counting(sha256=name * 32, seed=1) for name in ("a1", "b2", "c3"))
    for age, detector in enumerate((first, second, third)):
        raw = raw_outputs(detector, cells(root), cache=cache)
        os.utime(raw.folder / detector.sha256[:32], (1_000_000 + age, 1_000_000 + age))
    (raw.folder / "notes").mkdir()
    (raw.folder / "notes" / "mine.raw").write_bytes(b"not ours")
    size = sum(len(content) for path, content in files(raw.folder).items() if path.parts[0] == "b2" * 16)

    assert make_room(raw.folder, weights=first.sha256, limit_bytes=2 * size) == 0  # asked for now: the newest
    assert make_room(raw.folder, weights="d4" * 32, limit_bytes=2 * size) == size
    assert {path.name for path in raw.folder.iterdir()} == {"a1" * 16, "c3" * 16, "notes"}

    assert make_room(raw.folder, weights=first.sha256, limit_bytes=0) == size  # its own stay
    assert {path.name for path in raw.folder.iterdir()} == {"a1" * 16, "notes"}

    monkeypatch.setattr("ssd.evaluation.raw.make_room", partial(make_room, limit_bytes=0))
    used = raw_outputs(first, cells(root), cache=cache)
    raw_outputs(third, cells(root), cache=cache)
    same(used.results(), list(results(predictor(sha256=first.sha256, seed=1), cells(root))))  # computed again
    assert (first.runs, third.runs) == (10, 10)


def test_the_data_set_is_left_as_it_was_and_may_not_hold_the_cache(root, cache):
    before = files(root)

    raw_outputs(predictor(), cells(root), cache=cache).results()
    for inside in (root, root / "cache", root / "JPEGImages" / ".." / "cache"):
        with pytest.raises(ConfigError, match="may not lie in the data set"):
            raw_outputs(predictor(), cells(root), cache=inside)

    assert files(root) == before


def test_the_files_lie_in_the_users_cache_unless_told_otherwise(root, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))

    raw = raw_outputs(predictor(), cells(root), cache=None)

    assert raw.folder == tmp_path / "home" / "ssd-explorer" / "raw"
    assert len(files(raw.folder)) == 5


def test_progress_is_told_after_each_picture(root, cache):
    told = []

    raw = raw_outputs(predictor(), cells(root), cache=cache, progress=lambda *done: told.append(done))
    raw.results(progress=lambda *done: told.append(done))

    assert told == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)] * 2


def test_what_is_done_before_a_stop_is_kept(root, cache):
    def stop(done, total):
        if done == 3:
            raise KeyboardInterrupt

    detector = counting()
    with pytest.raises(KeyboardInterrupt):
        raw_outputs(detector, cells(root), cache=cache, progress=stop)

    raw_outputs(detector, cells(root), cache=cache)
    assert detector.runs == 5


def test_a_full_disk_is_a_sentence_and_leaves_no_half_file(root, cache, monkeypatch):
    def full(number):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(ResourceError, match="could not be written"):
        raw_outputs(predictor(), cells(root), cache=cache)
    assert files(cache) == {}


def test_weights_without_an_id_are_refused(root, cache):
    with pytest.raises(ConfigError, match="id of the weights"):
        raw_outputs(predictor(sha256=""), cells(root), cache=cache)


def test_a_picture_that_its_annotation_no_longer_fits_is_refused_also_from_the_cache(root, cache):
    raw_outputs(predictor(), cells(root), cache=cache)
    path = root / "Annotations" / "000.xml"
    path.write_bytes(path.read_bytes().replace(b"<width>60<", b"<width>66<"))

    with pytest.raises(DataError, match="66×40"):
        raw_outputs(predictor(), cells(root), cache=cache)


def test_made_scenes_are_kept_by_their_pixels(cache):
    scenes = SyntheticSource(length=2, first_seed=10_000)
    detector = counting()

    raw = raw_outputs(detector, scenes, cache=cache)
    same(raw_outputs(detector, scenes, cache=cache).results(), list(results(predictor(), scenes)))

    assert detector.runs == 2
    assert raw.name(1) == raw.image_id(1) == scenes.sample(1).name


def test_a_file_says_whose_it_is(root, cache):
    raw_outputs(predictor(), cells(root), cache=cache)
    pictures = {
        hashlib.sha256(path.read_bytes()).hexdigest()[:32] for path in (root / "JPEGImages").iterdir()
    }

    kept = list(cache.rglob("*.raw"))

    assert {path.parent.name for path in kept} == {"ab" * 16}
    assert {path.stem for path in kept} == pictures
    assert not list(cache.rglob("*.tmp"))


def test_coco_pictures_go_by_their_ids(tmp_path, cache):
    from tests.data.test_folders import write_coco, write_picture

    write_coco(tmp_path / "coco", "val", ["a.png"], first_id=42)
    write_picture(tmp_path / "coco" / "val" / "a.png")
    data = open_dataset(tmp_path / "coco", split="val", classes=("dog", "cat"))

    raw = raw_outputs(predictor(), data, cache=cache)

    assert (raw.image_id(0), raw.name(0)) == (42, "a")
    assert raw.results()[0].gt_crowd.tolist() == [False, True]


def test_work_on_every_picture_is_given_in_order_whoever_ends_first(root, cache):
    raw, told = raw_outputs(predictor(), cells(root), cache=cache), []

    def work(index: int) -> int:
        time.sleep(0.05 * (index == 0))
        return index

    assert raw.each(work, lambda *done: told.append(done)) == [0, 1, 2, 3, 4]
    assert told == [(count, 5) for count in range(1, 6)]


@pytest.mark.slow
def test_whoever_stops_at_the_progress_does_not_wait_for_the_rest(cache):
    raw, begun = raw_outputs(predictor(), SyntheticSource(length=40), cache=cache), []

    def stop(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        raw.each(lambda index: (begun.append(index), time.sleep(0.01)), stop)

    assert len(begun) < 20
