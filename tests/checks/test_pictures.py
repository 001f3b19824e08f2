"""Pictures opened one by one: facts, a second process, and its end."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
from PIL import Image

from ssd.checks import pictures
from ssd.checks.pictures import check_pictures, look_at, serve
from tests.checks.builders import picture_bytes, turned_exif, write_picture


@pytest.fixture
def files(tmp_path):
    for number in range(12):
        write_picture(tmp_path / f"p{number}.png", number)
    return [tmp_path / f"p{number}.png" for number in range(12)]


def test_the_facts_are_those_of_the_upright_picture(tmp_path):
    write_picture(tmp_path / "a.jpg", 1, exif=turned_exif())

    facts = look_at(tmp_path / "a.jpg")

    assert (facts.width, facts.height, facts.turned, facts.format) == (40, 60, True, "JPEG")


def test_a_copy_has_the_same_digest_whatever_its_file_says(tmp_path):
    (tmp_path / "a.png").write_bytes(picture_bytes(1))
    (tmp_path / "b.bmp").write_bytes(picture_bytes(1, kind="BMP"))
    (tmp_path / "c.png").write_bytes(picture_bytes(2))
    (tmp_path / "d.png").write_bytes(picture_bytes(1, width=40, height=60))

    digests = [look_at(tmp_path / name).digest for name in ("a.png", "b.bmp", "c.png", "d.png")]

    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_pictures_of_one_colour_are_copies_only_in_one_size(tmp_path):
    for name, size in {"a": (60, 40), "b": (40, 60), "c": (60, 40)}.items():
        Image.new("RGB", size, "teal").save(tmp_path / f"{name}.png")

    wide, tall, again = (look_at(tmp_path / f"{name}.png").digest for name in "abc")

    assert wide == again != tall


def test_a_file_that_is_no_picture_is_a_problem_and_no_error(tmp_path):
    facts = look_at(tmp_path / "gone.png")

    assert facts.problem.startswith("gone.png: the picture cannot be read")
    assert (facts.width, facts.digest) == (0, "")


def test_the_child_answers_as_this_process_does(files):
    asks = [json.dumps(str(path)).encode() + b"\n" for path in files[:2]]

    ready, *lines = serve(asks)

    assert ready == b"ready\n"
    assert [pictures.PictureFacts(**json.loads(line)) for line in lines] == [look_at(p) for p in files[:2]]


def child_of(monkeypatch, code):
    """Start this Python code instead of the child."""
    started = []
    real = subprocess.Popen

    def launch(command, **more):
        started.append(real([sys.executable, "-c", code], **more))
        return started[-1]

    monkeypatch.setattr(pictures.subprocess, "Popen", launch)
    monkeypatch.setattr(pictures, "_WORTH_A_CHILD", 2)
    return started


ANSWER = "import sys; print('ready', flush=True); line = sys.stdin.readline();"
SAYS = ANSWER + "print('{\"width\": 777}', flush=True)"
DIES = {
    "before it is ready": "raise SystemExit(1)",
    "with a picture in hand": ANSWER + "raise SystemExit(1)",
    "with nonsense": ANSWER + "print('no')",
    "never, and says nothing": ANSWER + "import time; time.sleep(600)",
}


def wait_until(holds):
    """Give another thread a moment."""
    end = time.monotonic() + 60
    while not holds() and time.monotonic() < end:
        time.sleep(0.005)


def wait_for_the_child(monkeypatch):
    """This process looks at nothing before the child has answered once; what it answers is noted."""
    answered = []
    facts, look = pictures.PictureFacts, pictures.look_at

    def note(*args, **more):
        answered.extend([more] if "width" in more else [])  # only an answer is made of keywords
        return facts(*args, **more)

    def look_afterwards(path):
        wait_until(lambda: answered)
        return look(path)

    monkeypatch.setattr(pictures, "PictureFacts", note)
    monkeypatch.setattr(pictures, "look_at", look_afterwards)
    return answered


def test_many_pictures_are_shared_with_a_child_that_is_gone_afterwards(files, monkeypatch):
    started = child_of(monkeypatch, SAYS)
    wait_for_the_child(monkeypatch)

    found = check_pictures(files)

    assert sorted(found) == sorted(files)
    assert sum(each.width == 777 for each in found.values()) == 1
    assert started[0].poll() is not None


@pytest.mark.parametrize("code", DIES.values(), ids=DIES)
def test_what_a_child_leaves_is_read_here(files, monkeypatch, code):
    started = child_of(monkeypatch, code)
    monkeypatch.setattr(pictures, "_PATIENCE_S", 0.1)

    found = check_pictures(files)

    assert sorted(found) == sorted(files)
    assert all(each.width == 60 for each in found.values())
    assert started[0].poll() is not None


def test_a_stop_ends_the_child_too(files, monkeypatch):
    started = child_of(monkeypatch, "import time; time.sleep(600)")

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_pictures(files, progress=stop)

    assert started[0].poll() is not None


@pytest.mark.slow
def test_the_real_child_reads_real_files(files, monkeypatch):
    expected = {path: look_at(path) for path in files}
    monkeypatch.setattr(pictures, "_WORTH_A_CHILD", 2)
    answered = wait_for_the_child(monkeypatch)

    found = check_pictures(files)

    assert answered and found == expected
