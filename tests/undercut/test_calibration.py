"""Calibration as a user meets it: the command on the market itself, and the scenario that it writes."""

from __future__ import annotations

import json

import pytest

from scenarios import draws
from tests.undercut.test_cli import undercut
from undercut.cli import main

SMALL = ("--enterprises", "60", "--workers", "1", "--quiet", "--out", "runs")


def test_draws_of_a_scenario_are_run_and_their_verdicts_pooled(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    short = '[horizon]\nlast = "2023Q1"\n'
    (tmp_path / "mine.toml").write_text(f'title = "Mine"\nextends = "baseline"\n{short}', encoding="utf-8")
    draws.write(tmp_path / "mine.csv", [{"eta": 0.4}, {"eta": 0.5}, {"eta": 0.6}], {"made": "by a test"})
    command = ("run", "mine.toml", "--draws", "2", "--seeds", "1", *SMALL)
    made = undercut(*command, "--json")
    assert made.returncode == 0, made.stderr
    rows = json.loads(made.stdout)
    assert len({row["id"] for row in rows}) == len(rows)
    assert {row["seeds"] for row in rows} == {0, 2}
    said = undercut(*command)
    assert "mine, 2 draws, 1 seed" in said.stdout
    assert "share of draws and seeds" in said.stdout
    assert "code has changed" not in said.stderr
    # Later the same, and one draw alone when it is asked for.
    again = undercut("claims", "--json")
    assert json.loads(again.stdout) == rows
    assert "mine, 2 draws, 1 seed" in undercut("claims").stdout
    alone = json.loads(undercut("claims", "--scenario", "mine #1", "--json").stdout)
    assert {row["seeds"] for row in alone} == {0, 1}


def test_draws_that_make_no_sense_are_refused_in_a_sentence(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments, said in (
        (("run", "baseline", "--draws", "2"), "no draws"),
        (("run", "baseline", "--draws", "2", "--sample", "lhs:4"), "do not go together"),
    ):
        made = undercut(*arguments)
        assert made.returncode == 2
        assert said in made.stderr


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (("--waves", "0"), "--waves 0: give at least 1"),
        (("--seeds", "0"), "--seeds 0: give at least 1"),
        (("--draws", "0"), "--draws 0: give at least 1"),
        (("--draws", "20", "--checks", "40"), "--draws 20 are too few for --checks; give at least 39"),
        (("--points", "0"), "give at least 8"),
    ],
)
def test_designs_that_make_no_sense_are_refused_before_any_run(
    asked, sentence, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["study", "calibration", "baseline", "--over", "eta,sigma2", "--among", "0", *asked]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_the_market_is_calibrated_and_its_posterior_runs(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    few = (
        "--points",
        "9",
        "--waves",
        "1",
        "--seeds",
        "1",
        "--chance-seeds",
        "2",
        "--draws",
        "20",
        "--met",
        "0",
    )
    over = (
        "--over",
        "eta,alpha_mean,llm_constant",
        "--among",
        "0",
        "--write",
        "mine.toml",
        "--html",
        "report.html",
    )
    made = undercut("study", "calibration", "baseline", *over, *few, *SMALL)
    assert made.returncode == 0, made.stderr
    assert "small sample for emulators" in made.stderr
    assert "Calibration of 3 parameters" in (tmp_path / "report.html").read_text(encoding="utf-8")
    found = draws.read(tmp_path / "mine.toml")
    assert len(found.points) == 20
    assert set(found.points[0]) == {"eta", "alpha_mean", "llm_constant"}
    shown = undercut("scenario", "show", "mine.toml")
    assert shown.returncode == 0 and "alpha_mean" in shown.stdout
    assert undercut("run", "mine.toml", "--draws", "2", "--seeds", "1", *SMALL).returncode == 0
