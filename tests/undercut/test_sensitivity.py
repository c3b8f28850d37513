"""From the command line a screening leads to a decomposition, and what makes no sense ends in a sentence."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest

from scenarios.scenario import load
from scenarios.store import Store
from studies.counted import counted
from studies.space import Space
from studies.study import Study, folders
from tests.studies.functions import AXES, CLAIM, JOBS
from undercut.cli import main
from undercut.study.duration import SILENCE, Analysed, Foretold, analysed, lasting
from undercut.study.options import end
from viz.fan import ChartError

SHORT = 'title = "A short one"\n[horizon]\nlast = "2023Q4"\n'


def test_a_screening_of_the_market_is_stored_and_names_what_a_closer_study_takes(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "short.toml").write_text(SHORT, encoding="utf-8")
    asked = [
        "--over",
        "alpha_mean",
        "--trajectories",
        "4",
        "--seeds",
        "1",
        "--enterprises",
        "60",
        "--workers",
        "1",
    ]
    asked += ["--outcome", "p1-nvidia-2023", "--outcome", "p1-nvidia-2027", "--quiet"]
    assert main(["study", "morris", "short.toml", *asked]) == 0
    said = capsys.readouterr().err
    assert "Fewer than 4 whole trajectories are left for p1-nvidia-2027: no estimate" in said
    store = Store(tmp_path / "runs")
    study = Study.open(folders(store)[0], store)
    effects = study.tables["effects"].set_index("outcome")
    assert float(effects["mu_star"]["p1-nvidia-2023"]) >= 0.0
    assert (tmp_path / f"{study.name}.html").is_file()


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (["sobol", "--over", "eta,sigma2", "--base", "100"], "write 128"),
        (["sobol", "--over", "eta", "--base", "64"], "name two parameters"),
        (["sobol", "--by", "world"], "write parameter or group"),
        (["sobol", "--over", "eta,sigma2", "--from", "morris"], "leave one of them out"),
        (["sobol", "--from", "morris"], "no store"),
        (["morris", "--trajectories", "2"], "10 to 50 are usual"),
        (["pawn", "--samples", "10"], "50 points at least"),
        (["pawn", "--outcome", "no-such"], "is no claim"),
    ],
)
def test_what_makes_no_sense_ends_in_a_sentence_before_any_run(
    asked, sentence, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert main(["study", asked[0], "baseline", *asked[1:]]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "runs" / "batches").exists()


def test_the_duration_is_said_once_after_the_first_runs(capsys):
    from scenarios.progress import Silent

    shown = Foretold(Silent())
    shown.start(10_000, 0)
    shown.ready()
    shown.pace.began -= 10.0
    for _ in range(4):
        shown.advance(5, ())
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith("10,000 runs, ") and "about" in said[0]
    assert lasting(59.0) == "1 min"
    assert lasting(3600.0 * 2 + 61.0) == "2 h 02 min"


def test_an_analysis_that_takes_long_says_how_far_it_is_and_a_quick_one_nothing(capsys):
    told = Analysed()
    assert list(counted("outcomes", ["a", "b", "c", "d"], told)) == ["a", "b", "c", "d"]
    assert capsys.readouterr().err == ""
    for part in counted("outcomes", ["a", "b", "c", "d"], told):
        if part in "bd":
            told.began -= 60.0 + SILENCE
            told.said -= SILENCE
    # The last part says nothing: what follows is the result.
    assert capsys.readouterr().err.splitlines() == ["analysing outcomes: 2 of 4, about 2 min left"]
    assert analysed(quiet=True) is None
    assert list(counted("outcomes", ["a"], None)) == ["a"]


@pytest.mark.parametrize("kind", ["morris", "sobol", "pawn"])
def test_every_outcome_is_told_once_it_is_analysed(kind, tmp_path):
    said = []
    study = getattr(import_module(f"studies.sensitivity.{kind}"), kind)
    size = {"morris": {"trajectories": 4}, "sobol": {"base": 8, "chance_seeds": 1}, "pawn": {"samples": 50}}
    study(
        load("baseline"),
        Space.over(AXES[:2]),
        (CLAIM, f"holds:{CLAIM}"),
        (1,),
        tmp_path,
        job=JOBS["linear"],
        workers=1,
        told=lambda *told: said.append(told),
        **size[kind],
    )
    assert said[:3] == [("outcomes", done, 2) for done in range(3)]


def test_a_study_without_its_page_is_stored_and_names_the_command_that_writes_it(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    study = Study("breaks", "a title", {}, {"claims": pd.DataFrame()}, code="0")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ChartError, match="`make install`") as raised:
        end(study, Path("elsewhere"), None, as_json=False)
    assert f"`undercut study report {study.name} --store elsewhere`" in str(raised.value)
    assert main(["study", "ls", "--store", "elsewhere"]) == 0
    assert study.name in capsys.readouterr().out


def test_without_a_kind_it_says_what_there_is(capsys):
    assert main(["study"]) == 0
    printed = capsys.readouterr().out
    assert all(f"\n  {kind} " in printed for kind in ("morris", "causes", "breaks", "ls"))
