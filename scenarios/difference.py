"""How two scenarios differ once they are resolved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from model.parameters import table
from scenarios.scenario import Scenario


@dataclass(frozen=True)
class Difference:
    """What differs between two scenarios, as rows of plain data.

    A row of ``parameters`` has the name, both values, the default and the unit; of ``calendar`` the key and
    both texts (of ``[horizon]`` and of the seeds); of ``shocks`` the keys of a shock that stands in one only.
    """

    parameters: list[dict[str, Any]]
    calendar: list[dict[str, Any]]
    only_first: list[dict[str, Any]]
    only_second: list[dict[str, Any]]

    def __bool__(self) -> bool:
        return bool(self.parameters or self.calendar or self.only_first or self.only_second)


def difference(one: Scenario, other: Scenario) -> Difference:
    """What differs between two resolved scenarios; titles and notes do not count."""
    values, others = one.setting.parameters, other.setting.parameters
    parameters = [
        {
            "parameter": name,
            "first": values[name],
            "second": others[name],
            "default": table()[name].default,
            "unit": table()[name].unit,
        }
        for name in sorted({*one.parameters, *other.parameters})
        if values[name] != others[name]
    ]
    calendar = [
        {"key": key, "first": first, "second": second}
        for key, first, second in (
            *((f"horizon.{key}", one.horizon[key], other.horizon[key]) for key in one.horizon),
            ("seeds", one.seeds, other.seeds),
        )
        if first != second
    ]
    return Difference(
        parameters,
        calendar,
        [shock for shock in one.shocks if shock not in other.shocks],
        [shock for shock in other.shocks if shock not in one.shocks],
    )
