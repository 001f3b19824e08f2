"""Assertions that wait: a page is built piece by piece."""

from __future__ import annotations


def expect(locator):
    """Playwright's own; imported late, so that a machine without a browser can collect the tests."""
    from playwright.sync_api import expect as wait

    wait.set_options(timeout=30_000)
    return wait(locator)


def still(tab) -> None:
    """Wait until no script runs."""
    tab.wait_for_timeout(250)
    tab.wait_for_selector("[data-testid=stStatusWidget]", state="detached")
    tab.wait_for_timeout(150)
