"""What the tests of training share."""

from __future__ import annotations

import pytest

from ssd.model_presets import MODEL_PRESETS
from tests.training.tiny import PRESET


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network preset ``tiny``."""
    monkeypatch.setitem(MODEL_PRESETS, "tiny", PRESET)
