"""States and their export rules. They act on the graph, never on outcomes; mandates are in ``agents/mandate.py``."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import mesa
import numpy as np
from numpy.typing import NDArray

from model.chip import ANYBODY, ChipBook
from model.edges import CompiledEdges
from model.memo import Memo

if TYPE_CHECKING:
    from model.market import Market

BoolArray = NDArray[np.bool_]
Flags = bool | BoolArray
Limits = float | NDArray[np.float64]


@dataclass(frozen=True)
class ExportTerms:
    """What a rule allows on the edge from a maker to a buyer, or on many of them.

    ``max_tflops`` and ``max_interconnect_gbs`` bound dense BF16 TFLOP/s and chip-to-chip GB/s of chips
    launched after the facts end; a chip of the facts carries its own window (``evidence/chips.csv``). ``lifted``
    says that a rule was in force and has been taken back: then no window counts either.
    """

    max_tflops: Limits = float("inf")
    max_interconnect_gbs: Limits = float("inf")
    banned: Flags = False
    lifted: Flags = False


FREE = ExportTerms()

BANNED, LIFTED = ExportTerms(banned=True), ExportTerms(lifted=True)

ROUNDING = 1e-9

RESTRICTED = "China"
"""The region that the export rules are about."""


def in_window(chips: ChipBook, quarter: int, ahead: int) -> BoolArray:
    """Whether each chip of the facts may go to China in a quarter, for delivery ``ahead`` quarters later, shape (chips,).

    A rule is published in the last quarter in which a chip is still legal: from then on nobody orders it.
    """
    return np.asarray((quarter + ahead >= chips.window_from) & (quarter + (ahead > 0) <= chips.window_until))


def may_ship(
    chips: ChipBook, terms: ExportTerms, restricted: Flags, window: BoolArray, rules: bool
) -> BoolArray:
    """Whether each chip may be sold along an edge with these terms.

    ``restricted`` says that the buyer is in the region that the rules are about. Chips of the facts carry their own
    ``window`` (:func:`in_window`), (chips,); later ones must fit the terms in force. Chips that exist only because
    of the rules are sold nowhere else, and are not made without them. Shape (chips,), or with buyers' terms (buyers,
    chips).
    """
    fits = chips.bf16_tflops <= terms.max_tflops * (1.0 + ROUNDING)
    fits = fits & (chips.interconnect_gbs <= terms.max_interconnect_gbs)
    legal = np.logical_or(terms.lifted, np.where(chips.given, window, fits))
    bound = np.logical_and(restricted, rules)
    free = ~chips.made_for_rules & (~bound | chips.chinese)
    return np.asarray(np.logical_not(terms.banned) & (free | (bound & legal)))


@dataclass(frozen=True, eq=False)
class Edges:
    """Who may buy chips from whom and on which terms, shape (owners, makers), in the market's order of both.

    ``permitted`` says where there is an edge, ``exposed`` where it hangs on another state's rules; ``at`` is its place
    among the compiled ``edges``, -1 without one. ``restricted`` buyers are in the region of the rules, (owners, 1).
    """

    edges: CompiledEdges
    at: NDArray[np.int64]
    permitted: BoolArray
    terms: ExportTerms
    exposed: BoolArray
    restricted: BoolArray

    @classmethod
    def of(cls, market: Market, edges: CompiledEdges) -> Edges:
        """Read the edges of the graph."""
        makers, owners = list(market.chipmakers), list(market.clouds)
        at = edges.positions(makers, owners).T
        each = [edges.attributes[e]["terms"]["export"] if e >= 0 else FREE for e in at.ravel()]
        return cls(
            edges=edges,
            at=at,
            permitted=at >= 0,
            terms=ExportTerms(
                *(
                    np.array([getattr(terms, part.name) for terms in each]).reshape(at.shape)
                    for part in fields(ExportTerms)
                )
            ),
            exposed=np.array([terms not in (FREE, LIFTED) for terms in each]).reshape(at.shape),
            restricted=np.array([[market.graph.node(owner).region == RESTRICTED] for owner in owners]),
        )


class ChipTrade:
    """What is known of the edges and the rules on them until one of them changes."""

    def __init__(self) -> None:
        self.edges: Memo[Edges] = Memo()
        self.allowed: dict[bool, Memo[BoolArray]] = {True: Memo(), False: Memo()}


def chip_edges(market: Market) -> Edges:
    """The edges along which chips are sold, as arrays; read again only when one of them has changed."""
    edges = market.graph.compiled("chips")
    return market.chip_trade.edges.of(lambda: Edges.of(market, edges), edges.version)


def may_buy(market: Market, on_order: bool = False) -> BoolArray:
    """Whether each owner may order each chip now, or take delivery of those ``on_order``, shape (owners, chips).

    An edge must permit it.
    """
    chips, edges, rules = market.catalogue.chips, chip_edges(market), bool(market.parameters.export_rules)
    # A chip made for a market is ordered before it is there; what a later rule will forbid cannot be foreseen.
    ahead = 0 if on_order else int(market.parameters.lead_time_quarters)
    window = in_window(chips, market.t, ahead)

    def allowed() -> BoolArray:
        maker, owner = chips.maker, np.arange(len(edges.permitted))[:, None]
        terms = ExportTerms(*(getattr(edges.terms, part.name)[:, maker] for part in fields(ExportTerms)))
        sold = edges.permitted[:, maker] & ((chips.captive == ANYBODY) | (chips.captive == owner))
        return np.asarray(sold & may_ship(chips, terms, edges.restricted, window, rules))

    known = market.chip_trade.allowed[on_order].of(
        allowed, edges.edges.version, len(chips), rules, window.tobytes()
    )
    return known if on_order else known & (market.t <= chips.until)


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
