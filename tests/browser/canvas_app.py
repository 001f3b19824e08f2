"""The page of the canvas's own tests: one canvas in the mode that the URL names, and what Python heard."""

import dataclasses
import json
import time

import streamlit as st
import torch

from benchmarks.pictures import random_objects, scene_picture
from pages.shared.canvas import box_canvas
from pages.shared.picture_drop import picture_drop
from ssd.anchors import make_anchors
from ssd.boxes import jaccard
from ssd.config import SelectionConfig, anchor_preset
from ssd.detections import select
from ssd.figures.canvas import (
    CanvasObject,
    CanvasView,
    LiveMatching,
    anchors_blob,
    candidates_blob,
    canvas_payload,
)

st.set_page_config(layout="wide")
query, state = st.query_params, st.session_state
mode = query.get("mode", "matching")
NAMES = ("dog", "cat", "person")
LIMITS = {
    "nms": "nms_threshold",
    "top_k": "top_k",
    "cap": "max_detections",
    "agnostic": "class_agnostic",
    "nms_kind": "nms_kind",
    "sigma": "soft_sigma",
}
NO_LIMITS = SelectionConfig(score_threshold=0.01, top_k=10_000, nms_threshold=1.0, max_detections=10_000)


picture = st.cache_resource(scene_picture)


@st.cache_resource
def anchors(preset):
    made = make_anchors(anchor_preset(preset).anchors)
    return made, anchors_blob(anchor_preset(preset).anchors)


@st.cache_resource
def outputs(boxes_of, everywhere):
    """Boxes and scores, as of a network."""
    made, _ = anchors("ssd300-voc")
    dice = torch.Generator().manual_seed(0)
    if everywhere:  # a score for each of the 8,732 boxes
        return made.boxes, torch.rand(len(made), 1, generator=dice) * 0.98 + 0.015
    boxes = (made.boxes + torch.randn(made.boxes.shape, generator=dice) * 0.01).clamp(0, 1)
    boxes = torch.cat(
        [torch.minimum(boxes[:, :2], boxes[:, 2:]), torch.maximum(boxes[:, :2], boxes[:, 2:])], 1
    )
    return boxes, (jaccard(torch.tensor(boxes_of), boxes).T * 1.1 - 0.1).clamp(0, 0.99)


def start_objects():
    if "many" in query:
        return random_objects(int(query["many"]), seed=1, names=NAMES)
    return [
        CanvasObject((0.10, 0.15, 0.45, 0.75), "dog"),
        CanvasObject((0.60, 0.50, 0.80, 0.80), "cat"),
        CanvasObject((0.70, 0.05, 0.95, 0.30), "person", ignored=True),
    ]


def take(events):
    state.heard.append([events.revision, sorted(events.changed), events.step])
    for name in events.changed:
        if name in LIMITS:
            state.limits = dataclasses.replace(state.limits, **{LIMITS[name]: getattr(events, name)})
        else:
            state.view[name] = getattr(events, name)
    if "wait" in query:
        time.sleep(float(query["wait"]))


def take_file(dropped):
    state.files.append([dropped.name, len(dropped.content), dropped.refusal, dropped.position, dropped.total])


if "view" not in state:
    state.view, state.heard, state.files = {"objects": start_objects()}, [], []
    if "cell" in query:
        state.view["selected_anchor"] = int(query["cell"])
    state.view["score"], nms = float(query.get("score", 0.5)), float(query.get("nms", 0.45))
    state.limits = NO_LIMITS if "everywhere" in query else SelectionConfig(0.01, nms_threshold=nms)
seed = st.number_input("Picture", 1, 9, 1)
threshold = st.slider("Threshold", 0.1, 0.9, 0.5)
view = CanvasView(
    mode=mode,
    scene=f"scene {seed}",
    picture=picture(seed),
    anchors=anchors(query.get("preset", "ssd300-voc"))[1],
    class_names=NAMES,
    editable="fixed" not in query,
    panel="panel" in query,
    cell_only="cell" in query,
    grid_level=0 if "cell" in query else None,
    static="static" in query,
    matching=LiveMatching(rule=query.get("rule", "bipartite"), threshold=threshold),
    **state.view,
)
if mode == "detections":
    boxes_of = tuple(tuple(each.box) for each in start_objects())
    boxes, scores = outputs(boxes_of, "everywhere" in query)
    blob = candidates_blob(select(boxes, scores, config=state.limits), class_names=NAMES, floor=0.01)
    live = state.limits if "live" in query else None
    view = dataclasses.replace(view, candidates=blob, matching=None, limits=live)
box_canvas(canvas_payload(view), key="canvas", on_event=take)
if "twice" in query:
    box_canvas(canvas_payload(dataclasses.replace(view, static=True)), key="small")
if "drop" in query:
    picture_drop(key="drop", on_drop=take_file)
objects = [[*each.box, each.name] for each in state.view["objects"]]
said = {name: value for name, value in state.view.items() if name != "objects"}
if "live" in query:
    told = select(
        boxes, scores, config=dataclasses.replace(state.limits, score_threshold=state.view["score"])
    )
    said["kept"], said["by"] = len(told.detections), told.suppressed_by.tolist()
st.code(json.dumps({"heard": state.heard, "objects": objects, "files": state.files, **said}, default=str))
