"""The headline metrics of a quarter, and the price indices over quarters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from model import calendar, indices
from model.place import CHINA, DENSE, REGIONS, SPARSE

if TYPE_CHECKING:
    import pandas

    from model.market import Market
    from model.parameters import Parameters

FloatArray = NDArray[np.float64]

NAN = float("nan")
BASE_YEAR = 2024


def _ratio(above: float, below: float) -> float:
    return float(above / below) if below > 0.0 else NAN


def of(market: Market) -> dict[str, float]:
    """Every column of ``quarters`` but the indices, which are nan until :func:`fill_indices`."""
    return {**_sales(market), **_chips(market), **_centres(market), **dict.fromkeys(INDICES, NAN)}


INDICES = (
    "price_index_fixed_basket",
    "price_index_fisher",
    "price_index_constant_quality",
    "price_index_hedonic",
)


def _sales(market: Market) -> dict[str, float]:
    offers = market.offers.offers
    tokens = market.region_of_cell @ market.demand.served
    price = market.offers.price
    money = tokens * price
    origin = np.array([offer.model.origin for offer in offers])
    opened = np.array([offer.model.open_weights for offer in offers], dtype=bool)
    chinese = np.array([market.firms[offer.seller].origin == "CN" for offer in offers], dtype=bool)
    deepseek = np.array([offer.model.vendor == "DeepSeek" for offer in offers], dtype=bool)
    services = np.zeros(len(REGIONS))
    for (_, node), paid in market.graph.money("services").items():
        services[market.node_places[market.node_number[node]][0]] += paid

    def unit_value(columns: NDArray[np.bool_], rows: slice | int = slice(None)) -> float:
        return indices.unit_value(price[columns], tokens[rows][..., columns])

    every = np.ones(len(offers), dtype=bool)
    by_region = [unit_value(every, r) for r in range(len(REGIONS))]
    western, eastern = unit_value(origin != "CN"), unit_value(origin == "CN")
    demanded = float(market.demand.demanded.sum())
    firms = np.array([c.firms for c in market.population.cells])
    in_china = np.array([c.region == CHINA for c in market.population.cells])
    hosted = opened & np.array([offer.seller in market.clouds for offer in offers], dtype=bool)
    apac = tokens[:2].sum(axis=0)
    shares: dict[str, float] = {}
    for offer, paid in zip(offers, money[CHINA], strict=True):
        shares[offer.seller] = shares.get(offer.seller, 0.0) + paid
    china_money = float(money[CHINA].sum())
    quality = [
        indices.price_at_quality(
            price[row], market.offers.lines.capability[row], market.parameters.reference_quality
        )
        for row in (tokens > 0.0)
    ]
    return {
        "market_revenue_usd": float(money.sum() + services.sum()),
        "china_llm_market_usd": float(china_money + services[CHINA]),
        "china_services_usd": float(services[CHINA]),
        "services_usd": float(services.sum()),
        "tokens_mtok": float(tokens.sum()),
        "china_tokens_mtok": float(tokens[CHINA].sum()),
        "unserved_share": max(1.0 - _ratio(float(tokens.sum()), demanded), 0.0) if demanded > 0 else 0.0,
        "price_usd_per_mtok": unit_value(every),
        "price_china_usd_per_mtok": by_region[0],
        "price_asia_pacific_usd_per_mtok": by_region[1],
        "price_north_america_usd_per_mtok": by_region[2],
        "price_europe_usd_per_mtok": by_region[3],
        "price_western_usd_per_mtok": western,
        "price_chinese_usd_per_mtok": eastern,
        "price_open_usd_per_mtok": unit_value(opened),
        "price_proprietary_usd_per_mtok": unit_value(~opened),
        "price_dispersion_regions": indices.dispersion(by_region),
        "price_dispersion_quality_adjusted": indices.dispersion(quality),
        "price_gap_origins": float(np.log(western / eastern)) if western > 0 and eastern > 0 else NAN,
        "open_share_tokens": _ratio(tokens[:, opened].sum(), tokens.sum()),
        "adoption": float(market.demand.adopters.sum() / firms.sum()),
        "china_applications": float(market.applications()[in_china].sum()),
        "chinese_cloud_share_apac_open": _ratio(apac[hosted & chinese].sum(), apac[hosted].sum()),
        "chinese_cloud_share_apac_open_ex_china": _ratio(
            tokens[1][hosted & chinese].sum(), tokens[1][hosted].sum()
        ),
        "deepseek_share_china_tokens": _ratio(tokens[CHINA][deepseek].sum(), tokens[CHINA].sum()),
        "deepseek_share_china_revenue": _ratio(money[CHINA][deepseek].sum(), china_money),
        "service_share_china": _ratio(services[CHINA], china_money + services[CHINA]),
        "hhi_china_tokens": sum(_ratio(paid, china_money) ** 2 for paid in shares.values())
        if china_money > 0
        else NAN,
    }


def _chips(market: Market) -> dict[str, float]:
    chips = market.catalogue.chips
    nvidia = np.array([chip.spec.maker == "NVIDIA" for chip in chips])
    ai = np.array([chip.grade == "ai" for chip in chips])
    delivered, ordered, value = np.zeros(len(chips)), np.zeros(len(chips)), np.zeros(len(chips))
    for owner in market.clouds.values():
        if owner.fleet.region == CHINA:
            units = owner.fleet.delivered.sum(axis=1)
            delivered += units
            ordered += owner.fleet.wanted.sum(axis=1)
            value += units * owner.fleet.paid

    def share(what: FloatArray, of_class: NDArray[np.bool_]) -> float:
        return _ratio(what[of_class & nvidia].sum(), what[of_class].sum())

    every = np.ones(len(chips), dtype=bool)
    return {
        "nvidia_share_china_units_all": share(delivered, every),
        "nvidia_share_china_value_all": share(value, every),
        "nvidia_share_china_units_ai": share(delivered, ai),
        "nvidia_share_china_value_ai": share(value, ai),
        "nvidia_share_china_ordered_units_all": share(ordered, every),
        "nvidia_share_china_ordered_units_ai": share(ordered, ai),
        "china_chip_units_all": float(delivered.sum()),
        "china_chip_units_ai": float(delivered[ai].sum()),
    }


def _centres(market: Market) -> dict[str, float]:
    chinese = [c for c in market.clouds.values() if c.origin == "CN" and not c.venue]
    racks = sum(c.fleet.racks.sum(axis=0) for c in chinese)
    ports = sum(c.fleet.ports[[DENSE, SPARSE]].sum(axis=0) for c in chinese)
    h100 = market.chip_index.get("H100", -1)
    rents = []
    for owner in market.clouds.values():
        if owner.origin == "US" and not owner.venue and h100 >= 0:
            costs = market.hour_costs.of(owner.fleet)
            if h100 < len(costs.avoidable):
                rental = costs.user[h100] * costs.rental_factor[DENSE]
                rents.append(float(costs.avoidable[h100] + rental))
    return {
        "liquid_cooled_share_china": _ratio(float(np.asarray(racks)[1]), float(np.sum(racks))),
        "ethernet_share_inference": _ratio(float(np.asarray(ports)[1]), float(np.sum(ports))),
        "h100_rental_usd_per_hour": float(np.mean(rents)) if rents else NAN,
    }


def fill_indices(tables: dict[str, pandas.DataFrame], p: Parameters) -> None:
    """Compute the four price indices from the recorded offers, the base year at 1, and write them into ``quarters``."""
    quarters, offers = tables["quarters"], tables["offers"]
    if quarters.empty or offers.empty:
        return
    first = calendar.index(str(quarters["quarter"].iloc[0]))
    when = np.array([calendar.index(q) for q in offers["quarter"].unique()])
    position = dict(zip(offers["quarter"].unique(), when - first, strict=True))
    t = offers["quarter"].map(position).to_numpy(dtype=np.int64)
    key = offers["model"] + "|" + offers["channel"] + "|" + offers["seller"] + "|" + offers["region"]
    ids = key.factorize()[0].astype(np.int64)
    price, tokens = offers["price_usd_per_mtok"].to_numpy(), offers["tokens_mtok"].to_numpy()
    capability = offers["capability"].to_numpy()
    region = offers["region"].map({name: i for i, name in enumerate(REGIONS)}).to_numpy(dtype=np.int64)
    count = len(quarters)
    base = [q - first for q in calendar.quarters_of(BASE_YEAR) if 0 <= q - first < count]
    if not base:
        return
    rows = np.array(base)
    lowest = indices.constant_quality(t, region, price, capability, p.reference_quality, count, len(REGIONS))
    quarters["price_index_fixed_basket"] = indices.fixed_basket(t, ids, price, tokens, rows, count)
    quarters["price_index_fisher"] = indices.rebase(
        indices.chained_fisher(t, ids, price, tokens, count), rows
    )
    quarters["price_index_constant_quality"] = indices.rebase(indices.constant_quality_index(lowest), rows)
    quarters["price_index_hedonic"] = indices.rebase(
        indices.chained_hedonic(t, price, tokens, capability, count), rows
    )
