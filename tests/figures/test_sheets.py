"""Pictures beside each other: where each lies, and that it keeps its shape."""

from __future__ import annotations

import pytest
import torch

from ssd.data.images import read_picture
from ssd.errors import ConfigError
from ssd.figures.sheets import contact_sheet

RED, BLUE = (torch.zeros(3, 20, 40, dtype=torch.uint8) for _ in range(2))
RED[0], BLUE[2] = 255, 255


def test_the_second_column_lies_right_of_the_first_and_rows_below_each_other():
    pixels = read_picture(contact_sheet({"a": [RED, BLUE], "b": [BLUE, RED]}), name="sheet.png").pixels

    middles = [(48 + 90 + row * 372, 12 + 180 + column * 372) for row in (0, 1) for column in (0, 1)]
    found = [pixels[:, y, x].tolist() for y, x in middles]
    assert found == [[255, 0, 0], [0, 0, 255], [0, 0, 255], [255, 0, 0]]


def test_a_wide_picture_stays_wide():
    pixels = read_picture(contact_sheet({"a": [RED]}), name="sheet.png").pixels

    assert int((pixels[0] == 255).logical_and(pixels[1] == 0).sum()) == 360 * 180


@pytest.mark.parametrize("columns", [{}, {"a": []}, {"a": [RED], "b": []}], ids=["none", "empty", "uneven"])
def test_a_sheet_without_a_picture_in_every_cell_is_refused(columns):
    with pytest.raises(ConfigError, match="as many pictures"):
        contact_sheet(columns)
