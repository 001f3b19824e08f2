"""Many visitors at once: is everybody answered, soon, and with what was asked?

Run it with ``python -m benchmarks.visitors``. Each visitor speaks Streamlit's own protocol with a
real server: opens every page on a scene of its own, drags the match threshold of its own, and reads
every answer: an error on a page, or a scene or threshold that somebody else asked for, is counted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.serving import served

PAGES = ("", "anchors", "matching", "assignment", "detections")
FIRST_SEED = 101  # of the scene of the first visitor
DONE = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)
EARLY = ForwardMsg.FINISHED_EARLY_FOR_RERUN  # the run that answers comes after it
PATIENCE_S = 600.0
OPTIONS = {"subprotocols": ["streamlit"], "max_size": None, "open_timeout": PATIENCE_S, "ping_interval": None}
# What a browser sends back for a widget that nobody touched.
STARTS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "slider": lambda each: {"double_array_value": {"data": each.value if each.set_value else each.default}},
    "selectbox": lambda each: {
        "string_value": each.raw_value if each.set_value else each.options[each.default]
    },
    "number_input": lambda each: {"double_value": each.value if each.set_value else each.default},
    "checkbox": lambda each: {"bool_value": each.value if each.set_value else each.default},
}


@dataclass
class Answer:
    """What came back for one wish.

    Attributes:
        seconds: until the script had ended.
        scenes: every scene that the page named.
        thresholds: every match threshold that a canvas was told.
        errors: what went wrong, in words.
        waited: the place in a line that was shown meanwhile.
        widgets: sidebar and page as a browser would send them back, by label.
        page_hash: what the server calls the page.
    """

    seconds: float = 0.0
    scenes: set[str] = field(default_factory=set)
    thresholds: set[float] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)
    waited: list[str] = field(default_factory=list)
    widgets: dict[str, WidgetState] = field(default_factory=dict)
    page_hash: str = ""


@dataclass
class Outcome:
    """What all visitors met."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    mixed_up: list[str] = field(default_factory=list)
    waited: int = 0


def read_element(element: Any, answer: Answer) -> None:
    """Take down what one element of a page says."""
    kind = element.WhichOneof("type")
    if kind == "exception":
        answer.errors.append(element.exception.message)
    elif kind == "text":
        answer.scenes |= set(re.findall(r"\bshapes-(\d+)\b", element.text.body))
    elif kind in STARTS:
        widget = getattr(element, kind)
        answer.widgets[widget.label] = WidgetState(id=widget.id, **STARTS[kind](widget))
    elif kind == "alert" and "before you" in element.alert.body:
        answer.waited.append(element.alert.body)
    elif kind == "bidi_component" and element.bidi_component.json:
        data = json.loads(element.bidi_component.json)
        if isinstance(data, dict) and data.get("threshold") is not None:
            answer.thresholds.add(data["threshold"])


async def ask(wire: ClientConnection, wish: BackMsg) -> Answer:
    """Send a wish and read until the script has ended."""
    answer, start = Answer(), time.perf_counter()
    await wire.send(wish.SerializeToString())
    async with asyncio.timeout(PATIENCE_S):
        while True:
            message = ForwardMsg.FromString(await wire.recv())
            kind = message.WhichOneof("type")
            if kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                read_element(message.delta.new_element, answer)
            elif kind == "new_session":
                answer.page_hash = message.new_session.page_script_hash
            elif kind == "script_finished" and message.script_finished in DONE:
                break
            elif (
                kind == "script_finished"
                and message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR
            ):
                answer.errors.append("the script could not be compiled")
                break
    answer.seconds = time.perf_counter() - start
    return answer


def page_wish(page: str, seed: int) -> BackMsg:
    """Open a page on a scene."""
    wish = BackMsg()
    wish.rerun_script.query_string = f"seed={seed}"
    wish.rerun_script.page_name = page
    return wish


def threshold_wish(page: Answer, value: float, seed: int) -> BackMsg:
    """Move the match threshold of a page."""
    wish = BackMsg()
    wish.rerun_script.query_string = f"seed={seed}"
    wish.rerun_script.page_script_hash = page.page_hash
    page.widgets["Match threshold"].double_array_value.data[:] = [value]
    wish.rerun_script.widget_states.widgets.extend(page.widgets.values())
    return wish


async def visit(url: str, number: int, outcome: Outcome) -> None:
    """One visitor: every page on a scene of its own, then a threshold of its own on Matching."""
    seed, threshold = (
        FIRST_SEED + number,
        round(0.05 + 0.01 * (number + (number >= 45)), 2),
    )  # not the usual .5
    address = url.replace("http", "ws", 1) + "/_stcore/stream"
    for page in PAGES:  # a tab each, as a copied link opens it
        async with connect(
            address, subprotocols=["streamlit"], max_size=None, open_timeout=PATIENCE_S
        ) as wire:
            answer = await ask(wire, page_wish(page, seed))
            take(outcome, f"open {page or 'home'}", number, answer, scene=str(seed))
            if page == "matching" and not answer.errors:
                moved = await ask(wire, threshold_wish(answer, threshold, seed))
                take(outcome, "move the match threshold", number, moved, threshold=threshold)


def take(
    outcome: Outcome,
    what: str,
    number: int,
    answer: Answer,
    *,
    scene: str | None = None,
    threshold: float | None = None,
) -> None:
    """Judge one answer: no error, and only what this visitor asked for."""
    outcome.seconds.setdefault(what, []).append(answer.seconds)
    outcome.errors += [f"visitor {number}, {what}: {error}" for error in answer.errors]
    outcome.waited += bool(answer.waited)
    if scene is not None and answer.scenes != {scene}:
        outcome.mixed_up.append(f"visitor {number}, {what}: asked for {scene}, got {sorted(answer.scenes)}")
    if threshold is not None and answer.thresholds != {threshold}:
        outcome.mixed_up.append(f"visitor {number}, {what}: asked for {threshold}, got {answer.thresholds}")


async def visit_all(url: str, visitors: int) -> Outcome:
    """All of them at once."""
    outcome = Outcome()
    found = await asyncio.gather(*(visit(url, n, outcome) for n in range(visitors)), return_exceptions=True)
    outcome.errors += [
        f"visitor {n}: {each!r}" for n, each in enumerate(found) if isinstance(each, BaseException)
    ]
    return outcome


def measure(visitors: int) -> Outcome:
    """A fresh server, warmed up by one visit, then everybody at once."""
    with served() as server, ThreadPoolExecutor(1) as own_thread:  # this one may have a loop already
        own_thread.submit(lambda: asyncio.run(visit_all(server.url, 1))).result()
        return own_thread.submit(lambda: asyncio.run(visit_all(server.url, visitors))).result()


def lines(outcome: Outcome) -> Iterator[str]:
    """The report."""
    for what, seconds in outcome.seconds.items():
        p50, p95 = statistics.median(seconds), sorted(seconds)[int(0.95 * (len(seconds) - 1))]
        yield f"{what:<26} {len(seconds):3} times   p50 {p50:6.2f} s   p95 {p95:6.2f} s"
    wrong = f"{len(outcome.errors)} errors, {len(outcome.mixed_up)} mixed up"
    yield f"{outcome.waited} waited in a visible line; {wrong}"
    yield from (*outcome.errors, *outcome.mixed_up)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; 1 where anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=50)
    options = parser.parse_args(arguments)
    load = os.getloadavg()[0]
    print(f"{options.visitors} visitors at once; load average {load:.1f} on {os.cpu_count()} cores")
    outcome = measure(options.visitors)
    print("\n".join(lines(outcome)))
    return 1 if outcome.errors or outcome.mixed_up else 0


if __name__ == "__main__":
    raise SystemExit(main())
