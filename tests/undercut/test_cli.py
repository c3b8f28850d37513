"""From the command line a stranger gets verdicts, the same however it is run, or a sentence."""

import contextlib
import hashlib
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pandas as pd
import pytest

from evidence.claims import claims
from model.market import Market
from scenarios.batch import Batch
from undercut.batch import verdicts
from undercut.cli import main

ROOT = Path(__file__).parents[2]
SMALL = ["--enterprises", "60"]
COMPARED = ["--seeds", "2", "--counterfactual-seeds", "1"]
SHORT = 'title = "A short one"\n[horizon]\nlast = "2024Q1"\n'


def undercut(*arguments, columns=120):
    """What a command ends with and prints, in a terminal of some width."""
    printed, said = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, COLUMNS=str(columns)),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(said),
    ):
        status = main([str(argument) for argument in arguments])
    return subprocess.CompletedProcess(arguments, status, printed.getvalue(), said.getvalue())


def process(*arguments, folder=ROOT, **variables):
    """The same in a process of its own, as a user runs it."""
    return subprocess.run(
        [sys.executable, "-m", "undercut", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=600,
    )


def digests(store):
    """Every file but those on the code, which somebody may be changing."""
    return {
        f.relative_to(store).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest()
        for f in store.rglob("*")
        if f.is_file() and f.parent.name != "code"
    }


def newest(store):
    return Batch.open(store)


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """A scenario that ends early, so that a run takes a moment."""
    file = tmp_path_factory.mktemp("scenario") / "short.toml"
    file.write_text(SHORT, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def finished(tmp_path_factory, short):
    """A run of two seeds in two workers, with counterfactuals; its folder and what the command said."""
    out = tmp_path_factory.mktemp("run") / "two"
    done = undercut("run", short, *COMPARED, "--workers", 2, "--out", out, *SMALL)
    assert done.returncode == 0, done.stderr
    return out, done


def test_one_and_two_workers_give_byte_identical_stores(finished, short, tmp_path):
    store, _ = finished
    alone = undercut("run", short, *COMPARED, "--workers", 1, "--out", tmp_path / "one", *SMALL)
    assert alone.returncode == 0, alone.stderr
    assert digests(tmp_path / "one") == digests(store)
    assert {"quarters", "metrics", "offers"} <= {file.parent.name for file in store.rglob("*.parquet")}


def test_a_run_prints_verdicts_that_claims_prints_again(finished):
    store, done = finished
    again = undercut("claims", "--store", store)
    assert again.returncode == 0, again.stderr
    assert again.stdout == done.stdout
    assert "First article: predictions (short, 2 seeds)" in done.stdout
    assert "v2-price-input" in done.stdout
    assert str(store) in done.stderr


def test_the_command_that_a_run_names_at_its_end_prints_every_reading(finished, capsys):
    said = " ".join(finished[1].stdout.split())
    named = re.search(r"(\d+) other readings of the same sentences: undercut (claims .* --all.*)\.$", said)
    assert named
    assert main([*shlex.split(named[2]), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(claims())
    # In a process of its own: how wide a table is hangs on what the terminal is, and ids wrap in a narrow one.
    printed = undercut(*shlex.split(named[2]), columns=200).stdout
    readings = [claim for claim in claims() if not claim.headline]
    assert len(readings) == int(named[1])
    assert all(claim.id in printed for claim in readings)


def test_the_same_command_again_makes_nothing_and_prints_the_same(finished, short):
    store, done = finished
    before = digests(store)
    again = undercut("run", short, *COMPARED, "--workers", 2, "--out", store, *SMALL)
    assert again.stdout == done.stdout
    assert "runs are stored already" in again.stderr
    assert digests(store) == before


@pytest.mark.parametrize("columns", [80, 120])
def test_the_table_of_verdicts_fits_the_terminal(finished, columns):
    printed = undercut("claims", "--store", finished[0], columns=columns).stdout
    assert max(len(line) for line in printed.splitlines()) <= columns
    assert "v2-price-input" in printed


def test_a_terminal_that_lacks_a_sign_of_money_shows_another():
    shown = process("show", "claims", "v2-price-input", PYTHONIOENCODING="ascii")
    assert shown.returncode == 0, shown.stderr
    assert "?1 per million tokens" in shown.stdout


def test_verdicts_as_json_are_a_list_of_objects_on_every_claim(finished):
    rows = json.loads(undercut("claims", "--store", finished[0], "--json").stdout)
    assert all(isinstance(row, dict) for row in rows)
    everything = json.loads(undercut("show", "claims", "--json").stdout)
    assert [row["id"] for row in rows] == [row["id"] for row in everything]
    tested = [row for row in rows if row["probability"] is not None]
    assert tested
    for row in tested:
        assert row["probability_low"] <= row["probability"] <= row["probability_high"]
        assert row["seeds"] == (1 if row["worlds"] else 2)


def test_progress_goes_to_standard_error_and_json_alone_to_standard_output(short, tmp_path):
    done = undercut(
        "run", short, "--seeds", 1, "--out", tmp_path / "a", "--json", "--no-counterfactuals", *SMALL
    )
    assert isinstance(json.loads(done.stdout), list)
    assert "1/1 runs" in done.stderr
    quiet = undercut(
        "run", short, "--seeds", 1, "--out", tmp_path / "b", "--quiet", "--no-counterfactuals", *SMALL
    )
    assert quiet.stderr == ""


def test_claims_about_causes_are_untested_without_counterfactuals(short, tmp_path, finished):
    undercut("run", short, "--seeds", 1, "--out", tmp_path / "a", "--no-counterfactuals", *SMALL)
    alone, with_them = newest(tmp_path / "a"), newest(finished[0])
    assert alone.counterfactuals("short") == {}
    assert {"open_weights", "export_rules"} <= set(with_them.counterfactuals("short"))
    causal = [row["id"] for row in verdicts(alone) if row["worlds"] == ["open_weights"]]
    assert causal
    seeds = {row["id"]: row["seeds"] for row in verdicts(with_them)}
    assert all(row["seeds"] == 0 for row in verdicts(alone) if row["id"] in causal)
    assert all(seeds[name] == 1 for name in causal)


def test_a_cause_that_is_turned_off_is_recorded_and_changes_the_world(short, tmp_path):
    arguments = ["--seeds", 1, "--no-counterfactuals", "--quiet", "--out", tmp_path, *SMALL]
    undercut("run", short, *arguments)
    assert newest(tmp_path).table("offers")["open_weights"].sum() > 0
    undercut("run", short, "--without", "open-weights", *arguments)
    without = newest(tmp_path)
    assert without.worlds()["overrides"][0]["open_weights"] == 0.0
    assert without.table("offers")["open_weights"].sum() == 0


def test_several_scenarios_grids_and_samples_make_a_world_a_point(short, tmp_path):
    arguments = ["--seeds", 1, "--quiet", "--keep", "headline", "--workers", 1, *SMALL]
    done = undercut(
        "run",
        short,
        "--grid",
        "alpha_mean=1.5,2",
        "--grid",
        "sigma2=0.7,0.8",
        "--out",
        tmp_path,
        *arguments,
    )
    assert done.returncode == 0, done.stderr
    assert "short alpha_mean=1.5 sigma2=0.8" in done.stdout
    grid = newest(tmp_path)
    assert len(grid.labels) == 4
    assert grid.worlds()["sigma2"].tolist() == [0.7, 0.8] * 2
    undercut("run", short, "--sample", "lhs:2", "--over", "alpha_mean,sigma2", "--out", tmp_path, *arguments)
    sample = newest(tmp_path)
    assert sample.labels == ["short #1", "short #2"]
    assert sample.table("metrics")["scenario"].nunique() == 2
    assert undercut("claims", "short", "--store", tmp_path).stderr == f"opened {sample.name}\n"
    assert undercut("claims", grid.name, "--store", tmp_path).stderr == ""
    listed = json.loads(undercut("ls", "--store", tmp_path, "--json").stdout)
    assert {row["batch"]: row["state"] for row in listed} == {grid.name: "complete", sample.name: "complete"}
    assert undercut("rm", sample.name, "--store", tmp_path).returncode == 0
    assert [row["batch"] for row in json.loads(undercut("ls", "--store", tmp_path, "--json").stdout)] == [
        grid.name
    ]


def test_tables_and_verdicts_are_exported(finished, tmp_path):
    done = undercut("export", "--store", finished[0], "--out", tmp_path / "csv")
    assert done.returncode == 0, done.stderr
    quarters = pd.read_csv(tmp_path / "csv" / "quarters.csv")
    assert list(quarters.columns[:4]) == ["scenario", "world", "seed", "quarter"]
    claims = pd.read_csv(tmp_path / "csv" / "claims.csv")
    assert {"id", "probability", "word"} <= set(claims.columns)
    names = ["--tables", "offers,claims", "--format", "parquet"]
    undercut("export", "--store", finished[0], "--out", tmp_path / "parquet", *names)
    assert sorted(f.name for f in (tmp_path / "parquet").iterdir()) == ["claims.parquet", "offers.parquet"]


def test_nothing_is_written_but_the_store(short, tmp_path):
    done = process("run", short, "--seeds", 1, "--no-counterfactuals", "--quiet", *SMALL, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["runs"]


def test_a_failing_seed_is_recorded_the_others_go_on_and_the_command_says_how_to_replay_it(
    short, tmp_path, monkeypatch
):
    store, step = tmp_path / "a", Market.step
    arguments = ["run", short, "--seeds", 3, "--workers", 1, "--no-counterfactuals"]

    def broken(market):
        if market.seed == 2 and market.quarter == "2023Q1":
            raise ArithmeticError("tokens sold are not tokens bought")
        return step(market)

    monkeypatch.setattr(Market, "step", broken)
    done = undercut(*arguments, "--out", store, *SMALL)
    assert done.returncode == 1
    batch = newest(store)
    assert list(batch.table("quarters")["seed"].unique()) == [1, 3]
    (failure,) = batch.failures().to_dict("records")
    assert failure["seed"] == 2
    assert "tokens sold are not tokens bought" in failure["traceback"]
    assert "Traceback" not in done.stderr
    replay = next(line for line in done.stderr.splitlines() if "make it again alone with" in line)
    command = shlex.split(replay.partition(": ")[2])
    assert command == [
        "undercut",
        "replay",
        batch.name,
        "--scenario",
        "short",
        "--seed",
        "2",
        "--store",
        str(store),
    ]
    with pytest.raises(ArithmeticError, match="tokens sold are not tokens bought"):
        undercut(*command[1:])
    monkeypatch.undo()
    assert undercut(*command[1:]).returncode == 0  # where nothing is broken


def test_a_run_that_cannot_be_measured_fails_again_in_its_replay(short, tmp_path, monkeypatch):
    run = ["run", short, "--seeds", "1", "--workers", "1", "--no-counterfactuals", *SMALL]
    assert undercut(*run, "--out", tmp_path).returncode == 0

    def broken(*_):
        raise ZeroDivisionError("no tokens")

    monkeypatch.setattr("evidence.metrics.outcomes", broken)
    with pytest.raises(ZeroDivisionError, match="no tokens"):
        main(
            ["replay", newest(tmp_path).name, "--scenario", "short", "--seed", "1", "--store", str(tmp_path)]
        )


def test_the_default_sample_leaves_alone_what_the_file_or_the_command_sets(tmp_path, monkeypatch):
    file = tmp_path / "mine.toml"
    file.write_text(SHORT + "[parameters]\nalpha_mean = 2.5\n", encoding="utf-8")
    planned = []

    class Planned(Exception):
        pass

    def carry_out(plan, *_, **__):
        planned.append(plan.members[0].setting.parameters)
        raise Planned

    monkeypatch.setattr("undercut.batch.carry_out", carry_out)
    with pytest.raises(Planned):
        main(["run", str(file), "--sample", "random:1", "--set", "sigma2=0.8", "--seeds", "1"])
    (parameters,) = planned
    assert (parameters["alpha_mean"], parameters["sigma2"]) == (2.5, 0.8)
    assert len(parameters.overridden) > 20


def test_an_interrupted_batch_says_so_and_the_same_command_goes_on(short, tmp_path):
    arguments = ["run", str(short), "--seeds", "12", "--no-counterfactuals", *SMALL]
    process = subprocess.Popen(
        [sys.executable, "-m", "undercut", *arguments, "--workers", "2", "--out", str(tmp_path / "a")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell that runs the tests in the background makes its children deaf to Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stderr is not None
    while "/12" not in (line := process.stderr.readline()) and line:
        pass
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
    printed, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert printed == ""
    assert "of 12 runs are stored, the same command makes the rest" in said.splitlines()[-1]
    assert "Traceback" not in said
    rows = json.loads(undercut("ls", "--store", tmp_path / "a", "--json").stdout)
    assert rows[0]["state"] == "interrupted"
    assert 0 < rows[0]["done"] < 12
    for out in ("a", "b"):
        assert undercut(*arguments, "--workers", "1", "--out", tmp_path / out).returncode == 0
    assert digests(tmp_path / "a") == digests(tmp_path / "b")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "basline"], "no scenario is named 'basline'; did you mean baseline?"),
        (["run", "--set", "alpha_men=2"], "no parameter is named 'alpha_men'; did you mean alpha_mean"),
        (["run", "--set", "alpha_mean=99"], "alpha_mean = 99 is impossible: allowed is"),
        (["run", "--set", "alpha_mean"], "'alpha_mean' is not an assignment: write name=value"),
        (
            ["run", "--set", "alpha_mean=2", "--set", "alpha_mean=3"],
            "alpha_mean is given two values, 2 and 3",
        ),
        (["run", "--without", "exprot-rules"], "there is no cause 'exprot-rules' to turn off; did you mean"),
        (["run", "--seeds", "8-5"], "the range 8-5 runs backwards; write 5-8"),
        (["run", "--seeds", "0"], "seeds '0' name none"),
        (["run", "--workers", "0"], "Invalid value for '--workers'"),
        (["run", "--enterprises", "2"], "enterprises = 2.0 is impossible: allowed is a whole number from"),
        (["run", "--sedes", "3"], "No such option: --sedes (Possible options: --scheduler, --seeds"),
        (["rnu"], "No such command 'rnu'. Did you mean 'run'?"),
        (["help"], "No such command 'help'; see `undercut --help`"),
        (["show"], "Missing argument 'WHAT'; see `undercut show --help`"),
        (["show", "paramters"], "there is no 'paramters' to show; did you mean parameters?"),
        (["show", "claims", "zzz"], "none of the claims matches 'zzz'"),
        (["claims", "nowhere"], "there is no store runs; `undercut run baseline` would make one"),
        (["plot", "--store", "nowhere"], "there is no store nowhere"),
        (["run", "--keep", "some"], "--keep 'some': write all, headline, or sample:N"),
        (["run", "--grid", "alpha_mean"], "--grid 'alpha_mean': write a parameter and its values"),
        (["run", "--grid", "alpha_men=1,2"], "no parameter is named 'alpha_men'; did you mean alpha_mean"),
        (["run", "--grid", "alpha_mean=1.5,99"], "alpha_mean = 99 is impossible"),
        (["run", "--sample", "lhs"], "--sample 'lhs': write a method and a number, as lhs:256"),
        (
            ["run", "--set", "sigma2=0.8", "--grid", "sigma2=0.7,0.8"],
            "sigma2 is given one value, 0.8, and varied by the design too; leave one of them out",
        ),
        (
            ["run", "--enterprises", "60", "--grid", "enterprises=60,70"],
            "enterprises is given one value, 60.0, and varied by the design too",
        ),
        (
            ["run", "--set", "sigma2=0.8", "--sample", "lhs:2", "--over", "sigma2"],
            "sigma2 is given one value, 0.8, and varied by the design too",
        ),
        (["replay", "baseline", "--scenario", "baseline", "--seed", "-1"], "Invalid value for '--seed'"),
        (["run", "--seeds", "99999999999999999999"], "at most 18 digits"),
        (["run", "--over", "alpha_mean"], "--over says what --sample varies"),
        (["run", "baseline", "baseline"], "baseline is asked for twice"),
    ],
)
def test_a_wrong_command_gets_one_sentence_and_status_2(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert len(printed.err.splitlines()) == 1
    assert printed.out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_the_users_is_refused_before_anything_runs(capsys, tmp_path):
    (tmp_path / "thesis.txt").write_text("three years")
    assert main(["run", "--out", str(tmp_path), "--workers", "1"]) == 2
    assert "is not empty and no Undercut store" in capsys.readouterr().err
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("what", ["parameters", "claims", "metrics", "scenarios", "schema"])
def test_everything_is_shown_as_a_table_and_as_a_list_of_objects(what, capsys):
    assert main(["show", what, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows
    assert all(isinstance(row, dict) for row in rows)
    assert main(["show", what]) == 0
    printed = capsys.readouterr().out
    name = rows[0].get("id") or rows[0]["name"]
    assert name in printed


def test_a_filter_finds_words_in_names_and_descriptions_and_a_source_filter_in_sources(capsys):
    main(["show", "parameters", "--json"])
    everything = json.loads(capsys.readouterr().out)
    main(["show", "parameters", "export", "rules", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert "export_rules" in [row["name"] for row in found]
    assert 0 < len(found) < len(everything)
    main(["show", "parameters", "--source", "Reuters", "--json"])
    sourced = json.loads(capsys.readouterr().out)
    assert sourced == [row for row in everything if "reuters" in row["source"].lower()]
    assert sourced


def test_one_parameter_alone_says_where_its_value_came_from(capsys):
    main(["show", "parameters", "alpha_mean", "--json"])
    (row,) = json.loads(capsys.readouterr().out)
    main(["show", "parameters", "alpha_mean"])
    printed = " ".join(capsys.readouterr().out.split())
    assert row["source"] in printed
    assert row["description"] in printed


def test_a_filter_that_finds_nothing_is_an_empty_list_in_json(capsys):
    assert main(["show", "claims", "zzz", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_help_teaches_by_example_and_the_version_is_printed(capsys):
    for command in ("run", "claims", "show", "ablate", "plot", "ls", "rm", "export", "replay", "repair"):
        assert main([command, "--help"]) == 0
        assert f"  undercut {command} " in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("undercut ")
    assert main([]) == 0
    assert "Commands:" in capsys.readouterr().out


def test_a_reader_that_leaves_early_gets_no_traceback():
    command = f"{sys.executable} -m undercut show parameters --json | head -n 1"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith("[")
    assert done.stderr == ""


def test_ablation_prints_what_each_cause_does(short, tmp_path):
    arguments = ["--seeds", 2, "--workers", 1, "--json", "--quiet", *SMALL]
    done = undercut("ablate", short, "--out", tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert {row["cause"] for row in rows} >= {"open_weights", "export_rules"}
    assert {"claim", "change", "change_low", "change_high", "moves"} <= rows[0].keys()
