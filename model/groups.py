"""The subjects of the parameter table, for pages that show it in parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

GROUPS = MappingProxyType(
    {
        "Causes that can be turned off": "open_weights",
        "Forms of the mechanisms": "forward_prices",
        "Size of the population": "enterprises",
        "Demand: tastes, adoption, volume": "alpha_mean",
        "Demand: luck and business cycle": "luck_persistence",
        "Demand: standing, channel, home": "standing_weight",
        "Prices of tokens": "price_adjustment",
        "Hosting": "hosting_markup",
        "Research and launches": "research_reinvested",
        "Finance": "funding_growth",
        "Service layer": "service_effort_start",
        "Institutions": "consortium_least_members",
        "Chips: choice and price": "chip_alpha",
        "Chips: learning, next chips, capacity": "chip_learning_rate",
        "Software": "software_maturity_nvidia",
        "Procurement and fleets": "lead_time_quarters",
        "Data centres": "chips_per_rack",
        "Recording": "inference_bytes_per_flop",
        "Serving, training and captive work: physics": "weight_bytes",
        "Cost of a chip hour": "server_share",
        "Capability and benchmark": "mmlu_floor",
        "Architecture and learning from others": "algorithmic_efficiency_growth",
    }
)
"""Groups of the parameter table, which is kept in order of subject: each begins with the parameter named."""


def grouped(names: Sequence[str], groups: Mapping[str, str]) -> dict[str, list[str]]:
    """Names in order, cut where a group begins.

    Raises:
        ValueError: a group begins with a name that does not exist or stands before the group above it, or
            names come before the first group.
    """
    starts = {}
    for title, first in groups.items():
        if first not in names:
            raise ValueError(f"group {title!r} begins with {first!r}, which no longer exists: name another")
        starts[title] = names.index(first)
    order = list(starts.values())
    if order != sorted(set(order)) or order[0] != 0:
        raise ValueError("groups must follow the order of the parameter table, and the first begin with it")
    ends = [*order[1:], len(names)]
    return {title: list(names[begin:end]) for (title, begin), end in zip(starts.items(), ends, strict=True)}
