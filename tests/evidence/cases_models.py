"""Hand-made runs for claims on models and their scores, adoption, institutions and the market's size."""

from __future__ import annotations

from tests.evidence.cases_prices import CHINESE_OPEN, V2, WESTERN, offers
from tests.evidence.handmade import Case, Cases, Lines, World, joined, offer, rows

# ------------------------------------------------------------------------------------------- models


def scored(model: str, score: float) -> World:
    return offers(offer("2024", 1.0, model=model, mmlu=score))


def scores(ours: str, score: float, theirs: str, rival: float) -> World:
    return offers(offer("2024", 1.0, model=ours, mmlu=score), offer("2023", 1.0, model=theirs, mmlu=rival))


def parity(year: str, best_open: float, best_west: float, small_open: float = 40.0) -> World:
    return offers(
        offer(year, 1.0, tokens=1.0, mmlu=best_open, **CHINESE_OPEN),
        offer(year, 1.0, tokens=3.0, mmlu=small_open, **{**CHINESE_OPEN, "tier": "small", "model": "small"}),
        offer(year, 1.0, mmlu=best_west, **WESTERN),
    )


def memory(v2: float, west: float) -> World:
    ours = offer("2024Q2", 1.0, memory_gb=v2, **V2)
    one = offer("2024Q2", 1.0, memory_gb=west - 50.0, **{**WESTERN, "model": "one"})
    # The other model has two offers and still counts once.
    other = [offer("2024Q2", 1.0, memory_gb=west + 50.0, **{**WESTERN, "model": "other"}) for _ in range(2)]
    return offers(ours, one, *other)


def active(v2: float, west: float) -> World:
    west_rows = offer("2024Q2", 1.0, active_params_b=west, **WESTERN)
    return offers(offer("2024Q2", 1.0, active_params_b=v2, **V2), west_rows)


def sparse(tokens: float) -> World:
    return offers(
        offer("2024", 1.0, tokens=tokens, sparse=True, **CHINESE_OPEN),
        offer("2024", 1.0, tokens=10.0 - tokens, **{**CHINESE_OPEN, "model": "dense"}),
    )


MODELS: Cases = {
    "table-mmlu-deepseek-v2": (
        Case(78.0, scored("deepseek-v2", 78.0)),
        Case(70.0, scored("deepseek-v2", 70.0)),
    ),
    "table-mmlu-gpt-4": (Case(86.4, scored("gpt-4", 86.4)), Case(80.0, scored("gpt-4", 80.0))),
    "table-mmlu-llama-3-70b": (
        Case(81.0, scored("llama-3-70b", 81.0)),
        Case(75.0, scored("llama-3-70b", 75.0)),
    ),
    "table-mmlu-qwen2-72b": (Case(84.0, scored("qwen2-72b", 84.0)), Case(77.0, scored("qwen2-72b", 77.0))),
    "takeaway-mmlu": (
        Case(0.90, scores("deepseek-v2", 72.0, "gpt-4", 80.0)),
        Case(0.75, scores("deepseek-v2", 60.0, "gpt-4", 80.0)),
    ),
    "v3-class": (
        Case(1.10, scores("deepseek-v3", 88.0, "gpt-4", 80.0)),
        Case(0.90, scores("deepseek-v3", 72.0, "gpt-4", 80.0)),
    ),
    "benchmark-best": (Case(0.90, parity("2024", 72.0, 80.0)), Case(1.10, parity("2024", 88.0, 80.0))),
    # By tokens: (1 x 72 + 3 x 72) / 4 = 72 and (1 x 72 + 3 x 48) / 4 = 54.
    "benchmark-sold": (
        Case(0.90, parity("2024", 72.0, 80.0, small_open=72.0)),
        Case(0.675, parity("2024", 72.0, 80.0, small_open=48.0)),
    ),
    "benchmark-2027": (Case(0.90, parity("2027", 72.0, 80.0)), Case(0.70, parity("2027", 56.0, 80.0))),
    "memory-dense": (Case(300.0, memory(90.0, 300.0)), Case(500.0, memory(90.0, 500.0))),
    "memory-sparse": (Case(90.0, memory(90.0, 300.0)), Case(260.0, memory(260.0, 300.0))),
    "compute-sparse": (Case(0.1, active(20.0, 200.0)), Case(2.0, active(20.0, 10.0))),
    "sparse-preference": (Case(0.7, sparse(7.0)), Case(0.2, sparse(2.0))),
}


# ------------------------------------------------------------------------------------------- buyers


def adoption(small: float, education: float, government: float, large: float) -> World:
    """Adoption by 2027Q4 of four equal segments that all start at 0.1 in 2024."""

    def segment(size: str, sector: str, end: float) -> Lines:
        kind = {"size": size, "sector": sector, "firms": 100.0, "region": "China"}
        return rows("2024", adoption=0.1, **kind) + rows("2027Q4", adoption=end, **kind)

    return {
        "segments": joined(
            [
                segment("small", "retail", small),
                segment("large", "education", education),
                segment("large", "government", government),
                segment("large", "finance", large),
            ]
        )
    }


BUYERS: Cases = {
    # All enterprises reach 0.2, twice the start; the subject three times or once.
    "p3-adoption-sme": (Case(1.5, adoption(0.3, 0.2, 0.2, 0.1)), Case(0.5, adoption(0.1, 0.2, 0.2, 0.3))),
    "p3-adoption-education": (
        Case(1.5, adoption(0.2, 0.3, 0.2, 0.1)),
        Case(0.5, adoption(0.2, 0.1, 0.2, 0.3)),
    ),
    "p3-adoption-government": (
        Case(1.5, adoption(0.2, 0.2, 0.3, 0.1)),
        Case(0.5, adoption(0.2, 0.2, 0.1, 0.3)),
    ),
    # The three rise by 0.4, and by 0.1 or 0.3 otherwise.
    "p3-adoption-price": (
        Case(0.75, adoption(0.5, 0.5, 0.5, 0.1), {"demand_elasticity": adoption(0.2, 0.2, 0.2, 0.9)}),
        Case(0.25, adoption(0.5, 0.5, 0.5, 0.1), {"demand_elasticity": adoption(0.4, 0.4, 0.4, 0.9)}),
    ),
    "p3-adoption-open": (
        Case(0.3, adoption(0.5, 0.5, 0.5, 0.1), {"open_weights": adoption(0.2, 0.2, 0.2, 0.9)}),
        Case(-0.1, adoption(0.5, 0.5, 0.5, 0.9), {"open_weights": adoption(0.6, 0.6, 0.6, 0.1)}),
    ),
}


# ------------------------------------------------------------------------------------------- institutions


def event(when: str, kind: str, firm: str = "", subject: str = "") -> World:
    return {"events": rows(when, kind=kind, firm=firm, subject=subject)}


def cash(when: str, amount: float) -> World:
    firms = rows("..", firm="DeepSeek", kind="vendor", active=True, cash_usd=1e9)
    for row in firms:
        if row["quarter"] == when:
            row["cash_usd"] = amount
    return {"firms": firms, "events": rows("2025Q1", kind="exit", firm="Zhipu")}


INSTITUTIONS: Cases = {
    "consortium": (
        Case(1.0, event("2026Q1", "consortium", "DeepSeek", "Huawei, Tencent, Alibaba")),
        Case(0.0, event("2027Q1", "consortium", "DeepSeek", "Huawei, Tencent, Alibaba")),
    ),
    "a2-foundation": (
        Case(1.0, event("2027Q2", "foundation", "DeepSeek")),
        Case(0.0, event("2027Q1", "foundation", "Mistral")),
    ),
    "a2-copy-asia": (
        Case(1.0, event("2028Q1", "copy", "a champion", "Asia-Pacific")),
        Case(0.0, event("2028Q1", "copy", "a champion", "Europe and rest")),
    ),
    "a2-copy-europe": (
        Case(1.0, event("2028Q1", "copy", "a champion", "Europe and rest")),
        Case(0.0, event("2028Q1", "launch", "a champion", "Europe and rest")),
    ),
    "starved-exit": (Case(1.0, cash("2027Q3", -1.0)), Case(0.0, cash("2027Q3", 1.0))),
}


# ------------------------------------------------------------------------------------------- the market


def market(**columns: dict[str, float]) -> World:
    """Columns of the headline table, each by year."""
    return {
        "quarters": joined(
            [
                rows(year, **{column: value})
                for column, years in columns.items()
                for year, value in years.items()
            ]
        )
    }


def china(**years: float) -> World:
    return market(china_llm_market_usd={year.removeprefix("y"): value for year, value in years.items()})


def applications(start: float, end: float) -> World:
    return market(china_applications={"2024": start, "2026": end})


def services(scope: str, years: dict[str, float]) -> World:
    """Services by year where the market is 100 a quarter."""
    part, whole = {
        "China": ("china_services_usd", "china_llm_market_usd"),
        "world": ("services_usd", "market_revenue_usd"),
    }[scope]
    return market(**{part: years, whole: dict.fromkeys(years, 100.0)})


def concentration(start: float, end: float, when: tuple[str, str]) -> World:
    return market(hhi_china_tokens={when[0]: start, when[1]: end})


LONG, SHORT = ("2025", "2028"), ("2024", "2027")

MARKET: Cases = {
    "market-growth": (Case(4.0, china(y2024=1.0, y2026=4.0)), Case(8.0, china(y2024=1.0, y2026=8.0))),
    "applications-growth": (Case(4.4, applications(10.0, 44.0)), Case(8.0, applications(10.0, 80.0))),
    "applications-growth-table": (Case(8.0, applications(10.0, 80.0)), Case(4.4, applications(10.0, 44.0))),
    "applications-cause": (
        Case(2.0 / 3.0, applications(1.0, 8.0), {"demand_elasticity": applications(1.0, 2.0)}),
        Case(1.0 / 3.0, applications(1.0, 8.0), {"demand_elasticity": applications(1.0, 4.0)}),
    ),
    "integrators": (
        Case(0.1, services("world", {"2024": 20.0, "2027": 30.0})),
        Case(-0.1, services("world", {"2024": 30.0, "2027": 20.0})),
    ),
    "integrators-cause": (
        Case(0.1, services("world", {"2027": 30.0}), {"open_weights": services("world", {"2027": 20.0})}),
        Case(-0.1, services("world", {"2027": 20.0}), {"open_weights": services("world", {"2027": 30.0})}),
    ),
    "a2-customisation": (
        Case(0.2, services("China", {"2025": 10.0, "2028": 30.0})),
        Case(-0.2, services("China", {"2025": 30.0, "2028": 10.0})),
    ),
    "consolidation": (Case(0.1, concentration(0.2, 0.3, SHORT)), Case(-0.1, concentration(0.3, 0.2, SHORT))),
    "consolidation-cause": (
        Case(0.1, concentration(0.2, 0.3, SHORT), {"open_weights": concentration(0.2, 0.2, SHORT)}),
        Case(-0.1, concentration(0.2, 0.3, SHORT), {"open_weights": concentration(0.2, 0.4, SHORT)}),
    ),
    "shared-utility": (Case(-0.1, concentration(0.3, 0.2, LONG)), Case(0.1, concentration(0.2, 0.3, LONG))),
}
# Four equal quarters: the year's figure is four times a quarter's for flows, and the same for stocks.
for _year, _size, _tokens, _apps in (
    ("2024", 2.1e9, 4.2e9, 150_000.0),
    ("2025", 4.5e9, 22.5e9, 450_000.0),
    ("2026", 8.0e9, 100e9, 1_200_000.0),
):
    MARKET[f"market-{_year}"] = (
        Case(_size, market(china_llm_market_usd={_year: _size / 4.0})),
        Case(4.0 * _size, market(china_llm_market_usd={_year: _size})),
    )
    MARKET[f"implied-tokens-{_year}"] = (
        Case(_tokens, market(china_tokens_mtok={_year: _tokens / 4.0})),
        Case(_tokens / 100.0, market(china_tokens_mtok={_year: _tokens / 400.0})),
    )
    MARKET[f"applications-{_year}"] = (
        Case(_apps, market(china_applications={_year: _apps})),
        Case(_apps / 4.0, market(china_applications={_year: _apps / 4.0})),
    )


# ------------------------------------------------------------------------------------------- effort


def effort(firm: str, origin: str, start: float, end: float, years: tuple[str, str]) -> World:
    """Effort on services of one vendor; another one, out of business, does not count."""
    kind = {"firm": firm, "origin": origin, "kind": "vendor", "active": True}
    gone = {"firm": "gone", "origin": origin, "kind": "vendor", "active": False}
    return {
        "firms": joined(
            [
                rows(years[0], service_effort=start, **kind),
                rows(years[1], service_effort=end, **kind),
                rows(years[0], service_effort=0.9, **gone),
            ]
        )
    }


def western_services(start: float, end: float) -> World:
    def vendor(year: str, services_usd: float) -> Lines:
        return rows(year, firm="OpenAI", origin="US", kind="vendor", revenue_services_usd=services_usd,
                    revenue_api_usd=80.0 - services_usd, revenue_royalty_usd=20.0)  # fmt: skip

    return {"firms": vendor("2024", start) + vendor("2027", end)}


EFFORT: Cases = {
    "up-the-stack": (Case(0.2, western_services(10.0, 30.0)), Case(-0.05, western_services(10.0, 5.0))),
    "up-the-stack-effort": (
        Case(0.2, effort("OpenAI", "US", 0.1, 0.3, SHORT)),
        Case(-0.1, effort("OpenAI", "US", 0.3, 0.2, SHORT)),
    ),
    "up-the-stack-cause": (
        Case(
            0.2,
            effort("OpenAI", "US", 0.1, 0.3, SHORT),
            {"open_weights": effort("OpenAI", "US", 0.1, 0.1, SHORT)},
        ),
        Case(
            -0.1,
            effort("OpenAI", "US", 0.1, 0.3, SHORT),
            {"open_weights": effort("OpenAI", "US", 0.1, 0.4, SHORT)},
        ),
    ),
    "a2-customisation-effort": (
        Case(0.2, effort("Zhipu", "CN", 0.1, 0.3, LONG)),
        Case(-0.1, effort("Zhipu", "CN", 0.3, 0.2, LONG)),
    ),
    "a2-ernie-niche": (
        Case(0.2, effort("Baidu ERNIE", "CN", 0.1, 0.3, LONG)),
        Case(-0.1, effort("Baidu ERNIE", "CN", 0.3, 0.2, LONG)),
    ),
    "a2-doubao-niche": (
        Case(0.2, effort("ByteDance Doubao", "CN", 0.1, 0.3, LONG)),
        Case(0.0, effort("ByteDance Doubao", "CN", 0.2, 0.2, LONG)),
    ),
}

CASES: Cases = {**MODELS, **BUYERS, **INSTITUTIONS, **MARKET, **EFFORT}
