"""Whatever is handed over ends well or in a sentence with exit status 2: no traceback, no wrong number, no half file.

`make test` takes a small sample of each kind of input; `make fuzz` takes UNDERCUT_FUZZ of each (20,000 by default there).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from unittest import mock

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenarios.batch import Batch
from scenarios.batch import run as make
from scenarios.folder import StoreError
from scenarios.runner import Job
from scenarios.scenario import ScenarioError, resolve, resolve_text
from scenarios.store import Store
from tests.fuzz.inputs import damaged, files, options
from tests.scenarios import toys
from tests.scenarios.stores import plan_of
from undercut.cli import main
from viz.live import address
from viz.live.script import Script

INPUTS = int(os.environ.get("UNDERCUT_FUZZ", "40"))
MANY = settings(
    max_examples=INPUTS,
    derandomize=INPUTS < 1000,  # the sample of `make test` is the same every time
    database=None,
    suppress_health_check=list(HealthCheck),
)
SENTENCES = 20_000
"""Characters of an error that is still one to read: a file may have many faults, each a line."""


def said_well(error: ValueError) -> None:
    """An error for people: lines that can be printed."""
    for fault in map(str, error.args):
        assert fault.strip()
        assert len(fault) < SENTENCES
        assert all(line.isprintable() for line in fault.split("\n")), fault


@MANY
@given(content=files())
def test_a_damaged_scenario_file_is_a_scenario_or_refused_in_sentences(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "fuzzed.toml"
    path.write_bytes(content)
    try:
        assert resolve(path).title
    except ScenarioError as error:
        said_well(error)


class Planned(Exception):
    """A batch was planned; making it is not what is tried here."""


@MANY
@given(arguments=options())
def test_any_options_of_run_are_a_plan_or_a_sentence_and_status_2(capfd, tmp_path_factory, arguments):
    store = tmp_path_factory.getbasetemp() / "never"
    planned = mock.patch("undercut.batch.carry_out", side_effect=Planned)
    with planned:
        try:
            status = main(["run", *arguments, "--out", str(store)])
        except Planned:
            status = 0
    said = capfd.readouterr().err
    assert status in (0, 2), (arguments, said)
    assert "Traceback" not in said
    if status == 2:
        assert said.strip(), arguments
        assert all(line.isprintable() for line in said.strip().split("\n")), said
    assert not store.exists()


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> tuple[Path, dict[str, tuple[bool, pd.DataFrame]]]:
    """A small store: two batches, a pack of each table, manifests; and what is read of it while it is whole."""
    place = tmp_path_factory.mktemp("whole")
    job = Job(toys.plain, toys.mean_price)
    for seeds in ((1, 2, 3), (3, 4)):
        make(plan_of(job, seeds=seeds), job, place, workers=1)
    return place, read(place)


def read(store: Path) -> dict[str, tuple[bool, pd.DataFrame]]:
    """Everything that commands read of a store: each batch, whether it is complete, its tables."""
    found = {}
    for batch in Batch.all(Store(store)):
        assert isinstance(batch.manifest, dict)
        for table in ("quarters", "metrics", "offers"):
            rows = batch.table(table)
            found[f"{batch.name} {table}"] = batch.complete, rows
        found[f"{batch.name} failures"] = batch.complete, batch.failures()
    return found


def harm(draw: st.DataObject, store: Path) -> None:
    """Do something to one file that a disk, a copy or a stranger might do."""
    every = sorted(file for file in store.rglob("*") if file.is_file())
    file = draw.draw(st.sampled_from(every))
    what = draw.draw(st.sampled_from(["damage", "damage", "empty", "gone", "other", "stranger", "folder"]))
    if what == "damage":
        file.write_bytes(draw.draw(damaged(file.read_bytes())))
    elif what == "empty":
        file.write_bytes(b"")
    elif what == "gone":
        file.unlink()
    elif what == "other":
        file.write_bytes(draw.draw(st.sampled_from(every)).read_bytes())
    elif what == "stranger":
        (
            file.parent
            / draw.draw(st.sampled_from(["x.parquet", "note.txt", ".hidden", "quarters-0.parquet.tmp"]))
        ).write_bytes(draw.draw(st.binary(max_size=40)))
    else:
        file.unlink()
        file.mkdir()


@MANY
@given(draw=st.data())
def test_a_damaged_store_gives_its_numbers_or_a_sentence_but_never_other_numbers(
    tmp_path_factory, store, draw
):
    place = tmp_path_factory.getbasetemp() / "harmed"
    shutil.rmtree(place, ignore_errors=True)
    sound, whole = store
    shutil.copytree(sound, place)
    harm(draw, place)
    try:
        found = read(place)
    except StoreError as error:
        said_well(error)
        return
    for key, (complete, rows) in found.items():
        if complete:
            pd.testing.assert_frame_equal(rows, whole[key][1])
        elif key in whole:  # what is left of it is what it was
            left = rows.merge(whole[key][1].drop_duplicates(), how="left", indicator=True)
            assert (left["_merge"] == "both").all(), key


@MANY
@given(
    name=st.one_of(
        st.sampled_from(["world.toml", "../../x.toml", "a\x00.toml", "<script>.toml", "x.TOML"]), st.text()
    ),
    content=files().map(lambda raw: raw.decode("utf-8", errors="replace")),
)
def test_an_uploaded_file_is_a_world_or_refused_in_sentences(name, content):
    try:
        assert resolve_text(name, content).title
    except ScenarioError as error:
        said_well(error)


GOOD = address.query(Script("baseline", 1, (("alpha_mean", 2.0),), (), ""), address.Choice("2024Q1")).encode()


@MANY
@given(link=st.one_of(damaged(GOOD), st.binary(max_size=60)))
def test_a_damaged_link_is_a_view_or_refused_in_a_sentence(link):
    try:
        address.read(link.decode("utf-8", errors="replace"))
    except ScenarioError as error:
        said_well(error)
