"""Augmentation: boxes move along, proven by painting rectangles and finding them again."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssd.boxes import to_pixels
from ssd.data.augment import AUGMENT_PRESETS, Augmentation, AugmentConfig, calm
from ssd.data.records import Sample, Target, make_target, validate_target
from ssd.errors import ConfigError
from tests.data.painted import COLOURS, GREY, extents_px, painted

STILL = AugmentConfig(flip=0.0)
CHANGES = {
    "resize": {},
    "mirror": {"flip": 1.0},
    "upside down": {"upside_down": 1.0},
    "dihedral": {"dihedral": 1.0},
    "rotation by 3°": {"rotate": 1.0},
    "rotation by 30°": {"rotate": 1.0, "rotate_deg": 30.0},
    "zoom out": {"zoom_out": 1.0, "zoom_out_max": 1.6},
    "crop": {"crop": 1.0},
    "zoom out, crop": {"zoom_out": 1.0, "zoom_out_max": 1.6, "crop": 1.0},
    "all": {"flip": 0.5, "upside_down": 0.5, "dihedral": 0.7, "rotate": 0.5, "zoom_out": 0.3, "crop": 0.5},
}
SIZES = {"square": (160, 160), "wide": (240, 96)}


def changing(**changes: object) -> AugmentConfig:
    """A configuration that does only this."""
    return dataclasses.replace(STILL, **changes)


def assert_framed(sample: Sample, *, least_px: float = 6, atol: float = 2.1) -> int:
    """Every box frames the rectangle of its label's colour; how many were looked at."""
    height, width = sample.picture.shape[-2:]
    boxes = to_pixels(sample.target.boxes, width_px=width, height_px=height)
    seen = 0
    for box, label in zip(boxes, sample.target.labels.tolist(), strict=True):
        if float((box[2:] - box[:2]).min()) >= least_px:
            found = extents_px(sample.picture, label)
            assert found is not None
            torch.testing.assert_close(found, box, atol=atol, rtol=0)
            seen += 1
    return seen


@pytest.mark.parametrize("size_wh", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_every_box_still_frames_its_own_rectangle(changes, size_wh):
    change, seen = Augmentation(changing(**changes), size_wh=size_wh), 0

    for seed in range(12):
        seen += assert_framed(change(painted(), seed=seed))

    assert seen >= 12


def quarters(n: int) -> Sample:
    """Another sample than the painted one: a rectangle of the fourth, fifth or sixth colour."""
    return painted(size_wh=(150, 210), first_label=4 + n % 3, boxes_px=[(30.0, 50.0, 110.0, 160.0)])


@pytest.mark.slow
@pytest.mark.parametrize("size_wh", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("more", [{}, {"dihedral": 1.0, "rotate": 0.5}], ids=["mosaic", "after turns"])
def test_the_boxes_of_all_four_tiles_frame_their_rectangles(more, size_wh):
    change, seen = Augmentation(changing(mosaic=1.0, **more), size_wh=size_wh), 0

    for seed in range(25):
        made = change(painted(), seed=seed, others=quarters)
        labels = made.target.labels.tolist()
        once = torch.tensor([labels.count(label) == 1 for label in labels], dtype=torch.bool)
        target = Target(*(getattr(made.target, f.name)[once] for f in dataclasses.fields(Target)))
        seen += assert_framed(Sample(made.picture, target, "mosaic"), least_px=8, atol=2.6)

    assert seen >= 25


def test_boxes_that_stay_where_they_were_would_be_seen():
    changed = Augmentation(changing(flip=1.0), size_wh=(160, 160))(painted(), seed=0)
    still = Sample(changed.picture, painted().target, "wrong")

    with pytest.raises(AssertionError):
        assert_framed(still)


def test_all_eight_turns_come_and_each_is_another_picture():
    change = Augmentation(changing(dihedral=1.0), size_wh=(60, 100))

    pictures = {change(painted(), seed=seed).picture.numpy().tobytes() for seed in range(80)}

    assert len(pictures) == 8


def test_a_turn_by_90_degrees_swaps_width_and_height_before_the_resize():
    wide = painted(size_wh=(200, 100), boxes_px=[(0.0, 0.0, 20.0, 10.0)])  # upper left corner
    change = Augmentation(changing(dihedral=1.0), size_wh=(50, 100))
    reports = [change.explain(wide, seed=seed) for seed in range(60)]
    turned = [report for report in reports if report.applied == ("turned by 90°",)]

    box = turned[0].sample.target.boxes[0]

    torch.testing.assert_close(box, torch.tensor([0.0, 0.9, 0.1, 1.0]))  # counter-clockwise: lower left


@given(st.integers(0, 10_000), st.sampled_from(list(AUGMENT_PRESETS)))
def test_whatever_is_drawn_the_target_is_valid(seed, name):
    sample = painted()

    changed = Augmentation(AUGMENT_PRESETS[name], size_wh=(72, 56))(sample, seed=seed, others=quarters)

    validate_target(changed.target, name=f"{name} {seed}")
    assert changed.picture.shape == (3, 56, 72)


@pytest.mark.parametrize("name", AUGMENT_PRESETS)
def test_the_same_seed_gives_the_same_change_and_another_seed_another(name):
    change = Augmentation(AUGMENT_PRESETS[name], size_wh=(64, 48))

    results = [change(painted(), seed=seed, others=quarters) for seed in (5, 5, *range(6, 16))]
    first, again, others = results[0], results[1], results[2:]

    assert torch.equal(first.picture, again.picture) and torch.equal(first.target.boxes, again.target.boxes)
    assert (name == "none") == all(torch.equal(first.picture, other.picture) for other in others)


@pytest.mark.parametrize("name", AUGMENT_PRESETS)
def test_neither_the_sample_nor_the_callers_random_numbers_are_touched(name):
    sample, other = painted(), quarters(0)
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)

    for seed in range(6):
        Augmentation(AUGMENT_PRESETS[name], size_wh=(64, 48))(sample, seed=seed, others=lambda n: other)

    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(sample.picture, painted().picture) and torch.equal(other.picture, quarters(0).picture)
    assert torch.equal(sample.target.boxes, painted().target.boxes)


@pytest.mark.slow
@pytest.mark.parametrize("mixing", [{}, {"mosaic": 1.0}, {"mixup": 1.0}, {"paste": 1.0}], ids=str)
def test_flags_stay_with_their_objects(mixing):
    marked = dataclasses.replace(
        painted(),
        target=make_target(
            painted().target.boxes,
            torch.tensor([1, 2, 3]),
            difficult=torch.tensor([False, True, False]),
            ignore=torch.tensor([False, False, True]),
        ),
    )
    config = changing(flip=0.5, crop=1.0, zoom_out=0.5, **mixing)
    change = Augmentation(config, size_wh=(96, 96))

    for seed in range(20):
        changed = change(marked, seed=seed, others=lambda n: marked).target
        assert torch.equal(changed.difficult, changed.labels == 2)
        assert bool(changed.ignore[changed.labels == 3].all())


def test_an_object_whose_centre_left_is_ignored_and_one_that_is_gone_is_left_out():
    config = changing(crop=1.0)
    outcomes = set()

    for seed in range(60):
        report = Augmentation(config, size_wh=(120, 120)).explain(painted(), seed=seed)
        kept = {fate.index for fate in report.fates if fate.outcome != "dropped"}
        assert set((report.sample.target.labels - 1).tolist()) == kept
        for fate in report.fates:
            outcomes.add((fate.outcome, fate.reason))
            centre = torch.tensor(fate.corners).mean(dim=0)
            inside = bool(((centre >= 0) & (centre <= 1)).all())
            assert (fate.outcome == "kept") <= (inside and fate.visible >= config.min_visible - 1e-6)
            assert (fate.outcome == "ignored") <= (fate.visible > 0)
            assert (fate.reason == "it left the picture") == (fate.visible <= 0)

    assert {reason for _, reason in outcomes} >= {"", "its centre left the picture", "it left the picture"}


def test_ignored_means_neither_object_nor_background():
    change = Augmentation(changing(mosaic=1.0, min_visible=0.9), size_wh=(160, 160))
    reports = [change.explain(painted(), seed=seed, others=quarters) for seed in range(20)]
    report, fate = next((r, f) for r in reports for f in r.fates if "too little" in f.reason)

    row = report.sample.target.labels.tolist().index(fate.index + 1)

    assert fate.outcome == "ignored" and bool(report.sample.target.ignore[row])
    torch.testing.assert_close(report.sample.target.boxes[row], torch.tensor(fate.box))


def test_an_object_too_small_at_training_size_is_left_out_with_that_reason():
    tiny = painted(boxes_px=[(10.0, 10.0, 13.0, 60.0), (50.0, 50.0, 90.0, 90.0)])  # 3 of 200 px wide

    report = Augmentation(changing(min_side_px=2.0), size_wh=(100, 100)).explain(tiny, seed=0)

    assert [fate.reason for fate in report.fates] == ["too small at training size", ""]
    assert report.sample.target.labels.tolist() == [2]


def test_a_rotated_box_encloses_its_rotated_corners():
    change = Augmentation(changing(rotate=1.0, rotate_deg=30.0), size_wh=(200, 120))

    for seed in range(10):
        for fate in change.explain(painted(), seed=seed).fates:
            corners = torch.tensor(fate.corners).clamp(0, 1)
            enclosing = torch.cat([corners.amin(dim=0), corners.amax(dim=0)])
            torch.testing.assert_close(torch.tensor(fate.box), enclosing, atol=1e-5, rtol=0)


def test_at_30_degrees_boxes_grow_as_the_lesson_shows_and_at_3_they_hardly_do():
    def growth(degrees: float) -> float:
        change = Augmentation(changing(rotate=1.0, rotate_deg=degrees), size_wh=(200, 120))
        boxes = torch.stack([change(painted(), seed=s).target.boxes[2] for s in range(20)])
        return float(((boxes[:, 2:] - boxes[:, :2]).prod(dim=1) / (0.3 * 40 / 120)).mean())

    assert growth(3.0) < 1.1 < 1.3 < growth(30.0)


def test_the_explained_sample_is_the_one_that_training_sees():
    change = Augmentation(AUGMENT_PRESETS["modern"], size_wh=(96, 80))

    for seed in range(12):
        seen = change(painted(), seed=seed, others=quarters)
        report = change.explain(painted(), seed=seed, others=quarters)
        assert torch.equal(seen.picture, report.sample.picture)
        assert torch.equal(seen.target.boxes, report.sample.target.boxes)
        own = sum(fate.outcome != "dropped" for fate in report.fates)
        assert len(seen.target) == own + report.added


def test_what_was_applied_is_said_in_the_order_in_which_it_was():
    config = changing(flip=1.0, rotate=1.0, zoom_out=1.0, lighting=0.1, mosaic=1.0)

    applied = Augmentation(config, size_wh=(64, 64)).explain(painted(), seed=3, others=quarters).applied

    starts = ["mirrored", "rotated", "zoomed out", "set as one", "light"]
    assert [words.startswith(start) for words, start in zip(applied, starts, strict=True)] == [True] * 5


def test_a_zoomed_out_picture_lies_on_the_mean_colour():
    change = Augmentation(changing(zoom_out=1.0, zoom_out_max=4.0), size_wh=(100, 100))
    made = [change(painted(), seed=seed).picture for seed in range(20)]

    filled = [(picture == torch.tensor([124, 116, 104])[:, None, None]).all(dim=0) for picture in made]

    assert max(float(share.float().mean()) for share in filled) > 0.8
    assert min(float(share.float().mean()) for share in filled) < 0.5


@pytest.mark.parametrize("mixing", [{}, {"mosaic": 1.0}, {"mixup": 1.0}, {"paste": 1.0}], ids=str)
def test_a_picture_without_objects_passes(mixing):
    empty = Sample(painted().picture, Target.empty(), "empty")
    config = changing(crop=1.0, zoom_out=1.0, rotate=1.0, photometric=1.0, **mixing)

    changed = Augmentation(config, size_wh=(64, 64))(empty, seed=0, others=lambda n: empty)

    assert len(changed.target) == 0 and changed.picture.shape == (3, 64, 64)


def test_the_last_part_of_a_run_has_every_change_but_those_that_mix():
    config = AUGMENT_PRESETS["modern"]

    quiet = calm(config)

    assert (quiet.mosaic, quiet.mixup, quiet.paste) == (0, 0, 0)
    assert dataclasses.replace(quiet, mosaic=config.mosaic, mixup=config.mixup, paste=config.paste) == config


@pytest.mark.parametrize("name", ["mosaic", "mixup", "paste"])
def test_mixing_without_other_samples_is_refused(name):
    with pytest.raises(ConfigError, match="other samples"):
        Augmentation(changing(**{name: 0.5}), size_wh=(32, 32))(painted(), seed=0)


@pytest.mark.parametrize(
    ("name", "value"),
    [("flip", 1.5), ("mosaic", -0.1), ("mixup", float("nan")), ("zoom_out_max", 0.5), ("rotate_deg", 181),
     ("min_side_px", float("inf")), ("paste_max", 0), ("paste_classes", (0,)), ("min_visible", 2)],
)  # fmt: skip
def test_a_number_out_of_range_is_refused_by_name(name, value):
    with pytest.raises(ConfigError, match=name):
        AugmentConfig(**{name: value})


def test_the_background_of_a_mosaic_is_its_tiles_alone():
    made = Augmentation(changing(mosaic=1.0), size_wh=(80, 80))(painted(), seed=1, others=quarters)

    colours = torch.tensor([*COLOURS, (GREY, GREY, GREY)])
    distance = (made.picture.reshape(3, -1).T[:, None].int() - colours).abs().amax(dim=2).amin(dim=1)
    assert float((distance < 100).float().mean()) > 0.97
