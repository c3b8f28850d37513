"""At the command line a stranger writes, checks, shows and compares scenario files, and gets sentences for mistakes."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model.parameters import table
from scenarios import schema
from scenarios.scenario import load, names, resolve
from undercut.cli import main

HEAVY = {"mesa", "numba", "pandas", "pyarrow", "scipy"}
Run = Callable[..., tuple[int, str, str]]
MINE = """\
title = "Mine"
notes = "What if?"
extends = "consortium"
seeds = "1-4"
[horizon]
last = "2027Q4"
[parameters]
"chips.H100.memory_gb" = 85
sigma1 = 0.2
[[shocks]]
kind = "set"
quarter = "2025Q1"
name = "sigma2"
value = 0.8
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`undercut scenario ...` in a folder of its own; gives the exit status and what was printed where."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")

    def command(*arguments: str) -> tuple[int, str, str]:
        status = main(["scenario", *arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return command


@pytest.fixture
def mine(tmp_path: Path) -> str:
    (tmp_path / "mine.toml").write_text(MINE, encoding="utf-8")
    return "mine.toml"


def test_without_a_command_it_says_what_there_is(run: Run) -> None:
    status, out, _ = run()
    assert status == 0
    for command in ("list", "new", "check", "show", "diff", "schema"):
        assert f"\n  {command} " in out


def test_the_list_has_every_scenario_of_the_library_with_its_title(run: Run) -> None:
    _, out, _ = run("list")
    for name in names():
        assert name in out
    rows = json.loads(run("list", "--json")[1])
    assert [row["name"] for row in rows] == names()
    assert all(row["title"] for row in rows)


@pytest.mark.parametrize("parent", ["baseline", "consortium", "mine.toml"])
def test_a_new_file_is_accepted_as_it_is_and_is_the_world_that_it_extends(
    run: Run, mine: str, parent: str
) -> None:
    status, _, err = run("new", "my-world", "--extends", parent)
    assert status == 0
    assert "wrote my-world.toml" in err
    assert run("check", "my-world.toml") == (0, "my-world.toml: ok\n", "")
    parents, own = load(parent), load("my-world.toml")
    assert (own.name, own.shocks, own.parameters) == ("my-world", parents.shocks, parents.parameters)


def test_what_the_comments_of_a_new_file_propose_is_accepted_too(run: Run) -> None:
    run("new", "my-world", "--extends", "consortium")
    lines = Path("my-world.toml").read_text(encoding="utf-8").splitlines()
    is_toml = [line.removeprefix("# ") if " = " in line or "[" in line else line for line in lines[2:]]
    Path("my-world.toml").write_text("\n".join(is_toml), encoding="utf-8")
    assert run("check", "my-world.toml")[0] == 0
    scenario = resolve("my-world.toml")
    assert [shock["kind"] for shock in scenario.shocks] == ["set"]
    assert scenario.seeds == "32"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("mine",), "mine.toml exists and is not overwritten"),
        (("baseline",), "the library has a scenario 'baseline'"),
        (("../up",), "cannot name a scenario"),
        (("a b",), "cannot name a scenario"),
        (("x", "--extends", "consortum"), "did you mean consortium"),
        (("x", "--extends", "../mine.toml"), "without a path"),
        (("x", "--extends", "broken.toml"), "broken.toml, line 1: there is no key 'titel'"),
        (("x", "--out", "x.txt"), "must end in .toml"),
        (("x", "--out", "nowhere/x.toml"), "there is no folder nowhere"),
    ],
)
def test_a_new_file_is_refused_in_a_sentence_and_nothing_is_written(
    run: Run, mine: str, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "broken.toml").write_text('titel = "t"', encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    status, out, err = run("new", *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before
    assert Path(mine).read_text(encoding="utf-8") == MINE


def test_check_prints_every_fault_of_every_file(run: Run, mine: str) -> None:
    Path("bad.toml").write_text('titel = "t"\nseeds = 0\n[parameters]\nsigma1 = 9\n', encoding="utf-8")
    status, out, _ = run("check", "mine.toml", "bad.toml", "nowhere.toml", "basline", "baseline")
    assert status == 2
    lines = out.splitlines()
    assert lines[:2] == ["mine.toml: ok", "bad.toml: 3 faults"]
    assert [line.partition(": ")[0] for line in lines[2:5]] == [f"  bad.toml, line {n}" for n in (1, 2, 4)]
    assert lines[5:7] == [
        "nowhere.toml: 1 fault",
        "  there is no scenario file nowhere.toml; give the path of a .toml file",
    ]
    assert "did you mean baseline?" in lines[8]
    assert lines[9:] == ["baseline: ok"]


def test_show_prints_what_a_run_takes(run: Run, mine: str) -> None:
    status, out, _ = run("show", mine)
    assert status == 0
    for text in ("mine: Mine", "extends consortium", "What if?", "2022Q1 to 2027Q4", "1-4", "GB"):
        assert text in out
    row = next(line.split() for line in out.splitlines() if line.split()[:1] == ["chips.H100.memory_gb"])
    assert row[1:4] == ["85", "80", "GB"]
    assert out.index("2025Q1") < out.index("2026Q2")


def test_show_as_json_has_all_of_it(run: Run, mine: str) -> None:
    shown = json.loads(run("show", mine, "--json")[1])
    assert (shown["title"], shown["seeds"], shown["extends"]) == ("Mine", "1-4", ["consortium"])
    assert [shock["quarter"] for shock in shown["shocks"]] == ["2025Q1", "2026Q2"]
    assert {row["parameter"]: row["value"] for row in shown["parameters"]} == {
        "chips.H100.memory_gb": 85.0,
        "sigma1": 0.2,
    }
    assert all(row["default"] == table()[row["parameter"]].default for row in shown["parameters"])


def test_show_as_toml_is_a_file_that_stands_alone(run: Run, mine: str, tmp_path: Path) -> None:
    text = run("show", mine, "--toml")[1]
    assert "extends" not in tomllib.loads(text)
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "mine.toml").write_text(text, encoding="utf-8")
    assert load(tmp_path / "alone" / "mine.toml") == load(mine)


def test_diff_says_what_differs_after_resolving(run: Run, mine: str) -> None:
    status, out, _ = run("diff", "consortium", mine)
    assert status == 0
    for text in ("sigma1", "2028Q4", "2027Q4", "not given", "1-4", "Shocks in mine.toml only", "sigma2"):
        assert text in out
    assert "Shocks in consortium only" not in out
    found: dict[str, Any] = json.loads(run("diff", "consortium", mine, "--json")[1])
    assert [row["parameter"] for row in found["parameters"]] == ["chips.H100.memory_gb", "sigma1"]
    assert found["parameters"][0] | {"first": 80.0, "second": 85.0, "unit": "GB"} == found["parameters"][0]
    assert [row["key"] for row in found["calendar"]] == ["horizon.last", "seeds"]
    assert (found["only_first"], [shock["kind"] for shock in found["only_second"]]) == ([], ["set"])


def test_diff_of_a_scenario_with_itself_is_nothing(run: Run, mine: str) -> None:
    assert run("diff", mine, mine) == (0, "mine.toml and mine.toml are the same world\n", "")
    assert not any(json.loads(run("diff", mine, mine, "--json")[1]).values())


def test_values_that_would_look_alike_are_told_apart(run: Run) -> None:
    Path("near.toml").write_text('title = "t"\n[parameters]\nenterprises = 1000001\n', encoding="utf-8")
    Path("far.toml").write_text('title = "t"\n[parameters]\nenterprises = 1000002\n', encoding="utf-8")
    out = run("diff", "near.toml", "far.toml")[1]
    assert "1,000,001" in out
    assert "1,000,002" in out


def test_the_schema_is_printed_as_it_is_published(run: Run) -> None:
    assert run("schema") == (0, schema.published(), "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "basline"),
        ("diff", "baseline", "bad.toml"),
        ("show", "bad.toml", "--toml"),
        ("shw",),
        ("show",),
    ],
)
def test_a_mistake_is_answered_in_one_sentence(run: Run, arguments: tuple[str, ...]) -> None:
    Path("bad.toml").write_text('titel = "t"', encoding="utf-8")
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith("undercut: ")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_what_is_shown_fits_the_terminal(
    run: Run, mine: str, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for arguments in (("show", mine), ("diff", mine, "baseline"), ("list",)):
        assert max(map(len, run(*arguments)[1].splitlines())) <= columns


def test_help_and_checking_import_nothing_heavy(mine: str, tmp_path: Path) -> None:
    code = (
        "import sys; from undercut.cli import main; "
        f"status = main(sys.argv[1:]); heavy = {sorted(HEAVY)!r}; "
        "print(status, [name for name in heavy if name in sys.modules])"
    )
    for arguments in (["scenario", "--help"], ["scenario", "show", "--help"], ["scenario", "check", mine]):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.stdout.splitlines()[-1] == "0 []", done.stderr
