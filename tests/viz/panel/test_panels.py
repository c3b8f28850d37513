"""Charts of studies in the browser show the numbers of their tables, whatever the kind."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scenarios.folder import StoreError
from scenarios.runner import Job
from scenarios.scenario import load
from studies.breaks.breaks import breaks
from studies.calibration.calibration import calibrate
from studies.calibration.waves import Design
from studies.causes import causes
from studies.discovery.discovery import discovery
from studies.form import form
from studies.sensitivity.morris import morris
from studies.sensitivity.pawn import pawn
from studies.sensitivity.sobol import sobol
from studies.space import Space
from studies.study import Study
from tests.studies import observed, test_discovery, test_form
from tests.studies.functions import AXES, CLAIM, JOBS, measure
from tests.studies.games import GAMES
from viz.fan import ChartError
from viz.option import span
from viz.option.palette import Option
from viz.option.panel import Panel
from viz.stored import studies
from viz.study.report import html
from viz.ui.widget import pack

SPACE, WORLD = Space.over(AXES), load("baseline")


def _calibrated(out: Path) -> Study:
    asked = observed.observables(observed.response(np.array([0.6, 0.4, 0.5, 0.8])))
    made = {"asked": asked, "met": 0, "checks": 0, "among": 3, "job": observed.JOB, "workers": 1}
    return calibrate(WORLD, SPACE, out, Design(12, 1, 2, 6, 1, 60, 100), **made).study  # type: ignore[arg-type]


MADE: dict[str, Callable[[Path], Study]] = {
    "sobol": lambda out: sobol(WORLD, SPACE, (CLAIM,), (1, 2), out, job=JOBS["ishigami"], workers=1, base=32)[
        0
    ],
    "morris": lambda out: morris(
        WORLD, SPACE, (CLAIM,), (1, 2), out, job=JOBS["ishigami"], workers=1, trajectories=6
    )[0],
    "pawn": lambda out: pawn(
        WORLD, SPACE, (CLAIM,), (1, 2), out, job=JOBS["ishigami"], workers=1, samples=80
    )[0],
    "causes": lambda out: causes(
        WORLD,
        (1, 2),
        out,
        over=("open_weights", "export_rules"),
        claims=(CLAIM,),
        job=GAMES["additive"],
        workers=1,
    )[0],
    "breaks": lambda out: breaks(WORLD, SPACE, (CLAIM,), range(6), out, job=JOBS["linear"], workers=1)[0],
    "discovery": lambda out: discovery(
        WORLD,
        SPACE,
        (CLAIM,),
        (1, 2, 3),
        out,
        job=Job(test_discovery.planted, measure),
        workers=1,
        points=300,
    )[0],
    "form": lambda out: form(
        WORLD, range(1, 13), out, claims=(CLAIM,), job=Job(test_form.switched, measure), workers=1
    )[0],
    "calibration": _calibrated,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Study]:
    """A study on a known function, by its kind."""
    known: dict[str, Study] = {}

    def make(kind: str) -> Study:
        if kind not in known:
            known[kind] = MADE[kind](tmp_path_factory.mktemp(kind))
        return known[kind]

    return make


def drawn(study: Study, subject: str = "") -> list[Panel]:
    kind = import_module(f"viz.panel.{study.kind}")
    choices = kind.choices(study)
    return list(kind.panels(study, subject or (choices[0][0] if choices else "")))


def rows(option: Option, series: str) -> dict[str, list[Any]]:
    """The values of a series of estimates by the name of their line."""
    names = option["yAxis"]["data"]
    found = next(each for each in option["series"] if each["name"] == series)
    return {names[int(each["value"][0])]: each["value"][1:5] for each in found["data"]}


@pytest.mark.parametrize("kind", MADE)
def test_every_choice_of_a_study_is_drawn_from_plain_data(kind: str, made: Callable[[str], Study]) -> None:
    study = made(kind)
    choices = [subject for subject, _ in import_module(f"viz.panel.{kind}").choices(study)] or [""]
    for subject in choices:
        panels = drawn(study, subject)
        assert panels
        assert len({panel.name for panel in panels}) == len(panels)
        for panel in panels:
            pack(panel.option)  # no number that JSON lacks
            assert panel.title and panel.subtitle and panel.height > 100
            for series in panel.option["series"]:
                assert all(each["lines"] for each in series["data"])


def test_there_are_charts_for_every_kind_of_report() -> None:
    import viz.study

    folder = Path(viz.study.__file__).parent
    reports = {
        file.stem for file in folder.glob("*.py") if "def sections(" in file.read_text(encoding="utf-8")
    }
    assert reports - {"report"} == set(MADE)


def test_bars_of_indices_are_those_of_the_table_the_largest_first(made: Callable[[str], Study]) -> None:
    study = made("sobol")
    (panel,) = drawn(study, CLAIM)
    found = rows(panel.option, "total: alone and with others")
    effects = {row["unit"]: row for row in study.tables["effects"].to_dict("records")}
    assert list(found) == sorted(effects, key=lambda unit: -effects[unit]["total"])
    for unit, (start, *estimate) in found.items():
        assert start == 0.0
        assert estimate == pytest.approx([effects[unit][f"total{end}"] for end in ("", "_low", "_high")])


def test_a_waterfall_leads_from_no_cause_to_all(made: Callable[[str], Study]) -> None:
    study = made("causes")
    waterfall = drawn(study, CLAIM)[0].option
    ends = rows(waterfall, "outcome")
    parts = rows(waterfall, "adds") | rows(waterfall, "takes away")
    level = ends["none of them"][1]
    for name in waterfall["yAxis"]["data"][1:-1]:
        start, end, low, high = parts[name]
        assert start == pytest.approx(level)
        assert low <= end <= high
        level = end
    assert level == pytest.approx(ends["all"][1])
    assert ends["all"][1] - ends["none of them"][1] == pytest.approx(study.tables["outcomes"]["change"][0])


def test_a_break_is_marked_as_far_from_the_default_as_the_table_says(made: Callable[[str], Study]) -> None:
    study = made("breaks")
    fragile, tornado, *curves = drawn(study, CLAIM)
    table = study.tables["breaks"].set_index("parameter")
    flips = rows(tornado.option, "flips")
    assert set(flips) == set(table.index[table["status"] == "flips"]) == {panel.title for panel in curves}
    distance = table["distance"].to_dict()
    for name, (_, end, _, _) in flips.items():
        assert abs(end) == pytest.approx(distance[name])
    first = next(iter(rows(fragile.option, "distance").values()))
    assert first[1] == pytest.approx(table["distance"].min())


def test_a_box_is_drawn_where_its_limits_are(made: Callable[[str], Study]) -> None:
    study = made("discovery")
    ranges = drawn(study, CLAIM)[0].option
    found = rows(ranges, "box")
    start, end, *_ = found[AXES[0]]
    assert start == pytest.approx(test_discovery.ABOVE, abs=0.1) and end == 1.0
    start, end, *_ = found[AXES[1]]
    assert start == 0.0 and end == pytest.approx(test_discovery.BELOW, abs=0.1)


def test_what_becomes_of_verdicts_is_counted(made: Callable[[str], Study]) -> None:
    study = made("form")
    option = drawn(study)[0].option
    forms = study.tables["forms"].set_index("form")
    for series in option["series"]:
        for name, each in zip(option["yAxis"]["data"], series["data"], strict=True):
            assert (each["value"] or 0) == forms.loc[name, series["name"]]


def test_a_posterior_is_a_density_over_bins_that_were_equally_likely(made: Callable[[str], Study]) -> None:
    study = made("calibration")
    option = next(panel for panel in drawn(study) if panel.name == "posterior").option
    heights = [each["value"] for each in option["series"][0]["data"]]
    assert np.mean(heights) == pytest.approx(1.0, abs=1e-3)
    assert sum("the default lies here" in each["lines"] for each in option["series"][0]["data"]) == 1


def test_a_study_says_which_subjects_it_knows_not(made: Callable[[str], Study]) -> None:
    study = made("sobol")
    shown = studies.Shown(study, ((CLAIM, "a claim"),), ())
    assert studies.drawn(shown, "")[0] == CLAIM
    with pytest.raises(StoreError, match="says nothing of 'p3-price'"):
        studies.drawn(shown, "p3-price")


def test_a_study_of_another_version_is_refused_in_a_sentence(made: Callable[[str], Study]) -> None:
    whole = made("breaks")
    study = replace(whole, tables={**whole.tables, "sides": whole.tables["sides"].drop(columns="reach")})
    said = rf"{study.name} has no 'reach', which this version shows: make the study again"
    with pytest.raises(ChartError, match=said):
        html(study)
    with pytest.raises(ChartError, match=said):
        studies.drawn(studies.Shown(study, ((CLAIM, "a claim"),), ()), CLAIM)


def test_an_estimate_without_an_interval_is_a_bar_alone() -> None:
    series = span.spans("a", "#000000", [span.Span(0, 0.0, 1.0, math.nan, None, ["x"])])
    assert series["data"][0]["value"][1:5] == [0.0, 1.0, None, None]
