"""Racks follow from the chips that a run buys, and agree with the racks that it records."""

import pytest

from evidence.facts import rows as facts
from evidence.figures import rack
from evidence.figures.machine import WorkloadError
from model.calendar import index, name
from model.parameters import Parameters
from tests.evidence.handmade import frames, rows

DEFAULTS = Parameters.resolve()


def bought(chip, purpose, units=320.0, **values):
    known = {"product": chip, "purpose": purpose, "units_delivered": units, "buyer": "Alibaba"}
    return rows("2024Q1", **{**known, "buyer_region": "China", **values})


def installed(*lots, parameters=DEFAULTS):
    tables = frames({"chips": [row for lot in lots for row in lot]})
    return rack.racks(parameters, tables).set_index("kind")


def test_a_rack_holds_what_fits_and_draws_what_its_chips_draw():
    found = installed(bought("H20", "training"))
    p = DEFAULTS
    tdp = next(float(row["tdp_w"]) for row in p.facts("chips") if row["chip"] == "H20")
    kw = tdp / 1000 * (1 + p.server_power_share) * p.chips_per_rack
    assert found.loc["training", "kw_per_rack"] == pytest.approx(kw)
    assert found.loc["training", "racks"] == pytest.approx(320 / p.chips_per_rack)


def test_no_rack_draws_more_than_its_limit():
    limited = Parameters.resolve({"rack_limit_kw": 20.0})
    found = installed(bought("H100", "training"), parameters=limited)
    assert found.loc["training", "kw_per_rack"] == pytest.approx(20.0)
    assert found.loc["training", "chips_per_rack"] < limited.chips_per_rack


def test_dense_racks_are_cooled_by_liquid_and_light_ones_by_air():
    found = installed(bought("H100", "training"), bought("L2", "dense"))
    assert found.loc["training", "kw_per_rack"] > found.loc["inference", "kw_per_rack"]
    assert found.loc["training", "liquid_share"] > 0.5 > found.loc["inference", "liquid_share"]


def test_training_pays_for_infiniband_and_inference_for_ethernet():
    found = installed(bought("H20", "training"), bought("H20", "sparse"))
    assert found.loc["inference", "ethernet_share"] > 0.5 > found.loc["training", "ethernet_share"]


def test_dense_and_sparse_work_share_the_inference_rack_and_captive_work_has_its_own():
    found = installed(
        bought("L20", "dense", 100.0), bought("H20", "sparse", 300.0), bought("L2", "captive", 50.0)
    )
    assert found.loc["inference", "chips"] == 400.0
    assert found.loc["inference", "main_chip"] == "H20"
    assert found.loc["inference", "main_chip_share"] == pytest.approx(0.75)
    assert found.loc["captive", "chips"] == 50.0


def test_a_chip_of_the_runs_own_making_counts_but_has_no_data_sheet():
    found = installed(bought("H20", "training"), bought("nvidia 2026Q1", "training", 320.0))
    assert found.loc["training", "known_share"] == pytest.approx(0.5)
    assert found.loc["training", "chips_per_rack"] == DEFAULTS.chips_per_rack


def test_buyers_elsewhere_do_not_count():
    with pytest.raises(WorkloadError, match="nobody received chips in China"):
        installed(bought("H100", "training", buyer_region="North America"))


@pytest.mark.parametrize(("when", "says"), [("soon", "soon"), ("2031", "not all of 2031")])
def test_a_period_that_cannot_be_read_or_is_not_on_record_is_refused(when, says):
    with pytest.raises(WorkloadError, match=says):
        rack.racks(DEFAULTS, frames({}), when=when)


def test_the_articles_racks_are_those_of_its_picture():
    assert rack.claimed()["training"]["cooling"] == "rear-door air cooling"
    assert {row["source"].partition(",")[0] for row in facts("articles/racks")} == {"first article"}


def test_in_a_run_the_racks_are_those_that_the_fleets_gain(small_run):
    p, tables = small_run
    fleets = tables["fleets"].query("region == 'China' and purpose == 'training'")
    for quarter in ("2024Q2", "2024Q4"):
        before = name(index(quarter) - 1)
        stock = {
            q: fleets[fleets["quarter"] == q][["racks", "liquid_racks"]].sum() for q in (before, quarter)
        }
        gained = stock[quarter] - (1.0 - p.retirement_rate) * stock[before]
        found = rack.racks(p, tables, when=quarter).set_index("kind").loc["training"]
        assert found["racks"] == pytest.approx(gained["racks"], rel=0.01)
        assert found["liquid_share"] == pytest.approx(gained["liquid_racks"] / gained["racks"], rel=0.01)


def test_in_a_run_what_stands_is_what_the_metric_says(small_run):
    p, tables = small_run
    found = rack.standing(p, tables, when="2024").set_index("kind")
    assert (found["chips"] > 0.0).all()
    assert found["liquid_share"].between(0.0, 1.0).all()
    assert rack.judged(p, tables)["model"].notna().all()
