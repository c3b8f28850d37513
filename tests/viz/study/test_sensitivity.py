"""Reports of screening and variance say in words what their figures show, and draw whatever there is."""

from __future__ import annotations

import re
from typing import Any

import pytest

from scenarios.runner import Job
from scenarios.scenario import load
from studies.sensitivity.morris import morris
from studies.sensitivity.pawn import pawn
from studies.sensitivity.sobol import sobol
from studies.sensitivity.units import GROUP
from studies.space import Space
from tests.studies.functions import AXES, CLAIM, JOBS, measure, tables_of
from viz.study.report import write

SPACE = Space.over(AXES)
OUTCOMES = (CLAIM, f"holds:{CLAIM}")
KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "sobol": (sobol, {"base": 32, "pairs": True}),
    "morris": (morris, {"trajectories": 6}),
    "pawn": (pawn, {"samples": 80}),
}


def always(setting, seed):
    return tables_of(0.25)


def page(kind, out, job=JOBS["ishigami"], **options):
    made, given = KINDS[kind]
    study = made(
        load("baseline"), SPACE, OUTCOMES, (1, 2), out / "runs", job=job, workers=1, **given, **options
    )[0]
    write(study, out / "report.html")
    text = (out / "report.html").read_text(encoding="utf-8")
    assert "<script" not in text
    return study, text


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_names_what_matters_and_draws_it(kind, tmp_path):
    study, text = page(kind, tmp_path)
    leading = str(study.tables["ranking"]["unit"][0])
    assert re.search(rf"<b>.*{leading}.*</b>", text)
    assert text.count("<svg") >= len(OUTCOMES)
    assert "NVIDIA" in text
    for note in study.notes:
        assert note.split("`")[0].split("'")[0][:60] in text


def test_the_report_on_variance_says_whether_the_sample_was_enough_and_what_is_chance(tmp_path):
    _, text = page("sobol", tmp_path)
    assert "The sample is too small" in text
    assert "chance between seeds" in text
    assert "second-order" in text or "What acts together" in text


@pytest.mark.parametrize("kind", ["sobol", "morris"])
def test_groups_have_reports_too(kind, tmp_path):
    _, text = page(kind, tmp_path, by=GROUP)
    assert SPACE.groups[0] in text


@pytest.mark.parametrize("kind", KINDS)
def test_a_study_without_estimates_has_a_report(kind, tmp_path):
    options = {"chance_seeds": 1} if kind == "sobol" else {}
    _, text = page(kind, tmp_path, Job(always, measure), **options)
    assert "No outcome varies enough" in text
