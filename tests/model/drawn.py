"""Worlds drawn over the whole ranges of all parameters, as scenario files that recreate them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from model import calendar
from model.parameters import Parameter, Parameters, table
from model.setting import Setting
from model.shock import Shock
from scenarios.scenario import HORIZON, Scenario, ScenarioError, library, resolve_text
from scenarios.toml import to_toml

ENTERPRISES = 60
MOST_SHOCKS = 4
AT_AN_END = 0.3
"""The share of worlds' parameters that stand at an end of their range, at most."""


def value_at(parameter: Parameter, quantile: float) -> float:
    """The value of a parameter at a quantile of its range; 0 and 1 are its ends."""
    low, high = parameter.low, parameter.high
    if parameter.distribution in ("switch", "integer"):
        return float(min(math.floor(low + quantile * (high - low + 1.0)), high))
    if parameter.distribution == "loguniform":
        return float(min(max(low * (high / low) ** quantile, low), high))
    return min(max(low + quantile * (high - low), low), high)


SCALARS = {
    name: parameter
    for name, parameter in table().items()
    if "." not in name and name != "enterprises" and parameter.distribution != "fixed"
}
CELLS = {
    name: parameter
    for name, parameter in table().items()
    if "." in name and parameter.distribution != "fixed"
}


@dataclass(frozen=True)
class World:
    """A drawn world: every scalar, a seed for the many cells of the facts and how many of those are extreme."""

    scalars: dict[str, float]
    seed_of_facts: int
    extremes: float
    shocks: tuple[Shock, ...]
    seed: int

    def setting(self, last: str) -> Setting:
        chance = np.random.default_rng(self.seed_of_facts)
        quantiles, at_an_end = chance.random(len(CELLS)), chance.random(len(CELLS)) < self.extremes
        cells = {
            name: value_at(cell, round(q) if end else q)
            for (name, cell), q, end in zip(CELLS.items(), quantiles, at_an_end, strict=True)
        }
        values = Parameters.resolve({**self.scalars, **cells, "enterprises": ENTERPRISES})
        return Setting("drawn", values, self.shocks, last=last)


@cache
def happenings() -> tuple[Shock, ...]:
    """Every shock that a scenario of the library has: all kinds, with arguments that make sense."""
    return tuple(dict.fromkeys(shock for world in library() for shock in world.setting.shocks))


def world(number: int, last: str = HORIZON["last"]) -> Scenario:
    """The world of a number, the same in every process: all scalars and facts, and shocks of the library at any date.

    Shocks that contradict each other or the calendar are left out, as a scenario file with them would be refused.
    """
    chance = np.random.default_rng(number)
    quantiles, ends = (
        chance.random(len(SCALARS)),
        chance.random(len(SCALARS)) < chance.uniform(0.0, AT_AN_END),
    )
    drawn = World(
        scalars={
            name: value_at(parameter, round(q) if end else q)
            for (name, parameter), q, end in zip(
                SCALARS.items(), quantiles.tolist(), ends.tolist(), strict=True
            )
        },
        seed_of_facts=number,
        extremes=float(chance.uniform(0.0, AT_AN_END)),
        shocks=(),
        seed=number,
    )
    made = Scenario(replace(drawn.setting(last), name=f"draw-{number}"), f"Draw {number}", str(number))
    first, stop = calendar.index(HORIZON["record_from"]), calendar.index(last) + 1
    for place in chance.integers(len(happenings()), size=chance.integers(MOST_SHOCKS + 1)).tolist():
        shock = replace(happenings()[place], quarter=calendar.name(int(chance.integers(first, stop))))
        more = replace(made, setting=replace(made.setting, shocks=(*made.setting.shocks, shock)))
        try:
            made = resolve_text(made.name, to_toml(more))
        except ScenarioError:
            continue
    return made
