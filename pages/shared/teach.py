"""Teach it this picture: a small network trains on the scene, in front of the visitor. A tab."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.shared import scene as scenes
from pages.shared import show, snippets, widgets
from pages.shared.lessons import Lesson, warm_up
from pages.shared.queue import this_visitor
from pages.shared.scene import Scene
from ssd.config import anchor_preset

if TYPE_CHECKING:
    from ssd.figures.canvas_events import CanvasEvents
    from ssd.training.teach_job import TeachRules

LOOK_EVERY_S = 0.25  # about as often as the child looks at the picture
STEPS = 120
AXIS_ENDS = (40, 80)  # of the chart, as long as the lessons are short
ANCHORS = "teach160"
HEIGHT_PX = 400


@dataclass(frozen=True)
class Break:
    """A rule that can be broken, and what there is to see then."""

    changes: dict[str, Any] = field(default_factory=dict)
    point: str = ""


NONE = "none"
BREAKS = {
    NONE: Break(
        point="The rules that work: bipartite matching, three negatives for each positive, softmax, "
        "variances, the picture as it is and in a mirror."
    ),
    "overwrite": Break(
        {"matching": "overwrite"},
        "Of two objects that share their best anchor, the later one takes it: teach the orphan pair.",
    ),
    "no negatives": Break(
        {"negatives": "none"}, "Nothing is ever told to be background: watch boxes appear everywhere."
    ),
    "all negatives": Break(
        {"negatives": "all"}, "Thousands of easy negatives speak with one voice; compare the first steps."
    ),
    "focal loss": Break({"loss": "focal"}, "No mining: easy anchors count little by themselves."),
    "BCE": Break({"loss": "bce"}, "A yes or no for each class, every anchor counts, none is mined."),
    "no variances": Break(
        {"variances": False}, "Targets five to ten times as small: the boxes take longer to settle."
    ),
    "no mirror": Break(
        {"augmentation": False}, "Without augmentation it learns this one picture by heart: try the mirror."
    ),
}


def show_teach(scene: Scene) -> None:
    """The whole tab.

    Args:
        scene: of the page; what is drawn on it is taught too.
    """
    warm_up()
    now, before = _lessons(scene)
    running = now is not None and not now.is_over
    broken = _controls(scene, running)
    if now is None:
        _before_the_first(scene, rules_of(broken))
    else:
        st.fragment(_stage, run_every=LOOK_EVERY_S if running else None)(scene, now, before, running)
    _details(scene, rules_of(broken))


def rules_of(broken: str) -> TeachRules:
    """The rules with one of them broken."""
    from ssd.training.teach_job import TeachRules

    return replace(TeachRules(), **BREAKS[broken].changes)


def scene_key(scene: Scene) -> tuple[Any, ...]:
    """Names picture and objects: a lesson is about both."""
    target = scene.sample.target
    return (
        scene.digest,
        str(target.boxes.tolist()),
        str(target.labels.tolist()),
        str(target.ignore.tolist()),
    )


def _lessons(scene: Scene) -> tuple[Lesson | None, Lesson | None]:
    """The lesson of this scene and the one before; those of another scene are stopped and forgotten."""
    known = [lesson for lesson in st.session_state.get("lessons", []) if lesson is not None]
    mine = [lesson for lesson in known if lesson.scene == scene_key(scene)]
    for lesson in known:
        if lesson not in mine:
            lesson.stop()
    st.session_state["lessons"] = mine[-2:]
    return (mine[-1] if mine else None), (mine[-2] if len(mine) > 1 else None)


def _controls(scene: Scene, running: bool) -> str:
    """Teach or stop; which rule is broken; scenes that make a point."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if running:
            st.button("Stop", icon=":material/stop_circle:", on_click=_stop, key="stop_lesson", width=200)
        else:
            st.button(
                "Teach it this picture",
                type="primary",
                icon=":material/school:",
                on_click=_teach,
                key="teach",
                disabled=not len(scene.objects.labels),
                width=200,
            )
        broken = st.pills(
            "Break a rule", list(BREAKS), default=NONE, key="broken", bind="query-params", required=True
        )
    point, others = st.columns((3, 1), vertical_alignment="center")
    point.caption(BREAKS[broken].point)
    with others, st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        widgets.lesson_buttons("dog and ball", "orphan pair")
    return broken


def _teach() -> None:
    """Begin a lesson on the scene as it is; the one before moves to the side."""
    from ssd.training.teach_job import TeachJob

    scene, broken = st.session_state["scene"], st.session_state["broken"]
    rules = rules_of(broken)
    lesson = Lesson(
        scene=scene_key(scene),
        name=broken if broken != NONE else "no rule broken",
        rules=rules,
        titles=show.titles(scene),
        class_names=scene.class_names,
        steps=STEPS,
        ticket=this_visitor(),
    )
    lesson.begin(TeachJob(scene.sample, scene.class_names, rules, STEPS))
    st.session_state["lessons"] = [*st.session_state.get("lessons", []), lesson][-2:]


def _stop() -> None:
    for lesson in st.session_state.get("lessons", []):
        lesson.stop()


def _forget() -> None:
    _stop()
    st.session_state["lessons"] = []


def _before_the_first(scene: Scene, rules: TeachRules) -> None:
    """The scene, still to be changed, with the anchors that will learn from it."""
    picture, words = st.columns((3, 2), gap="medium")
    anchors = anchor_preset(ANCHORS).anchors
    with picture:
        show.scene_canvas(
            replace(scene, config=anchors, rule=rules.matching, threshold=0.5, strict=False, anchor=None),
            live=True,
            mode="matching",
            anchors=scenes.anchors_blob_of(anchors),
            hidden_levels=(),
            level_chips=False,
            threshold_slider=False,  # the lesson's own threshold stands
            editable=True,
            max_height_px=HEIGHT_PX - 20,
            key="teach_scene",
            on_event=_take_objects,
        )
    with words:
        if not len(scene.objects.labels):
            st.info("This picture has no objects; draw one with the corner tool above the picture.")
        st.markdown(
            "**Draw, drag or delete objects, then teach.** A network that knows nothing trains on this one "
            "picture, with the code of every other run. Its few anchors that answer for an object are on "
            "the picture now. You will watch what they say:"
        )
        st.markdown(
            "- blue: what they say while they are not sure\n"
            "- green, dashed: kept as a detection, with its score\n"
            "- white: the object; found when a kept box reaches jaccard .90"
        )
        st.caption(
            "Then break a rule and teach again: the two lessons stand side by side. A lesson has anchors and "
            "rules of its own; those in the sidebar are for the other pages."
        )


def _take_objects(events: CanvasEvents) -> None:
    """The anchors are those of the lesson: which one is selected means nothing on other pages."""
    show.take_events(replace(events, changed=events.changed & {"objects", "selected_object"}))


def _stage(scene: Scene, now: Lesson, before: Lesson | None, running: bool) -> None:
    """The lesson as it stands; looked at again and again while it goes on."""
    left, right = st.columns(2, gap="medium")
    with left:
        _watch(scene, now, "This lesson", key="teach_now")
    with right:
        if before is not None:
            _watch(scene, before, "The lesson before", key="teach_before")
            _verdict(before)
        else:
            _verdict(now)
            _curves(now, before)
    with left:
        if before is not None:
            _verdict(now)
    if before is not None:
        _curves(now, before)
    if not running:
        st.button("Change the objects", icon=":material/edit:", on_click=_forget, key="forget_lessons")
    elif now.is_over:
        st.rerun()  # the whole page: its buttons change


def _watch(scene: Scene, lesson: Lesson, title: str, *, key: str) -> None:
    """Which lesson it is, and the picture with the boxes of this moment."""
    from ssd.figures.teaching import look_blob, rule_words

    st.markdown(f"**{title}** · {lesson.name}", help=rule_words(lesson.rules))
    look = lesson.look
    view: dict[str, Any] = {"mode": "matching"}
    if look is not None:
        blob = look_blob(look, class_names=lesson.class_names)
        view = {"mode": "detections", "candidates": blob, "settling": True, "score": 0.5}
    show.scene_canvas(
        scene,
        static=True,
        editable=False,
        selected_anchor=None,
        selected_object=None,
        hidden_classes=(),
        max_height_px=HEIGHT_PX - 60,
        key=key,
        **view,
    )


def _verdict(lesson: Lesson) -> None:
    """Three numbers, then a sentence an object."""
    from ssd.figures.teaching import lesson_sentences

    if lesson.problem:
        show.error_box(lesson.problem)
    if not lesson.reports:
        st.info(_waiting(lesson), icon=":material/hourglass_top:")
        return
    last, look = lesson.reports[-1], lesson.look
    found = "–" if look is None else f"{look.found} of {len(look.best)}"
    show.three_numbers(
        [
            ("step", f"{last.step}", f"Of {lesson.steps} at most; it ends when every object is found."),
            ("found", found, "Objects with a kept box of their class at jaccard .90 or more."),
            ("seconds", f"{last.seconds:.1f}", "In the child process, on one core."),
        ]
    )
    with st.container(gap="xxsmall"):
        show.sentences(lesson_sentences(tuple(lesson.reports), titles=lesson.titles))
    if lesson.is_over and lesson.is_stopped:
        st.caption("Stopped.")


def _waiting(lesson: Lesson) -> str:
    """Why nothing is to be seen yet."""
    if lesson.is_over:
        return "Stopped before it began."
    return lesson.waits_for or "The network wakes up; the first time this takes some seconds …"


def _curves(now: Lesson, before: Lesson | None) -> None:
    """Both losses in one chart."""
    from ssd.figures.teaching import curve_of

    curves = [curve_of(tuple(now.reports), name="this lesson")]
    if before is not None:
        curves.insert(0, curve_of(tuple(before.reports), name="the lesson before"))
    longest = max((curve.steps[-1] for curve in curves if curve.steps), default=0)
    show.chart(
        "lesson_figure",
        curves,
        most_steps=next(end for end in (*AXIS_ENDS, STEPS) if end >= min(longest, STEPS)),
        room="teaching",
        key="teach_curve",
        alt="Loss of each step, on a logarithmic axis",
    )


def _details(scene: Scene, rules: TeachRules) -> None:
    """Why it works, what people believe, and the call behind it."""
    show.details(
        why="""
A step looks at the picture, matches objects and anchors, adds up the loss
$L = (L_{conf} + L_{loc}) / N$ over the $N$ positives and the mined negatives, and moves every weight a little
against its gradient. It is the loop, the matching and the loss of every run of the command line; only network
input (160 pixels) and schedule are small. Every second step the network is asked, as for any prediction.

*Liu et al., SSD, ECCV 2016, equations 1 to 3.*""",
        think="""
**"It knows the object now."** It knows this picture by heart. Without augmentation it does not even know
the picture's mirror image. A detector needs thousands of pictures.

**"Every object teaches."** Only through an anchor that answers for it. An orphan costs nothing when it is
missed, so it is never learned, however long you train.""",
        code=snippets.teach_code(scene, rules=rules),
    )
