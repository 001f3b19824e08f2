"""Pages without a browser: one app, opened on a page with a link's parts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest


@pytest.fixture(scope="session", autouse=True)
def _no_foreign_components() -> Iterator[None]:
    """Each app would read what every installed package says of itself, most of a test's time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", list)
        yield


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
