"""What follows when a cause is turned off, where the sign is a theorem; `undercut ablate` reports the rest."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from model import calendar
from model.market import Market
from model.parameters import Parameters
from model.place import CAUSES
from model.setting import Setting

SEEDS = (1, 2)
SINGLE = 1e-4  # columns of the population are kept in single precision
BASELINE = ""


class Watched(Market):
    """A market that notes how many tokens each cell asks for, over what its adopters would at constant prices."""

    def __init__(self, setting: Setting, seed: int) -> None:
        self.volume: list[tuple[str, np.ndarray]] = []
        super().__init__(setting, seed)

    def close_quarter(self) -> None:
        population = self.population
        potential = population.weight_at(self).astype(float) * population.adoption
        by_cell = np.bincount(population.cell, weights=potential, minlength=len(population.cells))
        asked = self.demand.demanded.sum(axis=1)
        share = np.divide(asked, by_cell, out=np.ones_like(asked), where=(by_cell > 0.0) & (asked > 0.0))
        self.volume.append((self.quarter, share))
        super().close_quarter()


@cache
def world(without: str, seed: int, last: str = "2024Q4") -> tuple[Watched, dict[str, pd.DataFrame]]:
    """The baseline with one cause turned off, and its tables; to the end of the facts unless told."""
    switched = {without: 0.0} if without else {}
    parameters = Parameters.resolve({"enterprises": 60, **switched})
    market = Watched(Setting(without or "baseline", parameters, last=last), seed)
    return market, market.run()


def compute_in_china(market: Market, tables: dict[str, pd.DataFrame], maker: str | None = None) -> float:
    """TFLOP/s of AI-class chips delivered in China in 2024, of one maker or of all."""
    chips = tables["chips"]
    here = chips[(chips["buyer_region"] == "China") & (chips["class"] == "ai")]
    here = here[here["quarter"].str.startswith("2024")]
    if maker is not None:
        here = here[here["maker"] == maker]
    rate = {chip.name: chip.spec.bf16_tflops for chip in market.catalogue.chips}
    return float((here["units_delivered"] * here["product"].map(rate)).sum())


def domestic(tables: dict[str, pd.DataFrame]) -> pd.Series:
    """AI-class units of Chinese makers delivered anywhere, by quarter."""
    chips = tables["chips"]
    made = chips[(chips["maker_origin"] == "CN") & (chips["class"] == "ai")]
    return made.groupby("quarter")["units_delivered"].sum()


@pytest.mark.parametrize("seed", SEEDS)
def test_without_export_rules_nvidia_delivers_no_smaller_part_of_the_compute_in_china(seed):
    # By units it is no theorem: rules that weaken each chip make buyers take more of them.
    ruled, free = world(BASELINE, seed), world("export_rules", seed)
    shares = [compute_in_china(*each, "NVIDIA") / compute_in_china(*each) for each in (ruled, free)]
    assert shares[1] >= shares[0]
    assert compute_in_china(*free, "NVIDIA") > compute_in_china(*ruled, "NVIDIA")


@pytest.mark.parametrize("seed", SEEDS)
def test_without_export_rules_no_chip_is_made_for_them(seed):
    market, tables = world("export_rules", seed)
    made_for_rules = {chip.name for chip in market.catalogue.chips if chip.made_for_rules}
    assert made_for_rules
    shipped = tables["chips"][tables["chips"]["units_delivered"] > 0.0]
    assert not set(shipped["product"]) & made_for_rules
    with_rules = world(BASELINE, seed)[1]["chips"]
    assert set(with_rules.loc[with_rules["units_delivered"] > 0.0, "product"]) & made_for_rules


@pytest.mark.parametrize("seed", SEEDS)
def test_without_growth_of_their_capacity_chinese_makers_deliver_no_more(seed):
    market, frozen = world("domestic_capacity_growth", seed)
    growing = domestic(world(BASELINE, seed)[1])
    held = domestic(frozen)
    later = growing.index > "2023Q1"
    assert later.sum() >= 6
    assert held[later].sum() <= growing[later].sum()
    start = calendar.index("2023Q1")
    known = [m.given_capacity[start]["ai"] for m in market.chipmakers.values() if m.domestic]
    assert (held[later] <= sum(known) * (1.0 + SINGLE)).all()
    assert growing[later].max() > sum(known)


@pytest.mark.parametrize("seed", SEEDS)
def test_without_open_weights_nobody_hosts_a_model_of_another(seed):
    market, tables = world("open_weights", seed)
    assert not tables["offers"]["open_weights"].any()
    assert set(tables["offers"]["channel"]) <= {"api", "managed"}
    assert tables["firms"]["revenue_open_hosting_usd"].sum() == 0.0
    assert not (tables["events"]["kind"] == "weights opened").any()
    # What is left of managed endpoints resells a partner's model and passes the vendor's part on.
    managed = tables["offers"][tables["offers"]["channel"] == "managed"]
    for seller, vendor in set(zip(managed["seller"], managed["vendor"], strict=True)):
        assert market.graph.permitted(vendor, seller, "hosting")
    with_them = world(BASELINE, seed)[1]
    assert with_them["offers"]["open_weights"].any()
    assert with_them["firms"]["revenue_open_hosting_usd"].sum() > 0.0


@pytest.mark.parametrize("seed", SEEDS)
def test_without_sparse_architectures_no_model_is_sparse_and_no_work_is(seed):
    market, tables = world("sparse_architectures", seed)
    assert not tables["offers"]["sparse"].to_numpy().any()
    offers = tables["offers"]
    np.testing.assert_allclose(offers["active_params_b"], offers["total_params_b"])
    assert not any(model.architecture.sparse for model in market.catalogue.models.values())
    sparse_fleet = tables["fleets"][tables["fleets"]["purpose"] == "sparse"]
    assert sparse_fleet["hours_used"].sum() == 0.0
    assert world(BASELINE, seed)[1]["offers"]["sparse"].to_numpy().any()


@pytest.mark.parametrize("seed", SEEDS)
def test_without_elasticity_an_adopter_asks_for_its_potential_whatever_the_price(seed):
    market, _ = world("demand_elasticity", seed)
    assert len(market.volume) == 12
    for quarter, share in market.volume:
        np.testing.assert_allclose(share, 1.0, rtol=SINGLE, err_msg=quarter)
    _, elastic = world(BASELINE, seed)[0].volume[-1]
    assert np.abs(np.log(elastic)).max() > 0.1


def test_without_domestic_learning_chinese_software_and_costs_stay_where_they_were():
    market, _ = world("domestic_learning", 1, "2025Q4")
    learning, _ = world(BASELINE, 1, "2025Q4")
    cheaper = []
    for name, maker in market.chipmakers.items():
        if not maker.domestic:
            continue
        twin = learning.chipmakers[name]
        assert (maker.maturity(market.parameters) <= twin.maturity(learning.parameters)).all()
        assert all(chip.unit_cost == pytest.approx(chip.first_cost, rel=1e-12) for chip in maker.chips)
        assert all(chip.unit_cost <= chip.first_cost * (1.0 + 1e-12) for chip in twin.chips)
        cheaper += [chip.unit_cost < chip.first_cost for chip in twin.chips]
    assert any(cheaper)


@pytest.mark.parametrize("seed", SEEDS)
def test_without_ownership_clouds_own_chipmakers_only_and_investors_pay_for_research(seed):
    market, tables = world("cloud_ownership", seed)
    owned = {(s.owner, s.owned) for s in market.graph.stakes()}
    assert owned == {
        ("Alibaba", "T-Head"),
        ("Huawei", "Huawei Ascend"),
        ("GCP", "Google TPU"),
        ("AWS", "AWS Silicon"),
    }
    assert not any(vendor.owned for vendor in market.vendors.values())
    assert all(
        vendor.has_host for vendor in market.vendors.values() if vendor.models and vendor.name != "Meta"
    )
    assert not (tables["events"]["kind"] == "consortium").any()
    assert any(vendor.owned for vendor in world(BASELINE, seed)[0].vendors.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_without_algorithmic_progress_the_frontier_of_efficiency_stays_where_the_facts_left_it(seed):
    def best(without: str, last: str) -> float:
        return max(vendor.programme.efficiency for vendor in world(without, seed, last)[0].vendors.values())

    left = best("algorithmic_progress", "2024Q4")
    # Experts save training compute once, which is the doing of sparse architectures.
    gain = Parameters.resolve({}).sparse_training_gain
    assert best("algorithmic_progress", "2025Q4") <= left + gain + SINGLE
    assert best(BASELINE, "2025Q4") > best("algorithmic_progress", "2025Q4")


@pytest.mark.parametrize("cause", CAUSES)
def test_each_cause_makes_a_difference(cause):
    prices = "price_usd_per_mtok", "china_chip_units_ai", "tokens_mtok"
    last = "2025Q4" if cause == "algorithmic_progress" else "2024Q4"  # until then models are facts
    baseline, other = (world(name, 1, last)[1]["quarters"] for name in (BASELINE, cause))
    assert any(not np.allclose(baseline[column], other[column], rtol=1e-3) for column in prices)


@pytest.mark.parametrize("cause", CAUSES)
def test_worlds_of_one_seed_share_their_luck(cause):
    baseline, other = world(BASELINE, 1)[0], world(cause, 1)[0]
    for column in ("alpha", "beta", "nuisance", "firms", "workload"):
        np.testing.assert_array_equal(
            getattr(baseline.population, column), getattr(other.population, column), err_msg=column
        )
    np.testing.assert_array_equal(baseline.luck.xi, other.luck.xi)
    np.testing.assert_array_equal(baseline.business.tokens, other.business.tokens)
    np.testing.assert_array_equal(baseline.business.captive, other.business.captive)
    assert baseline.research_luck == other.research_luck


def test_another_seed_has_another_luck():
    one, other = world(BASELINE, 1)[0], world(BASELINE, 2)[0]
    assert not np.array_equal(one.population.alpha, other.population.alpha)
    assert (one.luck.xi != other.luck.xi).all()
    assert not np.array_equal(one.business.tokens, other.business.tokens)
