"""The order of the house: a folder imports only from those above it in DESIGN section 1's table."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
# Lowest first. model/market.py stands above the agents, the rest of model/ below them.
ORDER = (
    "model",
    "agents",
    "model.market",
    "scenarios",
    "evidence",
    "studies",
    "viz",
    "undercut",
    "benchmarks",
    "docs",
)
FOLDERS = tuple(place for place in ORDER if "." not in place)


class Import(NamedTuple):
    module: str
    line: int
    for_annotations_only: bool


def place_of(module: str) -> str | None:
    """The place in ORDER that a dotted module belongs to, None for what is not ours."""
    parts = module.split(".")
    if parts[:2] == ["model", "market"]:
        return "model.market"
    return parts[0] if parts[0] in FOLDERS else None


def imports_of(source: str, module: str, is_package: bool) -> Iterator[Import]:
    """Every import statement and call of import_module, at whatever depth, as absolute module names."""
    tree = ast.parse(source)
    annotation_lines = {
        inner.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module.split(".")[: None if is_package else -1]
                package = package[: len(package) - (node.level - 1)]
                base = ".".join([*package, *([base] if base else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).rpartition(".")[2] in ("import_module", "__import__")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            names = [str(node.args[0].value)]
        else:
            continue
        for name in names:
            yield Import(name, node.lineno, node.lineno in annotation_lines)


def trespasses(source: str, module: str, is_package: bool = False) -> list[str]:
    """What a module imports from above itself, a line each."""
    own = place_of(module)
    assert own is not None
    found = []
    for item in imports_of(source, module, is_package):
        place = place_of(item.module)
        if place is None or ORDER.index(place) <= ORDER.index(own):
            continue
        # Agents and shocks are told about the market that they act in; that costs no import at run time.
        if place == "model.market" and item.for_annotations_only:
            continue
        found.append(f"{module} line {item.line} imports {item.module}")
    return found


def modules() -> Iterator[tuple[str, bool, Path]]:
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            is_package = parts[-1] == "__init__"
            yield ".".join(parts[:-1] if is_package else parts), is_package, file


def test_a_folder_imports_only_from_those_below_it():
    found = [
        line
        for module, is_package, file in modules()
        for line in trespasses(file.read_text(encoding="utf-8"), module, is_package)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("model.pricing", "import agents.cloud"),
        ("model.pricing", "def f():\n    from scenarios.runner import run"),
        ("model.pricing", "from model.market import Market"),
        ("model.pricing", "from model import market"),
        ("model.pricing", "from . import market"),
        ("agents.cloud", "import model.market"),
        ("agents.cloud", "if TYPE_CHECKING:\n    from scenarios.shocks import Mandate"),
        ("agents.cloud", "import importlib\nimportlib.import_module('viz.charts')"),
        ("scenarios.runner", "from evidence import registry"),
        ("evidence.registry", "try:\n    import undercut\nexcept ImportError:\n    pass"),
        ("viz.app", "from undercut import Market"),
    ],
)
def test_an_import_from_above_is_found_wherever_it_hides(module, source):
    assert trespasses(source, module)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("agents.cloud", "from model.pricing import best_response\nfrom agents.firm import Firm"),
        ("agents.cloud", "if TYPE_CHECKING:\n    from model.market import Market"),
        ("model.market", "from agents.cloud import Cloud\nfrom . import pricing"),
        ("undercut", "def __getattr__(name):\n    from model.market import Market"),
        ("model.pricing", "import numpy as np\nfrom marketing import model"),
    ],
)
def test_an_import_from_below_is_allowed(module, source):
    assert trespasses(source, module) == []


def test_every_folder_of_code_is_packaged_and_has_a_place_in_the_order():
    packaged = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    top = [package for package in packaged if "." not in package]
    assert [folder for folder in FOLDERS if folder not in ("benchmarks", "docs")] == top
    found = {file.parent.relative_to(ROOT) for folder in top for file in (ROOT / folder).rglob("*.py")}
    assert sorted(".".join(folder.parts) for folder in found) == sorted(packaged)
    with_code = {file.relative_to(ROOT).parts[0] for file in ROOT.glob("[a-z]*/*.py")}
    assert with_code - {"tests"} <= set(FOLDERS)


def test_the_mechanisms_have_an_empty_front_door():
    assert (ROOT / "model" / "__init__.py").read_text() == ""


def test_no_folder_of_tests_hides_the_folder_that_it_tests():
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_no_module_of_the_app_is_named_like_a_folder_of_the_house():
    # `solara run viz/app.py` puts viz/ first on the path.
    assert {file.stem for file in (ROOT / "viz").glob("*.py")} & set(FOLDERS) == set()
