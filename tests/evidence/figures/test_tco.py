"""What it costs to own, to host and to buy a workload: closed forms, and what a buyer would expect."""

import math

import pytest

from evidence.figures import tco
from evidence.figures.machine import WorkloadError, machines, maturity
from evidence.figures.tco import API, COMPONENTS, HELD, HOSTED, SELF, TOTAL, Workload
from evidence.record import Record
from model.calendar import DAYS_PER_YEAR
from model.cost import Installation, full_cost_per_hour, power_kw
from model.parameters import Parameters
from tests.evidence.handmade import Lines, frames, offer, rows, together

DEFAULTS = Parameters.resolve()


def priced(when, price, **values) -> Lines:
    """An offer whose output tokens cost as much as its input tokens, unless it says otherwise."""
    return offer(when, price, **{"output_price_usd_per_mtok": price, **values})


def openai(when="..", price=10.0, **values):
    """OpenAI's flagship on its own interface."""
    known = {"model": "gpt-4o", "vendor": "OpenAI", "tier": "flagship", "generation": 6}
    return {"offers": priced(when, price, **{**known, "region": "North America", **values})}


def hosted(when="..", price=1.0, size=70.0, **values):
    """An open model that a cloud hosts in China."""
    known = {"model": "open", "vendor": "Meta", "channel": "managed", "open_weights": True}
    return {"offers": priced(when, price, **{**known, "region": "China", "total_params_b": size, **values})}


def sold(chip="L20", price=6000.0, when="..", region="China"):
    """Chips that reach buyers of a region at a price."""
    values = {"product": chip, "buyer_region": region, "units_delivered": 100.0, "value_usd": 100.0 * price}
    return {"chips": rows(when, **values)}


def installed(maker="NVIDIA", units=0.0):
    """The stock of a maker's chips."""
    return {"fleets": rows("..", maker=maker, units=units)}


WORLD = together(openai(), hosted(), sold(), installed())


def costs(workload=None, world=WORLD, parameters=DEFAULTS):
    """Cumulative USD after the last year by option and component."""
    workload = workload or Workload()
    frame = tco.cost(parameters, frames(world), workload)
    at_end = frame[frame["year"] == workload.years]
    return {(r["option"], r["component"]): r["cumulative_usd"] for _, r in at_end.iterrows()}


def plan(workload=None, world=WORLD, parameters=DEFAULTS):
    return tco.plan(parameters, frames(world), workload or Workload()).iloc[0]


def test_fees_are_price_times_tokens():
    workload = Workload(queries_per_day=1e6, tokens_per_query=1000.0)
    mtok = 1e6 * 1000.0 / 1e6 * DAYS_PER_YEAR * workload.years
    found = costs(workload)
    assert found[API, "fees"] == pytest.approx(10.0 * mtok)
    assert found[HOSTED, "fees"] == pytest.approx(1.0 * mtok)


def test_twice_the_queries_cost_exactly_twice_the_fees_and_own_chips_less_than_twice():
    small = Workload(queries_per_day=1000.0)
    once, twice = costs(small), costs(Workload(queries_per_day=2000.0))
    assert twice[API, TOTAL] == 2.0 * once[API, TOTAL]
    assert twice[HOSTED, TOTAL] == 2.0 * once[HOSTED, TOTAL]
    assert once[SELF, TOTAL] <= twice[SELF, TOTAL] < 1.01 * once[SELF, TOTAL]


def test_parts_add_up_to_the_total_and_years_to_the_running_sum():
    frame = tco.cost(DEFAULTS, frames(WORLD), Workload())
    wide = frame.pivot(index=["option", "year"], columns="component", values="usd")
    assert wide[list(COMPONENTS)].sum(axis=1).to_numpy() == pytest.approx(wide[TOTAL].to_numpy())
    running = frame.groupby(["option", "component"])["usd"].cumsum()
    assert frame["cumulative_usd"].to_numpy() == pytest.approx(running.to_numpy())
    assert set(frame[frame["component"] == "fees"].query("option == @SELF")["usd"]) == {0.0}


def test_self_hosting_costs_what_an_hour_of_the_model_costs_at_the_same_use():
    p, workload = DEFAULTS, Workload(queries_per_day=1e9)
    own = tco.cheapest(Record(frames(WORLD)), p, workload)
    hall, cost_of_capital = tco.site(p, "China")
    spec = own.machine.spec
    installation = Installation(
        own.machine.price_usd,
        p.server_share,
        p.network_usd_per_chip,
        p.cooling_usd_per_chip,
        power_kw(spec.tdp_w, p.server_power_share),
        p.idle_power_share,
    )
    # A whole number of replicas, all at the target use.
    volume = 1000 * own.capacity
    hour = full_cost_per_hour(installation, hall, cost_of_capital, p.chip_life_years, p.target_utilisation)
    assert own.yearly(volume).sum() / volume == pytest.approx(hour / own.machine.mtok_per_hour, rel=1e-9)


def test_the_api_wins_for_a_corner_shop_and_own_chips_for_a_giant():
    shop, giant = costs(Workload(queries_per_day=100.0)), costs(Workload(queries_per_day=1e8))
    assert shop[API, TOTAL] < shop[SELF, TOTAL]
    assert giant[SELF, TOTAL] < giant[API, TOTAL]


@pytest.mark.parametrize("price", [2.0, 4.0, 10.0, 60.0])
def test_at_the_break_even_volume_both_cost_the_same(price):
    world = together(openai(price=price), hosted(), sold(), installed())
    least = plan(world=world)["break_even_api_queries_per_day"]
    there, below = (costs(Workload(queries_per_day=least * x), world) for x in (1.0, 0.98))
    assert there[SELF, TOTAL] <= there[API, TOTAL] * (1.0 + 1e-9)
    assert below[SELF, TOTAL] > below[API, TOTAL]


def test_self_hosting_never_pays_against_a_price_below_the_cost_of_the_chips():
    assert math.isinf(
        plan(world=together(openai(), hosted(price=0.001), sold(), installed()))[
            "break_even_hosted_queries_per_day"
        ]
    )


def test_the_dearer_the_api_the_sooner_own_chips_pay():
    volumes = [
        plan(world=together(openai(price=price), hosted(), sold(), installed()))[
            "break_even_api_queries_per_day"
        ]
        for price in (3.0, 10.0, 40.0)
    ]
    assert volumes == sorted(volumes, reverse=True)
    assert volumes[0] > volumes[-1]


def hall(**cells):
    return Parameters.resolve({f"firms.On-premises China.{name}": value for name, value in cells.items()})


def test_power_is_proportional_to_its_price_and_cooling_rises_with_the_overhead():
    base, dear = costs(), costs(parameters=hall(power_usd_per_kwh=0.13))
    assert dear[SELF, "power"] == pytest.approx(1.3 * base[SELF, "power"])
    assert dear[SELF, "depreciation"] == base[SELF, "depreciation"]
    cool = costs(parameters=hall(pue=1.7))
    assert cool[SELF, "power"] == base[SELF, "power"]
    # The whole bill is IT energy times PUE times price, so a rise of PUE by 0.1 adds 0.1 of the IT bill.
    assert cool[SELF, "cooling"] - base[SELF, "cooling"] == pytest.approx(0.1 * base[SELF, "power"])


def test_the_interest_of_a_dearer_firm_is_in_the_depreciation():
    assert costs(parameters=hall(cost_of_capital=0.13))[SELF, "depreciation"] > costs()[SELF, "depreciation"]


def test_prices_follow_the_run_unless_they_are_held():
    falling = together(openai("..2025Q1", 10.0), openai("2025Q2..", 2.0), hosted(), sold(), installed())
    followed, held = costs(Workload(), falling), costs(Workload(prices=HELD), falling)
    assert held[API, TOTAL] == pytest.approx(costs()[API, TOTAL])
    # Four quarters at 10 and eight at 2.
    assert followed[API, TOTAL] / held[API, TOTAL] == pytest.approx((4 * 10 + 8 * 2) / (12 * 10))


def test_a_product_that_leaves_the_market_keeps_its_last_price():
    leaving = together(openai("..2025Q1", 10.0), hosted(), sold(), installed())
    assert costs(world=leaving)[API, TOTAL] == pytest.approx(costs()[API, TOTAL])


def test_the_host_is_one_of_a_model_of_that_size_or_the_nearest():
    both = together(openai(), hosted(), hosted(price=9.0, size=400.0, model="giant"), sold(), installed())
    assert costs(world=both)[HOSTED, TOTAL] == pytest.approx(costs()[HOSTED, TOTAL])
    giant = together(openai(), hosted(price=9.0, size=400.0), sold(), installed())
    assert costs(world=giant)[HOSTED, TOTAL] == pytest.approx(9.0 * costs()[HOSTED, TOTAL])


def test_free_hosting_does_not_count_as_a_price():
    free = together(WORLD, hosted(price=0.0, model="free", tokens=1e9))
    assert costs(world=free)[HOSTED, TOTAL] == pytest.approx(costs()[HOSTED, TOTAL])


def test_who_writes_much_pays_more_to_an_api_than_who_reads_much():
    world = together(openai(output_price_usd_per_mtok=50.0), hosted(), sold(), installed())
    reader, writer = (Workload(input_per_output=mix) for mix in (9.0, 1.0))
    assert costs(reader, world)[API, TOTAL] < costs(writer, world)[API, TOTAL]
    # Nine tokens in at 10 and one out at 50, against one in and one out.
    assert plan(reader, world)["api_usd_per_mtok"] == pytest.approx((9 * 10 + 50) / 10)
    assert plan(writer, world)["api_usd_per_mtok"] == pytest.approx((10 + 50) / 2)


def test_a_buyer_takes_the_chip_that_serves_it_cheapest_or_the_one_that_is_pinned():
    both = together(WORLD, sold("H20", 20000.0))
    assert plan(world=both)["chip"] == "L20"
    assert plan(world=together(WORLD, sold("H20", 2000.0)))["chip"] == "H20"
    assert plan(Workload(chip="H20"), both)["chip"] == "H20"


def test_chips_of_a_house_of_its_own_are_not_for_sale():
    with pytest.raises(WorkloadError, match="no chip delivered"):
        plan(world=together(openai(), hosted(), sold("Hanguang 800"), installed()))


def test_a_pinned_chip_that_is_not_sold_there_has_its_list_price():
    assert plan(Workload(chip="H100"))["chip_priced"].startswith("list price")


def test_export_rules_make_self_hosting_dearer_in_china():
    american = together(WORLD, sold("H100", 30000.0, region="North America"))
    chinese = plan(Workload(chip="L20"), american)
    assert plan(Workload(chip="H100"), american)["own_usd_per_mtok"] < chinese["own_usd_per_mtok"]


def test_a_maker_with_more_chips_in_use_has_better_software_unless_domestic_learning_is_off():
    few, many = (Record(frames(installed("Huawei Ascend", units))) for units in (1e4, 1e6))
    off = Parameters.resolve({"domestic_learning": 0.0})
    start = DEFAULTS.software_maturity_huawei_ascend
    ascend = ("Huawei Ascend", "CN", "2024Q2")
    assert start < maturity(few, DEFAULTS, *ascend) < maturity(many, DEFAULTS, *ascend) < 1.0
    assert maturity(many, off, *ascend) == start


def test_a_mixture_of_experts_is_cheaper_to_serve_than_a_dense_model_of_its_size():
    sparse = plan(Workload(params_b=236.0, active_b=21.0))
    assert sparse["own_usd_per_mtok"] < plan(Workload(params_b=236.0))["own_usd_per_mtok"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"queries_per_day": 0.0}, "--queries-per-day"),
        ({"tokens_per_query": math.nan}, "--tokens-per-query"),
        ({"years": 0}, "--years"),
        ({"start": "2027Q1"}, "count fewer years"),
        ({"start": "soon"}, "soon"),
        ({"region": "Mars"}, "Asia-Pacific"),
        ({"chip": "Z80"}, "no chip 'Z80'"),
        ({"chip": "T4", "params_b": 4000.0}, "cannot serve"),
        ({"active_b": 100.0}, "at most its size"),
        ({"api": "Acme flagship"}, "Acme"),
        ({"prices": "frozen"}, "held"),
    ],
)
def test_a_workload_that_makes_no_sense_is_refused_with_the_mend(wrong, says):
    with pytest.raises(WorkloadError, match=says):
        tco.cost(DEFAULTS, frames(WORLD), Workload(**wrong))


def test_a_product_that_is_not_on_sale_yet_is_refused():
    late = (
        together(openai("2025.."), hosted(), sold(), installed())
        if False
        else together(openai("2025Q1.."), hosted(), sold(), installed())
    )
    with pytest.raises(WorkloadError, match="not on sale"):
        costs(world=late)


def test_savings_stand_beside_the_articles_own_figure():
    found = tco.savings(DEFAULTS, frames(WORLD), Workload())
    own = found.set_index("quantity").loc["self-hosting against OpenAI flagship, prices followed"]
    spent = costs()
    assert own["claimed"] == "60 to 75 %"
    assert own["model_share"] == pytest.approx(1.0 - spent[SELF, TOTAL] / spent[API, TOTAL])
    # GPT-4 Turbo is not on sale in this world.
    assert not found["quantity"].str.contains("GPT-4 Turbo").any()


def test_in_a_run_the_figure_agrees_with_the_halls_of_the_run(small_run):
    p, tables = small_run
    found = tco.savings(p, tables, Workload(prices=HELD)).set_index("quantity")["model_share"]
    ours = found["self-hosting against OpenAI flagship, prices held"]
    halls = next(value for name, value in found.items() if "price of 2024Q2 held" in str(name))
    # A dearer product to compare with makes the same chips look better.
    assert found["self-hosting against GPT-4 Turbo, prices held"] > ours
    # Both serve a model of about 70 billion parameters at a full cost; the halls also hold older chips.
    assert (1.0 - ours) / (1.0 - halls) == pytest.approx(1.0, abs=0.5)
    assert tco.plan(p, tables, Workload()).notna().all(axis=None)


def test_in_a_run_software_is_as_mature_as_the_market_has_it():
    from undercut import Market

    market = Market("baseline", seed=1, overrides={"enterprises": 60})
    while market.quarter != "2024Q3":
        market.step()
    record = Record(market.frames())
    for name, maker in market.chipmakers.items():
        serving = maker.maturity(market.parameters)[1]
        assert maturity(record, market.parameters, name, maker.origin, "2024Q3") == pytest.approx(
            serving, rel=1e-3
        )


def test_in_a_run_a_chip_makes_what_the_catalogue_says():
    from undercut import Market

    market = Market("baseline", seed=1, overrides={"enterprises": 60})
    while market.quarter != "2024Q3":
        market.step()
    llama = market.catalogue.models["llama-3-70b"]
    tables = market.frames()
    index = market.chip_index["H20"]
    physics = market.catalogue.mtok_per_hour([llama])[0, index]
    p = market.parameters
    (machine,) = machines(Record(tables), p, llama.architecture, p.input_per_output, "China", "2024Q2", "H20")
    assert machine.mtok_per_hour == pytest.approx(physics * machine.maturity)
