"""Revenue by workload is that of the metric, in dollars, with growth."""

import pytest

from evidence.clouds import WORKLOADS
from evidence.figures import workload
from evidence.metrics import evaluate_metric
from evidence.record import Record
from model.parameters import Parameters
from tests.evidence.handmade import frames, offer, rows

DEFAULTS = Parameters.resolve()


def cloud(when, training=0.0, services=0.0):
    known = {"firm": "Alibaba", "kind": "cloud", "origin": "CN"}
    return rows(when, **known, revenue_training_usd=training, revenue_services_usd=services)


def figure(offers, firms):
    tables = frames({"offers": offers, "firms": firms})
    return workload.workloads(DEFAULTS, tables).set_index(["year", "workload"])


def test_tokens_of_open_and_proprietary_models_training_and_services_are_told_apart():
    found = figure(
        [*offer("2024", 2.0, seller="Alibaba", open_weights=True), *offer("2024", 1.0, seller="Alibaba")],
        cloud("2024", training=3.0, services=4.0),
    )
    shares = found.loc["2024", "share"]
    assert [shares[name] for name in WORKLOADS] == pytest.approx([0.2, 0.1, 0.3, 0.4])
    assert found.loc[("2024", "all"), "revenue_usd"] == pytest.approx(4 * 10.0)


def test_growth_is_on_the_year_before_and_none_from_nothing():
    found = figure(
        [*offer("2024", 2.0, seller="Alibaba", open_weights=True)],
        [*cloud("2023", training=1.0), *cloud("2024", training=2.5)],
    )
    growth = found.loc["2024", "growth_share"]
    assert growth["training"] == pytest.approx(1.5)
    assert growth.isna()["open inference"]
    assert found.loc["2023", "growth_share"].isna().all()


def test_western_clouds_do_not_count():
    with_them = offer("2024", 9.0, seller="AWS", open_weights=True)
    firms = [*cloud("2024", training=1.0), *rows("2024", firm="AWS", kind="cloud", origin="US")]
    assert figure(with_them, firms).loc[("2024", "open inference"), "revenue_usd"] == 0.0


def test_the_articles_shares_are_a_whole():
    assert sum(workload.claimed_shares().values()) == pytest.approx(1.0)
    assert list(workload.claimed_shares()) == list(WORKLOADS)


def test_in_a_run_shares_are_those_of_the_metric(small_run):
    p, tables = small_run
    found = workload.workloads(p, tables).set_index(["year", "workload"])["share"]
    record = Record(tables)
    for name in WORKLOADS:
        assert found["2024", name] == pytest.approx(evaluate_metric(record, "workload_share", "2024", name))
    assert set(found.index.get_level_values("year")) == {str(year) for year in range(2023, 2029)}


def test_in_a_run_growth_stands_beside_what_the_article_says(small_run):
    p, tables = small_run
    found = workload.growth(p, tables)
    assert list(found["claimed"]) == ["2.42", "2.80", "> 50 %"]
    assert found["model"].notna().all()
