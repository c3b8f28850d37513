"""What enterprises feel about an offer beside its price and capability: home, channel, standing and luck."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from model.memo import Memo
from model.parameters import Parameters
from model.place import ASIA_PACIFIC, CHINA, EUROPE, NORTH_AMERICA, REGIONS, SIZES

if TYPE_CHECKING:
    from model.market import Market

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def home_bias(region: int, origin: str, p: Parameters) -> float:
    """Utility that buyers of a region give up for what comes from an origin they distrust (0 or negative)."""
    if region == CHINA:
        return 0.0 if origin == "CN" else -p.home_bias_china
    if origin != "CN":
        return 0.0
    bias = {
        ASIA_PACIFIC: p.home_bias_asia_pacific,
        NORTH_AMERICA: p.home_bias_north_america,
        EUROPE: p.home_bias_europe,
    }
    return -bias[region]


def channel_taste(channel: str, small: NDArray[np.bool_], p: Parameters) -> NDArray[np.float64]:
    """Utility of a channel against a managed endpoint, by cell; one's own chips take staff that small firms lack."""
    if channel in ("api", "managed"):
        return np.full(len(small), p.channel_api if channel == "api" else 0.0)
    own = p.channel_colocation if channel == "colocation" else p.channel_on_premises
    return np.where(small, own - p.self_hosting_size_penalty, own)


def standing_of(market: Market, seller: str, region: int) -> float:
    """Utility of buying where one is a customer already: the log of a cloud's share of all cloud spending."""
    cloud = market.clouds.get(seller)
    if cloud is None or cloud.venue:
        return 0.0
    p = market.parameters
    copied = (
        p.copy_taste
        if cloud.region in market.institutions.copies and REGIONS[region] == cloud.region
        else 0.0
    )
    return float(p.standing_weight * np.log(cloud.size[region])) + copied


@dataclass(frozen=True, eq=False)
class Codes:
    """What tastes are about, numbered, and for each offer, (offers,), its number in each list.

    ``sources`` are origins of a model, whether its weights are open, and origins of the seller.
    """

    sources: list[tuple[str, bool, str]]
    channels: list[str]
    source: IntArray
    channel: IntArray
    vendor: IntArray

    @classmethod
    def of(cls, market: Market) -> Codes:
        """Those of the offers on the list."""
        offers, firms = market.offers.offers, market.firms
        sources = [(o.model.origin, o.model.open_weights, firms[o.seller].origin) for o in offers]
        channels = [o.channel for o in offers]
        vendors = {name: i for i, name in enumerate(market.vendors)}
        return cls(
            sources=list(dict.fromkeys(sources)),
            channels=list(dict.fromkeys(channels)),
            source=_numbered(sources),
            channel=_numbered(channels),
            vendor=np.array([vendors[o.model.vendor] for o in offers], dtype=np.int64),
        )


def _numbered(names: Sequence[Hashable]) -> IntArray:
    number = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return np.array([number[name] for name in names], dtype=np.int64)


class Tastes:
    """What buyers feel, kept as long as the list, the graph, the parameters and the institutions stay what they are."""

    def __init__(self, market: Market) -> None:
        cells = market.population.cells
        self._market = market
        self._region = np.array([cell.region for cell in cells])
        self._small = np.array([cell.size == SIZES[1] for cell in cells])
        self._node = market.node_of_cell.argmax(axis=0)
        self._codes: Memo[Codes] = Memo()
        self._bias: Memo[FloatArray] = Memo()
        self._standing: Memo[FloatArray] = Memo()
        self._channel: Memo[FloatArray] = Memo()
        self._reach: Memo[NDArray[np.bool_]] = Memo()
        self._share: Memo[FloatArray] = Memo()

    def look(self) -> tuple[FloatArray, FloatArray]:
        """home + channel + xi of every offer, for every cell, (cells, offers), and for every type, (types, offers).

        -inf where it is not sold. What a type sees is the log of the mean of the exponential over its cells, which
        are of one region and size, and so feel the same; only not all of them may be reached.
        """
        market, p, lines = self._market, self._market.parameters, self._market.offers.lines
        codes = self._codes.of(lambda: Codes.of(market), lines)
        bias = self._bias.of(lambda: _biases(codes.sources, p), p, codes)
        standing = self._standing.of(
            lambda: _standings(market, market.firm_names), p, tuple(market.institutions.copies)
        )
        channel = self._channel.of(lambda: self._channels(codes.channels, p), p, codes)
        tokens = market.graph.compiled("tokens").version
        reach = self._reach.of(lambda: self._reached(market.firm_names), tokens)
        share = self._share.of(lambda: _log(market.types.mixture @ reach), tokens)
        luck = market.luck.xi[codes.vendor].T
        base = p.llm_constant - p.outside_drift * market.years
        by_region = base + (bias[:, codes.source] + standing[:, lines.seller] + luck)
        by_region[~(lines.reach & np.isfinite(market.offers.unit_cost)[:, None]).T] = -np.inf
        taste = by_region[self._region]
        taste += channel[:, codes.channel]
        of_types = taste[market.types.cell] + share[:, lines.seller]
        taste[~reach[:, lines.seller]] = -np.inf
        return taste, of_types

    def _channels(self, channels: list[str], p: Parameters) -> FloatArray:
        """Utility of each channel by cell, shape (cells, channels)."""
        return np.column_stack([channel_taste(name, self._small, p) for name in channels])

    def _reached(self, sellers: list[str]) -> NDArray[np.bool_]:
        """Whether a tokens edge leads from each seller to each cell's segment, shape (cells, sellers)."""
        market = self._market
        reached = np.zeros((len(market.nodes), len(sellers)), dtype=bool)
        for i, seller in enumerate(sellers):
            reached[[market.node_number[name] for name in market.graph.targets(seller, "tokens")], i] = True
        return np.asarray(reached[self._node])


def _log(share: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(share))


def look(market: Market) -> tuple[FloatArray, FloatArray]:
    """What cells, (cells, offers), and consumer types, (types, offers), feel about every offer: :meth:`Tastes.look`.

    An offer is sold to a segment only along a tokens edge of the graph.
    """
    if not len(market.offers):
        return np.zeros((len(market.population.cells), 0)), np.zeros((len(market.types.weight), 0))
    return market.tastes.look()


def _biases(sources: Sequence[tuple[str, bool, str]], p: Parameters) -> FloatArray:
    """What each region's buyers feel about where model and seller come from, shape (regions, sources)."""
    found = np.empty((len(REGIONS), len(sources)))
    for region in range(len(REGIONS)):
        for i, (origin, opened, seller) in enumerate(sources):
            of_model = home_bias(region, origin, p)
            if opened and seller != origin:
                # Open weights on another's servers: the data stay with the host.
                of_model *= p.open_weights_distrust
            of_seller = home_bias(region, seller, p)
            found[region, i] = p.model_origin_weight * of_model + (1.0 - p.model_origin_weight) * of_seller
    return found


def _standings(market: Market, sellers: Sequence[str]) -> FloatArray:
    """Standing of each seller in each region, shape (regions, sellers)."""
    return np.array(
        [[standing_of(market, seller, region) for seller in sellers] for region in range(len(REGIONS))]
    )
