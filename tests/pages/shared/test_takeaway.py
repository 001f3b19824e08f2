"""The Download of a page: made when it is asked for, honest about whose picture it is."""

from __future__ import annotations

import io

import pytest
import torch
from PIL import Image

from pages.shared import takeaway
from pages.shared.scene import OwnPicture
from ssd.figures.takeaway_words import DRAWN_HERE, PRIVACY
from tests.figures.test_takeaway import Elements
from tests.pages.reading import texts


@pytest.fixture
def made(monkeypatch):
    """What the page hands to its button, call by call."""
    offered, button = [], takeaway.st.download_button

    def offer(*words, **rest):
        offered.append((words, rest))
        return button(*words, **rest)

    monkeypatch.setattr(takeaway.st, "download_button", offer)
    return offered


def opened(app):
    """The page with its Download open."""
    app.session_state["offers"] = True
    return app.run()


@pytest.mark.slow
@pytest.mark.parametrize("page", ["anchors", "matching", "assignment"])
def test_a_file_is_made_when_it_is_asked_for_and_not_before(open_page, made, monkeypatch, page):
    from ssd.figures import takeaway as maker

    real = maker.lesson_file
    monkeypatch.setattr(maker, "lesson_file", lambda *_, **__: pytest.fail("nobody asked for the file"))
    app = opened(open_page(page, source="lesson scenes"))
    monkeypatch.setattr(maker, "lesson_file", real)
    (_, make), rest = made[-1]
    file = Elements(make().decode())

    assert app.exception == []
    assert rest["file_name"] == f"{page}-dog-and-ball.html"
    assert file.data()["light"]["mode"] == page
    assert DRAWN_HERE in " ".join(file.words)
    assert PRIVACY not in texts(app) + " ".join(file.words)


@pytest.mark.slow
def test_a_picture_of_the_visitor_is_told_to_travel_with_the_file(open_page, made):
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "CameraMaker"
    picture = torch.randint(0, 255, (60, 90, 3), dtype=torch.uint8).numpy()
    Image.fromarray(picture).save(buffer, "JPEG", exif=exif)
    app = open_page("matching", source="upload")
    app.session_state["own"] = {"upload": (OwnPicture("<img src=x>.jpg", buffer.getvalue()),)}
    app = opened(app)
    (_, make), rest = made[-1]
    file = Elements(make().decode())

    assert PRIVACY in texts(app)
    assert PRIVACY in "".join(file.words)
    assert rest["file_name"] == "matching-img-src-x-jpg.html"
    assert file.of("img") == []
    assert "<img src=x>.jpg" in " ".join(file.words)


@pytest.mark.parametrize(("predict", "offers"), [("true", 0), ("false", 1)])
def test_no_file_is_offered_while_the_answer_is_hidden(open_page, predict, offers):
    app = opened(open_page("matching", source="lesson scenes", lesson="orphan pair", predict=predict))

    assert ("Who gets it" in texts(app)) == (predict == "true")
    assert len([each for each in app.expander if each.label == "Download"]) == offers
