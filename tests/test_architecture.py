"""The floors of the house: who may import whom, and where each file has its place.

The lists at the top are the decision; a new file or a new library is a line here. How the floors
came about: docs/architecture.md.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

# Lowest floor first. A room imports from lower floors and from itself, never sideways.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "limits"),
    ("boxes", "config", "storage", "transfers"),
    ("anchors", "contract", "nms", "ranking"),
    ("coding", "model_presets"),
    ("matching", "detections"),
    ("losses", "metrics", "models", "data"),
    ("checkpoints",),
    ("prediction", "exports"),
    ("diagnosis", "coverage", "checks"),
    ("evaluation",),
    ("training",),
    ("figures",),
    ("cli",),
    ("__main__",),
)

# The files of the rooms that are folders; every other room is one file of its name.
FOLDERS: dict[str, set[str]] = {
    "data": {
        "records",
        "annotations",
        "layouts",
        "paths",
        "picture_headers",
        "images",
        "voc",
        "coco",
        "folders",
        "samples",
        "shapes",
        "synthetic",
        "drawn",
        "lessons",
        "augment",
        "augment_config",
        "augment_views",
        "augment_crop",
        "augment_colours",
        "augment_mixing",
        "augment_report",
        "sample_cache",
        "decimals",
        "json_text",
        "scanned",
        "scan",
        "splits",
        "index",
        "voc_folders",
        "coco_folders",
        "yolo",
        "lesson_tables",
        "written",
        "write_annotations",
        "write_tables",
        "writers",
        "conversion",
        "archives",
        "published",
        "text_lists",
        "object_table",
        "transforms",
    },
    "config": {
        "constants",
        "anchors",
        "coding",
        "presets",
        "selection",
        "pyramid",
        "sides",
        "preset_files",
        "any_preset",
    },
    "checkpoints": {"files", "weights", "states", "downloads", "kept", "backbones"},
    "checks": {
        "records",
        "rules",
        "reading",
        "pictures",
        "child",
        "sentences",
        "objects",
        "classes",
        "copies",
        "doctor",
    },
    "cli": {
        "fit_anchors",
        "explore",
        "check",
        "dispatch",
        "parsing",
        "geometry",
        "coverage",
        "pictures",
        "outputs",
        "detect",
        "train",
        "training_data",
        "training_settings",
        "progress",
        "evaluation_inputs",
        "evaluate",
        "missed",
        "lr_find",
        "lesson",
        "lesson_file",
        "lesson_subjects",
        "fetch",
        "convert",
        "download",
        "summary",
    },
    "matching": {"rules", "assignment"},
    "coverage": {
        "records",
        "matched",
        "sizes",
        "nearest",
        "causes",
        "maps",
        "verdict",
        "groups",
        "fit_score",
        "fit_space",
        "fitting",
    },
    "metrics": {"results", "pairing", "judgement", "curves", "coco", "reports", "confusion"},
    "evaluation": {
        "results",
        "cache",
        "raw",
        "missed",
        "detection_files",
        "truth",
        "compared",
        "handed_over",
    },
    "diagnosis": {"missed", "cover", "wrong", "ladders", "remedies"},
    "losses": {"config", "confidence", "localisation", "mining", "detection", "picture", "curves"},
    "models": {
        "network",
        "outputs",
        "detector",
        "published",
        "small",
        "trunks",
        "lesson",
        "pictures",
        "vgg",
        "summary",
        "receptive",
        "torchvision_ssd",
    },
    "training": {
        "config",
        "presets",
        "schedules",
        "optimisers",
        "setup",
        "objective",
        "evaluate",
        "finder",
        "loader",
        "workers",
        "loop",
        "runs",
        "run_folder",
        "starting",
        "settings",
        "manifest",
        "lock",
        "signals",
        "lab",
        "lab_parts",
        "run_reader",
        "run_curves",
        "run_state",
        "teach",
        "teach_child",
        "teach_job",
        "teach_worker",
        "lesson",
    },
    "figures": {
        "colours",
        "canvas",
        "blobs",
        "canvas_events",
        "canvas_source",
        "sentences",
        "thumbnails",
        "charts",
        "inspector",
        "words",
        "findings",
        "verdicts",
        "verdict_case",
        "verdict_sentences",
        "learning",
        "learning_costs",
        "learning_runs",
        "sheets",
        "takeaway",
        "takeaway_candidates",
        "takeaway_words",
        "results",
        "scene_views",
        "teaching",
        "coverage",
        "doctor",
        "augmentation",
    },
}
PAGES = {"home", "anchors", "matching", "assignment", "learning", "detections", "your_data", "results"}
SHARED = {
    "augment_bench",
    "coverage_view",
    "dataset",
    "doctor_view",
    "fit_view",
    "work",
    "back",
    "your_data",
    "privacy",
    "queue",
    "lessons",
    "teach",
    "loss_lab",
    "results_view",
    "results_doors",
    "judged",
    "kept",
    "gallery",
    "sliders",
    "runs",
    "detector",
    "detections_view",
    "limits",
    "inspector",
    "verdicts",
    "told",
    "strip",
    "tours",
    "knobs",
    "links",
    "picker",
    "picture_drop",
    "snippets",
    "sources",
    "state",
    "scene",
    "canvas",
    "facts",
    "widgets",
    "tabs",
    "show",
    "scene_canvas",
    "explain",
    "takeaway",
    "tables",
    "ahead",
    "anchor_view",
    "match_view",
    "told_view",
}

# Third-party library → rooms that may use it. A library that is not here is a decision to be made.
LIBRARIES: dict[str, set[str]] = {
    "torch": {room for floor in FLOORS for room in floor}
    - {"errors", "limits", "storage", "transfers", "config", "contract", "model_presets", "__main__"},
    "jaxtyping": {room for floor in FLOORS for room in floor} - {"errors", "limits", "__main__"},
    "numpy": {"data", "figures", "exports", "metrics", "coverage", "training", "prediction"},
    "scipy": {"coverage"},
    "PIL": {"data", "figures", "exports"},
    "torchvision": {"nms", "models", "data"},
    "skimage": {"data"},
    "defusedxml": {"data"},
    "safetensors": {"checkpoints"},
    "psutil": {"training"},
    "filelock": {"training"},
    "tomli_w": {"training"},
    "tqdm": {"cli"},
    "faster_coco_eval": {"metrics", "evaluation"},
    "lightning_fabric": {"training"},
    "plotly": {"figures"},
    "streamlit": {"app", "pages"},
    "starlette": {"pages"},  # the server under streamlit: what it writes to disk
}
ONLY_FILE = {
    "skimage": "ssd/data/samples.py",
    "starlette": "pages/shared/privacy.py",
}  # a library that one file of its room may import
LAZY = {
    "torchvision",
    "scipy",
    "skimage",
    "lightning_fabric",
    "faster_coco_eval",
}  # inside functions, except in models
STANDARD = {*sys.stdlib_module_names, "__future__"}
MAX_FILE_LINES, MAX_PAGE_LINES, MAX_PAGE_DEF_LINES = 350, 120, 10

LEVEL = {room: number for number, floor in enumerate(FLOORS) for room in floor}
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Import:
    """One imported module; whether only when a function runs, or only for annotations."""

    module: str
    lazy: bool
    typing: bool
    line: int


def sources(folder: str) -> list[Path]:
    """Every Python file under a folder of the project."""
    return sorted(path for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts)


PACKAGE, UI = sources("ssd"), [*ROOT.glob("app.py"), *sources("pages")]


def relative(path: Path) -> str:
    """The path as the tests' ids and messages show it."""
    return path.relative_to(ROOT).as_posix() if path.is_absolute() else path.as_posix()


def room_of(name: str) -> str:
    """``ssd/data/voc.py`` → data, ``ssd/boxes.py`` → boxes, ``pages/shared/x.py`` → pages."""
    parts = name.removesuffix(".py").split("/")
    return parts[1] if parts[0] == "ssd" else parts[0]


def imports(text: str) -> list[Import]:
    """Every import of a source, wherever it stands."""
    found: list[Import] = []

    def visit(node: ast.AST, lazy: bool, typing: bool) -> None:
        if isinstance(node, ast.Import):
            found.extend(Import(alias.name, lazy, typing, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            names = [f"{base}.{alias.name}" for alias in node.names] if base in ("ssd", "pages") else [base]
            found.extend(Import(name, lazy, typing, node.lineno) for name in names)
        lazy = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        typing = typing or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        for child in ast.iter_child_nodes(node):
            visit(child, lazy, typing)

    visit(ast.parse(text), lazy=False, typing=False)
    return found


def breaches(name: str, text: str) -> list[str]:
    """What a source may not import, in words."""
    return [f"{name}:{found.line} {words}" for found in imports(text) for words in _judge(name, found)]


def _judge(name: str, found: Import) -> list[str]:
    """The complaints about one import."""
    top, room = found.module.split(".")[0], room_of(name)
    if top == "":
        return ["imports relatively; name the module from the root"]
    if top in STANDARD or (found.typing and room in ("app", "pages")):  # naming a type is not using it
        return []
    if top in ("pages", "app"):
        return [] if room in ("app", "pages") else [f"imports {found.module}, which lies above the package"]
    if top == "ssd":
        return _judge_floor(room, found.module)
    if room not in LIBRARIES.get(top, set()):
        return [f"imports {top}, which {room} may not use"]
    if name != ONLY_FILE.get(top, name):
        return [f"imports {top}, which only {ONLY_FILE[top]} may use"]
    if top in LAZY and not found.lazy and room not in ("models", "training"):
        return [f"imports {top} at module level; import it inside the function that needs it"]
    return []


def _judge_floor(room: str, module: str) -> list[str]:
    """The complaint about an import within the package."""
    if room in ("app", "pages"):
        return []
    other = module.split(".")[1] if "." in module else "__init__"
    if other not in LEVEL:  # the public names of ssd/__init__.py are for pages and users
        return [f"imports {module}; name the room it comes from"]
    if room == other or (room in LEVEL and LEVEL[other] < LEVEL[room]):
        return []
    return [f"imports {module}, which does not lie on a lower floor"]


def known_files() -> set[str]:
    """Every file that has a place."""
    rooms = {f"ssd/{room}.py" for room in LEVEL if room not in FOLDERS} | {"ssd/__init__.py"}
    inner = {f"ssd/{folder}/{name}.py" for folder, names in FOLDERS.items() for name in {"__init__", *names}}
    pages = {f"pages/{name}.py" for name in PAGES} | {f"pages/shared/{name}.py" for name in SHARED}
    return rooms | inner | pages | {"app.py", "pages/__init__.py", "pages/shared/__init__.py"}


def functions(text: str) -> list[ast.FunctionDef]:
    """Every function and method of a source."""
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]


def page_faults(text: str) -> list[str]:
    """What a page may not hold."""
    faults = [f"{len(text.splitlines())} lines"] if len(text.splitlines()) > MAX_PAGE_LINES else []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            faults.append(f"class {node.name}")
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno + 1 > MAX_PAGE_DEF_LINES:
            faults.append(f"def {node.name} of {node.end_lineno - node.lineno + 1} lines")
        if isinstance(node, ast.Attribute) and node.attr in ("cache_data", "cache_resource"):
            faults.append(f"{node.attr} in line {node.lineno}")
    return faults


def exported(text: str) -> set[str] | None:
    """The names in ``__all__``; None where a source has none."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return {item.value for item in getattr(node.value, "elts", []) if isinstance(item, ast.Constant)}
    return None


def docstring_faults(text: str, *, public: set[str] | None = None) -> list[str]:
    """Public functions of a module that do not say what goes in and what comes out."""
    faults = []
    for node in ast.parse(text).body:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        if public is not None and node.name not in public:
            continue
        said = ast.get_docstring(node) or ""
        takes = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        gives = not (isinstance(node.returns, ast.Constant) and node.returns.value is None)
        if takes and "Args:" not in said:
            faults.append(f"{node.name}: no Args")
        if gives and "Returns:" not in said and "Yields:" not in said:
            faults.append(f"{node.name}: no Returns")
    return faults


@pytest.mark.parametrize("path", [*PACKAGE, *UI], ids=relative)
def test_a_file_imports_only_what_its_floor_allows(path):
    assert breaches(relative(path), path.read_text()) == []


def test_every_file_has_a_place_in_the_list():
    present = {relative(path) for path in [*PACKAGE, *UI]}

    assert present - known_files() == set()


def test_no_room_stands_on_two_floors():
    rooms = [room for floor in FLOORS for room in floor]

    assert len(rooms) == len(set(rooms))


@pytest.mark.parametrize("path", PACKAGE, ids=relative)
def test_the_package_raises_its_own_errors_instead_of_asserting(path):
    asserted = [node.lineno for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Assert)]

    assert asserted == []


@pytest.mark.parametrize("path", PACKAGE, ids=relative)
def test_a_file_of_the_package_can_be_read_in_one_sitting(path):
    assert len(path.read_text().splitlines()) <= MAX_FILE_LINES


@pytest.mark.parametrize("path", PACKAGE, ids=relative)
def test_every_public_function_says_what_goes_in_and_what_comes_out(path):
    text = path.read_text()
    within_a_room = path.parent != ROOT / "ssd"  # a helper shared by the files of one room is no border

    assert docstring_faults(text, public=(exported(text) or set()) if within_a_room else None) == []


@pytest.mark.slow
def test_function_bodies_stay_short():
    lengths = sorted(
        node.end_lineno - node.body[0].lineno + 1 - _docstring_lines(node)
        for path in PACKAGE
        for node in functions(path.read_text())
    )

    assert lengths[len(lengths) // 2] <= 12
    assert sum(length > 30 for length in lengths) <= len(lengths) // 25


def _docstring_lines(node: ast.FunctionDef) -> int:
    """Lines of a function's docstring."""
    first = node.body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return first.end_lineno - first.lineno + 1 if is_text else 0


PAGE_FILES = [path for path in UI if path.parent == ROOT / "pages" or path == ROOT / "app.py"]


@pytest.mark.parametrize("path", PAGE_FILES, ids=relative)
def test_a_page_is_short_and_holds_no_machinery(path):
    assert page_faults(path.read_text()) == []


@pytest.mark.parametrize("path", UI, ids=relative)
def test_only_the_scene_caches(path):
    cached = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("cache_data", "cache_resource")
    ]

    assert cached == [] or path == ROOT / "pages" / "shared" / "scene.py"


FORBIDDEN = {
    "an upper floor": ("ssd/boxes.py", "from ssd.anchors import make_anchors"),
    "a sibling": ("ssd/losses/detection.py", "import ssd.models.network"),
    "a sibling in a function": ("ssd/losses/detection.py", "def f():\n    from ssd.models import network"),
    "the public names": ("ssd/matching/rules.py", "from ssd import jaccard"),
    "streamlit in the package": ("ssd/figures/canvas.py", "import streamlit as st"),
    "torch on a page": ("pages/home.py", "import torch"),
    "torch in the app": ("app.py", "def f():\n    import torch.nn"),
    "plotly on a page": ("pages/shared/show.py", "from plotly import graph_objects"),
    "plotly elsewhere": ("ssd/metrics/curves.py", "import plotly"),
    "fabric elsewhere": ("ssd/prediction.py", "import lightning_fabric"),
    "torchvision at module level": ("ssd/nms.py", "import torchvision"),
    "torchvision elsewhere": ("ssd/matching/rules.py", "def f():\n    import torchvision"),
    "skimage in another file": ("ssd/data/images.py", "def f():\n    import skimage"),
    "an unknown library": ("ssd/boxes.py", "import cv2"),
    "a page from the package": ("ssd/cli.py", "import pages.home"),
    "relatively": ("ssd/cli.py", "from . import boxes"),
}
ALLOWED = {
    "a lower floor": ("ssd/matching/rules.py", "from ssd.boxes import jaccard"),
    "itself": ("ssd/data/voc.py", "from ssd.data.records import Sample"),
    "torchvision in a function": ("ssd/nms.py", "def f():\n    from torchvision.ops import nms"),
    "torchvision in models": ("ssd/models/small.py", "import torchvision"),
    "the package on a page": (
        "pages/home.py",
        "import streamlit\nimport ssd\nfrom pages.shared import scene",
    ),
    "a tensor's name on a page": ("pages/home.py", "if TYPE_CHECKING:\n    from torch import Tensor"),
    "the standard library": ("ssd/boxes.py", "from collections.abc import Callable"),
}


@pytest.mark.parametrize(("name", "text"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_breach_is_found(name, text):
    assert len(breaches(name, text)) == 1


@pytest.mark.parametrize(("name", "text"), ALLOWED.values(), ids=ALLOWED)
def test_what_is_allowed_is_no_breach(name, text):
    assert breaches(name, text) == []


def test_a_page_that_does_too_much_is_found():
    body = "\n".join(f"    x = {n}" for n in range(12))
    text = (
        f"import streamlit as st\n@st.cache_data\ndef f():\n{body}\nclass Box:\n    pass\n" + "x = 1\n" * 110
    )

    assert len(page_faults(text)) == 4


def test_a_docstring_without_sections_is_found():
    assert docstring_faults('def f(a: int) -> int:\n    """One line."""') == ["f: no Args", "f: no Returns"]
    assert docstring_faults('def f() -> None:\n    """One line."""') == []
