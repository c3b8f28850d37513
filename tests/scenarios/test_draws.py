"""Draws beside a scenario: read as they were written, refused where they make no sense, and never silently stale."""

from __future__ import annotations

import pytest

from model.parameters import ParameterError
from scenarios import draws
from scenarios.design import DesignError
from scenarios.plan import PlanError
from studies.ensemble import drawn

POINTS = [{"eta": 0.2 + 0.01 * i, "sigma2": 0.7} for i in range(10)]


@pytest.fixture
def scenario(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('title = "Mine"\nextends = "baseline"\n', encoding="utf-8")
    draws.write(tmp_path / "mine.csv", POINTS, {"made": "by a test:\nin 2024"})
    return file


def test_draws_are_read_as_they_were_written(scenario) -> None:
    found = draws.read(scenario)
    assert found.points == tuple({k: pytest.approx(v) for k, v in p.items()} for p in POINTS)
    assert found.about["made"] == "by a test: in 2024"
    assert found.stale() == ""
    assert [p["eta"] for p in found.first(2)] == pytest.approx([0.22, 0.27])
    assert found.first(10) == list(found.points)


def test_draws_made_with_other_ranges_or_other_code_say_so(scenario) -> None:
    beside = scenario.with_suffix(".csv")
    written = beside.read_text(encoding="utf-8")
    code = draws.read(scenario).about[draws.CODE]
    beside.write_text(written.replace(code, "0" * 64), encoding="utf-8")
    assert "code has changed" in draws.read(scenario).stale()
    beside.write_text(
        written.replace(f"parameters: {draws.table_hash(POINTS[0])}", "parameters: 0"), encoding="utf-8"
    )
    assert "ranges" in draws.read(scenario).stale()


def test_what_cannot_be_drawn_says_what_to_change(scenario, tmp_path) -> None:
    with pytest.raises(DesignError, match="ask for 1 to 10"):
        drawn([scenario], 11)
    with pytest.raises(PlanError, match="one scenario"):
        drawn([scenario, "baseline"], 2)
    with pytest.raises(DesignError, match="no draws"):
        drawn(["baseline"], 2)
    beside = tmp_path / "mine.csv"
    beside.write_text("eta\nlow\n", encoding="utf-8")
    with pytest.raises(DesignError, match="no number"):
        draws.read(scenario)
    beside.write_text("no_such_parameter\n1\n", encoding="utf-8")
    with pytest.raises(ParameterError, match="no_such_parameter"):
        draws.read(scenario)
