"""The headline metrics of quarters, worked out from the recorded tables, and the price indices over quarters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model import calendar, indices, texts
from model.place import ASIA_PACIFIC, CHINA, DENSE, REGIONS, SPARSE

if TYPE_CHECKING:
    from model.market import Market
    from model.parameters import Parameters
    from model.records import Tables

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

NAN = float("nan")
BASE_YEAR = 2024

INDICES = (
    "price_index_fixed_basket",
    "price_index_fisher",
    "price_index_constant_quality",
    "price_index_hedonic",
)


@dataclass(frozen=True)
class Facts:
    """What the headlines of a quarter need beside the other tables.

    ``services`` are USD by region; ``demanded`` and ``served`` Mtok, summed alike, so that they are the same number
    where all is served. Of Chinese clouds, ``racks`` cooled by air and by liquid and
    inference ``ports`` on InfiniBand and on Ethernet; ``h100_rental`` is the mean of Western clouds, USD an hour.
    """

    quarter: str
    services: FloatArray
    demanded: float
    served: float
    reference_quality: float
    racks: FloatArray
    ports: FloatArray
    h100_rental: float

    @classmethod
    def of(cls, market: Market, services: FloatArray) -> Facts:
        """The market as it is; ``services`` are USD paid by node, shape (nodes,)."""
        owners, fleets = list(market.clouds.values()), market.fleets
        chinese = [i for i, owner in enumerate(owners) if owner.origin == "CN" and not owner.venue]
        western = [i for i, owner in enumerate(owners) if owner.origin == "US" and not owner.venue]
        h100, costs = market.chip_index.get("H100", -1), market.hour_costs
        rental = NAN
        if western and 0 <= h100 < costs.avoidable.shape[1]:
            rents = costs.user[western, h100] * costs.rental_factor[western, DENSE]
            rental = float((costs.avoidable[western, h100] + rents).mean())
        return cls(
            quarter=market.quarter,
            services=market.region_of_node @ services,
            demanded=float(market.demand.demanded.sum()),
            served=float(market.demand.served.sum()),
            reference_quality=market.parameters.reference_quality,
            racks=fleets.racks[chinese].sum(axis=(0, 1)),
            ports=fleets.ports[chinese][:, [DENSE, SPARSE]].sum(axis=(0, 1)),
            h100_rental=rental,
        )


def columns(tables: Tables, facts: Sequence[Facts]) -> dict[str, object]:
    """Every column of ``quarters`` for the quarters of ``facts``; the indices are nan until :func:`fill_indices`."""
    quarters = [each.quarter for each in facts]
    return {
        "quarter": quarters,
        **_sales(tables, facts, quarters),
        **_use(tables, quarters),
        **_chips(tables, quarters),
        **_centres(facts),
        **dict.fromkeys(INDICES, NAN),
    }


def _sales(tables: Tables, facts: Sequence[Facts], quarters: Sequence[str]) -> dict[str, FloatArray]:
    count, regions = len(quarters), len(REGIONS)
    when = tables.when("offers", quarters)

    def column(name: str) -> NDArray[Any]:
        return tables.column("offers", name, quarters)

    def by_region(weights: FloatArray, rows: IntArray | slice = ALL) -> FloatArray:
        """Sums by quarter and region, shape (quarters, regions)."""
        return _sums(cell[rows], weights[rows], count * regions).reshape(count, regions)

    region = texts.positions(column("region"), REGIONS)
    cell = when * regions + region
    tokens, money, price = column("tokens_mtok"), column("revenue_usd"), column("price_usd_per_mtok")
    opened, chinese = column("open_weights"), texts.among(column("origin"), "CN")
    sold, paid = by_region(tokens), by_region(money)
    # By quarter, origin of the model (Western, Chinese) and weights (proprietary, open).
    kind = (when * 2 + chinese) * 2 + opened
    sold_as, paid_as = (_sums(kind, weights, count * 4).reshape(count, 2, 2) for weights in (tokens, money))
    services = np.array([each.services for each in facts])
    demanded, served = (np.array([getattr(each, name) for each in facts]) for name in ("demanded", "served"))
    unit, unit_west_east, unit_closed_open = (
        _ratio(above, below)
        for above, below in (
            (paid, sold),
            (paid_as.sum(axis=2), sold_as.sum(axis=2)),
            (paid_as.sum(axis=1), sold_as.sum(axis=1)),
        )
    )
    western, eastern = unit_west_east.T
    hosted = np.flatnonzero(opened & ~texts.among(column("channel"), "api"))
    by_chinese = hosted[texts.among(column("seller_origin")[hosted], "CN")]
    apac, apac_chinese = by_region(tokens, hosted)[:, APAC], by_region(tokens, by_chinese)[:, APAC]
    deepseek = np.flatnonzero(texts.among(column("vendor"), "DeepSeek"))
    reached = np.flatnonzero(
        (tokens > 0.0) & (column("capability") >= np.array([each.reference_quality for each in facts])[when])
    )
    lowest = np.full(count * regions, np.inf)
    np.minimum.at(lowest, cell[reached], price[reached])
    total, china = paid.sum(axis=1) + services.sum(axis=1), paid[:, CHINA] + services[:, CHINA]
    return {
        "market_revenue_usd": total,
        "china_llm_market_usd": china,
        "china_services_usd": services[:, CHINA],
        "services_usd": services.sum(axis=1),
        "tokens_mtok": sold.sum(axis=1),
        "china_tokens_mtok": sold[:, CHINA],
        "unserved_share": np.where(demanded > 0.0, np.maximum(1.0 - _ratio(served, demanded), 0.0), 0.0),
        "price_usd_per_mtok": _ratio(paid.sum(axis=1), sold.sum(axis=1)),
        **{name: unit[:, r] for r, name in enumerate(REGION_PRICES)},
        "price_western_usd_per_mtok": western,
        "price_chinese_usd_per_mtok": eastern,
        "price_proprietary_usd_per_mtok": unit_closed_open[:, 0],
        "price_open_usd_per_mtok": unit_closed_open[:, 1],
        "price_dispersion_regions": indices.dispersion(unit),
        "price_dispersion_quality_adjusted": indices.dispersion(
            np.where(np.isinf(lowest), NAN, lowest).reshape(count, regions)
        ),
        "price_gap_origins": np.log(np.where((western > 0.0) & (eastern > 0.0), western, NAN) / eastern),
        "open_share_tokens": _ratio(sold_as[:, :, 1].sum(axis=1), sold.sum(axis=1)),
        "chinese_cloud_share_apac_open": _ratio(apac_chinese.sum(axis=1), apac.sum(axis=1)),
        "chinese_cloud_share_apac_open_ex_china": _ratio(apac_chinese[:, 1], apac[:, 1]),
        "deepseek_share_china_tokens": _ratio(by_region(tokens, deepseek)[:, CHINA], sold[:, CHINA]),
        "deepseek_share_china_revenue": _ratio(by_region(money, deepseek)[:, CHINA], paid[:, CHINA]),
        "service_share_china": _ratio(services[:, CHINA], china),
        "hhi_china_tokens": _concentration(when, region, column("seller"), money, paid[:, CHINA]),
    }


def _concentration(
    when: IntArray, region: IntArray, seller: IntArray, money: FloatArray, total: FloatArray
) -> FloatArray:
    """Herfindahl index of sellers' shares of revenue in China, by quarter."""
    rows = np.flatnonzero(region == CHINA)
    names, which = texts.distinct(seller[rows])
    shape = len(total), max(len(names), 1)
    by_seller = _sums(when[rows] * shape[1] + which, money[rows], shape[0] * shape[1])
    # Smallest first and one by one: the same bytes whatever other quarters and sellers are told beside them.
    squares = np.sort(_ratio(by_seller.reshape(shape), total[:, None]) ** 2, axis=1)
    return _sums(np.repeat(np.arange(shape[0]), shape[1]), squares.ravel(), shape[0])


def _use(tables: Tables, quarters: Sequence[str]) -> dict[str, FloatArray]:
    when = tables.when("segments", quarters)
    adoption, firms, applications, region = (
        tables.column("segments", name, quarters) for name in ("adoption", "firms", "applications", "region")
    )
    china, count = texts.among(region, REGIONS[CHINA]), len(quarters)
    adopters, every = (_sums(when, weights, count) for weights in (adoption * firms, firms))
    return {
        "adoption": adopters / every,
        "china_applications": _sums(when[china], applications[china], count),
    }


def _chips(tables: Tables, quarters: Sequence[str]) -> dict[str, FloatArray]:
    def column(name: str) -> NDArray[Any]:
        return tables.column("chips", name, quarters)[rows]

    rows = np.flatnonzero(texts.among(tables.column("chips", "buyer_region", quarters), REGIONS[CHINA]))
    nvidia, ai = texts.among(column("maker"), "NVIDIA"), texts.among(column("class"), "ai")
    kind = (tables.when("chips", quarters)[rows] * 2 + nvidia) * 2 + ai
    # By quarter, maker (others, NVIDIA) and class (all, AI).
    delivered, value, ordered = (
        _sums(kind, column(name), len(quarters) * 4).reshape(-1, 2, 2) @ ALL_AND_AI
        for name in ("units_delivered", "value_usd", "units_ordered")
    )
    units = delivered.sum(axis=1)
    shares = {
        f"nvidia_share_china_{what}_{of}": _ratio(amount[:, 1, k], amount.sum(axis=1)[:, k])
        for what, amount in (("units", delivered), ("value", value), ("ordered_units", ordered))
        for k, of in enumerate(("all", "ai"))
    }
    return {**shares, "china_chip_units_all": units[:, 0], "china_chip_units_ai": units[:, 1]}


def _centres(facts: Sequence[Facts]) -> dict[str, FloatArray]:
    racks, ports = (np.array([getattr(each, name) for each in facts]) for name in ("racks", "ports"))
    return {
        "liquid_cooled_share_china": _ratio(racks[:, 1], racks.sum(axis=1)),
        "ethernet_share_inference": _ratio(ports[:, 1], ports.sum(axis=1)),
        "h100_rental_usd_per_hour": np.array([each.h100_rental for each in facts]),
    }


def _sums(group: IntArray, weights: FloatArray, groups: int) -> FloatArray:
    """Sums by group, shape (groups,)."""
    return np.asarray(np.bincount(group, weights, minlength=groups), dtype=np.float64)


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """A quotient, elementwise; nan where the denominator is not above zero."""
    shape = np.broadcast(above, below).shape
    return np.asarray(np.divide(above, below, out=np.full(shape, NAN), where=below > 0.0))


ALL = slice(None)
APAC = [CHINA, ASIA_PACIFIC]
REGION_PRICES = (
    "price_china_usd_per_mtok",
    "price_asia_pacific_usd_per_mtok",
    "price_north_america_usd_per_mtok",
    "price_europe_usd_per_mtok",
)
ALL_AND_AI = np.array([[1.0, 0.0], [1.0, 1.0]])
"""Adds up classes (mid-range, AI): all of them, and AI alone."""


def panel(tables: Tables, quarters: Sequence[str]) -> indices.Panel:
    """The recorded offers as a panel of what is the same from quarter to quarter: model, channel, seller and region."""
    rows = {name: tables.column("offers", name, quarters) for name in OFFER_KEY}
    return indices.panel(
        tables.when("offers", quarters),
        same(*rows.values()),
        tables.column("offers", "price_usd_per_mtok", quarters),
        tables.column("offers", "tokens_mtok", quarters),
        tables.column("offers", "capability", quarters),
        len(quarters),
    )


OFFER_KEY = ("model", "channel", "seller", "region")


def same(*columns: IntArray) -> IntArray:
    """A number for each row, equal where all columns of texts, given by number, are, shape (rows,).

    Numbers run from 0 in order of appearance: that of an offer is the same whatever comes after it.
    """
    key = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        names, which = texts.by_appearance(column)
        # Numbered anew each time, so that the numbers of the next column are small too.
        key = texts.by_appearance(key * len(names) + which)[1]
    return key


def fill_indices(tables: Tables, p: Parameters) -> None:
    """Compute the four price indices from the recorded offers, the base year at 1, and write them into ``quarters``."""
    quarters = tables.quarters("quarters")
    first = calendar.index(quarters[0]) if quarters else 0
    base = [q - first for q in calendar.quarters_of(BASE_YEAR) if 0 <= q - first < len(quarters)]
    if not base or not tables.rows("offers"):
        return
    offers = panel(tables, quarters)
    region = texts.positions(tables.column("offers", "region", quarters), REGIONS)
    lowest = indices.constant_quality(offers, region, p.reference_quality, len(REGIONS))
    tables.put(
        "quarters",
        {
            "price_index_fixed_basket": indices.fixed_basket(offers, base),
            "price_index_fisher": indices.rebase(indices.chained_fisher(offers), base),
            "price_index_constant_quality": indices.rebase(indices.constant_quality_index(lowest), base),
            "price_index_hedonic": indices.rebase(indices.chained_hedonic(offers), base),
        },
    )
