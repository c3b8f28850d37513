"""The report of a calibration says in words and pictures what its tables say."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scenarios.scenario import load
from scenarios.store import Store
from studies.calibration.calibration import calibrate
from studies.calibration.waves import Design
from studies.space import Space
from studies.study import Study
from tests.studies.functions import AXES
from tests.studies.observed import JOB, observables, response
from viz.study.report import write


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Study:
    asked = observables(response(np.array([0.6, 0.4, 0.5, 0.8])))
    design = Design(12, 1, 2, 6, 1, 60, 100)
    folder = tmp_path_factory.mktemp("store")
    options: dict[str, Any] = {"asked": asked, "met": 2, "checks": 2, "among": 3, "job": JOB, "workers": 1}
    made = calibrate(load("baseline"), Space.over(AXES), folder, design, **options).study
    # A stored study is what a report is made of.
    return Study.open(made.write(Store.make(folder)), Store(folder))


def test_the_report_says_what_is_informed_and_what_is_met(study, tmp_path) -> None:
    file = tmp_path / "report.html"
    write(study, file)
    text = file.read_text(encoding="utf-8")
    assert "Of 3 parameters the observations to the end of 2024 inform" in text
    assert "Held out in turn" in text
    assert "Simulation-based calibration" in text
    assert text.count("<svg") == 4
    assert "<script" not in text
    for name in study.tables["parameters"]["parameter"]:
        assert name in text


def test_predictions_that_turn_are_named(study, tmp_path) -> None:
    row: dict[str, Any] = {"claim": "p1-nvidia-2027", "kind": "prediction", "statement": "NVIDIA falls"}
    for name, chance in (("prior", 0.5), ("hand", 0.9), ("posterior", 0.2)):
        row |= {
            f"{name}_probability": chance,
            f"{name}_low": chance,
            f"{name}_high": chance,
            f"{name}_word": "word",
        }
    none = {
        key: None if key.endswith(("probability", "low", "high")) else value for key, value in row.items()
    }
    judged = pd.DataFrame([row, none | {"claim": "p3-price", "statement": "prices"}])
    file = tmp_path / "report.html"
    write(dataclasses.replace(study, tables={**study.tables, "verdicts": judged}), file)
    text = file.read_text(encoding="utf-8")
    assert "Of 2 predictions 1 stand on another side of one half" in text
    assert "hand calibration: p1-nvidia-2027." in text
