"""The resolved scenario: everything a market needs to know before its first quarter."""

from __future__ import annotations

from dataclasses import dataclass, field

from model.parameters import Parameters
from model.shock import Shock


@dataclass(frozen=True)
class Setting:
    """One world to simulate: parameter values, dated shocks and the calendar.

    ``first`` is where the burn-in starts, ``record_from`` the first recorded quarter and ``last`` the
    last one, all as ``"2024Q1"``.
    """

    name: str
    parameters: Parameters
    shocks: tuple[Shock, ...] = ()
    first: str = "2022Q1"
    record_from: str = "2023Q1"
    last: str = "2028Q4"
    notes: str = field(default="", compare=False)
