"""What a person reads on a page."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def texts(app: AppTest) -> str:
    """Everything on the page that is text, a line each."""
    kinds = (app.title, app.caption, app.text, app.markdown, app.info, app.sidebar.text)
    return "\n".join(element.value for kind in kinds for element in kind)
