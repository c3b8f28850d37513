"""States and their export rules. They act on the graph, never on outcomes; mandates are in ``agents/mandate.py``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import mesa
import numpy as np
from numpy.typing import NDArray

from model.catalogue import Chip

if TYPE_CHECKING:
    from model.market import Market


@dataclass(frozen=True)
class ExportTerms:
    """What a rule allows on the edge from a maker to a buyer.

    ``max_tflops`` and ``max_interconnect_gbs`` bound dense BF16 TFLOP/s and chip-to-chip GB/s of chips
    launched after the facts end; a chip of the facts carries its own window (``evidence/chips.csv``). ``lifted``
    says that a rule was in force and has been taken back: then no window counts either.
    """

    max_tflops: float = float("inf")
    max_interconnect_gbs: float = float("inf")
    banned: bool = False
    lifted: bool = False


FREE = ExportTerms()

BANNED, LIFTED = ExportTerms(banned=True), ExportTerms(lifted=True)

ROUNDING = 1e-9

RESTRICTED = "China"
"""The region that the export rules are about."""


def may_ship(chip: Chip, terms: ExportTerms, restricted: bool, quarter: int, ahead: int, rules: bool) -> bool:
    """Whether a chip may be sold along an edge with these terms in a quarter, for delivery ``ahead`` quarters later.

    ``restricted`` says that the buyer is in the region that the rules are about. Chips that exist only because
    of them are sold nowhere else, and are not made without rules.
    """
    if terms.banned:
        return False
    if chip.made_for_rules:
        return rules and restricted and (terms.lifted or _legal(chip, terms, quarter, ahead))
    if not (rules and restricted) or terms.lifted or chip.spec.origin == "CN":
        return True
    return _legal(chip, terms, quarter, ahead)


def _legal(chip: Chip, terms: ExportTerms, quarter: int, ahead: int) -> bool:
    """Chips of the facts carry their own window; later ones must fit the terms in force.

    A rule is published in the last quarter in which a chip is still legal: from then on nobody orders it.
    """
    if chip.given:
        starts = chip.window_from is not None and quarter + ahead >= chip.window_from
        return starts and (chip.window_until is None or quarter + (ahead > 0) <= chip.window_until)
    fits = chip.spec.bf16_tflops <= terms.max_tflops * (1.0 + ROUNDING)
    return fits and chip.spec.interconnect_gbs <= terms.max_interconnect_gbs


def may_buy(market: Market, buyer: str, chips: Sequence[Chip], on_order: bool = False) -> NDArray[np.bool_]:
    """Whether a buyer may order each chip now, or take delivery of those ``on_order``, shape (chips,).

    An edge must permit it.
    """
    restricted = market.graph.node(buyer).region == RESTRICTED
    rules = bool(market.parameters.export_rules)
    # A chip made for a market is ordered before it is there; what a later rule will forbid cannot be foreseen.
    ahead = 0 if on_order else int(market.parameters.lead_time_quarters)
    terms: dict[str, ExportTerms] = {
        maker: market.graph.terms(maker, buyer, "chips")["export"]
        for maker in market.graph.sources(buyer, "chips")
    }

    def allowed(chip: Chip) -> bool:
        if chip.captive_owner not in ("", buyer) or chip.spec.maker not in terms:
            return False
        if not on_order and chip.until is not None and market.t > chip.until:
            return False
        return may_ship(chip, terms[chip.spec.maker], restricted, market.t, ahead, rules)

    return np.array([allowed(chip) for chip in chips], dtype=bool)


def exposed(market: Market, maker: str, buyer: str) -> bool:
    """Whether a buyer's supply from a maker hangs on another state's rules."""
    if not market.parameters.export_rules or not market.graph.permitted(maker, buyer, "chips"):
        return False
    return bool(market.graph.terms(maker, buyer, "chips")["export"] not in (FREE, LIFTED))


class State(mesa.Agent):
    """A government or a bloc of them.

    The rules to the end of 2024 are facts (``evidence/export_rules.csv``); every other change comes from a
    scenario's shock, which calls :meth:`restrict` and :meth:`lift`. ``law`` is the rule of the facts in force,
    ``imposed`` the regions in which a scenario's rule stands in its place.
    """

    model: Market

    def __init__(self, market: Market, name: str, region: str) -> None:
        super().__init__(market)
        self.name = name
        self.region = region
        self.rules: dict[int, ExportTerms] = {}
        self.law = FREE
        self.imposed: set[str] = set()

    def decree(self, quarter: int) -> None:
        """Put the rule of the facts dated to a quarter, if there is one, into force."""
        if quarter in self.rules and self.model.parameters.export_rules:
            self.law = self.rules[quarter]
            if RESTRICTED not in self.imposed:
                self._set(self.law, RESTRICTED)

    def restrict(self, terms: ExportTerms, buyers_region: str = RESTRICTED) -> None:
        """Replace the terms for a region's buyers; later rules of the facts do not change them until they are lifted."""
        self.imposed.add(buyers_region)
        self._set(terms, buyers_region)

    def lift(self, buyers_region: str = RESTRICTED) -> None:
        """Give a region's buyers the terms of the facts again."""
        self.imposed.discard(buyers_region)
        self._set(self.law if buyers_region == RESTRICTED else FREE, buyers_region)

    def _set(self, terms: ExportTerms, buyers_region: str) -> None:
        """Put terms on every chips edge from this state's makers to a region's buyers."""
        market = self.model
        for maker in market.chipmakers.values():
            if maker.region != self.region:
                continue
            for buyer in list(market.graph.targets(maker.name, "chips")):
                if market.graph.node(buyer).region == buyers_region:
                    market.graph.permit(maker.name, buyer, "chips", export=terms)
