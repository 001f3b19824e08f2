"""The loss lab: what the scene costs a network, anchor by anchor. A tab of the Learning page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st

from pages.shared import detector, show, snippets, sources
from pages.shared import scene as scenes
from pages.shared.scene import Answer, Scene
from pages.shared.sliders import LiveSlider, kept_number, live_sliders
from pages.shared.tabs import open_tab
from pages.shared.told import lab_of, told_to
from ssd.errors import SSDError
from ssd.limits import MAX_NEGATIVE_RATIO

if TYPE_CHECKING:
    from ssd.figures.canvas_events import CanvasEvents
    from ssd.losses import LossConfig
    from ssd.training.lab import LossLab
    from ssd.training.run_state import Checkpoint

LOSSES = ("softmax", "bce", "focal")
LOSS_NAMES = {"softmax": "softmax + mining", "bce": "BCE", "focal": "focal"}
MOST_AT_ONCE = 12  # checkpoints compared in one chart
RUN_PREFIX = "run · "
CANVAS = "loss_canvas"


@dataclass(frozen=True)
class Chosen:
    """Whose weights are asked: a shipped model, or a checkpoint of a run."""

    model: str
    checkpoint: Checkpoint | None = None
    all_checkpoints: tuple[Checkpoint, ...] = ()


def show_loss_lab(scene: Scene) -> None:
    """The whole tab; its controls run it again, and nothing else.

    Args:
        scene: of the page; its objects are what the network is told.
    """
    st.session_state["lab_scene"] = scene
    st.fragment(_tab)()


def _tab() -> None:
    """Controls, picture, charts, for the scene as it is at this moment."""
    scene = st.session_state.pop("lab_scene", None) or show.scene_now()
    code = None
    with show.errors():
        with st.container(horizontal=True, vertical_alignment="bottom"):
            chosen = _weights(scene)
            config = None if chosen is None else _loss()
        if chosen is None:
            _no_weights(scene)
        else:
            code = _lab(scene, chosen, config)
    _details(code)


def _weights(scene: Scene) -> Chosen | None:
    """The weights that are asked; nothing where none know the scene."""
    runs = _fitting_runs(scene)
    names = [*_fitting_models(scene), *(RUN_PREFIX + name for name in runs)]
    if not names:
        return None
    choice = st.selectbox(
        "Weights", names, key="weights", bind="query-params", width=190, help="Shipped models, and your runs"
    )
    if not choice.startswith(RUN_PREFIX):
        return Chosen(choice)
    run = choice.removeprefix(RUN_PREFIX)
    kept = {checkpoint.title: checkpoint for checkpoint in runs[run]}
    titles = list(kept)
    title = titles[0]
    if len(titles) > 1:
        title = st.select_slider("Checkpoint", titles, titles[-1], key=f"checkpoint_{run}", width=170)
    return Chosen(run, kept[title], runs[run])


def _fitting_models(scene: Scene) -> list[str]:
    """Shipped and fetched detectors that know the scene."""
    from ssd.checkpoints import TORCHVISION_NAMES, fetched_file

    here = [n for n in detector.model_names() if n not in TORCHVISION_NAMES or fetched_file(n) is not None]
    return [name for name in here if detector.knows(name, scene)]


def _fitting_runs(scene: Scene) -> dict[str, tuple[Checkpoint, ...]]:
    """Runs that keep weights and know every class of the scene."""
    from ssd.figures.findings import fits
    from ssd.training.run_reader import EMPTY_HISTORY
    from ssd.training.run_state import checkpoints_of, read_state

    found = {}
    for name, path in sources.run_paths().items():
        kept = checkpoints_of(path)
        if kept and fits(scene.class_names, read_state(path, EMPTY_HISTORY).class_names):
            found[name] = kept
    return found


def _no_weights(scene: Scene) -> None:
    """A picture that nobody here knows."""
    detector.explain_misfit(scene)
    st.caption("A run of yours that knows these classes appears here by itself: see the tab Runs.")


def _loss() -> LossConfig:
    """The loss as the controls have it; the ratio is on the canvas."""
    from ssd.losses import LossConfig

    usual = LossConfig()
    kind = st.segmented_control(
        "Confidence loss", LOSSES, default=LOSSES[0], key="loss", bind="query-params", required=True,
        format_func=LOSS_NAMES.__getitem__,
    )  # fmt: skip
    with st.container(width=240):
        focal = live_sliders(
            [
                LiveSlider("alpha", "α of focal", 0.0, 1.0, 0.05, usual.alpha),
                LiveSlider("gamma", "γ of focal", 0.0, 5.0, 0.25, usual.gamma),
            ],
            key="focal",
        )
    on_canvas = LiveSlider("ratio", "", 0.0, MAX_NEGATIVE_RATIO, 0.5, usual.negative_ratio)
    ratio = kept_number(on_canvas)
    return replace(usual, confidence=kind, negative_ratio=ratio, **focal, class_mean=False)


def _lab(scene: Scene, chosen: Chosen, config: LossConfig) -> str | None:
    """Picture, numbers, charts; the code that makes them."""
    answer = _answer(scene, chosen)
    if config.confidence == "softmax" and answer.config.activation != "softmax":
        st.caption("This network has no background column, so softmax does not apply; BCE stands in.")
        config = replace(config, confidence="bce")
    if answer.config.coder.kind == "tanh":
        config = replace(config, localisation="l1")  # of decoded boxes, as the lesson has it
    scene = told_to(scene, answer)
    lab = lab_of(scene, answer, config)
    _canvas(scene, answer, lab)
    _charts(scene, chosen, answer, lab)
    _inspect(scene, answer, lab)
    return None if chosen.checkpoint else snippets.loss_code(scene, model=chosen.model, config=config)


def _answer(scene: Scene, chosen: Chosen) -> Answer:
    if chosen.checkpoint is None:
        return scenes.answer_of(scene, model=chosen.model)
    return scenes.run_answer_of(scene, run=chosen.model, checkpoint=chosen.checkpoint)


def _canvas(scene: Scene, answer: Answer, lab: LossLab) -> None:
    """The picture, coloured by loss; the ratio's slider acts in the browser."""
    from ssd.figures.learning_costs import costs_blob

    show.scene_canvas(
        scene,
        key=CANVAS,
        on_event=_take_events,
        mode="loss",
        anchors=scenes.anchors_blob_of(answer.config.anchors),
        costs=costs_blob(lab, object_names=scene.object_names),
        ratio=lab.config.negative_ratio if lab.mines else None,
        selected_anchor=_selected(lab),
        hidden_levels=st.session_state.get("loss_levels", ()),
        editable=True,
        panel=True,
        max_height_px=470,
    )


def _take_events(events: CanvasEvents) -> None:
    """As on every page, but anchors and levels are the network's own."""
    if "selected_anchor" in events.changed:
        st.session_state["loss_anchor"] = events.selected_anchor
    if "hidden_levels" in events.changed:
        st.session_state["loss_levels"] = events.hidden_levels
    show.take_events(replace(events, changed=events.changed - {"selected_anchor", "hidden_levels"}))


def _selected(lab: LossLab) -> int | None:
    """The anchor that was clicked, if the network has it."""
    index = st.session_state.get("loss_anchor")
    return index if index is not None and index < len(lab.labels) else None


def _charts(scene: Scene, chosen: Chosen, answer: Answer, lab: LossLab) -> None:
    """Where the loss comes from, and what the losses ask for."""
    open_tab(
        {
            "by level and class": lambda: _by_part(lab),
            "loss curves": lambda: _curves(scene, answer, lab),
            "across checkpoints": lambda: _across(scene, chosen, lab.config),
        },
        key="loss_tab",
    )


def _by_part(lab: LossLab) -> None:
    """Two charts on one scale."""
    from ssd.figures.learning_costs import hardest_sentence
    from ssd.training.lab_parts import costs_by_class, costs_by_level

    levels, classes = costs_by_level(lab), costs_by_class(lab)
    most = max((part.total for part in (*levels, *classes)), default=1.0) or 1.0
    left, right = st.columns(2, gap="large")
    with left:
        show.chart("parts_figure", levels, most=most, alt="The loss, level by level", room="learning")
    with right:
        show.chart("parts_figure", classes, most=most, alt="The loss, class by class", room="learning")
    st.text(hardest_sentence(lab))
    st.caption("A negative counts for the class that the network gives it before all others.")


def _curves(scene: Scene, answer: Answer, lab: LossLab) -> None:
    """What each loss asks for a probability, and what that does to the many easy negatives."""
    from ssd.figures.learning_costs import curve_marks, easy_sentence
    from ssd.losses import loss_curve
    from ssd.training.lab import right_shares
    from ssd.training.lab_parts import easy_share

    config = lab.config
    p = [i / 200 for i in range(1, 200)]
    plain, focal = (loss_curve(kind, p, alpha=config.alpha, gamma=config.gamma) for kind in ("bce", "focal"))
    right = right_shares(answer.output.logits, lab.labels, activation=answer.config.activation)
    kinds = LOSSES if answer.config.activation == "softmax" else LOSSES[1:]
    labs = [(LOSS_NAMES[kind], lab_of(scene, answer, replace(config, confidence=kind))) for kind in kinds]
    shares = [(name, easy_share(other, right)) for name, other in labs]
    left, side = st.columns((3, 2), gap="large")
    with left:
        lines = [
            ("softmax and BCE: −log p", plain),
            (f"focal, α {config.alpha:g}, γ {config.gamma:g}", focal),
        ]
        marks = curve_marks(lab, right)
        show.chart("curves_figure", p, lines, marks=marks, alt="Losses over probability", room="learning")
    with side:
        st.text(easy_sentence(shares))
        st.caption(
            "Mining leaves the easy ones out; focal loss keeps them all and makes them cheap. The curve is "
            "of one class that is there; for one that is not, α becomes 1 − α. The dots are the positive "
            "anchors of this scene under the chosen loss; their other classes may add to the curve."
        )


def _across(scene: Scene, chosen: Chosen, config: LossConfig) -> None:
    """The same scene, one checkpoint after another."""
    if chosen.checkpoint is None:
        st.text("A shipped model is one checkpoint. Choose a run under Weights to see its loss fall.")
        return
    from ssd.training.lab_parts import whole_cost

    step = -(-len(chosen.all_checkpoints) // MOST_AT_ONCE)
    shown = chosen.all_checkpoints[::-1][::step][::-1]
    points = []
    for checkpoint in shown:
        try:
            answer = scenes.run_answer_of(scene, run=chosen.model, checkpoint=checkpoint)
        except SSDError as error:
            st.text(f"{checkpoint.title}: {error}")
            continue
        points.append((checkpoint.title, whole_cost(lab_of(scene, answer, config))))
    at = shown.index(chosen.checkpoint) if chosen.checkpoint in shown else None
    at = None if len(points) < len(shown) else at
    show.chart("checkpoints_figure", points, chosen=at, alt="Loss across checkpoints", room="learning")


def _inspect(scene: Scene, answer: Answer, lab: LossLab) -> None:
    """The clicked anchor through the whole pipeline."""
    from ssd.detections import select
    from ssd.figures.inspector import loss_stages, prediction_stages

    index = _selected(lab)
    if index is None:
        st.caption("Click an anchor on the picture to follow it through the whole pipeline.")
        return
    selection = select(answer.output.boxes, answer.output.scores, config=answer.config.selection)
    code, box, *rest = prediction_stages(
        index, output=answer.output, selection=selection, class_names=lab.class_names, coder=scene.coder,
        size_wh=scene.size_wh, gt_boxes=scene.objects.boxes, object_names=scene.object_names,
    )  # fmt: skip
    show.inspector(scene, index, (code, box, *loss_stages(lab, index), *rest))


def _details(code: str | None) -> None:
    """Why, think, copy."""
    show.details(
        why="""
$L = \\frac{1}{N}\\left(L_{conf} + L_{loc}\\right)$ with $N$ positive anchors. A positive pays for its class
and its box, a negative only for not saying *background*. The negatives are sorted by what they cost, and the
ratio says how many of them count: 3 for each positive in the paper. **BCE** and **focal loss** have no
background class and count every anchor; focal weighs each by $\\alpha (1 - p)^\\gamma$.

A disc stands for a cell of a level: its costliest anchor. A network that was trained with softmax is asked
about BCE and focal loss through the log-odds of its own probabilities.

*Liu et al., SSD, ECCV 2016, section 2.2; Lin et al., Focal Loss, ICCV 2017, section 3.*""",
        think="""
**"The loss is where the network is wrong."** Much of it often comes from anchors beside an object that are
told *background* because their jaccard is just below the threshold. Move the match threshold and watch them.

**"More negatives teach more."** Drag the ratio up: the sum hardly grows, since the next ones are easy.
Without mining, thousands of easy ones together outweigh the few positives: see the curves.""",
        code=code,
    )
