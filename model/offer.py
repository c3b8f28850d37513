"""What is sold: a model, through a channel, by a seller, in an area, at one posted price."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
_UNKNOWN = np.array(list(NUMBERS.values()))[:, None]


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
        self._numbers, self._at = _UNKNOWN.copy(), 0
        for name, value in numbers.items():
            self._numbers[_ROW[name], 0] = value

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


CODES = (
    *("setter", "seller", "host", "fleet", "model", "purpose", "since", "open_weights", "at_cost"),
    *REGIONS,
)
"""The whole numbers of :class:`Lines`, with a column for each region of ``reach``."""

MODEL = CODES.index("model")


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
        self._codes = np.zeros((0, len(CODES)), dtype=np.int64)
        self._capability = np.zeros(0)
        self._lines: Lines | None = None
        self._groups: IntArray | None = None

    def __len__(self) -> int:
        return len(self.offers)

    def __iter__(self) -> Iterator[Offer]:
        return iter(self.offers)

    def get(self, key: tuple[str, str, str, str]) -> Offer | None:
        """The offer of that key, or None."""
        return self._keys.get(key)

    def change(self, gone: Iterable[Offer] = (), fresh: Sequence[Offer] = ()) -> None:
        """Take offers off the list, which keep their last numbers, and add others at its end."""
        leaving = {offer._at for offer in gone}
        if not leaving and not fresh:
            return
        stay = [j for j in range(len(self.offers)) if j not in leaving]
        for j in leaving:
            offer = self.offers[j]
            offer._numbers, offer._at = offer._numbers[:, [j]], 0
        self.offers = [self.offers[j] for j in stay] + list(fresh)
        values = np.concatenate([self._values[:, stay], *(offer._numbers for offer in fresh)], axis=1)
        # Columns side by side in memory: a strided one is another type to the kernels, and compiled for anew.
        self._values = np.ascontiguousarray(values)
        codes = np.array([self._code(offer) for offer in fresh], dtype=np.int64).reshape(-1, len(CODES))
        self._codes = np.concatenate([self._codes[stay], codes])
        better = [offer.model.capability for offer in fresh]
        self._capability = np.concatenate([self._capability[stay], better])
        for j, offer in enumerate(self.offers):
            offer._numbers, offer._at = self._values, j
        self._keys = {offer.key: offer for offer in self.offers}
        self._lines = self._groups = None
        self.version += 1

    def move(self, offer: Offer, host: str, regions: tuple[int, ...]) -> None:
        """Change who serves an offer and where it is sold; to its buyers the line stays the same."""
        if offer.host != host or offer.regions != regions:
            offer.host, offer.regions = host, regions
            self._codes[offer._at] = self._code(offer)
            self._lines = None

    def open_weights_of(self, model: Model) -> None:
        """Note that a model's weights have been published: whoever resold it sells on its own account from now on."""
        for offer in self.offers:
            if offer.model is model:
                offer.setter = offer.seller
                self._codes[offer._at] = self._code(offer)
        self._lines = None

    def _code(self, offer: Offer) -> list[int]:
        """What :data:`CODES` says of an offer."""
        firms, model = self._firms, offer.model
        return [
            firms[offer.setter],
            firms[offer.seller],
            firms[offer.host],
            self._fleets[offer.host],
            model.number,
            SPARSE if model.architecture.sparse else DENSE,
            offer.since,
            model.open_weights,
            offer.at_cost,
            *(region in offer.regions for region in range(len(REGIONS))),
        ]

    @property
    def lines(self) -> Lines:
        """Who stands behind each offer, as numbers; the same object until that changes."""
        if self._lines is None:
            column = dict(zip(CODES, self._codes.T.copy(), strict=True))
            self._lines = Lines(
                setter=column["setter"],
                seller=column["seller"],
                host=column["host"],
                fleet=column["fleet"],
                model=column["model"],
                purpose=column["purpose"],
                since=column["since"],
                capability=self._capability,
                open_weights=column["open_weights"].astype(bool),
                at_cost=column["at_cost"].astype(bool),
                reach=self._codes[:, -len(REGIONS) :].astype(bool),
            )
        return self._lines

    def model_groups(self) -> IntArray:
        """A number for each model, equal where offers sell the same model, in order of appearance, shape (offers,)."""
        if self._groups is None:
            number: dict[int, int] = {}
            models = self._codes[:, MODEL].tolist()
            self._groups = np.array([number.setdefault(m, len(number)) for m in models], dtype=np.int64)
        return self._groups
