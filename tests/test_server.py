"""Who is answered by the running server, and who is not."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator

import psutil
import pytest

from benchmarks.serving import served

pytestmark = pytest.mark.slow
FORBIDDEN, UPGRADED = (400, 403), (101,)


@pytest.fixture(scope="module")
def port(tmp_path_factory) -> Iterator[int]:
    """The port of a server that runs with the project's settings."""
    folder = tmp_path_factory.mktemp("server")
    script = folder / "page.py"
    script.write_text(
        "import streamlit as st\nfrom pages.shared import privacy\nprivacy.protect()\nst.title('x')\n"
    )
    with served(str(script), log=folder / "server.log") as server:
        yield server.port


def status(
    port: int, *, path: str, host: str, headers: dict[str, str] | None = None, method: str = "GET"
) -> int:
    """The status of a request that names whatever host it likes."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    with socket.create_connection(("localhost", port), timeout=20) as wire:
        wire.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return int(wire.recv(200).split()[1])


def knock(port: int, *, host: str, origin: str | None = None) -> int:
    """Try to open the channel of a page."""
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(),
    }
    return status(
        port, path="/_stcore/stream", host=host, headers=headers | ({"Origin": origin} if origin else {})
    )


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_a_page_of_our_own_is_answered(port, name):
    assert knock(port, host=f"{name}:{port}", origin=f"http://{name}:{port}") in UPGRADED


def test_a_foreign_page_is_not_answered(port):
    assert knock(port, host=f"localhost:{port}", origin="http://evil.example") in FORBIDDEN


def test_a_foreign_name_that_points_here_is_not_answered(port):
    assert knock(port, host=f"evil.example:{port}", origin=f"http://evil.example:{port}") in FORBIDDEN


def test_an_upload_without_a_session_is_refused(port):
    refused = status(
        port,
        path="/_stcore/upload_file/nobody/made-up",
        host=f"localhost:{port}",
        headers={"Content-Length": "0"},
        method="PUT",
    )

    assert refused in (400, 403)


@pytest.mark.parametrize("path", ["/_stcore/agent/interact", "/media/made-up.png"])
def test_what_is_switched_off_or_unknown_gives_nothing(port, path):
    assert status(port, path=path, host=f"localhost:{port}") in (403, 404, 405)


def test_the_server_listens_on_this_machine_only(port):
    listening = [
        c.laddr.ip for c in psutil.net_connections("tcp") if c.status == "LISTEN" and c.laddr.port == port
    ]

    assert set(listening) <= {"127.0.0.1", "::1"}
    assert listening
