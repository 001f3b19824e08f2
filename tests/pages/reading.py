"""What a person reads on a page."""

from __future__ import annotations

import json
from collections.abc import Iterator

from streamlit.testing.v1 import AppTest


def texts(app: AppTest) -> str:
    """Everything on the page that is text, a line each."""
    kinds = (app.title, app.caption, app.text, app.markdown, app.info, app.sidebar.text)
    said = [element.value for kind in kinds for element in kind]
    return "\n".join([*said, *_facts(app)])


def facts(app: AppTest) -> list[dict]:
    """What each element of numbers, sentences and cards holds."""
    found = [json.loads(each.proto.json) for each in app.get("bidi_component") if each.proto.json]
    return [each for each in found if isinstance(each, dict) and "cards" in each]


def _facts(app: AppTest) -> Iterator[str]:
    for each in facts(app):
        yield from (f"{number['label']} {number['value']}" for number in each["numbers"])
        yield from each["lines"]
        for card in each["cards"]:
            yield from (card["title"], *card["lines"])
