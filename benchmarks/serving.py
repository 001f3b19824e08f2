"""A server of our own and a browser, for benchmarks and browser tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 180
STOP_SECONDS = 10


def chromium_path() -> str | None:
    """Where Chromium lies: the environment says so, or the usual places."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("SSD_CHROMIUM") or next(
        (path for name in names if (path := shutil.which(name))), None
    )


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Server:
    """A Streamlit script on a port of its own; it can be stopped and started again there.

    Attributes:
        script: that runs.
        log: where it writes what it has to say.
        environment: beside the one of this process.
        port: that it listens on.
        launched: when its process was started.
    """

    script: str
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    launched: float = 0.0
    process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        """Launch it and wait until it answers; ``RuntimeError`` with the end of its log where it does not."""
        command = [sys.executable, "-m", "streamlit", "run", self.script]
        command += ["--server.headless=true", f"--server.port={self.port}"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **self.environment}
        self.launched = time.perf_counter()
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
        while not self.is_up():
            if self.process.poll() is not None or time.perf_counter() - self.launched > START_SECONDS:
                said = self.log.read_text(errors="replace")[-2000:]
                self.stop()
                raise RuntimeError(f"the server did not start: {said}")
            time.sleep(0.05)

    def is_up(self) -> bool:
        """Whether it answers."""
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        """End its process."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


@contextmanager
def served(
    script: str = "app.py", *, log: Path | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """A fresh server, as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(script, log or Path(folder) / "server.log", environment or {})
        try:
            server.start()
            yield server
        finally:
            server.stop()
