"""The documents say what the code does: generated parts are fresh, and every place and name exists."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from evidence.claims import claims
from evidence.metrics import METRICS
from model.parameters import scalars, table
from model.records import schema
from scenarios.shocks import KINDS
from undercut.cli import COMMANDS
from undercut.study.app import KINDS as STUDIES

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted((ROOT / "docs").rglob("*.md"))
BESIDE = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
# evidence.md and calibration.md speak of facts and results; these two speak of code.
OF_CODE = [ROOT / "docs" / name for name in ("odd.md", "architecture.md")]
FOLDERS = (
    "model", "agents", "scenarios", "evidence", "studies", "viz", "undercut", "benchmarks", "docs", "tests"
)  # fmt: skip
SPAN = re.compile(r"`([^`\n]+)`")
PLACE = re.compile(rf"((?:{'|'.join(FOLDERS)})/[\w./]*\w)(?: ([\w.]+))?")
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")


def load_generator() -> Any:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generator = load_generator()


def by_hand(path: Path) -> str:
    """A document without its generated parts."""
    text: str = generator.BLOCK.sub("", path.read_text(encoding="utf-8"))
    return text


def generated(name: str) -> str:
    text = (ROOT / "docs" / "odd.md").read_text(encoding="utf-8")
    bodies: dict[str, str] = {found["name"]: found["body"] for found in generator.BLOCK.finditer(text)}
    return bodies[name]


def first_cells(markdown: str) -> list[str]:
    """The first cell of every row of tables, without the code marks."""
    return re.findall(r"^\| `([^`]+)` \|", markdown, re.MULTILINE)


@cache
def definitions(file: Path) -> frozenset[str]:
    """What a module defines, dotted: functions, classes with their methods and fields, and constants."""

    def names(body: list[ast.stmt], before: str = "") -> Iterator[str]:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                yield before + node.name
                if isinstance(node, ast.ClassDef):
                    yield from names(node.body, f"{before}{node.name}.")
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            yield from (before + target.id for target in targets if isinstance(target, ast.Name))

    return frozenset(names(ast.parse(file.read_text(encoding="utf-8")).body))


def known_names() -> set[str]:
    """Every name that code, parameters, recorded tables, metrics and facts give to something."""
    names = {*scalars(), *METRICS, *KINDS, *(c.column for c in schema()), *(c.table for c in schema())}
    for folder in FOLDERS:
        for file in (ROOT / folder).rglob("*.py"):
            names |= {part for name in definitions(file) for part in name.split(".")}
    for file in (ROOT / "evidence").rglob("*.csv"):
        names |= set(file.read_text(encoding="utf-8").partition("\n")[0].split(","))
    return names


def slug(heading: str) -> str:
    """The anchor that a heading gets on the page."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_generated_parts_are_what_code_and_tables_declare(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert generator.render(text) == text, "out of date: run `make docs`"


def test_a_changed_number_makes_a_document_out_of_date() -> None:
    text = (ROOT / "docs" / "odd.md").read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith("| `enterprises` |"))
    stale = text.replace(row, row.replace(f"| {scalars()['enterprises'].default:g} |", "| 7 |"))
    assert stale != text
    assert generator.render(stale) == text


def test_a_check_reports_a_stale_document_and_leaves_it_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    stale = "<!-- generated:effects -->\nold\n<!-- /generated -->\n"
    page.write_text(stale)
    monkeypatch.setattr(generator, "DOCS", tmp_path)
    assert generator.main(["--check"]) == 1
    assert "page.md" in capsys.readouterr().err
    assert page.read_text() == stale
    assert generator.main([]) == 0
    assert "old" not in page.read_text()
    assert generator.main(["--check"]) == 0
    assert generator.main(["--chek"]) == 2


@pytest.mark.parametrize(
    "text",
    [
        "<!-- generated:prophecies -->\n<!-- /generated -->",
        "<!-- generated:effects -->\nnever closed",
        "<!-- generated:effects -->\n<!-- generated:shocks -->\n<!-- /generated -->",
        "never opened\n<!-- /generated -->",
    ],
)
def test_a_marker_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="generate"):
        generator.render(text)


def test_the_reference_has_every_parameter_column_metric_and_claim_once() -> None:
    assert first_cells(generated("parameters")) == list(scalars())
    assert first_cells(generated("metrics")) == list(METRICS)
    assert sorted(first_cells(generated("claims"))) == sorted(claim.id for claim in claims())
    assert first_cells(generated("tables")) == [column.column for column in schema()]
    cells = sum(int(count) for count in re.findall(r"^\| `[^`]+` \| (\d+) \|", generated("facts"), re.M))
    assert cells == len(table()) - len(scalars())


def test_the_nine_events_of_a_quarter_are_listed_in_their_order() -> None:
    assert re.findall(r"^\| (\d) \|", generated("quarter"), re.M) == [str(n) for n in range(1, 10)]


@pytest.mark.parametrize("path", OF_CODE, ids=lambda path: path.name)
def test_every_place_in_the_code_that_a_document_names_exists(path: Path) -> None:
    places = [found for span in SPAN.findall(path.read_text("utf-8")) if (found := PLACE.fullmatch(span))]
    assert len(places) > 20
    missing = []
    for place in places:
        file, name = ROOT / place[1], place[2]
        if not file.exists() or (name and name not in definitions(file)):
            missing.append(place[0])
    assert missing == []


@pytest.mark.parametrize("path", OF_CODE, ids=lambda path: path.name)
def test_every_name_that_a_document_writes_as_code_is_a_name_of_the_code(path: Path) -> None:
    known = known_names()
    words = {span for span in SPAN.findall(by_hand(path)) if re.fullmatch(r"_*[a-z]+(_[a-z0-9]+)+", span)}
    cells = {span for span in SPAN.findall(by_hand(path)) if re.fullmatch(r"chips(\.\w+)+", span)}
    assert words
    assert sorted(words - known) == []
    assert sorted(cells - table().keys()) == []


@pytest.mark.parametrize("path", [*DOCUMENTS, *BESIDE], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(path: Path) -> None:
    dead = []
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = path.parent / name if name else path
        if not file.is_file():
            dead.append(target)
        elif anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.M)
            if anchor not in {slug(heading) for heading in headings}:
                dead.append(target)
    assert dead == []


def test_the_list_of_documents_has_all_of_them() -> None:
    listed = set(LINK.findall((ROOT / "docs" / "README.md").read_text(encoding="utf-8")))
    assert {path.relative_to(ROOT / "docs").as_posix() for path in DOCUMENTS} - {"README.md"} <= listed


def test_every_agent_and_every_mechanism_is_described() -> None:
    described = "".join(path.read_text(encoding="utf-8") for path in OF_CODE)
    modules = [
        file.relative_to(ROOT).as_posix()
        for folder in ("agents", "model")
        for file in sorted((ROOT / folder).glob("*.py"))
        if file.name != "__init__.py"
    ]
    assert [module for module in modules if module not in described] == []


def project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return found


def test_the_citation_has_what_its_format_requires_and_is_of_this_version() -> None:
    # PyYAML comes with Dask; it has no types.
    citation = importlib.import_module("yaml").safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] == "software"
    assert citation["authors"]
    assert all(author.get("name") or author.get("family-names") for author in citation["authors"])
    assert citation["version"] == project()["version"]
    assert citation["license"] == project()["license"]
    assert citation["keywords"] == project()["keywords"]


def test_the_list_of_changes_begins_with_this_version_and_names_every_command() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    latest = re.search(r"^## (\S+)", text, re.M)
    assert latest
    assert latest[1].rstrip(",") == project()["version"]
    spans = {word for span in SPAN.findall(text) for word in span.split()}
    assert sorted({*COMMANDS, *STUDIES} - spans) == []


def test_the_readme_leads_to_the_tutorial() -> None:
    assert "docs/tutorial.md" in LINK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
