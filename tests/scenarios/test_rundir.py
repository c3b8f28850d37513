"""A run directory is whole or absent, refused where it would harm, and tells how to repeat it."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from model.parameters import Parameters
from model.records import tables
from scenarios import rundir, version
from scenarios.rundir import MANIFEST, RunFolder, RunFolderError, StoredRun
from scenarios.runner import Job, run_job
from scenarios.scenario import load
from tests.scenarios import toys


def store(out: Path | None, seeds: int = 3, workers: int = 1, simulate: object = toys.plain) -> Path:
    setting = load("baseline", {"alpha_mean": 2.5})
    job = Job(setting, simulate=simulate, measure=toys.mean_price)  # type: ignore[arg-type]
    with RunFolder(out, setting.name) as folder:
        failed = []
        for outcome in run_job(job, range(1, seeds + 1), workers):
            folder.write(outcome)
            failed += [failure.seed for failure in outcome.failures]
        manifest = rundir.manifest(setting, range(1, seeds + 1), (), failed, duration_seconds=1.0)
        folder.commit(manifest, [{"id": "P1", "probability": float("nan")}], [])
    return folder.path


def test_one_and_two_workers_write_the_same_bytes(tmp_path: Path) -> None:
    alone, together = store(tmp_path / "a", workers=1), store(tmp_path / "b", workers=2)
    files = sorted(file.name for file in alone.iterdir())
    assert files == sorted(file.name for file in together.iterdir())
    assert [name for name in files if name.endswith(".parquet")] == sorted(
        f"{t}.parquet" for t in (*tables(), "metrics")
    )
    for name in files:
        assert (alone / name).read_bytes() == (together / name).read_bytes(), name


def test_tables_hold_all_seeds_with_units_and_descriptions(tmp_path: Path) -> None:
    run_ = StoredRun.open(store(tmp_path / "a"))
    quarters = run_.table("quarters")
    assert list(quarters.columns[:3]) == ["scenario", "seed", "quarter"]
    assert list(quarters["seed"].unique()) == [1, 2, 3]
    expected = toys.plain(load("baseline", {"alpha_mean": 2.5}), 2)["quarters"]["price_usd_per_mtok"]
    stored = quarters.loc[quarters["seed"] == 2, "price_usd_per_mtok"]
    assert stored.tolist() == expected.tolist()
    field = pq.read_schema(run_.path / "quarters.parquet").field("price_usd_per_mtok")
    assert field.metadata[b"unit"] == b"USD/Mtok"
    assert field.metadata[b"description"].startswith(b"unit value")


def test_a_metric_that_a_run_cannot_tell_is_missing_in_the_store(tmp_path: Path) -> None:
    metrics = StoredRun.open(store(tmp_path / "a", seeds=2)).table("metrics")
    assert metrics["metric"].tolist() == ["mean_price", "unknown", "worlds"] * 2
    assert metrics.loc[metrics["metric"] == "unknown", "value"].isna().all()
    assert metrics.loc[metrics["metric"] == "mean_price", "value"].notna().all()


def test_the_manifest_repeats_itself_but_for_the_duration_and_rebuilds_the_parameters(tmp_path: Path) -> None:
    first = StoredRun.open(store(tmp_path / "a")).manifest
    again = StoredRun.open(store(tmp_path / "b")).manifest
    # Somebody may commit between the two.
    changing = {"duration_seconds": 0, "code": first["code"]}
    assert {**first, **changing} == {**again, **changing}
    assert first["code"]["sha256"] == again["code"]["sha256"] == version.source_hash()
    assert first["seeds"] == [1, 2, 3]
    assert first["scenario"]["name"] == "baseline"
    assert Parameters.resolve(first["overrides"]) == load("baseline", {"alpha_mean": 2.5}).parameters
    assert first["parameters"] == dict(load("baseline", {"alpha_mean": 2.5}).parameters)
    assert first["libraries"]["mesa"]


def test_json_of_a_run_has_null_where_a_number_is_missing(tmp_path: Path) -> None:
    folder = store(tmp_path / "a")
    assert StoredRun.open(folder).claims() == [{"id": "P1", "probability": None}]
    assert "NaN" not in (folder / "claims.json").read_text()


def test_a_run_with_a_failed_seed_keeps_the_others(tmp_path: Path) -> None:
    stored = StoredRun.open(store(tmp_path / "a", seeds=5, simulate=toys.one_fails))
    assert stored.seeds == [1, 2, 4, 5]
    assert list(stored.table("quarters")["seed"].unique()) == [1, 2, 4, 5]


def test_without_a_folder_runs_are_numbered_under_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert store(None, seeds=1) == Path("runs/baseline-001")
    assert store(None, seeds=1) == Path("runs/baseline-002")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["runs"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert (store(tmp_path / "a", seeds=1) / MANIFEST).exists()


def test_a_folder_of_the_users_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("three years")
    with pytest.raises(RunFolderError, match="is not empty and not Undercut's; give --out a new folder"):
        RunFolder(tmp_path, "baseline")
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_with_a_manifest_of_another_program_is_not_taken_for_ours(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text('{"name": "an extension of a browser"}')
    with pytest.raises(RunFolderError, match="not Undercut's"):
        RunFolder(tmp_path, "baseline")
    with pytest.raises(RunFolderError, match="holds no Undercut run"):
        StoredRun.open(tmp_path)


def test_a_finished_run_is_not_overwritten(tmp_path: Path) -> None:
    folder = store(tmp_path / "a", seeds=1)
    before = (folder / MANIFEST).read_bytes()
    with pytest.raises(RunFolderError, match="already holds an Undercut run"):
        store(tmp_path / "a", seeds=1)
    assert (folder / MANIFEST).read_bytes() == before


def test_two_runs_cannot_write_to_one_folder(tmp_path: Path) -> None:
    with (
        RunFolder(tmp_path / "a", "baseline"),
        pytest.raises(RunFolderError, match="another Undercut run is writing"),
    ):
        RunFolder(tmp_path / "a", "baseline")


def test_the_leavings_of_a_killed_run_are_swept_away(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / ".quarters.parquet.partial").write_text("half a table")
    (folder / rundir.LOCK).touch()
    store(folder, seeds=1)
    assert not [file for file in folder.iterdir() if file.name.startswith(".")]


def test_an_interrupted_run_leaves_nothing_behind(tmp_path: Path) -> None:
    job = Job(load("baseline"), simulate=toys.plain, measure=toys.mean_price)
    with pytest.raises(KeyboardInterrupt), RunFolder(tmp_path / "deep" / "a", "baseline") as folder:
        for outcome in run_job(job, range(40), workers=1):
            folder.write(outcome)
        raise KeyboardInterrupt
    assert not (tmp_path / "deep").exists()


@pytest.mark.parametrize("out", ["file", "file/below"])
def test_a_file_in_the_way_is_named(tmp_path: Path, out: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunFolderError, match="a file; give --out a folder"):
        RunFolder(tmp_path / out, "baseline")


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(RunFolderError, match=r"cannot write to .*: permission denied; give --out"):
        RunFolder(tmp_path / "a", "baseline")


def test_a_full_disk_is_said_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(rundir, "_sync", full)
    with pytest.raises(RunFolderError, match="no space left on device"):
        store(tmp_path / "a", seeds=1)
    assert not (tmp_path / "a").exists()


def test_no_path_time_or_process_id_is_stored_in_tables(tmp_path: Path) -> None:
    folder = store(tmp_path / "a", seeds=1)
    for file in folder.glob("*.parquet"):
        schema = pq.read_schema(file)
        assert set(schema.metadata or {}) == set()
        assert all(set(field.metadata) == {b"unit", b"description"} for field in schema)
        assert str(tmp_path).encode() not in file.read_bytes()


def test_a_folder_that_does_not_exist_holds_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="there is no folder"):
        StoredRun.open(tmp_path / "nothing")


def test_an_unknown_table_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"no table 'prices'; it has .*quarters"):
        StoredRun.open(store(tmp_path / "a", seeds=1)).table("prices")


def test_the_manifest_is_json_that_any_reader_takes(tmp_path: Path) -> None:
    text = (store(tmp_path / "a", seeds=1) / MANIFEST).read_text()
    assert json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))["format"] == 1
