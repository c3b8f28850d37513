"""The commands of the articles' figures: what a stranger reads, what a program reads, what is written."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from model.parameters import ParameterError
from undercut import figures
from undercut.world import Market

ROOT = Path(__file__).parents[2]
COMMANDS = ("tco", "racks", "workloads", "tables")
TITLES = {
    "tco": "Cost of 10,000,000 queries of 800 tokens a day in China",
    "racks": "Racks installed in China in 2024",
    "workloads": "AI revenue of Chinese clouds by workload",
    "tables": "Second article: market growth projections",
}


def app():
    made = typer.Typer()
    for name in COMMANDS:
        made.command(name)(getattr(figures, name))
    return made


@pytest.fixture(scope="module")
def one_run():
    """Parameters and tables of one small run."""
    market = Market("baseline", seed=1, overrides={"enterprises": 60})
    return market.parameters, market.run()


@pytest.fixture
def undercut(one_run, monkeypatch):
    """Runs a command line on the small run, however many seeds it asks for."""
    monkeypatch.setattr(figures, "runs_of", lambda scenario, seeds, assignments, store: [one_run])
    monkeypatch.setenv("COLUMNS", "120")
    return lambda *arguments: CliRunner().invoke(app(), [str(a) for a in arguments])


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_prints_its_tables_with_what_was_run(undercut, command):
    done = undercut(command)
    assert done.exit_code == 0, done.output
    assert f"{TITLES[command]}" in done.output
    assert "baseline, 1 seed)" in done.output
    assert "nan" not in done.output.replace("financ", "")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_program_gets_the_rows_of_each_table(undercut, command):
    content = json.loads(undercut(command, "--json").stdout)
    assert all(isinstance(rows, list) and rows for rows in content.values())


@pytest.mark.parametrize("command", COMMANDS)
def test_the_numbers_and_the_drawing_go_where_they_are_asked_to(undercut, command, tmp_path):
    numbers, drawing = tmp_path / "figure.csv", tmp_path / "figure.svg"
    assert undercut(command, "--out", numbers).exit_code == 0
    assert undercut(command, "--out", drawing).exit_code == 0
    assert len(pd.read_csv(numbers)) > 0
    assert drawing.read_text(encoding="utf-8").lstrip().startswith("<?xml")


def test_the_splits_of_the_json_add_up(undercut):
    rows = json.loads(undercut("tco", "--queries-per-day", "5e5", "--years", 2, "--json").stdout)["cost"]
    for option in ("proprietary API", "self-hosting"):
        at_end = [row for row in rows if row["option"] == option and row["year"] == 2]
        amounts = {row["component"]: row["cumulative_usd"] for row in at_end}
        assert sum(amounts.values()) == pytest.approx(2 * amounts["total"])


def test_a_region_is_named_as_people_write_it(undercut):
    assert "in North America" in undercut("tco", "--region", "north-america").output
    wrong = undercut("tco", "--region", "moon")
    assert wrong.exit_code == 2
    assert "asia-pacific" in wrong.output


def test_a_pinned_chip_is_the_one_that_is_bought(undercut):
    assert " x H20 at " in undercut("tco", "--chip", "H20").output.replace("\n", " ")
    assert isinstance(undercut("tco", "--chip", "Z80").exception, ParameterError)


def test_one_of_the_tables_can_be_asked_for(undercut):
    shown = undercut("tables", "offers").output
    assert "cloud AI offerings" in shown
    assert "market growth" not in shown
    assert "benchmarks" in undercut("tables", "offer").output  # a wrong name gets the right ones


def test_runs_are_simulated_with_the_overrides_and_seeds_that_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 1)  # in this process
    asked = ("baseline", "2-3", ["enterprises=60", "price_adjustment=0.4"], tmp_path)
    runs = figures.runs_of(*asked)
    assert len(runs) == 2
    assert {p.price_adjustment for p, _ in runs} == {0.4}
    first, second = (tables["quarters"]["price_usd_per_mtok"] for _, tables in runs)
    assert not first.equals(second)
    assert figures.runs_of(*asked)[0][1].keys()


def test_the_module_of_the_commands_imports_nothing_heavy():
    heavy = {"mesa", "pandas", "numpy", "scipy", "numba", "networkx", "matplotlib", "pyarrow"}
    code = f"import sys, undercut.figures; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
