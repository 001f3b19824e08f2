"""One door for each kind of outside thing, and nothing that goes round it.

Every pattern is tried on a line that it must catch and on one that it must let through.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Door:
    """A way round a door: where to look, what it looks like, and a line of each kind."""

    pattern: str
    caught: str
    passes: str
    suffixes: tuple[str, ...] = (".py",)
    folders: tuple[str, ...] = ("ssd", "pages", "app.py", "benchmarks")
    allowed: frozenset[str] = field(default_factory=frozenset)  # files that are the door


DOORS: dict[str, Door] = {
    "Image.open without formats=": Door(
        r"\bImage\.open\((?![^()]*(?:\([^()]*\)[^()]*)*formats=)",
        "picture = Image.open(path)",
        "Image.open(io.BytesIO(data), formats=('PNG',))",
    ),
    "a picture opened elsewhere": Door(
        r"\bImage\.open\(|\bimread\(|\bread_image\(|\bdecode_(image|jpeg|png)\(|\bImage\.fromfile\(",
        "Image.open(x, formats=('PNG',))",
        "door.open(path)",
        allowed=frozenset({"ssd/data/images.py"}),
    ),
    "torch.load without weights_only=True": Door(
        r"\btorch\.load\((?![^()]*(?:\([^()]*\)[^()]*)*weights_only=True)",
        "torch.load(file)",
        "torch.load(io.BytesIO(data), map_location='cpu', weights_only=True)",
    ),
    "a checkpoint opened elsewhere": Door(
        r"\btorch\.load\(|\bsafe_open\(|\bsafetensors\b.*\bload\w*\(|\bload_state_dict_from_(url|file)\(",
        "torch.load(file, weights_only=True)",
        "network.load_state_dict(state)",
        allowed=frozenset({"ssd/checkpoints/weights.py", "ssd/checkpoints/states.py"}),
    ),
    "torch.hub": Door(r"\btorch\.hub\b", "torch.hub.load('x', 'y')", "from torch import nn"),
    "XML outside defusedxml": Door(
        r"(?<!defusedxml\.)\bElementTree\s+import\s+\w*(?:parse|fromstring|XMLParser|iterparse)"
        r"|^\s*(?:from|import)\s+(?:xml\.(?:dom|sax(?!\.saxutils)|parsers)|lxml)|^\s*import\s+xml\.etree",
        "from xml.etree.ElementTree import parse",
        "from defusedxml.ElementTree import fromstring",
    ),
    "archives unpacked": Door(
        r"\.extractall\(|\bunpack_archive\(", "tar.extractall(to)", "tar.extractfile(name)"
    ),
    "pickle": Door(
        r"^\s*(?:import|from)\s+(?:pickle|cPickle|dill|cloudpickle|joblib|shelve|marshal)\b|allow_pickle=True",
        "import pickle",
        "# a pickled object is refused",
    ),
    "eval and exec": Door(r"(?<![\w.])(?:eval|exec)\(", "eval(text)", "model.eval()"),
    "a shell": Door(r"shell=True|\bos\.(?:system|popen)\(", "run('ls', shell=True)", "run(['ls'])"),
    "yaml without safe_load": Door(r"\byaml\.(?:unsafe_|full_)?load\(", "yaml.load(f)", "yaml.safe_load(f)"),
    "HTML from text": Door(
        r"unsafe_allow_html|unsafe_allow_javascript|\bst\.html\((?!STYLE\))",  # STYLE: our own sheet
        "st.markdown(x, unsafe_allow_html=True)",
        "st.text(x)",
        folders=("pages", "app.py", "ssd"),
    ),
    "markup from text in the canvas": Door(
        r"\b(?:inner|outer)HTML\b|insertAdjacentHTML|document\.write|\beval\(|new Function\(",
        "node.innerHTML = name",
        "node.textContent = name",
        suffixes=(".js", ".html"),
        folders=("assets",),
    ),
    "a request from the canvas": Door(
        r"\bfetch\(|XMLHttpRequest|\bimport\(|new WebSocket|sendBeacon|@import|url\(\s*['\"]?http",
        "fetch('x')",
        "const batch = boxes.slice()",
        suffixes=(".js", ".css", ".html"),
        folders=("assets",),
    ),
}

# What no text of the repository may name: registries and mirrors, and paths of one machine.
REGISTRY = r"(?:pypi|pythonhosted|download\.pytorch|registry\.npmjs|anaconda|huggingface)\.(?:org|co|com)\b"
MACHINE_PATH = r"(?<![\w.$}/-])/(?:work|root|tmp|home/\w+)(?=/|\b)(?!\w)"
TEXT = {".py", ".md", ".txt", ".toml", ".js", ".css", ".html", ".json", ".yml", ".yaml", ".cfg", ".sh", ""}
MAY_NAME_A_PATH = {"tests/test_doors.py"}


def tracked() -> list[Path]:
    """Every file that git knows here, or that it would add; in an exported copy every file."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    names = listed.stdout.split("\0") if listed.returncode == 0 else []
    paths = [ROOT / name for name in names if name] or [p for p in ROOT.rglob("*") if ".venv" not in p.parts]
    return [path for path in paths if path.is_file()]


TRACKED = tracked()


def name_of(path: Path) -> str:
    """A path as seen from the root."""
    return path.relative_to(ROOT).as_posix()


def hits(pattern: str, text: str) -> list[str]:
    """Every place of a text that a pattern catches, with its line number."""
    found = re.finditer(pattern, text, flags=re.MULTILINE)
    return [f"{text.count(chr(10), 0, hit.start()) + 1}: {hit.group().strip()}" for hit in found]


def inside(name: str, folders: tuple[str, ...]) -> bool:
    """Whether a file lies in one of the folders, or is one of them."""
    return any(name == folder or name.startswith(f"{folder}/") for folder in folders)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_nothing_goes_round_a_door(door):
    round_it = {
        name_of(path): found
        for path in TRACKED
        if path.suffix in door.suffixes
        and inside(name_of(path), door.folders)
        and name_of(path) not in door.allowed
        if (found := hits(door.pattern, path.read_text()))
    }

    assert round_it == {}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_a_way_round_a_door_would_be_seen(door):
    assert hits(door.pattern, door.caught)
    assert hits(door.pattern, door.passes) == []


def text_files() -> list[Path]:
    """Every tracked file that people read."""
    return [path for path in TRACKED if path.suffix in TEXT]


def test_no_text_names_a_registry():
    named = {
        name_of(p): found for p in text_files() if (found := hits(REGISTRY, p.read_text(errors="replace")))
    }

    assert {name: found for name, found in named.items() if name not in MAY_NAME_A_PATH} == {}


def test_no_text_names_a_path_of_one_machine():
    named = {
        name_of(p): found
        for p in text_files()
        if (found := hits(MACHINE_PATH, p.read_text(errors="replace")))
    }

    assert {name: found for name, found in named.items() if name not in MAY_NAME_A_PATH} == {}


@pytest.mark.parametrize(
    "text", ["see /" + "work/main/x", "'/" + "tmp/a'", "cd /" + "root", "/home/ann/data"]
)
def test_a_path_of_one_machine_would_be_seen(text):
    assert hits(MACHINE_PATH, text)


@pytest.mark.parametrize(
    "text", ["docs/work/x", "../shared/data", "tmp_path / 'a'", "$HOME/tmp", "/workspace"]
)
def test_other_paths_are_let_through(text):
    assert hits(MACHINE_PATH, text) == []


def test_the_shared_data_has_left_no_picture_here():
    pictures = [name_of(p) for p in TRACKED if p.suffix.lower() in {".jpg", ".jpeg"}]

    assert pictures == []
