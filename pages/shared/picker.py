"""The sidebar: which scene, which anchors, which matching rule."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.shared import back, sources, state
from pages.shared import scene as scenes
from pages.shared.ahead import is_strict
from pages.shared.picture_drop import DroppedPicture, picture_drop
from pages.shared.scene import CUSTOM, DEFAULTS, THRESHOLDS, OwnPicture
from pages.shared.sources import CAMERA, LESSONS, NAMED, NUMBERED, OWN, SYNTHETIC, UPLOAD
from pages.shared.tours import STEPS
from ssd.config import MATCHING_RULES, anchor_preset, anchor_preset_names
from ssd.errors import SSDError
from ssd.limits import MAX_UPLOADS

NOUNS = {"source": "source", "anchors": "preset of anchors", "rule": "matching rule"}
RANGES = {
    "threshold": ("match threshold", *THRESHOLDS),
    "nms": ("NMS threshold", 0.05, 0.95),
    "topk": ("top-k", 1, 1000),
}
USUAL = "usual"  # says in a link that a lesson scene's own settings were changed to the usual ones


def draw_sidebar() -> None:
    """Everything that all pages share; ``scene.current`` reads it."""
    st.session_state.update(app_ran=True, page_part=False)
    if "visited" not in st.session_state:
        _first_visit()
    arrived = back.is_arrival()
    if back.is_step():
        _step_back()
    elif arrived:
        back.take_up()
    state.read_link()
    if "tour" in st.query_params:
        _take_step(st.query_params["tour"])
        del st.query_params["tour"]
    if "open" in st.query_params:
        _open(st.query_params["open"])
        del st.query_params["open"]
    with st.sidebar:
        source = st.selectbox(
            "Scene", sources.source_names(), key="source", bind="query-params", on_change=_scene_changed
        )
        _pick_within(source)
        st.session_state["thumbnail_slot"] = st.container(key="thumbnail")
        _pick_settings()
    if source == CAMERA:
        _camera()


def _step_back() -> None:
    """What the address does not say: the page's own widgets, and what a lesson scene brings along."""
    source = st.query_params.get("source")
    if source in NAMED:
        _check_name(source)
    if back.take_up() or source == LESSONS:
        st.rerun()


def _take_step(name: str) -> None:
    """Where a step of a tour leads; before any widget is drawn, so that they all follow."""
    step = STEPS.get(name)
    if step is None:
        state.note("This link asks for a tour that is not here.")
    else:
        state.forget(state.KEYS)
        go_to(step.source, step.which, **step.settings)


def open_link(source: str, number: int) -> dict[str, str]:
    """The part of a link that leads to a numbered scene, whatever is open now."""
    return {"open": f"{source}!{number}"}


def _open(text: str) -> None:
    """The scene that a link of ``open_link`` leads to; before any widget is drawn."""
    source, _, number = text.rpartition("!")
    known = source in sources.source_names() and source not in (*NAMED, *OWN)
    if known and number.isascii() and number.isdigit() and 1 <= int(number[:9]) <= last_number(source):
        go_to(source, int(number[:9]), **_settings_of_link())
    else:
        state.note("This link opens a picture that is not here.")


def _settings_of_link() -> dict[str, Any]:
    """Anchors, rule and threshold that a link within the pages brings along."""
    offered = {"anchors": anchor_choices(), "rule": MATCHING_RULES}
    found: dict[str, Any] = {}
    for key, options in offered.items():
        if (asked := st.query_params.get(key)) in options:
            found[key] = asked
    if "threshold" in st.query_params and _is_between(st.query_params["threshold"], *THRESHOLDS):
        found["threshold"] = float(st.query_params["threshold"])
    return found


def _pick_within(source: str) -> None:
    """Name or number of the scene, with the way to the one before and after it."""
    if source in OWN:
        _own_input(source)
    if source in NAMED:
        st.selectbox(
            "Which",
            sources.scene_names(source),
            key=NAMED[source],
            bind="query-params",
            on_change=_scene_changed,
        )
    elif (last := last_number(source)) > 1:
        key = number_key(source)
        st.number_input(
            f"Number, 1–{last:,}",
            1,
            last,
            sources.first_number(source),
            key=key,
            bind="query-params",
            on_change=_scene_changed,
        )


def _own_input(source: str) -> None:
    """Drop zone; refusals in words. The camera stands above the page."""
    if source == UPLOAD:
        picture_drop(key="drop", on_drop=take_drop)
    for message in st.session_state.get("refusals", ()):
        with st.container(border=True):
            st.text(f"⚠ {message}")
            st.caption("Nothing changed: what was on the screen before is still there.")
    if not scenes.own_pictures(source):
        st.caption("Your picture stays in this tab: it is not stored, and it does not travel with a link.")


def _camera() -> None:
    """The camera above the page: a shot has as many pixels as its view is wide, 240 in the sidebar."""
    number = st.session_state.setdefault("shots", 0)
    with st.expander("Camera", icon=":material/photo_camera:", expanded=not scenes.own_pictures(CAMERA)):
        st.camera_input("Take a picture", key=f"camera_{number}", on_change=_take_shot, width=640)


def _pick_settings() -> None:
    """Anchors, matching rule and threshold."""
    st.selectbox("Anchors", anchor_choices(), key="anchors", bind="query-params", on_change=_anchors_changed)
    only_page = state.rerun_page
    st.selectbox("Matching rule", MATCHING_RULES, key="rule", bind="query-params", on_change=only_page)
    st.slider(
        "Match threshold",
        *THRESHOLDS,
        DEFAULTS["threshold"],
        0.01,
        key="threshold",
        bind="query-params",
        on_change=only_page,
    )
    st.toggle(
        "Strictly greater",
        key="strict",
        bind="query-params",
        on_change=only_page,
        help="The lesson asks for a jaccard above the threshold, the paper for at least the threshold.",
    )


def mark_usual_settings() -> None:
    """Usual values are left out of a link, so a lesson scene's own would come back: say it must not."""
    source, which = scenes.picked()
    usual = False
    if source == LESSONS:
        asked = scenes.load(source, which).settings
        usual = any(asked[key] != value == st.session_state[key] for key, value in DEFAULTS.items())
    state.keep("settings", USUAL if usual else None)


def mark_which() -> None:
    """A picker that a button filled before it stood is not in the link by itself: name its scene there."""
    source, which = scenes.picked()
    key = NAMED.get(source) or number_key(source)
    usual = sources.scene_names(source)[0] if source in NAMED else sources.first_number(source)
    state.keep("which", str(which) if which != usual and key not in st.query_params else None)


def number_key(source: str) -> str:
    """Key of the number of a source's scenes."""
    return NUMBERED.get(source, "image")


def last_number(source: str) -> int:
    """How many scenes a numbered source has."""
    if source == SYNTHETIC:
        return sources.LAST_SEED
    if source in OWN:
        return len(scenes.own_pictures(source))
    try:
        return len(scenes.open_folder(source))
    except SSDError:
        return 0  # scene.current says why


def is_alone() -> bool:
    """Whether there is no other picture in the source to step to."""
    source, _ = scenes.picked()
    return (len(sources.scene_names(source)) if source in NAMED else last_number(source)) <= 1


def step(by: int) -> None:
    """To the next scene or the one before; in a callback only."""
    source, which = scenes.picked()
    if source in NAMED:
        names = sources.scene_names(source)
        st.session_state[NAMED[source]] = names[(names.index(str(which)) + by) % len(names)]
    else:
        last = max(last_number(source), 1)
        st.session_state[number_key(source)] = (int(which) - 1 + by) % last + 1
    _scene_changed()


def go_to(source: str, which: str | int, **settings: Any) -> None:
    """To one scene, with its own settings or others; in a callback only."""
    st.session_state["source"] = source
    st.session_state[NAMED.get(source, number_key(source))] = which
    _scene_changed()
    for key, value in settings.items():
        st.session_state[key] = value


def _scene_changed() -> None:
    """A lesson scene brings its settings; leaving it brings back the usual ones."""
    source, which = _picked_with_defaults()
    was_lesson = st.session_state.get("settings_of") == LESSONS
    if source == LESSONS:
        st.session_state.update(scenes.load(source, which).settings)
    elif was_lesson:
        st.session_state.update(DEFAULTS)
    st.session_state["settings_of"] = source


def _picked_with_defaults() -> tuple[str, str | int]:
    """What is picked; right after the source changed its picker has no value yet."""
    source = st.session_state["source"]
    if source in NAMED and st.session_state.get(NAMED[source]) is None:
        return source, sources.scene_names(source)[0]
    return scenes.picked()


def _anchors_changed() -> None:
    """A preset brings the threshold of its source; an anchor of another one is selected no longer."""
    state.forget(["anchor"])
    name, before = st.session_state["anchors"], _threshold_and_strict()
    if name != CUSTOM:
        preset = anchor_preset(name)
        st.session_state.update(threshold=preset.threshold, strict=is_strict(preset))
    if _threshold_and_strict() == before:  # else the sidebar must show what changed
        state.rerun_page()


def _threshold_and_strict() -> tuple[float, bool]:
    return st.session_state["threshold"], st.session_state["strict"]


def anchor_choices() -> tuple[str, ...]:
    """The presets, those in files, and the knobs."""
    return (*anchor_preset_names(), CUSTOM)


def take_drop(dropped: DroppedPicture) -> None:
    """A picture was dropped: take it, or say why not; several come one after the other."""
    _take_own(UPLOAD, dropped.name, dropped.content, refusal=dropped.refusal, first=dropped.position == 1)


def _take_shot() -> None:
    """A picture was taken; a new key makes Streamlit let go of its copy."""
    shot = st.session_state.get(f"camera_{st.session_state['shots']}")
    if shot is not None:
        _take_own(CAMERA, "camera.jpg", shot.getvalue(), refusal="", first=True)
        st.session_state["shots"] += 1


def _take_own(source: str, name: str, content: bytes, *, refusal: str, first: bool) -> None:
    """Keep a picture that passes the door behind the earlier ones, and show the first of its kind.

    Beyond ``MAX_UPLOADS`` the oldest goes.
    """
    refusals = [] if first else st.session_state.get("refusals", [])
    together = 0 if first else st.session_state.get("taken_together", 0)
    try:
        if refusal:
            raise_refusal(name, refusal)
        sources.load_own(content, name)
        pictures = (*scenes.own_pictures(source), OwnPicture(name, content))[-MAX_UPLOADS:]
        together += 1
        scenes.keep_own_pictures(source, pictures)
        st.session_state[number_key(source)] = len(pictures) - together + 1
    except SSDError as error:
        refusals = [*refusals, str(error)]
    st.session_state.update(refusals=refusals, taken_together=together)


def raise_refusal(name: str, refusal: str) -> None:
    """A refusal of the browser, as the door would say it."""
    from ssd.data.images import shown_name
    from ssd.errors import DataError

    raise DataError(f"{shown_name(name)}: {refusal}")


def _first_visit() -> None:
    """Check what the link asks of the widgets, so that nothing is swallowed in silence."""
    st.session_state["visited"] = True
    offered = {"source": sources.source_names(), "anchors": anchor_choices(), "rule": MATCHING_RULES}
    for key, options in offered.items():
        asked = st.query_params.get(key) or st.query_params.get("which")
        if asked is not None and asked not in options:
            state.note(f"This link asks for a {NOUNS[key]} that is not here; the usual one stands in.")
    for key, (noun, low, high) in RANGES.items():
        if not _is_between(st.query_params.get(key, str(low)), low, high):
            state.note(f"This link asks for a {noun} outside {low:g}–{high:g}; the usual one stands in.")
    source = st.query_params.get("source", SYNTHETIC)
    if source in OWN:
        state.note("This link was made on a picture of its owner, which does not travel. Use one of yours.")
    if source in NAMED:
        _check_name(source)
    elif source in offered["source"] and source not in OWN:
        _check_number(source)


def _is_between(text: str, low: float, high: float) -> bool:
    """Whether a text is a number of that range; nan is not."""
    try:
        return low <= float(text[:20]) <= high
    except ValueError:
        return False


def _check_name(source: str) -> None:
    """A known scene brings its settings where the link has none."""
    names = sources.scene_names(source)
    asked = st.query_params.get(NAMED[source]) or st.query_params.get("which", names[0])
    if asked in names and NAMED[source] not in st.query_params:
        st.session_state[NAMED[source]] = asked
    if asked not in names:
        state.note("This link asks for a scene that is not here; the first one stands in.")
    if source == LESSONS:
        settings = scenes.load(source, asked if asked in names else names[0]).settings
        if st.query_params.get("settings") != USUAL:
            st.session_state.update({k: v for k, v in settings.items() if k not in st.query_params})
    st.session_state["settings_of"] = source


def _check_number(source: str) -> None:
    """A number out of range becomes the nearest."""
    key, last = number_key(source), last_number(source)
    asked = st.query_params.get(key) or st.query_params.get("which")
    if asked is None:
        return
    if asked.isascii() and asked.isdigit() and 1 <= int(asked[:9]) <= last:
        if key not in st.query_params:
            st.session_state[key] = int(asked)
        return
    try:
        nearest = min(max(int(float(asked[:20])), 1), max(last, 1))
    except (ValueError, OverflowError):
        nearest = 1
    st.session_state[key] = nearest
    state.note(f"This link asks for a number outside 1–{last:,}; the nearest, {nearest:,}, stands in.")
