"""What enterprises feel about an offer beside its price and capability: home, channel, standing and luck."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from model.offer import Offer
from model.parameters import Parameters
from model.place import ASIA_PACIFIC, CHINA, EUROPE, NORTH_AMERICA, REGIONS, SIZES

if TYPE_CHECKING:
    from model.market import Market


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


def offset(market: Market) -> NDArray[np.float64]:
    """home + channel + xi of every offer for every cell, -inf where it is not sold, shape (cells, offers).

    An offer is sold to a segment only along a tokens edge of the graph.
    """
    p, offers = market.parameters, market.offers.offers
    cells = market.population.cells
    if not offers:
        return np.zeros((len(cells), 0))
    region_of = np.array([cell.region for cell in cells])
    small = np.array([cell.size == SIZES[1] for cell in cells])
    base = p.llm_constant - p.outside_drift * market.years
    channel = {name: channel_taste(name, small, p) for name in {offer.channel for offer in offers}}
    reach = {name: _reach(market, name) for name in {offer.seller for offer in offers}}
    by_region = np.full((len(REGIONS), len(offers)), -np.inf)
    for j, offer in enumerate(offers):
        if np.isfinite(offer.unit_cost):
            for region in offer.regions:
                by_region[region, j] = base + _in_region(market, offer, region)
    taste = by_region[region_of] + np.column_stack([channel[offer.channel] for offer in offers])
    return np.where(np.column_stack([reach[offer.seller] for offer in offers]), taste, -np.inf)


def _reach(market: Market, seller: str) -> NDArray[np.bool_]:
    """Whether a tokens edge leads to each cell's segment, shape (cells,)."""
    reached = np.zeros(len(market.nodes), dtype=bool)
    reached[[market.node_number[name] for name in market.graph.targets(seller, "tokens")]] = True
    return np.asarray(reached[market.node_of_cell.argmax(axis=0)])


def _in_region(market: Market, offer: Offer, region: int) -> float:
    """What a region's buyers feel about where model and seller come from, the seller's standing, and luck."""
    p, origin = market.parameters, market.firms[offer.seller].origin
    model_bias = home_bias(region, offer.model.origin, p)
    if offer.model.open_weights and origin != offer.model.origin:
        # Open weights on another's servers: the data stay with the host.
        model_bias *= p.open_weights_distrust
    bias = p.model_origin_weight * model_bias + (1.0 - p.model_origin_weight) * home_bias(region, origin, p)
    standing = standing_of(market, offer.seller, region)
    return bias + standing + market.luck.of(offer.model.vendor, region)
