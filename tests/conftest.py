"""What every test stands on: shapes checked, warnings fatal, no network, real data where it is there.

``SSD_REQUIRE_ALL=1`` (the continuous integration sets it) turns every skip of a test marked
``browser`` or ``data`` into a failure: there, what such a test needs must be present.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from jaxtyping import config as jaxtyping_config
from jaxtyping import install_import_hook

import tests.checker

ROOT = Path(__file__).parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"
MUST_RUN = ("browser", "data")

# Every annotated shape of the package is checked at every call, in tests only.
install_import_hook("ssd", f"{tests.checker.__name__}.checked")

if "PYTEST_XDIST_WORKER" in os.environ:  # workers beside each other share the cores
    os.environ["OMP_NUM_THREADS"] = "1"  # read when torch is imported
os.environ.setdefault("OMP_NUM_THREADS", str(min(2, os.cpu_count() or 1)))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started with `&` by a script: children would
    signal.signal(signal.SIGINT, signal.default_int_handler)  # inherit deafness to Ctrl-C

_quiet = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}  # a busy machine is no bug
settings.register_profile("local", max_examples=60, **_quiet)
settings.register_profile("ci", max_examples=60, derandomize=True, database=None, **_quiet)
settings.register_profile("quick", max_examples=20, **_quiet)  # what `make test-fast` asks for
settings.register_profile("thorough", max_examples=2000, **_quiet)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "local"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that asks for the shared data is a ``data`` test, said or not; the browser comes last.

    Playwright leaves an event loop in the thread of the tests, which others must not find there.
    """
    for item in items:
        if "shared_data" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.data)
    items.sort(key=lambda item: (ROOT / "tests" / "browser") in item.path.parents)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Workers (``-n 2``) take whole files, in the order above.

    A file keeps its fixtures to itself, and who has come to the browser gets nothing else afterwards.
    """
    from xdist.scheduler import LoadFileScheduling

    config.option.loadscopereorder = False
    return LoadFileScheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Where everything must run, a skip of a browser or data test is a failure."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and must_run({m.name for m in item.iter_markers()}):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"SSD_REQUIRE_ALL forbids this skip. {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    """Where everything must run, no test file may leave itself out either."""
    report = yield
    if report.skipped and must_run(set(MUST_RUN)):
        report.outcome, report.longrepr = "failed", f"SSD_REQUIRE_ALL forbids this skip. {report.longrepr}"
    return report


def must_run(markers: set[str]) -> bool:
    """Whether a test with these markers may not be skipped here."""
    return os.environ.get("SSD_REQUIRE_ALL") == "1" and not markers.isdisjoint(MUST_RUN)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real photographs with boxes, beside the checkout; never a part of it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the folder ../shared/data with real photographs is not here")
    return SHARED_DATA


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


def _is_local(address: object) -> bool:
    """A file socket, or this machine."""
    host = address[0] if isinstance(address, tuple) else None
    return host is None or host in ("localhost", "127.0.0.1", "::1", "0.0.0.0", "::", "")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """A test that reaches for another machine fails; one that asks for ``offline`` sees a dead network."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def refuse(where: object) -> None:
        if "offline" in request.fixturenames:
            raise socket.gaierror(socket.EAI_AGAIN, "no network in tests")
        pytest.fail(f"a test reached for the network: {where}")  # no `except Exception` swallows this

    def guarded_connect(self: socket.socket, address: object) -> object:
        return connect(self, address) if _is_local(address) else refuse(address)

    def guarded_look_up(host: object, *args: object, **kwargs: object) -> object:
        return look_up(host, *args, **kwargs) if _is_local((host,)) else refuse(host)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)


@pytest.fixture
def offline() -> None:
    """In this test every attempt to leave the machine fails as it does without a network."""


@pytest.fixture
def unchecked() -> Iterator[None]:
    """In this test shapes are not checked on the way in, so that the package's own message is seen."""
    jaxtyping_config.update("jaxtyping_disable", True)
    yield
    jaxtyping_config.update("jaxtyping_disable", False)
