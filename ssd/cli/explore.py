"""``explore``: the pages in the browser, opened on a data set of this machine."""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ssd.cli.parsing import Command, suggestion, whole_number
from ssd.errors import CheckpointError, ConfigError, ResourceError

__all__ = ["EXPLORE", "page_address"]

PAGE = "your_data"
_PROJECT = Path(__file__).resolve().parents[2]
_FIRST_PORT, _PORTS = 8501, 100  # Streamlit's own, and how many more are tried
_START_SECONDS, _STOP_SECONDS = 120.0, 10.0
_TAKEN = ("synthetic", "lesson scenes", "photographs", "upload", "camera")  # sources of the pages


def _add_explore(parser: argparse.ArgumentParser) -> None:
    """Options of ``explore``."""
    parser.add_argument("data", type=Path, metavar="DIR", help="a data set; it is read, never written")
    parser.add_argument(
        "--model", metavar="M", help="a shipped model, or one of torchvision's that was fetched"
    )
    parser.add_argument(
        "--port", type=whole_number, metavar="P", help="of the server (the first free from 8501)"
    )
    parser.add_argument("--no-browser", action="store_true", help="only print the address")


def _run_explore(options: argparse.Namespace) -> int:
    """Serve the pages until Ctrl-C."""
    from ssd.data.layouts import find_layout

    find_layout(options.data)
    model = None if options.model is None else _known_model(options.model)
    if not (_PROJECT / "app.py").is_file():
        raise ConfigError("explore needs app.py beside the package; run it in a checkout of the project.")
    port = _free_port() if options.port is None else options.port
    with _offered(options.data) as root, _served(root, port) as server:
        address = page_address(port, source=next(root.iterdir()).name, model=model)
        print(f"{options.data} is open at {address} (Ctrl-C ends it)", flush=True)
        if not options.no_browser:
            webbrowser.open(address)
        server.wait()  # until Ctrl-C or SIGTERM
    raise ResourceError("The server has ended; `streamlit run app.py` shows what it says.")


def page_address(port: int, *, source: str, model: str | None = None) -> str:
    """The link to the page; it names the data set, never its path.

    Args:
        port: of the server on this machine.
        source: name of the data set.
        model: name of the model, where one was asked for.

    Returns:
        An address.

    Example:
        >>> page_address(8501, source="my cells", model="bccd")
        'http://localhost:8501/your_data?source=my+cells&model=bccd'
    """
    asked = {"source": source, **({} if model is None else {"model": model})}
    return f"http://localhost:{port}/{PAGE}?{urllib.parse.urlencode(asked)}"


def _known_model(name: str) -> str:
    """A model that the pages offer by name."""
    from ssd.checkpoints import TORCHVISION_NAMES, model_names

    known = (*model_names(), *TORCHVISION_NAMES)
    if name not in known:
        raise CheckpointError(
            f"There is no model {name[:80]!r}{suggestion(name, known)}; models: {', '.join(known)}."
        )
    return name


@contextmanager
def _offered(data: Path) -> Iterator[Path]:
    """A root that holds this one data set, so that the pages offer nothing that lies beside it."""
    path = data.resolve()
    usable = path.name.isprintable() and path.name and path.name not in _TAKEN
    with tempfile.TemporaryDirectory(prefix="ssd-explore-") as folder:
        root = Path(folder)
        (root / (path.name if usable else "data")).symlink_to(path, target_is_directory=path.is_dir())
        yield root


@contextmanager
def _served(root: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The server, for as long as the block lasts."""
    if not _is_free(port):
        raise ResourceError(f"Port {port} is in use on this machine; give another --port.")
    roots = [str(root), *filter(None, [os.environ.get("SSD_DATA_ROOTS")])]
    presets = [str(_PROJECT / "presets"), str(Path("presets").resolve())]
    environment = {"SSD_PRESET_ROOTS": os.pathsep.join(presets), **os.environ}
    environment["SSD_DATA_ROOTS"] = os.pathsep.join(roots)
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"]
    process = subprocess.Popen(
        [*command, "--server.headless=true"], cwd=_PROJECT, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        _wait_until_up(process, port)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_up(process: subprocess.Popen[bytes], port: int) -> None:
    """Return when the server answers."""
    deadline = time.monotonic() + _START_SECONDS
    while not _is_up(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise ResourceError("The server did not start; `streamlit run app.py` shows what it says.")
        time.sleep(0.2)


def _is_up(port: int) -> bool:
    """Whether the server answers."""
    try:
        with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _free_port() -> int:
    """The first port that nobody listens on."""
    for port in range(_FIRST_PORT, _FIRST_PORT + _PORTS):
        if _is_free(port):
            return port
    raise ResourceError(f"No port from {_FIRST_PORT} on is free on this machine; give one with --port.")


def _is_free(port: int) -> bool:
    """Whether nobody listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


EXPLORE = Command(
    "explore",
    "open the explorer in the browser on a data set",
    _add_explore,
    _run_explore,
)
