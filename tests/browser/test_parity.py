"""The browser's matching, score filter and sentences equal Python's, scene by scene, bit by bit."""

from __future__ import annotations

import base64
from dataclasses import asdict

import numpy as np
import pytest
import torch

from ssd.anchors import make_anchors
from ssd.config import (
    ANCHOR_PRESETS,
    MATCHING_RULES,
    NMS_KINDS,
    SelectionConfig,
    SizeAnchors,
    anchor_preset,
)
from ssd.data.records import make_target
from ssd.detections import Fate, select
from ssd.figures.blobs import anchors_blob, candidates_blob
from ssd.figures.canvas_source import canvas_script
from ssd.figures.colours import class_colours
from ssd.figures.findings import worth_of
from ssd.figures.sentences import object_sentences
from ssd.matching import match

SCENES = 10_000
PRESETS = ("lesson-multi", "ssd300-voc", "ssdlite320-coco")
THRESHOLDS = (0.0, 0.25, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 1.0)

BYTES = """((array) => {
  const all = new Uint8Array(array.buffer);
  let text = "";
  for (let at = 0; at < all.length; at += 8192) text += String.fromCharCode(...all.subarray(at, at + 8192));
  return btoa(text);
})"""

MAKE_IN_BROWSER = """
({ blob, knobs }) => {
  const bytes = BYTES;
  const levels = knobs ? ssdCanvas.configLevels(knobs) : blob.levels;
  const made = ssdCanvas.makeAnchors(levels, blob.column_first);
  return {
    boxes: bytes(made.boxes), level: bytes(made.level), row: bytes(made.row), column: bytes(made.column),
    shape: bytes(made.shape), perLevel: made.perLevel, levels,
  };
}
""".replace("BYTES", BYTES)

MATCH_IN_BROWSER = """
(batch) => {
  const bytes = BYTES;
  return batch.scenes.map((scene) => {
    const table = (window.tables ??= {})[scene.anchors] ??= new ssdCanvas.MatchTable(
      new Float32Array(Uint8Array.from(atob(batch.anchors[scene.anchors]), (c) => c.charCodeAt(0)).buffer));
    const found = table.match(scene.boxes, scene.ignored, scene);
    return {
      matched: bytes(found.matched), overlap: bytes(found.overlap), forced: bytes(found.forced),
      ignored: bytes(found.ignored), best: found.bestAnchor, bests: found.bestOverlap,
      counts: found.counts, forcedCounts: found.forcedCounts,
    };
  });
}
""".replace("BYTES", BYTES)


@pytest.fixture
def scripted(tab):
    """A tab that knows the canvas's functions."""
    tab.add_script_tag(content=canvas_script())
    return tab


def free_configurations() -> list[SizeAnchors]:
    """The knobs' family with all that can differ: steps, limits, ratios, sides, a wide input."""
    dice, found = np.random.default_rng(5), []
    for number in range(60):
        count = int(dice.integers(1, 4))
        side = int(dice.integers(90, 700))
        found.append(
            SizeAnchors(
                grids_wh=tuple((int(w), int(h)) for w, h in dice.integers(1, 13, (count, 2))),
                sizes_px=tuple(float(x) for x in dice.uniform(3, 1.2 * side, count)),
                extra_sizes_px=tuple(float(x) for x in dice.integers(3, side, count)),
                ratios=tuple(
                    tuple(float(r) for r in dice.uniform(1.1, 5, dice.integers(0, 3))) for _ in range(count)
                ),
                picture_wh=(side, side + int(dice.integers(0, 90)) * (number % 2)),
                steps_px=tuple(float(x) for x in dice.uniform(4, 90, count)) if number % 3 else None,
                clip="size" if number % 4 else "none",
            )
        )
    return found


@pytest.mark.parametrize("name", [*ANCHOR_PRESETS, "free"])
def test_the_browser_makes_the_anchors_that_python_makes(scripted, name):
    configs = free_configurations() if name == "free" else [anchor_preset(name).anchors]
    wrong = []

    for config in configs:
        anchors, levels = make_anchors(config), config.levels()
        blob = dict(anchors_blob(config).data)
        made, knobs = (
            scripted.evaluate(MAKE_IN_BROWSER, {"blob": blob, "knobs": numbers})
            for numbers in (None, asdict(config))
        )
        assert made == knobs

        kinds = {"level": np.uint8, "row": np.uint16, "column": np.uint16, "shape": np.uint16}
        expected = {k: to_base64(getattr(anchors, k).numpy().astype(kind)) for k, kind in kinds.items()}
        expected["boxes"] = to_base64(anchors.boxes.numpy())
        wrong += [f"{config}: {k}" for k, value in expected.items() if made[k] != value]
        assert made["perLevel"] == list(anchors.per_level)
        assert [tuple(each["step"]) for each in made["levels"]] == [each.step_wh for each in levels]

    assert wrong[:3] == []


def to_base64(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def random_boxes(dice: np.random.Generator, anchors: torch.Tensor, how_many: int, ties: bool) -> torch.Tensor:
    """Boxes anywhere; with ties on a coarse grid, some of them anchors or copies of each other."""
    if ties:
        corners = np.sort(dice.integers(0, 9, (how_many, 2, 2)), axis=1) / 8
    else:
        corners = np.sort(dice.random((how_many, 2, 2)), axis=1)
    boxes = torch.tensor(corners.reshape(how_many, 4), dtype=torch.float32)
    for i in range(how_many):
        luck = dice.random()
        if luck < 0.08 or (ties and luck < 0.25):
            boxes[i] = anchors[dice.integers(len(anchors))].clamp(0, 1)
        elif i and luck > 0.93:
            boxes[i] = boxes[dice.integers(i)]
    return boxes


def subsets(dice: np.random.Generator) -> dict[str, torch.Tensor]:
    """Every preset whole, and slices of each that keep all its levels."""
    named = {}
    for preset in PRESETS:
        boxes = make_anchors(anchor_preset(preset).anchors).boxes
        named[preset] = boxes
        for part in range(8):
            picked = np.sort(dice.choice(len(boxes), size=min(len(boxes), 150), replace=False))
            named[f"{preset} {part}"] = boxes[torch.from_numpy(picked)]
    return named


def scene(number: int, dice: np.random.Generator, named: dict[str, torch.Tensor]) -> dict:
    """One scene: anchors, objects, ignored boxes, rule, threshold."""
    preset = PRESETS[number % 3]
    name = preset if number % 25 == 0 or preset == "lesson-multi" else f"{preset} {dice.integers(8)}"
    ties = bool(number % 2)
    boxes = random_boxes(dice, named[name], int(dice.integers(0, 21)) if number % 40 else 0, ties)
    ignored = random_boxes(dice, named[name], int(dice.integers(0, 4)), ties)
    exact = dice.random() < 0.7
    return {
        "anchors": name,
        "boxes": boxes,
        "ignored": ignored,
        "rule": MATCHING_RULES[int(dice.integers(3))],
        "threshold": float(dice.choice(THRESHOLDS)) if exact else float(dice.random()),
        "strict": bool(dice.integers(2)),
    }


def as_json(one: dict) -> dict:
    return {**one, "boxes": one["boxes"].tolist(), "ignored": one["ignored"].tolist()}


def differences(one: dict, anchors: torch.Tensor, answer: dict) -> list[str]:
    """Names of what the browser sees otherwise than Python."""
    found = match(
        one["boxes"],
        anchors,
        rule=one["rule"],
        threshold=one["threshold"],
        strict=one["strict"],
        ignored_boxes=one["ignored"],
    )
    forced = [int(((found.matched_gt == g) & found.forced).sum()) for g in range(len(one["boxes"]))]
    expected = {
        "matched": to_base64(found.matched_gt.numpy().astype(np.int32)),
        "overlap": to_base64(found.overlap.numpy()),
        "forced": to_base64(found.forced.numpy().astype(np.uint8)),
        "ignored": to_base64(found.ignored.numpy().astype(np.uint8)),
        "best": found.best_anchor.tolist(),
        "bests": found.best_overlap.tolist(),
        "counts": found.anchors_per_object.tolist(),
        "forcedCounts": forced,
    }
    return [name for name, value in expected.items() if value != answer[name]]


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")  # the checks of shapes would take as long as all the rest
def test_the_browser_matches_ten_thousand_scenes_as_python_does(scripted):
    dice = np.random.default_rng(7)
    named = subsets(dice)
    tables = {name: to_base64(boxes.numpy()) for name, boxes in named.items()}
    wrong = []

    for first in range(0, SCENES, 500):
        scenes = [scene(number, dice, named) for number in range(first, first + 500)]
        answers = scripted.evaluate(
            MATCH_IN_BROWSER, {"anchors": tables, "scenes": [as_json(s) for s in scenes]}
        )
        for number, (one, answer) in enumerate(zip(scenes, answers, strict=True), first):
            faults = differences(one, named[one["anchors"]], answer)
            wrong += [f"scene {number} ({one['anchors']}, {one['rule']}): {faults}"] if faults else []

    assert wrong[:5] == []


def test_a_dragged_object_is_matched_from_kept_rows_as_from_new_ones(scripted):
    anchors = make_anchors(anchor_preset("ssd300-voc").anchors)
    dice = np.random.default_rng(3)
    boxes = random_boxes(dice, anchors.boxes, 6, ties=False)
    one = {"anchors": "kept", "ignored": boxes[:0], "rule": "bipartite", "threshold": 0.5, "strict": False}
    wrong = []

    for _ in range(12):  # the same table all along: only the dragged row is new
        boxes = boxes.clone()
        boxes[int(dice.integers(6))] = random_boxes(dice, anchors.boxes, 1, ties=False)[0]
        batch = {
            "anchors": {"kept": to_base64(anchors.boxes.numpy())},
            "scenes": [as_json({**one, "boxes": boxes})],
        }
        wrong += differences(
            {**one, "boxes": boxes}, anchors.boxes, scripted.evaluate(MATCH_IN_BROWSER, batch)[0]
        )

    assert wrong[:5] == []


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_a_jaccard_of_exactly_the_threshold_is_judged_as_python_judges_it(scripted, threshold, strict):
    anchors = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, threshold, 1.0], [0.0, 0.0, 1.0, threshold]])
    boxes = anchors[:1]  # its best anchor is itself, the others stand on the threshold
    one = {"anchors": "exact", "boxes": boxes, "ignored": boxes[:0], "rule": "overwrite"}
    one |= {"threshold": threshold, "strict": strict}
    batch = {"anchors": {"exact": to_base64(anchors.numpy())}, "scenes": [as_json(one)]}

    answer = scripted.evaluate(MATCH_IN_BROWSER, batch)[0]

    assert differences(one, anchors, answer) == []


FATES_IN_BROWSER = """
({ blob, thresholds }) => {
  const candidates = ssdCanvas.readBlob(blob);
  return thresholds.map((threshold) => {
    const above = ssdCanvas.countAbove(candidates.scores, threshold);
    const upTo = (column) => Array.from(column.subarray(0, above));
    const counts = ssdCanvas.countFates(candidates, above, null);
    return { above, fates: upTo(candidates.fate), by: upTo(candidates.by), counts };
  });
}
"""


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")  # the checks of shapes would take as long as all the rest
def test_the_browser_filters_scores_as_a_new_selection_would(scripted):
    dice = torch.Generator().manual_seed(5)
    wrong = []

    for round_ in range(100):
        config = SelectionConfig(
            score_threshold=0.05,
            nms_threshold=(0.3, 0.45, 0.5)[round_ % 3],
            top_k=(3, 400)[round_ % 2],
            max_detections=(5, 200)[round_ // 2 % 2],
            class_agnostic=round_ % 5 == 0,
        )
        corner = torch.rand(24, 2, generator=dice) * 0.6
        boxes = torch.cat([corner, corner + 0.1 + torch.rand(24, 2, generator=dice) * 0.3], dim=1)
        scores = torch.rand(24, 3, generator=dice)
        if round_ % 2:
            scores = (scores * 10).round() / 10  # ties, and scores that stand exactly on a threshold
        floor = select(boxes, scores, config=config)
        thresholds = [
            0.05,
            *(k / 20 for k in range(2, 20)),
            *torch.rand(20, generator=dice).clamp(0.06).tolist(),
        ]
        blob = candidates_blob(floor, class_names=["a", "b", "c"], floor=0.05).data
        answers = scripted.evaluate(FATES_IN_BROWSER, {"blob": dict(blob), "thresholds": thresholds})
        for threshold, answer in zip(thresholds, answers, strict=True):
            own = SelectionConfig(**{**vars(config), "score_threshold": threshold})
            wrong += _filter_faults(
                select(boxes, scores, config=own), answer, f"round {round_} at {threshold}"
            )

    assert wrong[:5] == []


def _filter_faults(picked, answer: dict, where: str) -> list[str]:
    """What the browser's prefix has otherwise than a selection made at that threshold."""
    counts = answer["counts"]
    expected = {
        "above": len(picked.scores),
        "fates": picked.fate.tolist(),
        "by": picked.suppressed_by.tolist(),
    }
    faults = [name for name, value in expected.items() if answer[name] != value]
    if counts["kept"] != picked.count(Fate.KEPT) or counts["below"] != picked.num_below:
        faults.append("counts")
    return [f"{where}: {faults}"] if faults else []


NMS_IN_BROWSER = """
(scenes) => {
  const bytes = BYTES;
  return scenes.map(({ blob, limits, answers, ignored }) => {
    const candidates = ssdCanvas.readBlob(blob);
    const above = ssdCanvas.countAbove(candidates.scores, limits.score);
    const ends = ssdCanvas.suppressAgain(candidates, new ssdCanvas.NmsTable(candidates), above, limits);
    const { outcomes } = ssdCanvas.judged(ends, answers, ignored);
    return {
      fate: bytes(ends.fate), by: bytes(ends.by), overlap: bytes(ends.overlap), kept: ends.kept,
      decayed: bytes(ends.decayed), decayedBy: bytes(ends.decayedBy), outcomes: bytes(outcomes),
    };
  });
}
""".replace("BYTES", BYTES)
CLASSES = ("dog", "cat", "person", "bus", "cow")


def nms_scene(number: int, dice: np.random.Generator) -> dict:
    """Boxes, scores, limits and objects: small and large, with ties, hard and soft."""
    count = 380 if number % 500 == 0 else int(dice.integers(0, 36)) if number % 40 else 0
    classes, ties = int(dice.integers(1, 6)), bool(number % 2)
    objects = random_boxes(dice, torch.tensor([[0.1, 0.2, 0.5, 0.4]]), int(dice.integers(0, 6)), ties)
    boxes = random_boxes(dice, objects if len(objects) else torch.ones(1, 4), count, ties)
    if number % 3 == 0 and count:  # crowds around a few places: long chains
        centres = boxes[torch.from_numpy(dice.integers(0, count, count)) % max(1, count // 8)]
        jitter = torch.from_numpy(dice.normal(0, 0.03, (count, 4))).float()
        boxes = (centres + jitter).sort(dim=1).values  # ordered in x and in y
    scores = torch.from_numpy(dice.random((count, classes))).float()
    scores = (scores * 10).round() / 10 if ties else scores
    config = SelectionConfig(
        score_threshold=float(dice.choice((0.01, 0.05, 0.3, 0.5, 0.7))),
        nms_threshold=float(dice.choice(THRESHOLDS[1:])) if dice.random() < 0.7 else float(dice.random()),
        top_k=int(dice.choice((1, 2, 5, 10, 400))),
        max_detections=int(dice.choice((1, 3, 10, 200))),
        class_agnostic=bool(dice.integers(2)),
        nms_kind=NMS_KINDS[int(dice.random() < 0.3)],
        soft_sigma=float(dice.choice((0.05, 0.1, 0.3, 0.5, 1.0, 2.0))),
    )
    target = make_target(
        objects,
        torch.from_numpy(dice.integers(1, classes + 1, len(objects))),
        difficult=torch.from_numpy(dice.random(len(objects)) < 0.2),
    )
    return {
        "boxes": boxes,
        "scores": scores,
        "config": config,
        "target": target,
        "classes": CLASSES[:classes],
    }


def nms_expected(one: dict, *, judged: bool = False) -> tuple[dict, dict]:
    """Python's answer at the limits, and what the browser gets: the candidates of other limits."""
    config, names = one["config"], one["classes"]
    words = {"scene_classes": names, "model_classes": names, "size_wh": (300, 200)}
    picked = select(one["boxes"], one["scores"], config=config)
    floor = select(one["boxes"], one["scores"], config=SelectionConfig(score_threshold=0.01, top_k=1))
    limits = {
        "score": config.score_threshold,
        "nms": config.nms_threshold,
        "topK": config.top_k,
        "cap": config.max_detections,
        "agnostic": config.class_agnostic,
        "kind": config.nms_kind,
        "sigma": config.soft_sigma,
    }
    given = {
        "blob": dict(candidates_blob(floor, class_names=names, floor=0.01).data),
        "limits": limits,
        "answers": worth_of(floor, one["target"], **words).answers.tolist() if judged else [],
        "ignored": one["target"].difficult.tolist(),
    }
    expected = {
        "fate": to_base64(picked.fate.numpy().astype(np.uint8)),
        "by": to_base64(picked.suppressed_by.numpy().astype(np.int32)),
        "overlap": to_base64(picked.overlap.numpy()),
        "kept": picked.kept.tolist(),
        "decayed": to_base64(picked.decayed.numpy()),
        "decayedBy": to_base64(picked.decayed_by.numpy().astype(np.int32)),
    }
    if judged:
        expected["outcomes"] = to_base64(worth_of(picked, one["target"], **words).outcomes.numpy())
    return expected, given


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")  # the checks of shapes would take as long as all the rest
def test_the_browser_suppresses_in_ten_thousand_scenes_as_python_does(scripted):
    dice = np.random.default_rng(17)
    wrong, seen = [], set()

    for first in range(0, SCENES, 500):
        scenes = [nms_scene(number, dice) for number in range(first, first + 500)]
        pairs = [nms_expected(one, judged=number % 5 == 0) for number, one in enumerate(scenes)]
        answers = scripted.evaluate(NMS_IN_BROWSER, [given for _, given in pairs])
        for number, ((expected, given), answer) in enumerate(zip(pairs, answers, strict=True), first):
            faults = [name for name, value in expected.items() if answer[name] != value]
            wrong += [f"scene {number} {given['limits']}: {faults}"] if faults else []
            seen |= {(given["limits"]["kind"], fate) for fate in base64.b64decode(expected["fate"])}

    assert wrong[:5] == []
    assert seen == {(kind, int(fate)) for kind in NMS_KINDS for fate in Fate}


@pytest.mark.parametrize("threshold", [0.3, 0.45, 0.5, 0.55, 0.6, 0.7])
def test_a_jaccard_of_exactly_the_nms_threshold_is_judged_as_python_judges_it(scripted, threshold):
    boxes = torch.tensor([[0.0, 0.0, 20 / 32, 0.5], [0.0, 0.0, round(20 * threshold) / 32, 0.5]])
    config = SelectionConfig(nms_threshold=threshold)
    empty = make_target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))
    one = {"boxes": boxes, "scores": torch.tensor([[0.9], [0.8]]), "config": config}
    expected, given = nms_expected({**one, "target": empty, "classes": CLASSES[:1]})

    answer = scripted.evaluate(NMS_IN_BROWSER, [given])[0]

    assert {name: answer[name] for name in expected} == expected


def test_two_thousand_candidates_that_all_overlap_are_suppressed_as_python_does(scripted):
    dice = np.random.default_rng(23)
    boxes = torch.from_numpy(np.sort(0.5 + dice.normal(0, 0.2, (2000, 4)).clip(-0.5, 0.5))).float()
    scores = torch.from_numpy(0.011 + 0.98 * dice.random((2000, 1))).float()
    empty = make_target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))
    wrong = []

    for kind, nms in (("hard", 0.45), ("hard", 0.9), ("soft", 0.5)):
        config = SelectionConfig(nms_threshold=nms, top_k=2000, max_detections=2000, nms_kind=kind)
        one = {"boxes": boxes, "scores": scores, "config": config, "target": empty, "classes": CLASSES[:1]}
        expected, given = nms_expected(one)
        answer = scripted.evaluate(NMS_IN_BROWSER, [given])[0]
        wrong += [f"{kind} {nms}: {name}" for name, value in expected.items() if answer[name] != value]

    assert wrong == []


STEPS_IN_BROWSER = """
({ blob, limits }) => {
  const candidates = ssdCanvas.readBlob(blob);
  const above = ssdCanvas.countAbove(candidates.scores, limits.score);
  const steps = new ssdCanvas.NmsSteps(candidates, new ssdCanvas.NmsTable(candidates), above, limits);
  const all = [];
  for (let at = 0; at < steps.count; at += 1) all.push(steps.at(at));
  const end = steps.stateAt(steps.count - 1);
  return { all, end: Array.from(end.fate), scores: Array.from(end.scores) };
}
"""


def test_the_steps_of_nms_are_python_s_reasons_in_the_order_of_turns(scripted):
    dice, wrong = np.random.default_rng(31), []

    for number in range(1, 240):
        one = nms_scene(number, dice)
        _, given = nms_expected(one)
        found = scripted.evaluate(STEPS_IN_BROWSER, given)
        picked = select(one["boxes"], one["scores"], config=one["config"])
        stayed = [
            i
            for i in picked.decayed.argsort(descending=True, stable=True).tolist()
            if int(picked.fate[i]) in (Fate.KEPT, Fate.BEYOND_CAP)
        ]
        acts = found["all"]
        leaves = {act["j"]: (act["i"], act["jaccard"]) for act in acts if act["act"] == "leave"}
        reasons = {
            i: (int(picked.suppressed_by[i]), float(picked.overlap[i]))
            for i in (picked.fate == int(Fate.SUPPRESSED)).nonzero()[:, 0].tolist()
        }
        falls = {act["j"] for act in acts if act["act"] == "fall"}
        last = {act["j"]: act["after"] for act in acts if "j" in act}
        faults = {
            "turns": [act["i"] for act in acts if act["act"] == "stay"] != stayed,
            "leaves": leaves != reasons,
            "falls": bool(falls) and one["config"].nms_kind == "hard",
            "scores": any(float(picked.decayed[j]) != after for j, after in last.items()),
            "end": found["end"] != picked.fate.tolist() or found["scores"] != picked.decayed.tolist(),
            "first and last": (acts[0]["act"], acts[-1]["act"]) != ("start", "end"),
            "cut": ("cut" in {act["act"] for act in acts}) != bool(picked.count(Fate.BEYOND_TOP_K)),
        }
        wrong += [f"scene {number}: {name}" for name, bad in faults.items() if bad]

    assert wrong[:5] == []


def test_the_sentences_of_the_browser_are_those_of_python(scripted):
    anchors = make_anchors(anchor_preset("ssd300-voc").anchors)
    dice = np.random.default_rng(11)
    blob, wrong = dict(anchors_blob(anchor_preset("ssd300-voc").anchors).data), []

    for number in range(60):
        boxes = random_boxes(dice, anchors.boxes, int(dice.integers(0, 12)), ties=bool(number % 2))
        if number % 3 == 0 and len(boxes) > 2:
            boxes[1] = boxes[0]
            boxes[2] = torch.tensor([0.5, 0.5, 0.504, 0.504])
        names = [str(dice.choice(["dog", "cat", "a {name} <b>"])) for _ in boxes]
        rule = MATCHING_RULES[number % 3]
        said = scripted.evaluate(
            """({ blob, boxes, names, rule }) => {
              const anchors = (window.whole ??= ssdCanvas.readBlob(blob));
              const found = anchors.table.match(boxes, [], { rule, threshold: 0.5, strict: false });
              const titles = ssdCanvas.numbered(names);
              return boxes.map((_, g) => ssdCanvas.objectSentence(found, anchors.level, titles, g));
            }""",
            {"blob": blob if number == 0 else None, "boxes": boxes.tolist(), "names": names, "rule": rule},
        )
        found = match(boxes, anchors.boxes, rule=rule)
        if tuple(said) != object_sentences(found, anchors, names=names):
            wrong.append((said, object_sentences(found, anchors, names=names)))

    assert wrong[:5] == []


def test_two_decimals_are_rounded_as_python_rounds_them(scripted):
    values = torch.cat([torch.arange(0, 201) / 200, torch.arange(0, 129) / 128, torch.rand(500)])

    said = scripted.evaluate("(values) => values.map(ssdCanvas.twoDecimals)", values.tolist())

    assert said == [f"{value:.2f}" for value in values.tolist()]


@pytest.mark.parametrize("count", [0, 1, 7, 10, 14])
def test_classes_have_the_same_colours_in_the_browser(scripted, count):
    names = ["dog", "cat", "person", "dining table", "собака", "<b>", "", *"abcdefg"][:count]

    seen = scripted.evaluate("(names) => Object.fromEntries(ssdCanvas.classColours(names))", names)

    assert seen == class_colours(names)


def test_the_script_ends_no_script_element():
    assert "</script" not in canvas_script().lower()
