"""`undercut compare` shows what moves between scenarios, says how sure that is, and runs nothing twice."""

import csv
import json
from dataclasses import replace

import pytest

from scenarios import batch as store
from scenarios.plan import Plan, members_of
from scenarios.runner import Job
from scenarios.scenario import load
from tests.scenarios import toys
from undercut.cli import main

SHORT = 'title = "A short one"\n[horizon]\nlast = "2023Q4"\n'


def some_outcomes(tables):
    """One outcome that the parameter moves by chance, and one that is the same everywhere."""
    return {"p3-price": float(tables["quarters"]["adoption"].mean()), "p1-nvidia-2027": 0.4}


@pytest.fixture
def stored(tmp_path):
    """A store with a batch of three worlds of toys; its folder and the batch."""
    short = replace(load("baseline"), last="2024Q4")
    members = members_of([(short, "A title")], [{"alpha_mean": value} for value in (1.65, 2.0, 2.5)])
    job = Job(toys.plain, some_outcomes)
    plan = Plan(members, (1, 2, 3, 4), keep="headline", simulation=job.simulation)
    return tmp_path, store.run(plan, job, tmp_path, workers=1)[0]


def test_scenarios_are_run_once_and_compared(tmp_path, capsys):
    file = tmp_path / "short.toml"
    file.write_text(SHORT, encoding="utf-8")
    other = tmp_path / "other.toml"
    other.write_text(SHORT + "[parameters]\nalpha_mean = 2.5\n", encoding="utf-8")
    command = ["compare", str(file), str(other), "--seeds", "2", "--enterprises", "60", "--workers", "1"]
    command += ["--out", str(tmp_path / "runs")]
    assert main(command) == 0
    first = capsys.readouterr()
    assert "other against short" in first.out
    assert "2 seeds in both" in first.out
    assert "of 40 quantities move" in first.out
    assert "by chance if nothing moved" in " ".join(first.out.split())
    assert main([*command, "--quiet"]) == 0
    again = capsys.readouterr()
    assert again.out == first.out
    assert again.err == ""


def test_the_scenarios_say_which_seeds_unless_the_command_does(tmp_path, monkeypatch):
    file = tmp_path / "short.toml"
    file.write_text('seeds = "3-4"\n' + SHORT, encoding="utf-8")
    planned = []

    class Planned(Exception):
        pass

    def carry_out(plan, *_, **__):
        planned.append(plan.seeds)
        raise Planned

    monkeypatch.setattr("undercut.batch.carry_out", carry_out)
    for more in ([], ["--seeds", "2"]):
        with pytest.raises(Planned):
            main(["compare", str(file), "baseline", *more])
    assert planned == [(3, 4), (1, 2)]


def test_a_stored_batch_is_compared_without_running(stored, capsys):
    folder, batch = stored
    assert main(["compare", "--batch", batch.name, "--out", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert f"{batch.labels[1]} against {batch.labels[0]}" in printed
    assert f"{batch.labels[2]} against {batch.labels[0]}" in printed
    assert "p1-nvidia-2027" not in printed
    assert main(["compare", "--batch", batch.name, "--out", str(folder), "--all"]) == 0
    assert "p1-nvidia-2027" in capsys.readouterr().out


def test_worlds_of_a_batch_are_named_by_their_labels(stored, capsys):
    folder, batch = stored
    chosen = [batch.labels[2], batch.labels[1]]
    assert main(["compare", *chosen, "--batch", batch.name, "--out", str(folder), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {(row["reference"], row["scenario"]) for row in rows} == {(chosen[0], chosen[1])}
    price = next(row for row in rows if row["kind"] == "outcome" and row["name"] == "p3-price")
    assert price["change_low"] <= price["change"] <= price["change_high"]
    assert price["mean"] - price["reference_mean"] == pytest.approx(price["change"])


def test_a_file_has_every_row(stored, capsys):
    folder, batch = stored
    file = folder / "differences.csv"
    assert main(["compare", "--batch", batch.name, "--out", str(folder), "--csv", str(file)]) == 0
    with file.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert f"{len(rows)} rows" in capsys.readouterr().err
    assert {row["scenario"] for row in rows} == set(batch.labels[1:])
    assert {"outcome", "series", "probability"} == {row["kind"] for row in rows}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["baseline"], "needs two scenarios"),
        (["baseline", "baseline"], "asked for twice"),
        (["--batch", "nothing"], "has no batch 'nothing'"),
        (["--batch", "baseline", "--set", "sigma2=0.8"], "runs nothing"),
        (["nowhere", "baseline", "--batch", "baseline"], "no scenario 'nowhere'"),
        (["--batch", "baseline", "--csv", "no/such/folder.csv"], "cannot write"),
    ],
)
def test_a_wrong_use_is_a_sentence(stored, capsys, arguments, said):
    folder, _ = stored
    assert main(["compare", *arguments, "--out", str(folder)]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("columns", ["80", "120"])
def test_the_tables_fit_the_terminal(stored, capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    folder, batch = stored
    assert main(["compare", "--batch", batch.name, "--out", str(folder), "--all"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= int(columns)
