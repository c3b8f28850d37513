"""Hand-made runs for claims on hosting and on clouds as firms."""

from __future__ import annotations

from typing import Any

from tests.evidence.cases_prices import offers
from tests.evidence.handmade import Case, Cases, Lines, World, joined, offer, rows, together

OPEN = {"open_weights": True, "channel": "managed", "origin": "CN"}
DEEPSEEK = {"vendor": "DeepSeek", "origin": "CN", "open_weights": True, "region": "China"}
THREE = ("Huawei", "Alibaba", "Tencent")


# ------------------------------------------------------------------------------------------- hosting


def hosted(
    seller: str, region: str, price: float, model: str = "qwen", size: float = 70.0, when: str = ".."
) -> Lines:
    return offer(when, price, seller=seller, region=region, model=model, total_params_b=size, **OPEN)


def against_aws(ours: float, theirs: float, where: tuple[str, str] = ("China", "North America")) -> World:
    """One model in common, and one at a wild price that AWS does not host."""
    return offers(
        hosted("Alibaba", where[0], ours),
        hosted("Alibaba", where[0], 99.0, model="only here"),
        hosted("AWS", where[1], theirs),
        hosted("Huawei", where[0], ours),
    )


def by_size(ours: float, theirs: float) -> World:
    """No model in common: 70 billion against 60 are similar, 400 are not."""
    return offers(
        hosted("Alibaba", "China", ours, model="ours", size=70.0),
        hosted("AWS", "North America", theirs, model="near", size=60.0),
        hosted("AWS", "North America", 99.0, model="far", size=400.0),
    )


HOME_AND_ABROAD = ("Asia-Pacific", "Asia-Pacific")

DISCOUNTS: Cases = {
    "alibaba-discount": (Case(0.5, against_aws(1.0, 2.0)), Case(0.1, against_aws(1.8, 2.0))),
    "alibaba-discount-asia": (
        Case(0.5, against_aws(1.0, 2.0, HOME_AND_ABROAD)),
        Case(0.75, against_aws(0.5, 2.0, HOME_AND_ABROAD)),
    ),
    "alibaba-discount-size": (Case(0.5, by_size(1.0, 2.0)), Case(-0.5, by_size(3.0, 2.0))),
    "huawei-against-aws": (Case(0.5, against_aws(1.0, 2.0)), Case(-0.5, against_aws(3.0, 2.0))),
}


def deepseek(
    prices: dict[str, float], when: str = "..", cost: float = 1.0, model: str = "deepseek-v2"
) -> World:
    """DeepSeek's flagship on clouds in China; an older one beside it is free and must not count."""
    kind = {**DEEPSEEK, "channel": "managed", "tier": "flagship", "full_cost_usd_per_mtok": cost}
    own = [offer(when, p, seller=cloud, model=model, generation=2, **kind) for cloud, p in prices.items()]
    older = [
        offer(when, 0.0, tokens=0.0, seller=cloud, model="old", generation=1, **kind) for cloud in prices
    ]
    return offers(*own, *older)


def everywhere(price: float) -> dict[str, float]:
    return dict.fromkeys(THREE, price)


HOSTING: Cases = {
    "near-cost": (Case(1.1, deepseek(everywhere(1.1))), Case(2.0, deepseek(everywhere(2.0)))),
    "huawei-subsidised": (
        Case(0.8, deepseek({**everywhere(2.0), "Huawei": 0.8})),
        Case(1.5, deepseek({**everywhere(0.5), "Huawei": 1.5})),
    ),
    # The geometric mean of the other two is (1 x 4) ** 0.5 = 2.
    "huawei-cheapest": (
        Case(0.5, deepseek({"Huawei": 1.0, "Alibaba": 1.0, "Tencent": 4.0})),
        Case(1.5, deepseek({"Huawei": 3.0, "Alibaba": 1.0, "Tencent": 4.0})),
    ),
    "below-ten-cents": (
        Case(0.08, deepseek({**everywhere(0.5), "Tencent": 0.08})),
        Case(0.20, deepseek({**everywhere(0.5), "Tencent": 0.20, "Baidu": 0.01})),
    ),
    "zero-margins": (Case(0.9, deepseek(everywhere(0.9))), Case(1.2, deepseek(everywhere(1.2)))),
}
for _cloud, _price in (("Huawei", 0.10), ("Alibaba", 0.14), ("Tencent", 0.12)):
    HOSTING[f"hosting-{_cloud.lower()}"] = (
        Case(_price, deepseek({**everywhere(9.0), _cloud: _price})),
        Case(0.5, deepseek({**everywhere(_price), _cloud: 0.5})),
    )
    HOSTING[f"hosting-{_cloud.lower()}-2026"] = (
        Case(_price, deepseek({**everywhere(9.0), _cloud: _price}, model="deepseek-v5")),
        Case(0.5, deepseek({**everywhere(_price), _cloud: 0.5}, model="deepseek-v5")),
    )


def venues(cloud: float, colocation: float, premises: float, api: float) -> World:
    """Tokens of open models in China by channel; proprietary ones do not count."""
    channels = {"managed": cloud, "colocation": colocation, "on-premises": premises, "api": api}
    kind = {"region": "China", "open_weights": True}
    own = [offer("2024Q3", 1.0, tokens=t, **{**kind, "channel": c}) for c, t in channels.items()]
    return offers(*own, offer("2024Q3", 1.0, tokens=1e4, region="China", channel="managed"))


AS_SAID, OTHERWISE = (74.0, 17.0, 9.0), (40.0, 35.0, 25.0)
WITH_API = (24.0, 17.0, 9.0)

VENUES: Cases = {}
for _place, _name in enumerate(("cloud", "colocation", "premises")):
    VENUES[f"venue-{_name}"] = (
        Case(AS_SAID[_place] / 100.0, venues(*AS_SAID, 100.0)),
        Case(OTHERWISE[_place] / 100.0, venues(*OTHERWISE, 100.0)),
    )
    VENUES[f"venue-{_name}-api"] = (
        Case(AS_SAID[_place] / 100.0, venues(*WITH_API, 50.0)),
        Case(OTHERWISE[_place] / 100.0, venues(*OTHERWISE, 0.0)),
    )


def open_revenue(cloud: float, api: float) -> World:
    kind = {"region": "China", "open_weights": True, "origin": "CN"}
    sold = offers(
        offer("2024", cloud, **{**kind, "channel": "managed", "seller": "Alibaba"}),
        offer("2024", api, **{**kind, "channel": "api", "seller": "DeepSeek"}),
    )
    return together(sold, {"firms": rows("2024", firm="Alibaba", kind="cloud", origin="CN")})


def western_margins(closed: float, opened: float) -> World:
    kind = {"channel": "managed", "seller": "AWS", "seller_origin": "US"}
    return offers(
        offer("2024", 10.0, full_cost_usd_per_mtok=10.0 * (1.0 - closed), open_weights=False, **kind),
        offer("2024", 10.0, full_cost_usd_per_mtok=10.0 * (1.0 - opened), open_weights=True, **kind),
    )


def asia(chinese: float, western: float, china: float) -> World:
    """Open tokens by 2027Q4: in Asia-Pacific on Chinese and Western clouds, in China on Chinese clouds."""
    kind = {"open_weights": True, "channel": "managed"}
    return offers(
        offer("2027Q4", 1.0, tokens=chinese, region="Asia-Pacific", seller_origin="CN", **kind),
        offer("2027Q4", 1.0, tokens=western, region="Asia-Pacific", seller_origin="US", **kind),
        offer("2027Q4", 1.0, tokens=china, region="China", seller_origin="CN", **kind),
    )


SHARES: Cases = {
    "clouds-benefit": (Case(0.75, open_revenue(3.0, 1.0)), Case(0.25, open_revenue(1.0, 3.0))),
    "western-margin": (Case(0.4, western_margins(0.6, 0.2)), Case(-0.4, western_margins(0.2, 0.6))),
    "p2-asia": (Case(0.78, asia(8.0, 22.0, 70.0)), Case(0.98, asia(8.0, 2.0, 90.0))),
    "p2-asia-at-least": (Case(0.98, asia(8.0, 2.0, 90.0)), Case(0.60, asia(10.0, 40.0, 50.0))),
    "p2-asia-rest": (Case(0.78, asia(78.0, 22.0, 900.0)), Case(0.20, asia(20.0, 80.0, 900.0))),
    "p2-asia-rest-at-least": (Case(0.95, asia(95.0, 5.0, 0.0)), Case(0.20, asia(20.0, 80.0, 900.0))),
}


# ------------------------------------------------------------------------------------------- clouds as firms


def firm(when: str, name: str, kind: Any = "cloud", origin: Any = "CN", **columns: float) -> Lines:
    return rows(when, firm=name, kind=kind, origin=origin, active=True, **columns)


def grown(cloud: str, **end: float) -> World:
    """A cloud whose open hosting earns 100 a year before; captive work booms and must not count."""
    before = firm("2023Q2", cloud, revenue_open_hosting_usd=100.0, revenue_captive_usd=1.0)
    return {"firms": before + firm("2024Q2", cloud, **{"revenue_captive_usd": 1e6, **end})}


def workloads(opened: float, closed: float, training: float, services: float) -> World:
    """Alibaba with a vendor that it owns: one sells open tokens as a host, the other through its own API."""
    sold = offers(
        offer("2024", opened / 2.0, seller="Alibaba", open_weights=True),
        offer("2024", opened / 2.0, seller="Alibaba Qwen", open_weights=True),
        offer("2024", closed, seller="Alibaba Qwen"),
        offer("2024", 1e4, seller="Zhipu"),
    )
    firms = [
        *firm("2024", "Alibaba", revenue_training_usd=training),
        *firm("2024", "Alibaba Qwen", "vendor", revenue_services_usd=services),
        *firm("2024", "Zhipu", "vendor", revenue_services_usd=1e4),
    ]
    stakes = [
        *rows("2024", kind="equity", source="Alibaba", target="Alibaba Qwen", units=1.0),
        *rows("2024", kind="equity", source="Alibaba", target="Zhipu", units=0.04),
    ]
    return together(sold, {"firms": firms, "edges": stakes})


def operating(cloud: tuple[float, float], vendor: tuple[float, float]) -> World:
    """Operating margins in 2024 and 2027."""
    return {
        "firms": joined(
            firm(year, name, kind, revenue_usd=100.0, cost_usd=100.0 * (1.0 - margin))
            for name, kind, margins in (("Alibaba", "cloud", cloud), ("Zhipu", "vendor", vendor))
            for year, margin in zip(("2024", "2027"), margins, strict=True)
        )
    }


def surplus(revenue: float) -> World:
    """A cloud and the chipmaker that it owns, every quarter of 2024 to 2028: twenty of them."""
    cloud = firm("2024Q1..2028Q4", "Huawei", revenue_usd=revenue, cost_usd=40.0, chip_purchases_usd=10.0)
    maker = firm("2024Q1..2028Q4", "Huawei Ascend", "chipmaker", revenue_usd=10.0, cost_usd=5.0)
    stake = rows("2024Q1..2028Q4", kind="equity", source="Huawei", target="Huawei Ascend", units=1.0)
    return {"firms": cloud + maker, "edges": stake}


def lead(alibaba: float, huawei: float) -> World:
    return {
        "firms": joined(
            firm("2025", name, origin=origin, revenue_compute_usd=amount)
            for name, origin, amount in (
                ("Alibaba", "CN", alibaba),
                ("Huawei", "CN", huawei),
                ("AWS", "US", 1e3),
            )
        )
    }


def western(price: float, chinese: float, margin: tuple[float, float], partner: tuple[float, float]) -> World:
    """AWS beside Alibaba in Asia-Pacific by 2027Q4: prices of one open model, and AWS in 2024 and by 2027Q4.

    ``margin`` is on open hosting, ``partner`` the revenue from proprietary models beside 100 of open hosting.
    """
    kind = {"model": "qwen", "channel": "managed", "open_weights": True, "region": "Asia-Pacific"}
    aws = {"seller": "AWS", "seller_origin": "US", **kind}
    sold = offers(
        offer("2024", price, full_cost_usd_per_mtok=price * (1.0 - margin[0]), **aws),
        offer("2027Q4", price, full_cost_usd_per_mtok=price * (1.0 - margin[1]), **aws),
        offer("2027Q4", chinese, seller="Alibaba", seller_origin="CN", **kind),
    )
    firms = [
        *firm(
            "2024", "AWS", origin="US", revenue_open_hosting_usd=100.0, revenue_partner_hosting_usd=partner[0]
        ),
        *firm(
            "2027Q4",
            "AWS",
            origin="US",
            revenue_open_hosting_usd=100.0,
            revenue_partner_hosting_usd=partner[1],
        ),
    ]
    return together(sold, {"firms": firms})


MATCHED = western(1.05, 1.0, (0.5, 0.2), (100.0, 100.0))
DIFFERENTIATED = western(3.0, 1.0, (0.5, 0.6), (100.0, 300.0))
NEITHER = western(3.0, 1.0, (0.5, 0.2), (100.0, 50.0))

FIRMS: Cases = {
    "alibaba-growth": (
        Case(2.4, grown("Alibaba", revenue_open_hosting_usd=140.0, revenue_training_usd=100.0)),
        Case(1.1, grown("Alibaba", revenue_open_hosting_usd=110.0)),
    ),
    "huawei-growth": (
        Case(3.0, grown("Huawei", revenue_open_hosting_usd=200.0, revenue_compute_usd=100.0)),
        Case(1.5, grown("Huawei", revenue_open_hosting_usd=150.0, revenue_training_usd=999.0)),
    ),
    "alibaba-growth-cause": (
        Case(0.75, grown("Alibaba", revenue_open_hosting_usd=175.0, revenue_training_usd=25.0)),
        Case(0.25, grown("Alibaba", revenue_open_hosting_usd=125.0, revenue_training_usd=75.0)),
    ),
    "workload-open": (
        Case(0.55, workloads(55.0, 25.0, 15.0, 5.0)),
        Case(0.1, workloads(10.0, 50.0, 20.0, 20.0)),
    ),
    "workload-proprietary": (
        Case(0.25, workloads(55.0, 25.0, 15.0, 5.0)),
        Case(0.5, workloads(10.0, 50.0, 20.0, 20.0)),
    ),
    "workload-training": (
        Case(0.15, workloads(55.0, 25.0, 15.0, 5.0)),
        Case(0.4, workloads(10.0, 30.0, 40.0, 20.0)),
    ),
    "workload-other": (
        Case(0.05, workloads(55.0, 25.0, 15.0, 5.0)),
        Case(0.2, workloads(10.0, 50.0, 20.0, 20.0)),
    ),
    "cloud-margins": (
        Case(0.3, operating((0.2, 0.3), (0.3, 0.1))),
        Case(-0.3, operating((0.3, 0.1), (0.2, 0.3))),
    ),
    # A quarter's surplus is revenue - 40 - 10 + 10 - 5: 55 for 100 and 45 for 90, over twenty quarters.
    "strategy-pays": (
        Case(200.0, surplus(100.0), {"open_weights": surplus(90.0)}),
        Case(-200.0, surplus(100.0), {"open_weights": surplus(110.0)}),
    ),
    "alibaba-largest": (Case(1.5, lead(30.0, 20.0)), Case(0.5, lead(20.0, 40.0))),
    "p2-choice": (Case(1.0, MATCHED), Case(0.0, NEITHER)),
    "p2-match-price": (Case(1.05, MATCHED), Case(3.0, DIFFERENTIATED)),
    "p2-match-margin": (Case(0.3, MATCHED), Case(-0.1, DIFFERENTIATED)),
    # 300 of 400 against 100 of 200; then 50 of 150.
    "p2-differentiate": (Case(0.25, DIFFERENTIATED), Case(1.0 / 3.0 - 0.5, NEITHER)),
}

CASES: Cases = {**DISCOUNTS, **HOSTING, **VENUES, **SHARES, **FIRMS}
