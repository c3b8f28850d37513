"""What is sold: a model, through a channel, by a seller, in an area, at one posted price."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from model.catalogue import Model
from model.place import VENUES


@dataclass(slots=True, eq=False)
class Offer:
    """One line of the price list.

    ``setter`` decides the price, ``seller`` takes the money, ``host`` owns the fleet that serves. They
    differ where a cloud resells a proprietary model (the vendor sets the price) and where a vendor's own
    API runs on a rented fleet. ``area`` is a region, or ``"abroad"`` or ``"global"`` for one price in
    several regions. Prices and costs are in USD per million tokens, blended 3 input to 1 output: ``resource``
    is the host's cost for prices, ``transfer`` what it charges a vendor for it, ``unit_cost`` what the setter
    reckons with, ``full_cost`` the cost for accounts; infinite while no chip of the host can serve the model.
    """

    model: Model
    channel: str
    seller: str
    setter: str
    host: str
    area: str
    regions: tuple[int, ...]
    since: int
    price: float = float("nan")
    unit_cost: float = float("inf")
    resource: float = float("inf")
    transfer: float = float("inf")
    full_cost: float = float("inf")
    hours_per_mtok: float = float("inf")
    expected_margin: float = 0.0
    demanded: float = 0.0
    served: float = 0.0

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes an offer the same offer from quarter to quarter."""
        return (self.model.name, self.channel, self.seller, self.area)

    @property
    def at_cost(self) -> bool:
        """Venues of the buyers' own sell at cost: a buyer has no margin on itself."""
        return self.channel in VENUES


@dataclass
class OfferBook:
    """All open offers in a fixed order, and the arrays that the hot path reads.

    ``version`` counts changes of membership, so that views of the book know when to be rebuilt.
    """

    offers: list[Offer] = field(default_factory=list)
    version: int = 0
    _keys: dict[tuple[str, str, str, str], Offer] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.offers)

    def __iter__(self) -> Iterator[Offer]:
        return iter(self.offers)

    def get(self, key: tuple[str, str, str, str]) -> Offer | None:
        """The offer of that key, or None."""
        return self._keys.get(key)

    def open(self, offer: Offer) -> None:
        """Add an offer at the end of the list."""
        self.offers.append(offer)
        self._keys[offer.key] = offer
        self.version += 1

    def close(self, offer: Offer) -> None:
        """Take an offer off the list."""
        self.offers.remove(offer)
        del self._keys[offer.key]
        self.version += 1

    def array(self, attribute: str) -> NDArray[np.float64]:
        """One attribute of every offer, shape (offers,)."""
        return np.array([getattr(offer, attribute) for offer in self.offers], dtype=np.float64)

    def capability(self) -> NDArray[np.float64]:
        """Capability of every offer's model, log10 effective FLOP, shape (offers,)."""
        return np.array([offer.model.capability for offer in self.offers], dtype=np.float64)

    def model_groups(self) -> NDArray[np.int64]:
        """A number for each model, equal where offers sell the same model, shape (offers,)."""
        numbers: dict[str, int] = {}
        return np.array(
            [numbers.setdefault(offer.model.name, len(numbers)) for offer in self.offers], dtype=np.int64
        )
