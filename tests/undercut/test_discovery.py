"""From the command line: break points of the market are stored and said, and what makes no sense ends in a sentence."""

from __future__ import annotations

import pytest

from scenarios.store import Store
from studies.study import Study, folders
from undercut.cli import main

SHORT = 'title = "A short one"\n[horizon]\nlast = "2023Q4"\n'


def test_break_points_of_the_market_are_stored_and_reported(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "short.toml").write_text(SHORT, encoding="utf-8")
    asked = [
        "--over",
        "export_rules",
        "--seeds",
        "3",
        "--enterprises",
        "60",
        "--workers",
        "1",
        "--rounds",
        "0",
        "--quiet",
    ]
    asked += ["--outcome", "p1-nvidia-2023", "--outcome", "p1-nvidia-2027"]
    assert main(["study", "breaks", "short.toml", *asked]) == 0
    said = capsys.readouterr().err
    # The default and the switch turned off, with three seeds.
    assert "2 claims, 1 parameters, 3 seeds: 6 runs for the grid" in said
    # No quarter of 2027 was run.
    assert "1 of 2 claims are undefined at the default" in said
    store = Store(tmp_path / "runs")
    study = Study.open(folders(store)[0], store)
    assert study.kind == "breaks" and (tmp_path / f"{study.name}.html").is_file()
    assert set(study.tables["curves"]["value"]) == {0.0, 1.0}


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (["discovery"], "say which with --outcome"),
        (["discovery", "--outcome", "p1-nvidia-2027", "--where", "wavers"], "write fails or holds"),
        (["discovery", "--outcome", "p1-nvidia-2027", "--points", "10"], "write at least 40"),
        (["discovery", "--outcome", "p1-nvidia-2027", "--sample", "grid"], "write lhs or sobol"),
        (["breaks", "--over", "capability_reference"], "has no range"),
    ],
)
def test_what_makes_no_sense_ends_in_a_sentence_before_any_run(
    asked, sentence, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert main(["study", asked[0], "baseline", *asked[1:]]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
