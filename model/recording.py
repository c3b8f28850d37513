"""What is written down each quarter: one row an offer and region, chip, fleet, firm, segment and edge, and the headlines.

A quarter copies what will have changed by the next one; what follows from these facts is worked out when somebody looks
at it (``model/derived.py``), since most of what a run could tell is never asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model import headline, texts
from model.derived import DEAR, DERIVED
from model.memo import Memo
from model.names import Names
from model.place import PURPOSES
from model.records import Tables
from model.work import Work

if TYPE_CHECKING:
    from model.market import Market

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FIRM = {"firm": "name", "kind": "kind", "region": "region", "origin": "origin"}
"""Columns of the table of firms, and what the names call them."""


def record(market: Market) -> None:
    """The ninth event; nothing is written before the first recorded quarter."""
    if market.t >= market.record_from:
        market.recording.write(market)


class Recording:
    """The record of one market: the recorder, and the names behind its numbers."""

    def __init__(self, market: Market) -> None:
        self.recorder = market.recorder
        self.names = Names(
            market.catalogue, market.firms, list(market.clouds.values()), market.population.cells
        )
        self._accounts = np.array([market.ledger.index(name) for name in market.firms], dtype=np.int64)
        self._nodes = np.array([market.graph.number(name) for name in market.nodes], dtype=np.int64)
        self._facts: list[headline.Facts] = []
        self._channels: Memo[IntArray] = Memo()
        for table, columns in DERIVED.items():
            self.recorder.derive(table, columns, self.names, DEAR.get(table, frozenset()))
        self.recorder.digest("quarters", self._headlines)

    def write(self, market: Market) -> None:
        """Write down the quarter."""
        self._offers(market)
        self._chips(market)
        self._fleets(market)
        self._firms(market)
        services = self._services(market)
        self._segments(market, services)
        self._edges(market)
        self._facts.append(headline.Facts.of(market, services))

    def tables(self, market: Market) -> Tables:
        """All tables; the price indices, which need the base year, are worked out from the recorded offers."""
        found = self.recorder.tables()
        headline.fill_indices(found, market.parameters)
        return found

    def _headlines(self, tables: Tables, known: int) -> dict[str, Any] | None:
        """The headlines of the quarters that the recorder does not have yet, if any; it has ``known``."""
        facts = self._facts[known:]
        return headline.columns(tables, facts) if facts else None

    def _offers(self, market: Market) -> None:
        book, demand, p = market.offers, market.demand, market.parameters
        lines = book.lines
        at, region = np.nonzero(lines.reach & np.isfinite(book.unit_cost)[:, None])
        facts = {
            "model number": lines.model[at],
            "seller number": lines.seller[at],
            "region number": region,
            "channel": self._channel(book.offers, lines)[at],
            "open_weights": lines.open_weights[at],
            "price_usd_per_mtok": book.price[at],
            "unit_cost_usd_per_mtok": book.unit_cost[at],
            "full_cost_usd_per_mtok": book.full_cost[at],
            "tokens_mtok": (market.region_of_cell @ demand.served)[region, at],
            "tokens_demanded_mtok": (market.region_of_cell @ demand.demanded)[region, at],
            "parameters": p,
        }
        self.recorder.put("offers", market.quarter, len(at), facts)

    def _channel(self, offers: Sequence[Any], lines: object) -> IntArray:
        """The channel of each offer, worked out again when the lines of the book have changed."""
        return self._channels.of(lambda: texts.numbers(offer.channel for offer in offers), lines)

    def _chips(self, market: Market) -> None:
        fleets = market.fleets
        place = np.flatnonzero((fleets.wanted > 0.0) | (fleets.delivered > 0.0))
        facts = {
            "place": place,
            "chips": fleets.paid.shape[1],
            "units_ordered": fleets.wanted.ravel()[place],
            "units_delivered": fleets.delivered.ravel()[place],
            "price paid": fleets.paid.ravel()[place // len(PURPOSES)],
            "parameters": market.parameters,
        }
        self.recorder.put("chips", market.quarter, len(place), facts)

    def _fleets(self, market: Market) -> None:
        work, p = Work.of(market), market.parameters
        units = work.units.ravel()
        place = np.flatnonzero(units >= p.least_units_recorded)
        facts = {
            "place": place,
            "chips": work.units.shape[1],
            "units": units[place],
            "work": work,
            "parameters": p,
        }
        self.recorder.put("fleets", market.quarter, len(place), facts)

    def _firms(self, market: Market) -> None:
        firms = market.firms.values()
        received, paid = market.ledger.tables()
        facts = {
            "active": np.array([firm.active for firm in firms]),
            "cash_usd": market.ledger.balances()[self._accounts],
            "received": received[self._accounts],
            "paid": paid[self._accounts],
            "best": np.array([getattr(firm, "best", np.nan) for firm in firms], dtype=np.float64),
            "service_effort": np.array([firm.service_effort for firm in firms]),
        }
        facts |= {name: self.names.firms[key] for name, key in FIRM.items()}
        self.recorder.put("firms", market.quarter, len(firms), facts)

    def _segments(self, market: Market, services: FloatArray) -> None:
        demand, applications = market.demand, market.applications()
        # Services are sold to segments of a region and sector; sizes share them by their applications.
        total = market.node_of_cell @ applications
        each = np.divide(services, total, out=np.zeros_like(total), where=total > 0.0)
        facts = {
            **self.names.cells,
            "firms": self.names.firms_of_cell,
            "adopters": demand.adopters.copy(),
            "tokens_mtok": demand.served.sum(axis=1),
            "spend_usd": demand.served @ market.offers.price,
            "services_usd": (each @ market.node_of_cell) * applications,
            "applications": applications,
        }
        self.recorder.put("segments", market.quarter, len(applications), facts)

    def _edges(self, market: Market) -> None:
        flows = market.graph.flowed()
        self.recorder.put("edges", market.quarter, len(flows.slots), {"flows": flows})

    def _services(self, market: Market) -> FloatArray:
        """What segments paid for services, USD (nodes,)."""
        flows = market.graph.flowed("services")
        paid = np.bincount(flows.target[flows.slots], flows.money, minlength=int(self._nodes.max()) + 1)
        return np.asarray(paid[self._nodes])
