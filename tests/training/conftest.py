"""What the tests of training share."""

from __future__ import annotations

import pytest

from ssd.model_presets import MODEL_PRESETS
from tests.training.tiny import PRESETS


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network presets ``tiny`` and ``tiny-128``."""
    for name, preset in PRESETS.items():
        monkeypatch.setitem(MODEL_PRESETS, name, preset)
