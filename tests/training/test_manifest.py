"""The data of a run: its digest, and what training and validation have in common."""

from __future__ import annotations

import pytest

from ssd.data.folders import open_dataset
from ssd.errors import ConfigError
from ssd.training.loader import SyntheticSource
from ssd.training.manifest import manifest_of, overlap_warning, require_batches
from tests.cli.tiny_runs import write_squares


def manifest(folder, split="all"):
    return manifest_of(open_dataset(folder, split=split), split=split)


def test_the_digest_knows_pictures_annotations_and_their_number(tmp_path):
    first, again = (manifest(write_squares(tmp_path / name)) for name in ("a", "b"))
    write_squares(tmp_path / "c", count=6)
    write_squares(tmp_path / "d", names=("red", "green", "violet"))
    picture = write_squares(tmp_path / "e") / "JPEGImages" / "000.png"
    picture.write_bytes(picture.read_bytes() + b"\0")

    others = {manifest(tmp_path / name).digest for name in "cde"}

    assert first == again
    assert (first.count, len(first.pictures)) == (5, 5)
    assert len(others | {first.digest}) == 4


def test_the_progress_sees_each_picture(tmp_path):
    seen = []

    def watch(numbers):
        for number in numbers:
            seen.append(number)
            yield number

    manifest_of(open_dataset(write_squares(tmp_path)), split="all", watch=watch)

    assert seen == [0, 1, 2, 3, 4]


def test_made_scenes_are_known_by_their_numbers():
    one, same, other = (manifest_of(SyntheticSource(9, seed), split="made") for seed in (5, 5, 6))

    assert one == same
    assert one.digest != other.digest
    assert overlap_warning(one, same) is None


def test_pictures_in_both_parts_are_counted_by_content(tmp_path):
    train, apart = (
        manifest(write_squares(tmp_path / "a")),
        manifest(write_squares(tmp_path / "b", first=20, count=4)),
    )
    for path in (write_squares(tmp_path / "c", first=4, count=4) / "JPEGImages").iterdir():
        path.rename(path.with_name(f"x{path.name}"))
    for path in (tmp_path / "c" / "Annotations").iterdir():
        path.rename(path.with_name(f"x{path.name}"))

    assert overlap_warning(train, apart) is None
    assert "1 of 4 pictures of all are also in all (x004)" in overlap_warning(train, manifest(tmp_path / "c"))
    assert "5 of 5" in overlap_warning(train, train)
    assert "and 2 more" in overlap_warning(train, train)


@pytest.mark.parametrize(("count", "batch_size", "fine"), [(3, 3, True), (2, 3, False), (0, 1, False)])
def test_an_epoch_must_fill_a_batch(count, batch_size, fine):
    if fine:
        require_batches(count, batch_size=batch_size)
        return
    with pytest.raises(ConfigError, match=f"0 batches: the data has {count}"):
        require_batches(count, batch_size=batch_size)
