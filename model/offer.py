"""What is sold: a model, through a channel, by a seller, in an area, at one posted price."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.catalogue import Model
from model.place import DENSE, REGIONS, SPARSE, VENUES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

NUMBERS = {
    "price": float("nan"),
    "unit_cost": float("inf"),
    "resource": float("inf"),
    "transfer": float("inf"),
    "full_cost": float("inf"),
    "hours_per_mtok": float("inf"),
    "expected_margin": 0.0,
    "demanded": 0.0,
    "served": 0.0,
}
"""What changes about an offer from quarter to quarter, and what it is before anything is known."""

_ROW = {name: row for row, name in enumerate(NUMBERS)}


class _Number:
    """A field of an offer that lives in its column of the book."""

    def __init__(self, name: str) -> None:
        self._row = _ROW[name]

    def __get__(self, offer: Offer, _: type) -> float:
        return float(offer._numbers[self._row, offer._at])

    def __set__(self, offer: Offer, value: float) -> None:
        offer._numbers[self._row, offer._at] = value


class _Column:
    """One number of all offers, shape (offers,)."""

    def __init__(self, name: str) -> None:
        self._row = _ROW[name]

    def __get__(self, book: OfferBook, _: type) -> FloatArray:
        column: FloatArray = book._values[self._row]
        return column


class Offer:
    """One line of the price list; a view of its column in the book once it is on it.

    ``setter`` decides the price, ``seller`` takes the money, ``host`` owns the fleet that serves. They
    differ where a cloud resells a proprietary model (the vendor sets the price) and where a vendor's own
    API runs on a rented fleet. ``area`` is a region, or ``"abroad"`` or ``"global"`` for one price in
    several regions; ``since`` the quarter in which it opened. Prices and costs are in USD per million tokens, blended
    3 input to 1 output: ``resource`` is the host's cost for prices, ``transfer`` what it charges a vendor for it,
    ``unit_cost`` what the setter reckons with, ``full_cost`` the cost for accounts; infinite while no chip of the host
    can serve the model. ``demanded`` and ``served`` are Mtok of the quarter.
    """

    __slots__ = (
        "_at", "_numbers", "area", "channel", "host", "key", "model", "regions", "seller", "setter", "since"
    )  # fmt: skip

    price = _Number("price")
    unit_cost = _Number("unit_cost")
    resource = _Number("resource")
    transfer = _Number("transfer")
    full_cost = _Number("full_cost")
    hours_per_mtok = _Number("hours_per_mtok")
    expected_margin = _Number("expected_margin")
    demanded = _Number("demanded")
    served = _Number("served")

    def __init__(
        self,
        model: Model,
        channel: str,
        seller: str,
        setter: str,
        host: str,
        area: str,
        regions: tuple[int, ...],
        since: int,
        **numbers: float,
    ) -> None:
        self.model = model
        self.channel = channel
        self.seller = seller
        self.setter = setter
        self.host = host
        self.area = area
        self.regions = regions
        self.since = since
        self.key = (model.name, channel, seller, area)
        """What makes an offer the same offer from quarter to quarter."""
        self._numbers = np.array([[numbers.get(name, start)] for name, start in NUMBERS.items()])
        self._at = 0

    @property
    def at_cost(self) -> bool:
        """Venues of the buyers' own sell at cost: a buyer has no margin on itself."""
        return self.channel in VENUES

    def __repr__(self) -> str:
        return f"Offer({', '.join(self.key)})"


@dataclass(frozen=True, eq=False)
class Lines:
    """Who stands behind each offer, as numbers, shape (offers,) each; none of it changes with prices.

    ``setter``, ``seller`` and ``host`` number the firms, ``fleet`` the fleets (the host's), ``model`` the catalogue's
    models, ``purpose`` is the pool that serves the model; ``reach`` (offers, regions) says where it is sold.
    """

    setter: IntArray
    seller: IntArray
    host: IntArray
    fleet: IntArray
    model: IntArray
    purpose: IntArray
    since: IntArray
    capability: FloatArray
    open_weights: BoolArray
    at_cost: BoolArray
    reach: BoolArray


class OfferBook:
    """All open offers in a fixed order, with their numbers in columns: ``book.price`` is (offers,), and live.

    ``version`` counts changes of membership, so that views of the book know when to be rebuilt.
    """

    price = _Column("price")
    unit_cost = _Column("unit_cost")
    resource = _Column("resource")
    transfer = _Column("transfer")
    full_cost = _Column("full_cost")
    hours_per_mtok = _Column("hours_per_mtok")
    expected_margin = _Column("expected_margin")
    demanded = _Column("demanded")
    served = _Column("served")

    def __init__(
        self, firms: Mapping[str, int] | None = None, fleets: Mapping[str, int] | None = None
    ) -> None:
        """``firms`` numbers the firms that may stand on the list, ``fleets`` those that host."""
        self.offers: list[Offer] = []
        self.version = 0
        self._firms = firms or {}
        self._fleets = fleets or {}
        self._keys: dict[tuple[str, str, str, str], Offer] = {}
        self._values = np.zeros((len(NUMBERS), 0))
        self._lines: Lines | None = None
        self._groups: IntArray | None = None

    def __len__(self) -> int:
        return len(self.offers)

    def __iter__(self) -> Iterator[Offer]:
        return iter(self.offers)

    def get(self, key: tuple[str, str, str, str]) -> Offer | None:
        """The offer of that key, or None."""
        return self._keys.get(key)

    def open(self, *fresh: Offer) -> None:
        """Add offers at the end of the list."""
        if fresh:
            self._become([*self.offers, *fresh])

    def close(self, gone: Iterable[Offer]) -> None:
        """Take offers off the list; they keep their last numbers."""
        leaving = {id(offer) for offer in gone}
        if leaving:
            self._become([offer for offer in self.offers if id(offer) not in leaving])

    def move(self, offer: Offer, host: str, regions: tuple[int, ...]) -> None:
        """Change who serves an offer and where it is sold; to its buyers the line stays the same."""
        if offer.host != host or offer.regions != regions:
            offer.host, offer.regions = host, regions
            self._lines = None

    def open_weights_of(self, model: Model) -> None:
        """Note that a model's weights have been published: whoever resold it sells on its own account from now on."""
        for offer in self.offers:
            if offer.model is model:
                offer.setter = offer.seller
        self._lines = None

    def _become(self, offers: list[Offer]) -> None:
        values = np.empty((len(NUMBERS), len(offers)))
        for j, offer in enumerate(offers):
            values[:, j] = offer._numbers[:, offer._at]
        for offer in self.offers:
            offer._numbers, offer._at = offer._numbers[:, [offer._at]], 0
        for j, offer in enumerate(offers):
            offer._numbers, offer._at = values, j
        self.offers, self._values = offers, values
        self._keys = {offer.key: offer for offer in offers}
        self._lines = self._groups = None
        self.version += 1

    @property
    def lines(self) -> Lines:
        """Who stands behind each offer, as numbers; the same object until that changes."""
        if self._lines is None:
            firms, offers = self._firms, self.offers
            reach = np.zeros((len(offers), len(REGIONS)), dtype=bool)
            for j, offer in enumerate(offers):
                reach[j, offer.regions] = True
            self._lines = Lines(
                setter=np.array([firms[o.setter] for o in offers], dtype=np.int64),
                seller=np.array([firms[o.seller] for o in offers], dtype=np.int64),
                host=np.array([firms[o.host] for o in offers], dtype=np.int64),
                fleet=np.array([self._fleets[o.host] for o in offers], dtype=np.int64),
                model=np.array([o.model.number for o in offers], dtype=np.int64),
                purpose=np.array(
                    [SPARSE if o.model.architecture.sparse else DENSE for o in offers], dtype=np.int64
                ),
                since=np.array([o.since for o in offers], dtype=np.int64),
                capability=np.array([o.model.capability for o in offers], dtype=np.float64),
                open_weights=np.array([o.model.open_weights for o in offers], dtype=bool),
                at_cost=np.array([o.at_cost for o in offers], dtype=bool),
                reach=reach,
            )
        return self._lines

    def model_groups(self) -> IntArray:
        """A number for each model, equal where offers sell the same model, in order of appearance, shape (offers,)."""
        if self._groups is None:
            numbers: dict[str, int] = {}
            self._groups = np.array(
                [numbers.setdefault(offer.model.name, len(numbers)) for offer in self.offers], dtype=np.int64
            )
        return self._groups
