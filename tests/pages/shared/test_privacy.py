"""What a visitor brings stays in memory and on this machine, and goes when its time is over."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartParser
from streamlit import net_util
from streamlit.runtime import Runtime
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.media_file_storage import MediaFileStorageError
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.web.server import server_util

from pages.shared import privacy


class Server:
    """The part of Streamlit's runtime that is asked, with sessions by name."""

    def __init__(self, *, active: tuple[str, ...], left: tuple[str, ...]) -> None:
        self.active, self.left = list(active), list(left)
        self.state = {name: {"own": "a picture"} for name in (*active, *left)}
        self._session_mgr = self

    def _infos(self, names: list[str]) -> list[SimpleNamespace]:
        return [
            SimpleNamespace(session=SimpleNamespace(id=name, session_state=self.state[name]))
            for name in names
        ]

    def list_active_sessions(self) -> list[SimpleNamespace]:
        return self._infos(self.active)

    def list_sessions(self) -> list[SimpleNamespace]:
        return self._infos(self.active + self.left)

    def close_session(self, name: str) -> None:
        self.left.remove(name)


@pytest.fixture
def clock(monkeypatch) -> SimpleNamespace:
    """A clock that the test moves."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(privacy.time, "monotonic", lambda: clock.now)
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # put back afterwards
    return clock


@pytest.mark.slow
def test_a_left_session_is_emptied_and_closed_after_its_time(clock):
    server, since = Server(active=(), left=("ann",)), {}

    privacy.close_left(server, since)
    clock.now = privacy.KEEP_S - 0.1
    privacy.close_left(server, since)
    still_there = list(server.left)
    clock.now = privacy.KEEP_S
    privacy.close_left(server, since)

    assert still_there == ["ann"]
    assert server.left == []
    assert server.state["ann"] == {}


def test_an_active_session_stays_however_long_it_lasts(clock):
    server, since = Server(active=("ann",), left=()), {}

    for clock.now in (0.0, 1000.0, 2000.0):
        privacy.close_left(server, since)

    assert server.state["ann"] == {"own": "a picture"}


def test_the_time_starts_anew_for_a_session_that_came_back(clock):
    server, since = Server(active=(), left=("ann",)), {}
    privacy.close_left(server, since)
    server.active, server.left, clock.now = ["ann"], [], 20.0
    privacy.close_left(server, since)
    server.active, server.left, clock.now = [], ["ann"], 30.0

    privacy.close_left(server, since)

    assert server.left == ["ann"]


def test_the_variables_of_the_last_page_run_go_too(clock):
    sys.modules["__main__"].picture_of_the_test = "a picture"
    server, since = Server(active=(), left=("ann",)), {"ann": -100.0}
    was = sys.modules["__main__"]

    privacy.close_left(server, since)

    assert not hasattr(sys.modules["__main__"], "picture_of_the_test")
    del was.picture_of_the_test


def test_a_file_that_was_made_for_a_download_goes_though_no_page_runs():
    storage = MemoryMediaFileStorage("/media")
    server = SimpleNamespace(media_file_mgr=MediaFileManager(storage=storage))
    button = server.media_file_mgr.add_deferred(lambda: b"my picture", "text/html", "0", "lesson.html")
    address = server.media_file_mgr.execute_deferred(button)

    privacy.drop_downloads(server)
    fetched = storage.get_file(address.rsplit("/", 1)[1]).content
    privacy.drop_downloads(server)

    assert fetched == b"my picture"  # the browser has at least one look's time
    with pytest.raises(MediaFileStorageError):
        storage.get_file(address.rsplit("/", 1)[1])
    assert server.media_file_mgr.execute_deferred(button)  # the button of the page that is open still works


def test_a_button_goes_with_its_session():
    manager = MediaFileManager(storage=MemoryMediaFileStorage("/media"))
    button = manager.add_deferred(lambda: b"my picture", "text/html", "0", "lesson.html")
    session = next(iter(manager._files_by_session_and_coord))

    manager.clear_session_refs(session)
    privacy.drop_downloads(SimpleNamespace(media_file_mgr=manager))

    with pytest.raises(MediaFileStorageError, match="not found"):
        manager.execute_deferred(button)


def test_without_a_server_nothing_is_watched():
    privacy.watch.cache_clear()

    assert privacy.watch() is None

    privacy.watch.cache_clear()


def uploaded(size: int) -> UploadFile:
    """A file of that size, after it has come through the server's own parser."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="shot.jpg"\r\n\r\n'

    async def body():
        yield head
        for _ in range(size // 100_000):
            yield bytes(100_000)
        yield b"\r\n--x--\r\n"

    parser = MultiPartParser(Headers({"content-type": "multipart/form-data; boundary=x"}), body())
    with ThreadPoolExecutor(1) as own_thread:  # a browser test may have left its event loop in this one
        return own_thread.submit(lambda: asyncio.run(parser.parse())).result()["file"]


def test_a_shot_of_the_full_size_stays_in_memory(monkeypatch):
    monkeypatch.setattr(MultiPartParser, "spool_max_size", 1024 * 1024)  # as starlette ships it

    before = uploaded(10_000_000)
    privacy.keep_off_disk()
    after = uploaded(10_000_000)

    on_disk = [upload.file._rolled for upload in (before, after)]
    for upload in (before, after):
        upload.file.close()
    assert on_disk == [True, False]  # first what the server does by itself
    assert after.size == 10_000_000


def test_a_foreign_page_at_the_door_makes_no_request_leave(monkeypatch):
    asked = []
    monkeypatch.setattr(net_util, "_external_ip", None)
    monkeypatch.setattr(net_util, "_make_blocking_http_get", lambda url, timeout: asked.append(url))
    monkeypatch.setattr(net_util, "get_internal_ip", lambda: None)

    before = server_util.is_url_from_allowed_origins("http://evil.example")
    asked_before, asked[:] = len(asked), []
    privacy.ask_nobody()
    after = server_util.is_url_from_allowed_origins("http://evil.example")

    assert (before, after) == (False, False)
    assert asked_before > 0  # this is what the server does by itself
    assert asked == []


def test_streamlit_still_has_what_the_watch_asks_for():
    assert callable(Runtime._get_async_objs)
    assert callable(Runtime.close_session)


def test_a_session_is_closed_before_streamlit_would_lose_sight_of_it(root):
    import tomllib

    config = tomllib.loads((root / ".streamlit" / "config.toml").read_text())

    assert privacy.KEEP_S + 2 * privacy.EVERY_S < config["server"]["disconnectedSessionTTL"] < 60
