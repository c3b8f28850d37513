"""The articles' figures as tables for people: medians with their intervals, beside what is claimed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from undercut.text import Field, console, number, print_table

if TYPE_CHECKING:
    from pandas import DataFrame

    from evidence.figures.tco import Workload

Row = Mapping[str, Any]

MILLION, BILLION = 1e6, 1e9
INTERVAL = "5 to 95 %"
PERCENT = 0.01

CELL_FIELDS = (
    Field("row", "of", 5),
    Field("quantity", "figure", 6),
    Field("claimed", "claimed", 4),
    Field("model", f"model: median\n{INTERVAL}", 5),
    Field("note", "note", 12, wide=True),
)
CLAIM_FIELDS = (
    Field("quantity", "the article says", 8),
    Field("claimed", "claimed", 3),
    Field("model", f"model: median\n{INTERVAL}", 4),
    Field("note", "note", 8, wide=True),
)


def named(scenario: str, runs: Sequence[object]) -> str:
    """What was run, for a heading."""
    return f"{scenario}, {len(runs)} seed{'s' if len(runs) > 1 else ''}"


def print_cells(cells: DataFrame, title: str) -> None:
    """Print the cells of one of the articles' tables."""
    print_table(map(_cell, _rows(cells)), CELL_FIELDS, title)


def print_costs(frames: Mapping[str, DataFrame], workload: Workload, title: str) -> None:
    """Print what a workload costs by option and year, how that splits, what is saved, and how it is served."""
    from evidence.figures.tco import COMPONENTS, OPTIONS, TOTAL

    cells = {(row["option"], row["year"], row["component"]): row for row in _rows(frames["cost"])}
    years = range(1, workload.years + 1)
    lines = []
    for option in OPTIONS:
        totals = {str(y): _spread(cells[option, y, TOTAL], "cumulative_usd", MILLION) for y in years}
        lines.append({"option": option} | totals)
    fields = [Field("option", "million USD, cumulative", 4)]
    print_table(lines, [*fields, *(Field(str(y), f"after year {y}", 4) for y in years)], title)

    parts = []
    for component in (*COMPONENTS, TOTAL):
        at_end = {option: cells[option, workload.years, component]["cumulative_usd"] for option in OPTIONS}
        amounts = {option: number(usd / MILLION) if usd else "-" for option, usd in at_end.items()}
        parts.append({"component": component} | amounts)
    columns = [Field(option, option, number=True) for option in OPTIONS]
    split = f"Split after {workload.years} years, million USD"
    print_table(parts, [Field("component", "for"), *columns], f"{split}: medians, which need not add up")

    saved = [row | {"model": _spread(row, "model_share", PERCENT, " %")} for row in _rows(frames["savings"])]
    fields = [Field("quantity", "saved over the years by", 8), *CLAIM_FIELDS[1:]]
    print_table(saved, fields, "Saving, beside the first article's")
    for line in _plan(_rows(frames["plan"])[0]):
        console().print(line)


def _plan(plan: Row) -> list[str]:
    """How the workload would be served, in sentences."""
    lines = [
        f"Own chips: {number(plan['chips'])} x {plan['chip']} at {number(plan['chip_usd'])} USD "
        f"({plan['chip_priced']}), {number(plan['outlay_usd'] / MILLION)} million USD on the first day; "
        f"used {100 * plan['use_share']:.0f} % of the time."
    ]
    own = number(plan["own_usd_per_mtok"])
    for option, key in (("proprietary API", "api"), ("hosted open weights", "hosted")):
        volume = plan[f"break_even_{key}_queries_per_day"]
        pays = "pays at no volume" if math.isinf(volume) else f"pays from {number(volume)} queries a day"
        price = number(plan[f"{key}_usd_per_mtok"])
        lines.append(f"Self-hosting ({own} USD/Mtok) against the {option} ({price} over the years) {pays}.")
    lines.append(
        "Depreciation carries interest at the firm's cost of capital over the chips' life; cooling is the hall's "
        "overhead (PUE) and equipment. Training, data egress and the quality of answers are left out."
    )
    return lines


RACK_LINES = {
    "chips_per_rack": ("chips in a rack", "chips in the rack", 1.0, ""),
    "kw_per_rack": ("power of a rack, kW", "heat density", 1.0, ""),
    "link_gb_per_s": ("link a chip, GB/s", "", 1.0, ""),
    "ethernet_share": ("Ethernet ports", "network", PERCENT, " %"),
    "liquid_share": ("cooled by liquid", "cooling", PERCENT, " %"),
    "memory_gb_per_chip": ("memory a chip, GB", "", 1.0, ""),
    "inference_listed_share": ("on the article's list of inference chips", "", PERCENT, " %"),
    "domestic_share": ("of Chinese makers", "", PERCENT, " %"),
    "racks": ("racks", "", 1.0, ""),
    "known_share": ("chips with a data sheet", "", PERCENT, " %"),
}


def print_racks(
    frames: Mapping[str, DataFrame], claimed: Mapping[str, Mapping[str, str]], title: str
) -> None:
    """Print the racks of each kind beside the article's, what stands, and the claims on cooling and networks."""
    found = {str(row["kind"]): row for row in _rows(frames["installed"])}
    lines: list[dict[str, str]] = [
        {"what": "chip bought most"} | {kind: str(row["main_chip"]) for kind, row in found.items()}
    ]
    for key, (what, article, unit, sign) in RACK_LINES.items():
        line = {"what": what} | {kind: _spread(row, key, unit, sign) for kind, row in found.items()}
        line |= {f"{kind}, article": texts.get(article, "") for kind, texts in claimed.items()}
        lines.append(line)
    fields = [Field("what", "a rack", 4)]
    for kind in found:
        fields.append(Field(kind, f"{kind}: median\n{INTERVAL}", 4))
        if kind in claimed:
            fields.append(Field(f"{kind}, article", f"{kind},\nthe article", 4))
    print_table(lines, fields, title)
    standing = [
        {
            "kind": row["kind"],
            "chips": _spread(row, "chips"),
            "liquid": _spread(row, "liquid_share", PERCENT, " %"),
            "ethernet": _spread(row, "ethernet_share", PERCENT, " %"),
        }
        for row in _rows(frames["standing"])
    ]
    columns = {
        "kind": "bought for",
        "chips": "chips",
        "liquid": "cooled by liquid",
        "ethernet": "Ethernet ports",
    }
    print_table(standing, [Field(k, name, 3) for k, name in columns.items()], "What stands there at its end")
    print_table(map(_cell, _rows(frames["claims"])), CLAIM_FIELDS, "Cooling and networks in China")


def print_workloads(frames: Mapping[str, DataFrame], claimed: Mapping[str, float], title: str) -> None:
    """Print revenue by workload and year beside the article's shares, and the claims on growth."""
    rows = _rows(frames["revenue"])
    cells = {(row["workload"], row["year"]): row for row in rows}
    years = list(dict.fromkeys(row["year"] for row in rows))
    fields = [Field("workload", "workload", 4), Field("article", "article", 2)]
    fields += [Field(year, year, 3) for year in years]
    lines = []
    for workload in dict.fromkeys(row["workload"] for row in rows):
        line = {"workload": workload, "article": _percent(claimed.get(workload))}
        line |= {year: _revenue(cells[workload, year]) for year in years}
        lines.append(line)
    print_table(lines, fields, f"{title}: share, million USD, growth on the year before")
    print_table(map(_cell, _rows(frames["growth"])), CLAIM_FIELDS, "Growth")


def _revenue(row: Row) -> str:
    lines = [_percent(row["share"]), f"{number(row['revenue_usd'] / MILLION)} M"]
    growth = row["growth_share"]
    return "\n".join([*lines, "" if growth != growth else f"{100 * growth:+,.0f} %"])


def _percent(share: float | None) -> str:
    return "" if share is None or share != share else f"{number(100 * share)} %"


UNITS = {
    "share": (PERCENT, " %"),
    "USD": (BILLION, " bn USD"),
    "percent": (1.0, ""),
    "ratio": (1.0, ""),
    "applications": (1.0, ""),
    "": (1.0, ""),
}
"""How the units of the registry are printed: divided by, and followed by; others as they are."""


def _cell(row: Row) -> dict[str, str]:
    """A row of a table of claims as it is printed."""
    unit = str(row["unit"])
    scale, sign = UNITS.get(unit, (1.0, f" {unit}"))
    return {
        **{key: str(value) for key, value in row.items()},
        "model": _spread(row, "model", scale, sign) or "-",
    }


def _spread(row: Row, key: str, unit: float = 1.0, sign: str = "") -> str:
    """A median with its interval below, both in the unit; nothing where there is none."""
    middle, low, high = (_rounded(row[f"{key}{end}"] / unit) for end in ("", "_low", "_high"))
    if not middle:
        return ""
    return f"{middle}{sign}" if low == high else f"{middle}{sign}\n{low} to {high}"


def _rounded(value: float) -> str:
    """A number as people write it, and 0 for what is left of a sum by rounding."""
    from evidence.facts import constants

    return number(0.0 if abs(value) < constants()["rounding"] else value)


def _rows(frame: DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame by the names of its columns."""
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]
