"""A store is open to every reader, names its files by their content, and is never taken for something else."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from model.parameters import Parameters
from model.records import tables
from scenarios import batch, parts, version
from scenarios.batch import Batch
from scenarios.folder import StoreError
from scenarios.journal import Journal
from scenarios.parts import PARTS
from scenarios.plan import Plan
from scenarios.runner import Job
from scenarios.store import MARKER, Store
from tests.scenarios import toys
from tests.scenarios.stores import contents, plan_of
from undercut.stored import batches, write

JOB = Job(toys.plain, toys.mean_price)


def filled(out: Path, **more: object) -> Batch:
    return batch.run(plan_of(JOB, **more), JOB, out, workers=1)[0]  # type: ignore[arg-type]


def test_pandas_reads_a_table_without_our_code_with_units_in_the_schema(tmp_path: Path) -> None:
    made = filled(tmp_path, keep="all")
    quarters = pd.read_parquet(tmp_path / "tables" / "quarters")
    assert list(quarters.columns) == ["world", "seed", *(c.column for c in tables()["quarters"])]
    assert sorted(quarters["seed"].unique()) == [1, 2, 3]
    (file,) = (tmp_path / "tables" / "quarters").iterdir()
    field = pq.read_schema(file).field("price_usd_per_mtok")
    assert field.metadata[b"unit"] == b"USD/Mtok"
    worlds = pd.read_parquet(made.path / "worlds.parquet")
    assert set(quarters["world"]) == set(worlds["world"])


def test_duckdb_and_polars_style_globs_see_every_run_once(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    filled(tmp_path)
    filled(tmp_path, seeds=(3, 4, 5))
    query = f"select count(distinct seed), count(*) from '{tmp_path}/tables/metrics/*.parquet' where metric = 'mean_price'"
    assert duckdb.sql(query).fetchall() == [(5, 5)]


def test_many_runs_are_a_few_files(tmp_path: Path) -> None:
    filled(tmp_path, seeds=range(1, 121), keep="headline")
    assert sum(1 for file in tmp_path.rglob("*") if file.is_file()) < 12


def test_many_small_batches_are_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scenarios.store.MANY_PACKS", 5)
    for seed in range(1, 12):
        filled(tmp_path, seeds=(seed,), keep="headline")
    store = Store(tmp_path)
    assert len(store.packs("quarters")) < 6
    assert len(store.runs()) == 11
    assert store.read("quarters").num_rows == 11 * 24
    assert not store.damaged()


def test_a_run_is_read_once_while_packs_replace_others(tmp_path: Path) -> None:
    made = filled(tmp_path)
    before = {name: made.table(name) for name in ("quarters", "offers")}
    for name in before:
        (pack,) = made.store.packs(name)
        shutil.copy(pack, pack.with_name("0" * 16 + ".parquet"))
    for name, rows in before.items():
        pd.testing.assert_frame_equal(made.table(name), rows)


def test_no_time_path_or_process_is_in_a_store(tmp_path: Path) -> None:
    out = tmp_path / "a-telling-name"
    made = filled(out, keep="all")
    for name, content in contents(out).items():
        assert b"a-telling-name" not in content, name
    for file in (out / "tables").rglob("*.parquet"):
        schema = pq.read_schema(file)
        assert not schema.metadata
        assert all(set(field.metadata) == {b"unit", b"description"} for field in schema)
    assert set(made.manifest) == {"batch", "asked", "code", "worlds"}


def test_a_store_says_with_what_its_runs_were_made(tmp_path: Path) -> None:
    made = filled(tmp_path, points=[{"alpha_mean": 2.5}])
    assert made.made_with["code"]["sha256"] == version.source_hash()
    assert made.made_with["libraries"]["mesa"]
    assert made.made_with["parameters"] == dict(Parameters.resolve({}))
    row = made.worlds().iloc[0]
    assert row["overrides"] == {"alpha_mean": 2.5}
    assert row["alpha_mean"] == 2.5
    assert made.setting(made.labels[0]).parameters == Parameters.resolve({"alpha_mean": 2.5})


def test_a_metric_that_a_run_cannot_tell_is_missing(tmp_path: Path) -> None:
    metrics = filled(tmp_path).table("metrics")
    assert metrics["metric"].tolist() == ["mean_price", "unknown"] * 3
    assert metrics.loc[metrics["metric"] == "unknown", "value"].isna().all()


def test_a_damaged_pack_is_found_by_its_checksum_and_its_runs_are_made_again(tmp_path: Path) -> None:
    made = filled(tmp_path, seeds=range(1, 6))
    before = {name: made.table(name) for name in ("quarters", "offers", "metrics")}
    for table in ("quarters", "offers", "runs"):
        pack = Store(tmp_path).packs(table)[0]
        content = bytearray(pack.read_bytes())
        content[len(content) // 2] ^= 1
        pack.write_bytes(content)
        assert Store(tmp_path).damaged() == [pack]
        dropped, _ = Store(tmp_path).repair()
        assert dropped == 1
        assert not Store(tmp_path).damaged()
        filled(tmp_path, seeds=range(1, 6))
        for name, rows in before.items():
            pd.testing.assert_frame_equal(made.table(name), rows)
        stored = Store(tmp_path).read("quarters")
        assert stored.num_rows == 5 * 24
    assert Store(tmp_path).repair() == (0, 0)


def test_a_truncated_pack_is_named_with_what_to_do(tmp_path: Path) -> None:
    made = filled(tmp_path)
    (pack,) = made.store.packs("quarters")
    pack.write_bytes(pack.read_bytes()[:100])
    with pytest.raises(StoreError, match=r"quarters.*parquet is damaged; `undercut repair --store"):
        made.table("quarters")


def test_a_finished_batch_that_lacks_what_lists_its_full_tables_says_so(tmp_path: Path) -> None:
    made = filled(tmp_path)
    (pack,) = made.store.packs("kept")
    pack.unlink()
    for name in ("kept", "offers"):
        with pytest.raises(StoreError, match=r"gone from the table kept; .* run the batch again"):
            made.table(name)
    assert batch.repair(made.store) == (0, 0)
    assert len(filled(tmp_path).table("kept")) == 1


def test_failures_that_are_gone_are_said_to_be(tmp_path: Path) -> None:
    job = Job(toys.one_fails, toys.mean_price)
    made = batch.run(plan_of(job), job, tmp_path, workers=1)[0]
    assert len(made.failures()) == 1
    (pack,) = made.store.packs("failures")
    pack.unlink()
    with pytest.raises(StoreError, match="1 runs are gone from the table failures"):
        made.failures()
    assert batch.repair(made.store) == (0, 1)
    assert len(batch.run(plan_of(job), job, tmp_path, workers=1)[0].failures()) == 1


def test_runs_that_are_stored_while_a_table_is_read_are_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scenarios.journal.Journal.finish", Journal.flush)
    made = filled(tmp_path / "runs")
    (made.path / PARTS).rename(tmp_path / "later")
    reads = parts.read

    def meanwhile(store: Store, folder: Path, name: str, worlds: Collection[str]) -> object:
        found = reads(store, folder, name, worlds)
        if name == "metrics":
            (tmp_path / "later").rename(made.path / PARTS)
        return found

    monkeypatch.setattr(parts, "read", meanwhile)
    assert made.table("metrics").empty
    monkeypatch.setattr(parts, "read", reads)
    assert set(made.table("metrics")["seed"]) == {1, 2, 3}


@pytest.mark.parametrize("there", [False, True])
def test_the_tables_of_a_damaged_batch_are_written_all_or_none(tmp_path: Path, there: bool) -> None:
    made, out = filled(tmp_path / "runs"), tmp_path / "out"
    if there:
        out.mkdir()
    (pack,) = made.store.packs("offers")
    pack.rename(tmp_path / "pack")
    with pytest.raises(StoreError, match="repair"):
        list(write(made, out, "quarters,offers", "csv"))
    assert out.exists() == there
    assert not there or not list(out.iterdir())
    (tmp_path / "pack").rename(pack)
    written = [file for file, _ in write(made, out, "quarters,offers", "csv")]
    assert sorted(written) == sorted(out.iterdir()) == [out / "offers.csv", out / "quarters.csv"]


def interrupted(out: Path) -> Plan:
    """A batch with parts of 20, 20 and 9 runs, whose process ended before it packed them."""

    class Ending(toys.Watching):
        left = 49

        def advance(self, runs: int, failures: object) -> None:
            self.left -= runs
            if not self.left:
                raise KeyboardInterrupt

    plan = plan_of(JOB, seeds=range(1, 50), keep="all")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(batch.Interrupted):
        patch.setattr("scenarios.journal.PART_RUNS", 1)
        patch.setattr("scenarios.runner.REPORT_SECONDS", 1e9)
        batch.run(plan, JOB, out, workers=1, progress=Ending())
    return plan


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-9])


def turn(file: Path) -> None:
    column = pq.read_metadata(file).row_group(0).column(1)
    content = bytearray(file.read_bytes())
    content[column.data_page_offset + column.total_compressed_size // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("damage", [cut, turn])
@pytest.mark.parametrize("table", ["runs", "quarters", "kept", "offers"])
def test_a_damaged_part_is_dropped_by_the_same_command_and_its_runs_are_made_again(
    tmp_path: Path, table: str, damage: Callable[[Path], None]
) -> None:
    plan = interrupted(tmp_path / "a")
    damage(tmp_path / "a" / "batches" / plan.name / "parts" / f"000001-{table}.parquet")
    counted = toys.Counting()
    batch.run(plan, JOB, tmp_path / "a", workers=1, progress=counted)
    assert counted.made == 20
    batch.run(plan, JOB, tmp_path / "b", workers=1)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_repair_drops_damaged_parts_but_those_of_a_running_batch(tmp_path: Path) -> None:
    plan = interrupted(tmp_path)
    store = Store(tmp_path)
    cut(tmp_path / "batches" / plan.name / "parts" / "000000-quarters.parquet")
    with pytest.raises(StoreError, match=r"000000-quarters.parquet is damaged; `undercut repair --store"):
        Batch.open(tmp_path).table("quarters")
    lock = store.lock_of(plan.name)
    assert lock.take(wait=False)
    assert batch.repair(store) == (0, 0)
    lock.free()
    assert batch.repair(store) == (1, 0)
    assert len(Batch.open(tmp_path).done()) == 29
    assert Batch.open(tmp_path).table("quarters")["seed"].nunique() == 29


@pytest.mark.parametrize("content", ["{", "[]", '{"asked": {"seeds": "1-3"}, "code": "1"}'])
def test_a_damaged_manifest_is_named_and_written_anew_by_the_same_command(
    tmp_path: Path, content: str
) -> None:
    made = filled(tmp_path)
    before = contents(tmp_path)
    (made.path / "manifest.json").write_text(content)
    with pytest.raises(
        StoreError, match=rf"manifest.json is missing or damaged; .* `undercut rm {made.name}`"
    ):
        made.planned()
    filled(tmp_path)
    assert contents(tmp_path) == before


def test_what_is_written_of_the_code_is_written_anew_where_it_is_damaged(tmp_path: Path) -> None:
    made = filled(tmp_path)
    before = made.made_with
    (file,) = (tmp_path / "code").iterdir()
    file.write_text("{")
    with pytest.raises(StoreError, match="is missing or damaged"):
        _ = made.made_with
    filled(tmp_path)
    assert made.made_with == before


@pytest.mark.parametrize("content", ["", "[]", '{"form": 2}'])
def test_a_damaged_marker_is_named_with_what_to_write_into_it(tmp_path: Path, content: str) -> None:
    made = filled(tmp_path)
    (tmp_path / MARKER).write_text(content)
    with pytest.raises(StoreError, match=r"undercut.json is missing or damaged; write (.*) into it") as said:
        Store(tmp_path)
    (tmp_path / MARKER).write_text(str(said.value).partition("write ")[2].partition(" into")[0])
    assert Batch.open(tmp_path).name == made.name


def test_repair_drops_what_a_damaged_commit_left_half_done(tmp_path: Path) -> None:
    made = filled(tmp_path / "a", keep="all")
    before = contents(tmp_path / "a")
    (pack,) = made.store.packs("metrics")
    pack.unlink()
    (tmp_path / "a" / "commit.json").write_text('{"rename": []')
    with pytest.raises(StoreError, match=r"commit.json is missing or damaged; `undercut repair --store"):
        filled(tmp_path / "a", keep="all")
    assert batch.repair(made.store) == (0, 3)
    filled(tmp_path / "a", keep="all")
    assert contents(tmp_path / "a") == before


def test_an_empty_folder_is_taken_and_a_deep_one_is_made(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert filled(tmp_path / "empty").done()
    assert filled(tmp_path / "deep" / "er").done()


def test_a_folder_of_the_users_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("three years")
    with pytest.raises(StoreError, match="is not empty and no Undercut store; give --out another folder"):
        filled(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_store_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / MARKER).write_text(json.dumps({"format": 99}))
    with pytest.raises(StoreError, match="is a store of format 99, this version writes 3"):
        filled(tmp_path)


@pytest.mark.parametrize("out", ["file", "file/below"])
def test_a_file_in_the_way_is_named(tmp_path: Path, out: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="a file; give --out a folder"):
        filled(tmp_path / out)


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StoreError, match=r"cannot write to .*: permission denied; make it writable"):
        filled(tmp_path / "a")


def test_a_store_that_cannot_be_written_to_is_listed_and_otherwise_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = filled(tmp_path)
    real = Path.open

    def refuse(self: Path, mode: str = "r", *rest: object, **named: object) -> object:
        if set(mode) & set("awx+"):
            raise OSError(errno.EROFS, "Read-only file system")
        return real(self, mode, *rest, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)
    assert [row["state"] for row in batches(tmp_path)] == ["complete"]
    for change in (
        made.remove,
        made.store.repair,
        lambda: batch.repair(made.store),
        lambda: filled(tmp_path),
    ):
        with pytest.raises(StoreError, match=r"cannot write to .*: read-only file system; make it writable"):
            change()


def test_what_is_not_named_as_a_pack_is_left_alone(tmp_path: Path) -> None:
    made = filled(tmp_path)
    rows = made.table("quarters")
    tables_of = tmp_path / "tables" / "quarters"
    (tables_of / "old.parquet").mkdir()
    (tables_of / f"{'0' * 16}.parquet").mkdir()
    (tables_of / "mine.parquet").write_text("notes")
    pd.testing.assert_frame_equal(made.table("quarters"), rows)
    assert batch.repair(made.store) == (0, 0)
    assert made.remove() == 3
    assert (tables_of / "mine.parquet").read_text() == "notes"


def test_what_is_no_store_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store"):
        Store(tmp_path / "nothing")
    with pytest.raises(StoreError, match="is not an Undercut store"):
        Store(tmp_path)
