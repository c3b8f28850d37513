"""The accounts of the whole market, added up again in every quarter from flows, edges, offers and fleets."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from model import calendar
from model.parameters import Parameters
from model.shock import Shock
from scenarios.shocks import FOUNDING, HALFWAY, Capture, Confine, Consortium, SetParameter
from tests.model.audited import Audited, audit_records
from tests.model.drawn import SCALARS, World, value_at

FIRMS = Parameters.resolve({}).facts("firms")
VENDORS = [str(row["firm"]) for row in FIRMS if row["kind"] == "vendor"]
CLOUDS = [str(row["firm"]) for row in FIRMS if row["kind"] == "cloud"]


@st.composite
def changes(draw: st.DrawFn, quarter: str) -> SetParameter:
    name = draw(st.sampled_from(sorted(SCALARS.keys() - FOUNDING - HALFWAY)))
    return SetParameter(quarter, name, value_at(SCALARS[name], draw(st.floats(0.0, 1.0))))


@st.composite
def shocks(draw: st.DrawFn, quarters: list[str]) -> Shock:
    quarter, vendor = draw(st.sampled_from(quarters)), draw(st.sampled_from(VENDORS))
    members = draw(st.lists(st.sampled_from(CLOUDS), min_size=1, max_size=4, unique=True))
    stake = draw(st.one_of(st.none(), st.floats(0.01, 1.0 / len(members))))
    found: Shock = draw(
        st.one_of(
            st.just(Consortium(quarter, vendor, tuple(members), stake)),
            st.builds(Capture, st.just(quarter), st.just(vendor), st.just(members[0]), st.floats(0.51, 1.0)),
            st.just(Confine(quarter, vendor)),
            changes(quarter),
        )
    )
    found.check()  # type: ignore[attr-defined]
    return found


def quarters_between(first: str, last: str) -> list[str]:
    return [calendar.name(t) for t in range(calendar.index(first), calendar.index(last) + 1)]


@st.composite
def worlds(draw: st.DrawFn, last: str) -> World:
    """All parameters over their whole ranges, with some shocks."""
    quantile = st.floats(0.0, 1.0)
    return World(
        scalars={name: value_at(parameter, draw(quantile)) for name, parameter in SCALARS.items()},
        seed_of_facts=draw(st.integers(0, 2**32 - 1)),
        extremes=draw(quantile),
        shocks=tuple(draw(st.lists(shocks(quarters_between("2022Q1", last)), max_size=4))),
        seed=draw(st.integers(0, 2**31 - 1)),
    )


def balance(world: World, last: str) -> None:
    market = Audited(world.setting(last), world.seed)
    while not market.finished:
        market.step()
    audit_records(market)


PHASES = (Phase.explicit, Phase.generate)  # a world takes seconds: shrinking one would take an hour
QUICK = settings(
    max_examples=8,
    derandomize=True,
    phases=PHASES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
THOROUGH = settings(QUICK, max_examples=100, derandomize=False)


@given(worlds("2024Q1"))
@QUICK
def test_money_tokens_chips_and_hours_balance_at_any_parameters_and_shocks(world):
    balance(world, "2024Q1")


@pytest.mark.slow
@given(worlds("2028Q4"))
@THOROUGH
def test_money_tokens_chips_and_hours_balance_to_the_end_at_any_parameters_and_shocks(world):
    balance(world, "2028Q4")
