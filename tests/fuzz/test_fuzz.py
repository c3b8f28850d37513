"""Whatever is handed over ends well or in a sentence with exit status 2: no traceback, no wrong number, no half file.

`make test` takes a small sample of each kind of input, the same every time; `make fuzz` takes UNDERCUT_FUZZ of each
(20,000 by default there), and a twentieth of them as stores, since each is read in many ways.
"""

from __future__ import annotations

import contextlib
import math
import os
import tempfile
from functools import partial
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from model.parameters import SWITCH_WORDS, Parameters, table
from scenarios import design, draws, seeds
from scenarios.pack import FULL_BOOKS
from scenarios.scenario import resolve_text
from scenarios.toml import to_toml
from studies.ensemble import overrides, plan
from tests.fuzz import texts
from tests.fuzz.damage import BYTES, FILES, damages
from tests.fuzz.judge import command, judged
from tests.fuzz.stores import COMMANDS, QUICK, harmed, lacks, listing, reading, whole
from viz.live import address
from viz.live.script import Script

LARGE = 1000
"""So many inputs are no sample of the ordinary tests: they differ each time, and take what is slow."""

INPUTS = int(os.environ.get("UNDERCUT_FUZZ", "40"))
MANY = settings(
    max_examples=INPUTS,
    derandomize=INPUTS < LARGE,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
FEWER = settings(MANY, max_examples=INPUTS // 20 or 1, phases=(Phase.generate,))
"""For what takes long; a harm is small as it is drawn, and to make it smaller would take minutes."""


@MANY
@given(texts.seeds)
def test_seeds_are_whole_numbers_in_order_that_come_back_from_their_notation(text):
    found, _ = judged(lambda: seeds.parse(text))
    if found:
        assert list(found) == sorted(set(found))
        assert 0 <= found[0] <= found[-1] <= seeds.LARGEST
        assert len(found) > 1000 or seeds.parse(seeds.words(found)) == found


@MANY
@given(texts.assignments)
def test_a_parameter_takes_the_value_that_was_written_or_none(given):
    found, _ = judged(lambda: Parameters.resolve(overrides(given)))
    if found:
        wanted = {text.partition("=")[0].strip(): text.partition("=")[2].strip().lower() for text in given}
        meant = {name: float(SWITCH_WORDS.get(value, value)) for name, value in wanted.items()}
        assert {name: found[name] for name in meant} == meant
        assert all(map(math.isfinite, meant.values()))
        assert set(found.overridden) <= set(meant)


@MANY
@given(texts.grids)
def test_a_grid_has_a_world_a_combination_and_none_twice(given):
    found, _ = judged(lambda: design.grid(given))
    if found is not None:
        assert found
        assert len({tuple(point.items()) for point in found}) == len(found)
        judged(lambda: [Parameters.resolve(point) for point in found[:10]])


@FEWER
@given(texts.samples)
def test_a_sample_stays_within_the_ranges(given):
    found, _ = judged(lambda: design.sample(*given))
    for point in (found or ())[:100]:
        assert all(table()[name].low <= value <= table()[name].high for name, value in point.items())


class Planned(Exception):
    """A batch was planned; making it is not what is tried here."""


@MANY
@given(texts.options)
def test_options_of_run_are_a_plan_or_refused_before_anything_is_written(given):
    planned = mock.patch("undercut.batch.carry_out", side_effect=Planned)
    with tempfile.TemporaryDirectory() as folder, planned:
        with contextlib.suppress(Planned):
            assert command(["run", *given, f"--out={folder}/never"]) == 2
        assert not list(Path(folder).iterdir())


@MANY
@given(texts.scenarios)
def test_a_scenario_says_the_same_when_it_is_written_out_in_full(text):
    found, _ = judged(lambda: resolve_text("mine.toml", text))
    if found:
        again = resolve_text("mine.toml", to_toml(found))
        assert (again.setting, again.seeds) == (found.setting, found.seeds)
        assert found.seeds is None or seeds.parse(found.seeds)


@MANY
@given(st.one_of(st.just("mine.toml"), texts.path_names), st.one_of(st.just(b'title = ""'), texts.files))
def test_a_file_of_any_name_is_a_scenario_to_plan_with_or_refused(name, content):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, name)
        file.write_bytes(content)
        planned, _ = judged(lambda: plan([file], 1))
        assert planned is None or planned.name.isprintable()


@MANY
@given(texts.file_names, st.one_of(texts.scenarios, st.none()))
def test_an_uploaded_file_is_a_world_that_its_link_makes_again_or_refused(name, text):
    script, _ = judged(lambda: Script().with_file(name, text))
    if script and judged(script.base)[0] and address.linked(script):
        assert address.read(address.query(script, address.Choice()))[0] == script


@MANY
@given(texts.draws)
def test_draws_are_the_columns_of_their_file(content):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "mine.toml")
        file.write_text('title = "Mine"\n', encoding="utf-8")
        file.with_suffix(".csv").write_bytes(content)
        found, _ = judged(lambda: draws.read(file))
    if found:
        head = next(line for line in content.decode("utf-8-sig").splitlines() if line and line[0] != "#")
        assert '"' in head or len(found.points[0]) == head.count(",") + 1
        judged(found.stale)


@MANY
@given(texts.queries)
def test_a_link_comes_back_from_the_page_that_it_opens(text):
    found, _ = judged(lambda: address.read(text))
    if found and address.linked(found[0]):
        assert address.read(address.query(*found)) == found


@FEWER
@given(st.booleans(), damages(*BYTES, *FILES))
def test_a_harmed_store_gives_what_it_gave_or_a_sentence_whoever_reads(packed, given):
    sound, said = whole(packed)
    with harmed(sound, given) as (store, told):
        before = listing(store)
        for (name, what), expected in said.items():
            found, refusal = judged(partial(reading, store, name, what))
            if refusal or found == expected:
                continue
            # Where a batch says that it lacks runs, or that it is not packed yet, tables may lack their rows.
            may_lack = judged(partial(lacks, store, name))[0] or (not packed and what in FULL_BOOKS)
            less = may_lack and (what == "verdicts" or set(found or ()) <= set(expected))
            assert less, f"{what} of {name} is wrong without a word after {told}"
        assert listing(store) == before, f"reading changed the store after {told}"


@FEWER
@given(st.booleans(), st.sampled_from(COMMANDS if INPUTS >= LARGE else QUICK), damages(*BYTES, *FILES))
def test_a_command_on_a_harmed_store_works_or_leaves_nothing_behind(packed, words, given):
    with harmed(whole(packed)[0], given) as (store, told):
        before = listing(store.parent)
        refused = command(words.format(store=store, out=store.parent / "out").split())
        if refused and not words.startswith("repair"):  # which drops what it can
            assert listing(store.parent) == before, f"{words} left something behind after {told}"


@pytest.mark.parametrize(
    "given",
    [
        "--grid=alpha_mean=,",
        "--sample=lhs:" + "9" * 5000,
        "--keep=sample:" + "9" * 5000,
        "--set=idle_power_share=0\n.25",
    ],
)
def test_what_once_broke_is_refused_in_a_line(given):
    assert command(["run", given]) == 2
