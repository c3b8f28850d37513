"""The batches that the pages can show, and what is read of one of them."""

import io
import json
import zipfile

import pandas as pd
import pytest

from scenarios.folder import StoreError
from tests.viz.small import SMALL, small_batch
from viz.parcel import parcel
from viz.stored import archive, graph, pair, shelf, table
from viz.ui import claims, compare, results


@pytest.fixture
def batch(store, monkeypatch):
    monkeypatch.setenv(shelf.VARIABLE, str(store))
    return small_batch(store)


@pytest.fixture
def nothing(tmp_path, monkeypatch):
    monkeypatch.setenv(shelf.VARIABLE, str(tmp_path / "none"))
    return tmp_path / "none"


def test_a_store_that_is_not_there_or_empty_has_no_batches(nothing):
    assert shelf.batches() == []
    assert shelf.newest() is None
    nothing.mkdir()
    assert shelf.batches() == []
    assert claims.judged("", "") == claims.Judged()


def test_a_folder_with_something_else_in_it_is_refused_with_a_sentence(nothing):
    nothing.mkdir()
    (nothing / "letter.txt").write_text("dear")
    with pytest.raises(StoreError, match="not an Undercut store"):
        shelf.batches()


@pytest.mark.parametrize("name", ["../..", "/etc/passwd", "..", ".", "no-such", "", "base", "x" * 10_000])
def test_only_names_of_the_list_are_opened(batch, name):
    with pytest.raises(StoreError, match="choose one of the list") as raised:
        results.read(name, "")
    assert len(str(raised.value)) < 200
    assert shelf.named(batch.name).name == batch.name
    assert shelf.named(batch.name.replace("+", " ")).name == batch.name


def test_a_world_that_the_batch_has_not_is_refused_with_a_sentence(batch):
    with pytest.raises(StoreError, match="no scenario 'nowhere'"):
        results.read(batch.name, "nowhere")


def test_the_list_says_how_far_each_batch_has_come(batch):
    summary = shelf.summary(batch)
    assert (summary["runs"], summary["done"], summary["failed"], summary["state"]) == (4, 4, 0, "complete")
    rows = {each["name"]: each for each in table.batches([summary])["rows"]}
    assert [each["text"] for each in rows[batch.name]["cells"]][2:] == ["2", "1-2", "4", "complete"]


def test_an_opened_batch_is_plain_data(batch):
    opened = results.read(batch.name, "consortium")
    assert (opened.label, opened.seeds, opened.failed) == ("consortium", 2, 0)
    assert [panel.name for panel, _ in opened.panels] == ["prices", "nvidia", "shares", "size"]
    for text in (*(option for _, option in opened.panels), opened.verdicts, opened.failures):
        json.loads(text)
    assert dict(opened.facts)["Seeds"] == "1-2 (2)"


def test_the_supply_graph_of_a_stored_quarter_is_that_of_its_tables(batch):
    made = graph.read(batch, "baseline")
    assert made is not None
    assert made.quarters[0] == "2023Q1"
    option = made.option("2024Q1")
    links = option["series"][0]["links"]
    assert links
    edges = batch.table("edges", "baseline")
    rows = edges[(edges["seed"] == made.seed) & (edges["quarter"] == "2024Q1")]
    now = graph.frame("2024Q1", rows, None)
    assert sum(flow.money for flow in now.flows) == pytest.approx(rows["money_usd"].sum())
    assert all("/" not in flow.target for flow in now.flows)
    # A quarter that is not on record shows the last one.
    assert made.option("1999Q1") == made.option(made.quarters[-1])
    json.dumps(option, allow_nan=False)


def test_an_archive_of_the_same_tables_is_the_same_each_time():
    tables = {"a": pd.DataFrame({"x": [1.0, 2.0]}), "b": pd.DataFrame({"y": ["u"]})}
    for form in ("csv", "parquet"):
        packed = parcel(tables.items(), form)
        assert packed == parcel(tables.items(), form)
        with zipfile.ZipFile(io.BytesIO(packed)) as files:
            assert files.namelist() == [f"a.{form}", f"b.{form}"]


def test_downloads_are_the_tables(batch):
    with zipfile.ZipFile(io.BytesIO(archive.tables(batch, "csv"))) as files:
        quarters = pd.read_csv(files.open("quarters.csv"))
        assert {"claims.csv", "worlds.csv", "edges.csv"} <= set(files.namelist())
    assert len(quarters) == len(batch.table("quarters"))
    with zipfile.ZipFile(io.BytesIO(archive.tables(batch, "parquet"))) as files:
        assert len(pd.read_parquet(io.BytesIO(files.read("quarters.parquet")))) == len(quarters)
    verdicts = pd.read_csv(io.BytesIO(archive.claims(batch)))
    assert set(verdicts["scenario"]) == {"baseline", "consortium"}


def test_a_complete_pair_is_read_and_another_one_is_not(batch):
    found = compare.read(SMALL.plan())
    assert found is not None
    assert found.batch == batch.name
    for text in (found.chances, found.differences, *(option for _, option in found.panels)):
        json.loads(text)
    assert "2 pairs of runs" in found.notes[0]
    assert compare.read(pair.Pair(seeds="9").plan()) is None
    assert compare.read(None) is None


def test_verdicts_come_from_the_newest_complete_batch_unless_another_is_named(batch):
    assert claims.judged(batch.name, "consortium").where == f"consortium in {batch.name}, 2 seeds"
    found = claims.judged("", "")
    assert found.batch in found.batches
    with pytest.raises(StoreError, match="choose one of the list"):
        claims.judged("../..", "")
