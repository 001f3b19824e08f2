"""What the platform must go on doing for us: its options exist, and nothing heavy is imported early."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from streamlit import config as streamlit_config

from ssd import limits

ROOT = Path(__file__).parent.parent
CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
PLOTLY = "plotly.graph_objs._figure"  # streamlit itself loads the hull around it, in 2 ms
HEAVY = ("torch", "torchvision", PLOTLY, "lightning_fabric", "skimage", "streamlit", "pandas")


def flat(table: dict, prefix: str = "") -> dict[str, object]:
    """``{"server": {"address": x}}`` → ``{"server.address": x}``."""
    found: dict[str, object] = {}
    for key, value in table.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def loaded_after(code: str) -> tuple[set[str], float]:
    """Heavy libraries that are loaded once a fresh Python has run the code, and the seconds it took."""
    script = (
        f"import sys, time; start = time.perf_counter()\n{code}\n"
        "import json; seconds = time.perf_counter() - start\n"
        f"print(json.dumps([[name for name in {HEAVY!r} if name in sys.modules], seconds]))"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    names, seconds = json.loads(run.stdout.splitlines()[-1])
    return set(names), seconds


@pytest.mark.parametrize("option", flat(CONFIG))
def test_the_installed_streamlit_knows_every_option_we_set(option):
    assert option in streamlit_config._config_options_template


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("runner.postScriptGC", False),  # hidden, and worth 160–200 ms of every rerun
        ("server.address", "localhost"),
        ("server.fileWatcherType", "none"),
        ("server.enableStaticServing", False),
        ("server.enableAgentApi", False),
        ("browser.gatherUsageStats", False),
        ("client.showErrorDetails", "none"),
    ],
)
def test_a_setting_that_speed_or_privacy_rests_on_is_set(option, value):
    assert flat(CONFIG)[option] == value


@pytest.mark.slow
def test_streamlit_reads_the_file_and_finds_what_it_says():
    command = "from streamlit import config; print(config.get_option('runner.postScriptGC'))"
    run = subprocess.run(
        [sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert run.stdout.strip() == "False"


def test_the_script_runner_still_asks_for_the_hidden_option():
    from streamlit.runtime.scriptrunner import script_runner

    assert 'get_option("runner.postScriptGC")' in Path(script_runner.__file__).read_text()


def test_the_upload_limit_is_the_limit_of_the_package():
    assert CONFIG["server"]["maxUploadSize"] * 1_000_000 == limits.MAX_PICTURE_BYTES


def test_a_picture_of_the_full_size_fits_through_the_component():
    as_base64 = limits.MAX_PICTURE_BYTES * 4 / 3

    assert as_base64 < CONFIG["server"]["maxWidgetStateSize"] * 1_000_000


def test_a_session_left_alone_goes_within_a_minute():
    assert CONFIG["server"]["disconnectedSessionTTL"] < 60
    assert "\nprivacy.protect()\n" in (ROOT / "app.py").read_text()


def test_only_this_machines_names_are_answered():
    assert set(CONFIG["server"]["allowedHosts"]) == {"localhost", "127.0.0.1", "::1"}


def test_importing_the_package_loads_nothing_heavy():
    heavy, seconds = loaded_after("import ssd, ssd.config, ssd.contract, ssd.errors, ssd.limits")

    assert heavy == set()
    assert seconds < 2


def test_a_public_name_loads_only_when_it_is_used():
    heavy, _ = loaded_after("import ssd; ssd.SelectionConfig")

    assert heavy == set()


def module_level_imports(path: Path) -> list[str]:
    """The import statements that run when the file is loaded."""
    body = ast.parse(path.read_text()).body
    return [ast.unparse(node) for node in body if isinstance(node, ast.Import | ast.ImportFrom)]


@pytest.mark.slow
def test_nothing_heavy_stands_at_the_top_of_the_app():
    heavy, _ = loaded_after("\n".join(module_level_imports(ROOT / "app.py")))

    assert heavy <= {"streamlit", "pandas"}


def test_every_requirement_is_pinned_exactly_and_installed():
    from importlib.metadata import version

    lines = [*(ROOT / "requirements.txt").read_text().splitlines()]
    lines += (ROOT / "requirements-dev.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith(("#", "-r")))

    assert {name: version(name).split("+")[0] for name in pins} == pins


def test_the_continuous_integration_runs_the_command_of_the_readme():
    text = (ROOT / ".ci" / "run").read_text()

    assert "SSD_REQUIRE_ALL=1" in text
    assert text.rstrip().endswith("make lint test")
    assert "make test" in (ROOT / "README.md").read_text()


def dry_run(*arguments: str) -> list[str]:
    """The commands that make would run where nothing is installed yet."""
    command = ["make", "--no-print-directory", "--dry-run", "VENV=nowhere", "PYTHON=python3", *arguments]
    outer = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=outer)
    return answer.stdout.splitlines()


def test_make_app_installs_the_pins_and_opens_the_app():
    commands = dry_run("app")

    assert "nowhere/bin/python -m pip install -r requirements.txt" in commands
    assert commands[-1] == "nowhere/bin/streamlit run app.py"


def test_make_app_takes_torch_and_torchvision_from_the_index_that_was_named():
    commands = dry_run("app", "TORCH_INDEX=some-index")
    first = next(index for index, command in enumerate(commands) if "pip install" in command)

    pair = " ".join(
        line for line in (ROOT / "requirements.txt").read_text().splitlines() if line.startswith("torch")
    )
    assert commands[first] == f"nowhere/bin/python -m pip install --index-url some-index {pair}"
    assert commands[first + 1] == "nowhere/bin/python -m pip install -r requirements.txt"


def test_make_test_runs_everything_and_make_lint_what_is_configured():
    assert dry_run("test")[-1] == "nowhere/bin/python -m pytest -n 2"
    assert dry_run("test", "WORKERS=0")[-1] == "nowhere/bin/python -m pytest -n 0"
    assert dry_run("lint")[-3:] == [
        "nowhere/bin/ruff check",
        "nowhere/bin/ruff format --check",
        "nowhere/bin/mypy",
    ]
