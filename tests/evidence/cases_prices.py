"""Hand-made runs for claims on prices: one where each claim holds, and one where it fails."""

from __future__ import annotations

from tests.evidence.handmade import Case, Cases, Lines, World, joined, log, offer, path, rows, together

OPENAI = {"vendor": "OpenAI", "tier": "flagship", "origin": "US", "region": "North America"}
TURBO = {**OPENAI, "model": "gpt-4-turbo", "generation": 5}
GPT4O = {**OPENAI, "model": "gpt-4o", "generation": 6}
V2 = {
    "model": "deepseek-v2", "vendor": "DeepSeek", "tier": "flagship", "generation": 2,
    "origin": "CN", "open_weights": True, "region": "China",
}  # fmt: skip
CHINESE_OPEN = {
    "vendor": "DeepSeek",
    "origin": "CN",
    "open_weights": True,
    "tier": "flagship",
    "region": "China",
}
WESTERN = {"vendor": "OpenAI", "origin": "US", "tier": "flagship", "region": "North America"}


def offers(*parts: Lines) -> World:
    return {"offers": joined(parts)}


# ------------------------------------------------------------------------------------------- list prices


def v2_and_turbo(ours: float, theirs: float, column: str = "price_usd_per_mtok") -> World:
    # Only the asked column differs from one, so that the wrong column would give a ratio of one.
    return offers(offer("2024", 1.0, **{**V2, column: ours}), offer("2024", 1.0, **{**TURBO, column: theirs}))


def list_price(model: str, price: float, column: str = "price_usd_per_mtok") -> World:
    return offers(offer("2024", 99.0, **{"model": model, column: price}))


def followers(qwen: float, ernie: float) -> World:
    def flagship(vendor: str, price: float) -> Lines:
        old = offer("2024Q4", 50.0, vendor=vendor, tier="flagship", generation=1, model=f"{vendor} 1")
        return old + offer("2024Q4", price, vendor=vendor, tier="flagship", generation=2, model=f"{vendor} 2")

    return offers(
        flagship("Alibaba Qwen", qwen), flagship("Baidu ERNIE", ernie), offer("2024Q4", 10.0, **TURBO)
    )


def self_hosting(own_cost: float, api: float, api_later: float) -> World:
    """A flagship on own premises against OpenAI's; a small model costs nothing and must not count."""
    venue = {"channel": "on-premises", "region": "China", "origin": "CN", "open_weights": True}
    own = offer("2024Q2", 1.0, tier="flagship", full_cost_usd_per_mtok=own_cost, **venue)
    small = offer("2024Q2", 1.0, tokens=1e3, tier="small", **venue)
    return offers(own, small, offer("2024Q2", api, **TURBO), offer("2024Q3..2027Q1", api_later, **TURBO))


def premium(west: float, china: float, year: str = "2024", small: float = 0.0) -> World:
    """Western flagships at one price, Chinese open models at another, and a Western small model if priced."""
    cheap = offer(year, small, tokens=3.0, **{**WESTERN, "tier": "small"}) if small else []
    return offers(offer(year, west, **WESTERN), offer(year, china, **CHINESE_OPEN), cheap)


def turbo_path(after: float) -> World:
    return offers(path("2024Q3", 10.0, after, **TURBO))


def flagship_path(after: float) -> World:
    """A newer flagship enters at a lower price; the old one keeps its own."""
    return offers(offer("..", 10.0, **TURBO), offer("2024Q2..", after, **GPT4O))


def cut_caused(model_path, after: float, without: float) -> Case:
    share = (log(10.0 / after) - log(10.0 / without)) / log(10.0 / after)
    return Case(share, model_path(after), {"open_weights": model_path(without)})


def gap_caused(west: float, west_without: float) -> Case:
    def world(price: float) -> World:
        return premium(price, 1.0)

    return Case(
        (log(west) - log(west_without)) / log(west), world(west), {"open_weights": world(west_without)}
    )


LIST_PRICES: Cases = {
    "v2-ratio-blended": (Case(0.06, v2_and_turbo(0.6, 10.0)), Case(0.01, v2_and_turbo(0.1, 10.0))),
    "v2-ratio-input": (
        Case(0.055, v2_and_turbo(0.55, 10.0, "input_price_usd_per_mtok")),
        Case(0.02, v2_and_turbo(0.2, 10.0, "input_price_usd_per_mtok")),
    ),
    "takeaway-price": (Case(0.01, v2_and_turbo(0.1, 10.0)), Case(0.06, v2_and_turbo(0.6, 10.0))),
    "v2-price-input": (
        Case(0.14, list_price("deepseek-v2", 0.14, "input_price_usd_per_mtok")),
        Case(0.30, list_price("deepseek-v2", 0.30, "input_price_usd_per_mtok")),
    ),
    "v2-price-output": (
        Case(0.28, list_price("deepseek-v2", 0.28, "output_price_usd_per_mtok")),
        Case(0.14, list_price("deepseek-v2", 0.14, "output_price_usd_per_mtok")),
    ),
    # Geometric means: (0.4 x 0.9) ** 0.5 = 0.6 and (0.4 x 3.6) ** 0.5 = 1.2, over 10.
    "followers-price": (Case(0.06, followers(0.4, 0.9)), Case(0.12, followers(0.4, 3.6))),
    "self-hosting-held": (Case(0.70, self_hosting(3.0, 10.0, 1.0)), Case(0.10, self_hosting(9.0, 10.0, 1.0))),
    # The mean of one quarter at 32 and eleven at 8 is 10.
    "self-hosting-followed": (
        Case(0.70, self_hosting(3.0, 32.0, 8.0)),
        Case(0.90, self_hosting(1.0, 32.0, 8.0)),
    ),
    "premium-flagships": (Case(18.0, premium(18.0, 1.0, small=1.0)), Case(8.0, premium(8.0, 1.0, small=1.0))),
    # All tiers: (1 x 60 + 3 x 4) / 4 = 18 and (1 x 20 + 3 x 4) / 4 = 8.
    "premium-all": (Case(18.0, premium(60.0, 1.0, small=4.0)), Case(8.0, premium(20.0, 1.0, small=4.0))),
    "premium-posted": (Case(18.0, premium(18.0, 1.0, small=1.0)), Case(86.0, premium(86.0, 1.0, small=1.0))),
    "advantage-flagships": (
        Case(8.0, premium(8.0, 1.0, small=1.0)),
        Case(18.0, premium(18.0, 1.0, small=1.0)),
    ),
    "advantage-all": (Case(8.0, premium(20.0, 1.0, small=4.0)), Case(18.0, premium(60.0, 1.0, small=4.0))),
    "advantage-posted": (Case(6.0, premium(6.0, 1.0, small=1.0)), Case(2.0, premium(2.0, 1.0, small=1.0))),
    "advantage-2027": (
        Case(8.0, premium(20.0, 1.0, "2027", small=4.0)),
        Case(18.0, premium(60.0, 1.0, "2027", small=4.0)),
    ),
    "gpt4-turbo-same": (Case(0.30, turbo_path(7.0)), Case(0.0, turbo_path(10.0))),
    "gpt4-turbo-flagship": (Case(0.28, flagship_path(7.2)), Case(0.75, flagship_path(2.5))),
    # Half the tokens are at the new price: (10 + 4) / 2 = 7 and (10 + 2) / 2 = 6.
    "gpt4-turbo-unit-value": (Case(0.30, flagship_path(4.0)), Case(0.40, flagship_path(2.0))),
    "gpt4-cut-cause-same": (cut_caused(turbo_path, 5.0, 9.0), cut_caused(turbo_path, 5.0, 6.0)),
    "gpt4-cut-cause-flagship": (cut_caused(flagship_path, 5.0, 9.0), cut_caused(flagship_path, 5.0, 6.0)),
    "undercut-floor": (
        Case(0.5, premium(40.0, 1.0, small=2.0)),
        Case(3.0, premium(40.0, 3.0, small=1.0)),
    ),
    "price-asymmetry-cause": (gap_caused(9.0, 2.0), gap_caused(9.0, 6.0)),
    "table-price-deepseek-v2": (
        Case(0.15, list_price("deepseek-v2", 0.15)),
        Case(1.0, list_price("deepseek-v2", 1.0)),
    ),
    "table-price-deepseek-v2-input": (
        Case(0.13, list_price("deepseek-v2", 0.13, "input_price_usd_per_mtok")),
        Case(0.50, list_price("deepseek-v2", 0.50, "input_price_usd_per_mtok")),
    ),
    "table-price-gpt-4": (
        Case(11.0, list_price("gpt-4-turbo", 11.0)),
        Case(15.0, list_price("gpt-4-turbo", 15.0)),
    ),
    "table-price-gpt-4-input": (
        Case(10.0, list_price("gpt-4-turbo", 10.0, "input_price_usd_per_mtok")),
        Case(30.0, list_price("gpt-4-turbo", 30.0, "input_price_usd_per_mtok")),
    ),
    "table-price-llama-3-70b": (
        Case(1.0, list_price("llama-3-70b", 1.0)),
        Case(0.5, list_price("llama-3-70b", 0.5)),
    ),
    "table-price-qwen2-72b": (
        Case(1.1, list_price("qwen2-72b", 1.1)),
        Case(0.6, list_price("qwen2-72b", 0.6)),
    ),
}


# ------------------------------------------------------------------------------------------- averages


def regional(change: str, asia: float, america: float = 10.0) -> World:
    """Prices of 10 in three regions, which change to other levels."""
    china = path(change, 10.0, asia, region="China")
    return offers(
        china,
        path(change, 10.0, asia, region="Asia-Pacific"),
        path(change, 10.0, america, region="North America"),
    )


def indexed(column: str, level: float) -> World:
    """An index of one in 2024 and at another level by 2027Q4, with unit values that do not move."""
    given = {"quarters": rows("2024", **{column: 1.0}) + rows("2027Q4", **{column: level})}
    return together(given, offers(offer("..", 10.0)))


INDICES = {
    "fixed-basket": "price_index_fixed_basket",
    "fisher": "price_index_fisher",
    "constant-quality": "price_index_constant_quality",
    "hedonic": "price_index_hedonic",
}


def worldwide(average: str, level: float) -> World:
    """A world price that is ``level`` of its 2024 level by 2027Q4, in one average only."""
    return indexed(INDICES[average], level) if average else offers(path("2026Q1", 10.0, 10.0 * level))


def world_fall_caused(average: str, level: float, without: float) -> Case:
    share = (log(1.0 / level) - log(1.0 / without)) / log(1.0 / level)
    return Case(share, worldwide(average, level), {"open_weights": worldwide(average, without)})


AVERAGES: Cases = {
    "fall-asia": (Case(0.56, regional("2024Q2", 4.4)), Case(0.30, regional("2024Q2", 7.0))),
    "fall-asia-rest": (Case(0.54, regional("2024Q2", 4.6)), Case(0.70, regional("2024Q2", 3.0))),
    "fall-asia-fisher": (Case(0.56, regional("2024Q2", 4.4)), Case(0.30, regional("2024Q2", 7.0))),
    "fall-asia-rest-fisher": (Case(0.54, regional("2024Q2", 4.6)), Case(0.70, regional("2024Q2", 3.0))),
    "fall-america": (Case(0.22, regional("2024Q2", 1.0, 7.8)), Case(0.60, regional("2024Q2", 1.0, 4.0))),
    "fall-america-fisher": (
        Case(0.20, regional("2024Q2", 1.0, 8.0)),
        Case(0.10, regional("2024Q2", 1.0, 9.0)),
    ),
    "fall-asia-leads": (Case(0.30, regional("2024Q2", 5.0, 8.0)), Case(-0.30, regional("2024Q2", 8.0, 5.0))),
    "average-cost-fall": (Case(0.85, regional("2025Q1", 1.5)), Case(0.50, regional("2025Q1", 5.0))),
    "average-cost-fall-fixed-basket": (
        Case(0.85, regional("2025Q1", 1.5)),
        Case(0.50, regional("2025Q1", 5.0)),
    ),
    "average-cost-fall-fisher": (Case(0.85, regional("2025Q1", 1.5)), Case(0.95, regional("2025Q1", 0.5))),
    "below-ten-cents-average": (Case(0.05, regional("2026Q1", 0.05)), Case(0.2, regional("2026Q1", 0.2))),
}
for _year, _holds, _fails in (("2024", 0.55, 0.20), ("2025", 0.18, 0.50), ("2026", 0.09, 0.20)):
    AVERAGES[f"average-cost-{_year}"] = (
        Case(_holds, offers(offer(_year, _holds, region="China"), offer(_year, 9.0, region="North America"))),
        Case(_fails, offers(offer(_year, _fails, region="China"), offer(_year, 9.0, region="North America"))),
    )
for _average in ("", *INDICES):
    _name = f"-{_average}" if _average else ""
    AVERAGES[f"p3-price{_name}"] = (
        Case(0.70, worldwide(_average, 0.30)),
        Case(0.95, worldwide(_average, 0.05)),
    )
    AVERAGES[f"p3-price{_name}-at-least"] = (
        Case(0.95, worldwide(_average, 0.05)),
        Case(0.50, worldwide(_average, 0.50)),
    )
    AVERAGES[f"p3-cause{_name}"] = (
        world_fall_caused(_average, 0.25, 0.80),
        world_fall_caused(_average, 0.25, 0.30),
    )


# ------------------------------------------------------------------------------------------- convergence


def spread(column: str, start: float, end: float) -> World:
    return {"quarters": rows("2024", **{column: start}) + rows("2027Q4", **{column: end})}


def origins(start: float, end: float) -> World:
    """Western models cost ``start`` times Chinese ones in 2024 and ``end`` times by 2027Q4."""
    west, china = {"origin": "US", "model": "west"}, {"origin": "CN", "model": "china"}
    return offers(
        offer("2024", start, **west), offer("2024", 1.0, **china),
        offer("2027Q4", end, **west), offer("2027Q4", 1.0, **china),
    )  # fmt: skip


def margins(start: float, end: float) -> World:
    """Tokens sold at 10 with a margin that changes from 2024 to 2027."""
    return offers(
        offer("2024", 10.0, full_cost_usd_per_mtok=10.0 * (1.0 - start)),
        offer("2027", 10.0, full_cost_usd_per_mtok=10.0 * (1.0 - end)),
    )


def squeeze(year: str, outside: float) -> World:
    """Customers of a reseller of OpenAI at 10 can buy open tokens for 8 before, for ``outside`` in ``year``.

    A cheaper open model is less able than OpenAI's smallest, so it is no alternative.
    """
    before = "2023" if year == "2024" else "2024"

    def market(when: str, price: float) -> Lines:
        return joined(
            [
                offer(when, 10.0, capability=25.0, **WESTERN),
                offer(when, price, capability=25.5, open_weights=True),
                offer(when, 0.01, capability=20.0, open_weights=True, model="a weak model"),
            ]
        )

    return offers(market(before, 8.0), market(year, outside))


UNIT_SPREAD, QUALITY_SPREAD = "price_dispersion_regions", "price_dispersion_quality_adjusted"

CONVERGENCE: Cases = {
    "p3-converge-regions": (
        Case(0.5, spread(UNIT_SPREAD, 0.8, 0.4)),
        Case(1.5, spread(UNIT_SPREAD, 0.8, 1.2)),
    ),
    "p3-converge-regions-quality": (
        Case(0.5, spread(QUALITY_SPREAD, 0.8, 0.4)),
        Case(1.5, spread(QUALITY_SPREAD, 0.8, 1.2)),
    ),
    "p3-converge-cause": (
        Case(1.0, spread(UNIT_SPREAD, 0.8, 0.4), {"open_weights": spread(UNIT_SPREAD, 0.8, 1.2)}),
        Case(-0.25, spread(UNIT_SPREAD, 0.8, 0.4), {"open_weights": spread(UNIT_SPREAD, 0.8, 0.2)}),
    ),
    "p3-converge-origins": (Case(log(2.0) / log(8.0), origins(8.0, 2.0)), Case(2.0, origins(3.0, 9.0))),
    "commoditization": (Case(0.4, margins(0.6, 0.2)), Case(-0.2, margins(0.4, 0.6))),
    "commoditization-cause": (
        Case(0.75, margins(0.6, 0.2), {"open_weights": margins(0.6, 0.5)}),
        Case(0.25, margins(0.6, 0.2), {"open_weights": margins(0.6, 0.3)}),
    ),
    "isv-squeeze": (Case(log(2.0), squeeze("2024", 4.0)), Case(-log(1.25), squeeze("2024", 10.0))),
    "isv-squeeze-2027": (Case(log(2.0), squeeze("2027", 4.0)), Case(-log(1.25), squeeze("2027", 10.0))),
    "consortium-cheaper": (
        Case(log(2.0), regional("2026Q1", 4.0), {"consortium": regional("2026Q1", 2.0)}),
        Case(-log(2.0), regional("2026Q1", 4.0), {"consortium": regional("2026Q1", 8.0)}),
    ),
}

CASES: Cases = {**LIST_PRICES, **AVERAGES, **CONVERGENCE}
