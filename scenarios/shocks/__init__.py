"""The kinds of shock that a scenario file can name: dated changes of the graph, of rules and of costs, by noun."""

from scenarios.shocks.demand import DemandSwing, PowerPrice
from scenarios.shocks.ownership import (
    CONTROL,
    Breakup,
    Capture,
    Consortium,
    Copies,
    Foundation,
    FundingCut,
)
from scenarios.shocks.parameter import FOUNDING, HALFWAY, SetParameter
from scenarios.shocks.policy import ChipQuota, PriceFloor
from scenarios.shocks.prices import ChipDiscount, HostingAtCost, PriceMatch
from scenarios.shocks.registry import KINDS, kind
from scenarios.shocks.technology import Breakthrough, CapacityLoss, Openness, SoftwareStall
from scenarios.shocks.trade import ChipBan, ChipRelief, Confine, Sovereignty, WeightsBan

__all__ = [
    "CONTROL",
    "FOUNDING",
    "HALFWAY",
    "KINDS",
    "Breakthrough",
    "Breakup",
    "CapacityLoss",
    "Capture",
    "ChipBan",
    "ChipDiscount",
    "ChipQuota",
    "ChipRelief",
    "Confine",
    "Consortium",
    "Copies",
    "DemandSwing",
    "Foundation",
    "FundingCut",
    "HostingAtCost",
    "Openness",
    "PowerPrice",
    "PriceFloor",
    "PriceMatch",
    "SetParameter",
    "SoftwareStall",
    "Sovereignty",
    "WeightsBan",
    "kind",
]
