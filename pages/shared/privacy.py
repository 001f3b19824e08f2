"""What a visitor brings stays in memory, on this machine, and goes within a minute of the tab.

Streamlit by itself keeps a left session until the next visitor leaves (on a quiet server: for
good), a file that was made for a download until two more pages have run, writes camera shots above
1 MiB to a temporary file, and asks the internet for our own address when a foreign page knocks. Each
has its function here.
"""

from __future__ import annotations

import gc
import sys
import threading
import time
import types
from functools import cache

from starlette.formparsers import MultiPartParser
from streamlit import net_util, runtime

from ssd.limits import MAX_PICTURE_BYTES

KEEP_S = 25.0  # of a left session: long enough for a reload or a network that hiccups
EVERY_S = 5.0


def protect() -> None:
    """Everything below; called with every run, it does its work once."""
    keep_off_disk()
    ask_nobody()
    watch()


def keep_off_disk() -> None:
    """Hold what the camera sends in memory."""
    MultiPartParser.spool_max_size = 2 * MAX_PICTURE_BYTES


def ask_nobody() -> None:
    """Answer the question for our address outside, so that no foreign page can make us ask it."""
    net_util._external_ip = ""


@cache
def watch() -> threading.Thread | None:
    """Start looking after left sessions; once for each server, not at all without one."""
    if not runtime.exists():
        return None
    thread = threading.Thread(target=_keep_watching, args=(runtime.get_instance(),), daemon=True)
    thread.start()
    return thread


def _keep_watching(server: runtime.Runtime) -> None:
    """Hand every look to the server's own thread: sessions may be closed nowhere else."""
    left_since: dict[str, float] = {}
    while runtime.exists():
        time.sleep(EVERY_S)
        loop = server._get_async_objs().eventloop
        loop.call_soon_threadsafe(close_left, server, left_since)
        loop.call_soon_threadsafe(drop_downloads, server)


def drop_downloads(server: runtime.Runtime) -> None:
    """Let go of files that were made for a download: one look marks them, the next one drops them.

    Streamlit looks only when somebody's page has run, so the last file of a quiet server would stay.
    """
    server.media_file_mgr.remove_orphaned_files()


def close_left(server: runtime.Runtime, left_since: dict[str, float]) -> None:
    """Shut down every session that was left ``KEEP_S`` seconds ago; remember the others."""
    sessions, now = server._session_mgr, time.monotonic()
    active = {info.session.id for info in sessions.list_active_sessions()}
    left = {
        info.session.id: info.session for info in sessions.list_sessions() if info.session.id not in active
    }
    for gone in left_since.keys() - left.keys():
        del left_since[gone]
    overdue = [name for name in left if now - left_since.setdefault(name, now) >= KEEP_S]
    for name in overdue:
        left[name].session_state.clear()  # the server's loop may hold on to the closed session itself
        server.close_session(name)
    if overdue:
        sys.modules["__main__"] = types.ModuleType("__main__")  # it held the variables of the last page run
        gc.collect()  # cheap after the warm-up's freeze; what a page leaves is full of circles
