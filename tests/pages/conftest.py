"""Pages without a browser: one app, opened on a page with a link's parts."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


@pytest.fixture
def open_page(root):
    """Open a page as a copied link would; the answer is the AppTest after its first run."""

    def opened(page: str, **link: str) -> AppTest:
        app = AppTest.from_file(str(root / "app.py"), default_timeout=120)
        for key, value in link.items():
            app.query_params[key] = value
        if page != "home":
            app = app.switch_page(f"pages/{page}.py")
        return app.run()

    return opened
