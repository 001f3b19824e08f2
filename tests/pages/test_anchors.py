"""The Anchors page: what a cell can see, for the network of every preset."""

from __future__ import annotations

import pytest

from tests.pages.reading import texts


@pytest.mark.parametrize(
    ("preset", "words"),
    [
        ("ssd300-voc", "can depend on"),
        ("ssdlite320-coco", "squeeze-and-excitation adds the average of all"),
        ("wide320", "can depend on"),
    ],
)
def test_the_receptive_field_of_a_presets_network_is_told(open_page, preset, words):
    said = texts(open_page("anchors", anchors=preset, side="receptive field"))

    assert words in said
    assert "belong to no network" not in said
