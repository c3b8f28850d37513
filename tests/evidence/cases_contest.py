"""Hand-made runs for claims on the contest among vendors in China."""

from __future__ import annotations

from tests.evidence.cases_clouds import DEEPSEEK, THREE, firm
from tests.evidence.cases_prices import offers
from tests.evidence.handmade import Case, Cases, Lines, World, joined, offer, together


def sold(when: str, tokens: dict[str, float], price: float = 1.0, region: str = "China") -> Lines:
    return joined(
        offer(when, price, tokens=amount, vendor=vendor, region=region, open_weights=vendor == "DeepSeek")
        for vendor, amount in tokens.items()
    )


def shares(years: dict[str, float], vendor: str = "DeepSeek", weight: str = "tokens") -> World:
    """A vendor's share, of 100 in China, by year.

    By revenue: its tokens cost nine times the others', so that its share of tokens differs; by tokens the
    same the other way round.
    """
    worlds = []
    for year, amount in years.items():
        own_tokens = amount if weight == "tokens" else amount / 9.0
        own_price = 1.0 / 9.0 if weight == "tokens" else 9.0
        worlds += sold(year, {vendor: own_tokens}, own_price) + sold(year, {"rival": 100.0 - amount})
        worlds += sold(year, {vendor: 1e4}, region="North America")
    return {"offers": worlds}


def ranks(deepseek_tokens: float, ernie: float, qwen: float, doubao: float) -> World:
    tokens = {
        "DeepSeek": deepseek_tokens,
        "Baidu ERNIE": ernie,
        "Alibaba Qwen": qwen,
        "ByteDance Doubao": doubao,
    }
    return {"offers": sold("2025Q3", tokens)}


def _open_rival(tokens: float) -> Lines:
    return offer("2027Q4", 1.0, tokens=tokens, vendor="Meta", region="China", open_weights=True)


def backers(huawei: float, alibaba: float, tencent: float) -> World:
    amounts = zip(THREE, (huawei, alibaba, tencent), strict=True)
    return offers(
        *(offer("2028Q4", 1.0, tokens=t, seller=s, channel="managed", **DEEPSEEK) for s, t in amounts)
    )


def abroad(tokens: float) -> World:
    return {
        "offers": sold("2028Q4", {"DeepSeek": tokens}, region="Europe and rest")
        + sold("2028Q4", {"DeepSeek": 1e3})
    }


def research(start: float, end: float) -> World:
    """DeepSeek's part, of 100, of what Chinese vendors spend on research."""
    return {
        "firms": joined(
            firm(year, name, "vendor", research_usd=amount)
            for year, part in (("2025", start), ("2027", end))
            for name, amount in (("DeepSeek", part), ("Zhipu", 100.0 - part))
        )
    }


def rival_prices(own: float, ernie: float, qwen: float) -> World:
    listed = (("DeepSeek", own), ("Baidu ERNIE", ernie), ("Alibaba Qwen", qwen))
    return offers(
        *(offer("2025Q3", p, vendor=v, tier="flagship", generation=3, region="China") for v, p in listed)
    )


def labs(zhipu_effort: float, hosts: tuple[str, ...]) -> World:
    """Three labs: some sell DeepSeek by 2027Q4, Zhipu's effort on services changes from 0.2."""
    efforts = [*firm("2025", "Zhipu", "vendor", service_effort=0.2)]
    efforts += firm("2027Q4", "Zhipu", "vendor", service_effort=zhipu_effort)
    hosting = [offer("2027Q4", 1.0, seller=host, channel="managed", **DEEPSEEK) for host in hosts]
    return together({"firms": efforts}, offers(*hosting))


CASES: Cases = {
    "deepseek-sixfold": (
        Case(6.0, shares({"2024": 5.0, "2026": 30.0}, weight="revenue")),
        Case(2.0, shares({"2024": 15.0, "2026": 30.0}, weight="revenue")),
    ),
    "deepseek-sixfold-tokens": (
        Case(6.0, shares({"2024": 5.0, "2026": 30.0})),
        Case(10.0, shares({"2024": 5.0, "2026": 50.0})),
    ),
    "deepseek-standard": (
        Case(0.6, {"offers": [*sold("2027Q4", {"DeepSeek": 60.0}), *_open_rival(40.0)]}),
        Case(0.4, {"offers": [*sold("2027Q4", {"DeepSeek": 40.0}), *_open_rival(60.0)]}),
    ),
    "labs-respond": (
        Case(1.0, labs(0.3, ("Baidu", "ByteDance"))),
        Case(2.0 / 3.0, labs(0.1, ("Baidu", "ByteDance"))),
    ),
    "starved-research": (Case(0.5, research(20.0, 10.0)), Case(2.0, research(10.0, 20.0))),
    "api-dependence": (
        Case(0.8, {"firms": firm("2025", "DeepSeek", "vendor", revenue_api_usd=80.0, revenue_usd=100.0)}),
        Case(0.3, {"firms": firm("2025", "DeepSeek", "vendor", revenue_api_usd=30.0, revenue_usd=100.0)}),
    ),
    "model-export-rules": (
        Case(0.75, abroad(100.0), {"model_export_rules": abroad(25.0)}),
        Case(0.25, abroad(100.0), {"model_export_rules": abroad(75.0)}),
    ),
    "capture": (
        Case(0.4, backers(40.0, 30.0, 30.0), {"backer_capture": backers(80.0, 10.0, 10.0)}),
        Case(-0.3, backers(70.0, 20.0, 10.0), {"backer_capture": backers(40.0, 30.0, 30.0)}),
    ),
    "capture-share": (
        Case(0.2, shares({"2028": 50.0}), {"backer_capture": shares({"2028": 30.0})}),
        Case(-0.2, shares({"2028": 50.0}), {"backer_capture": shares({"2028": 70.0})}),
    ),
    "a2-most-deployed": (Case(2.0, ranks(60.0, 10.0, 20.0, 80.0)), Case(0.5, ranks(30.0, 40.0, 20.0, 10.0))),
    "a2-most-deployed-first": (
        Case(1.5, ranks(60.0, 40.0, 30.0, 10.0)),
        Case(0.75, ranks(60.0, 10.0, 20.0, 80.0)),
    ),
    # The geometric mean of ERNIE and Qwen is (1 x 4) ** 0.5 = 2.
    "a2-cost-advantage": (Case(0.5, rival_prices(1.0, 1.0, 4.0)), Case(2.0, rival_prices(4.0, 1.0, 4.0))),
}
for _vendor, _key in (("Baidu ERNIE", "ernie"), ("ByteDance Doubao", "doubao")):
    for _weight, _name in (("tokens", ""), ("revenue", "-revenue")):
        CASES[f"a2-{_key}-loses{_name}"] = (
            Case(0.2, shares({"2025": 30.0, "2028": 10.0}, _vendor, _weight)),
            Case(-0.2, shares({"2025": 10.0, "2028": 30.0}, _vendor, _weight)),
        )
for _year, _share in (("2024", 5.0), ("2025", 18.0), ("2026", 30.0)):
    for _weight, _name in (("revenue", ""), ("tokens", "-tokens")):
        CASES[f"deepseek-share-{_year}{_name}"] = (
            Case(_share / 100.0, shares({_year: _share}, weight=_weight)),
            Case(0.6, shares({_year: 60.0}, weight=_weight)),
        )
