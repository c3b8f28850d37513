"""States and their export rules. They act on the graph, never on outcomes; mandates are in ``agents/mandate.py``."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import mesa
import numpy as np
from numpy.typing import NDArray

from model.chip import ChipBook
from model.contracts import Bill
from model.edges import CompiledEdges
from model.export import may_ship_all
from model.ledger import Kind
from model.memo import Memo

if TYPE_CHECKING:
    from model.market import Market

BoolArray = NDArray[np.bool_]


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

RESTRICTED = "China"
"""The region that the export rules are about."""


def in_window(chips: ChipBook, quarter: int, ahead: int) -> BoolArray:
    """Whether each chip of the facts may go to China in a quarter, for delivery ``ahead`` quarters later, shape (chips,).

    A rule is published in the last quarter in which a chip is still legal: from then on nobody orders it.
    """
    return np.asarray((quarter + ahead >= chips.window_from) & (quarter + (ahead > 0) <= chips.window_until))


@dataclass(frozen=True, eq=False)
class Edges:
    """Who may buy chips from whom and on which terms, shape (owners, makers), in the market's order of both.

    ``permitted`` says where there is an edge, ``exposed`` where it hangs on another state's rules; ``at`` is its place
    among the compiled ``edges``, -1 without one. ``terms`` are the fields of :class:`ExportTerms`, an array for each.
    ``restricted`` buyers are in the region of the rules, (owners,).
    """

    edges: CompiledEdges
    at: NDArray[np.int64]
    permitted: BoolArray
    terms: tuple[NDArray[Any], ...]
    exposed: BoolArray
    restricted: BoolArray

    @classmethod
    def of(cls, market: Market, edges: CompiledEdges) -> Edges:
        """Read the edges of the graph."""
        makers, owners = list(market.chipmakers), list(market.clouds)
        at = np.ascontiguousarray(edges.positions(makers, owners).T)
        each = [
            market.graph.terms(maker, owner, "chips")["export"] if place >= 0 else FREE
            for owner, row in zip(owners, at, strict=True)
            for maker, place in zip(makers, row, strict=True)
        ]
        return cls(
            edges=edges,
            at=at,
            permitted=at >= 0,
            terms=tuple(
                np.array([getattr(terms, part.name) for terms in each]).reshape(at.shape)
                for part in fields(ExportTerms)
            ),
            exposed=np.array([terms not in (FREE, LIFTED) for terms in each]).reshape(at.shape),
            restricted=np.array([market.graph.node(owner).region == RESTRICTED for owner in owners]),
        )


class ChipTrade:
    """What is known of the trade in chips until it changes: its edges, and who pays whom.

    Parts of the ``bill``: owners pay makers, (owners, makers) by row; makers and owners pay suppliers.
    """

    def __init__(self, market: Market) -> None:
        owners, makers = (
            np.array([market.ledger.index(name) for name in firms])
            for firms in (market.clouds, market.chipmakers)
        )
        suppliers = market.ledger.index("suppliers")
        self.bill = Bill.of(
            (np.repeat(owners, len(makers)), np.tile(makers, len(owners)), Kind.CHIPS),
            (makers, suppliers, Kind.CHIP_MAKING),
            (owners, suppliers, Kind.RACKS),
        )
        self.edges: Memo[Edges] = Memo()


def chip_edges(market: Market) -> Edges:
    """The edges along which chips are sold, as arrays; read again only when one of them has changed."""
    edges = market.graph.compiled("chips")
    return market.chip_trade.edges.of(lambda: Edges.of(market, edges), edges.version)


def may_buy(market: Market, on_order: bool = False) -> BoolArray:
    """Whether each owner may order each chip now, or take delivery of those ``on_order``, shape (owners, chips).

    An edge must permit it.
    """
    chips, edges = market.catalogue.chips, chip_edges(market)
    # A chip made for a market is ordered before it is there; what a later rule will forbid cannot be foreseen.
    ahead = 0 if on_order else int(market.parameters.lead_time_quarters)
    allowed = may_ship_all(
        (chips.given, chips.made_for_rules, chips.chinese, chips.bf16_tflops, chips.interconnect_gbs),
        in_window(chips, market.t, ahead),
        chips.maker,
        chips.captive,
        edges.terms,
        edges.permitted,
        edges.restricted,
        bool(market.parameters.export_rules),
    )
    return np.asarray(allowed if on_order else allowed & chips.on_sale(market.t))


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
