"""Holds the fact tables to their sources, their dates and the arithmetic of docs/evidence.md."""

import csv
import math
import re
from importlib import resources
from itertools import product

import pytest

Row = dict[str, str]

TABLES = (
    "chips",
    "launches",
    "firms",
    "capacity",
    "stakes",
    "partners",
    "access",
    "segments",
    "captive",
    "fleets",
    "export_rules",
)
QUARTER_COLUMNS = {
    "chips": ("release", "china_from", "china_until"),
    "launches": ("quarter", "retired"),
    "firms": ("research_from",),
    "capacity": ("quarter",),
    "stakes": ("from", "until"),
    "partners": ("from", "until"),
    "access": ("from", "until"),
    "export_rules": ("quarter",),
}
MAY_BE_BLANK = {"china_from", "china_until", "retired", "until", "research_from"}
VENDORS = {
    "OpenAI",
    "Anthropic",
    "Google",
    "Meta",
    "Mistral",
    "DeepSeek",
    "Alibaba Qwen",
    "Baidu ERNIE",
    "ByteDance Doubao",
    "Huawei Pangu",
    "Tencent Hunyuan",
    "Zhipu",
}
REGIONS = ("China", "Asia-Pacific", "North America", "Europe and rest")
SECTORS = ("technology", "finance", "industry", "retail", "education", "government", "services")
CHINESE_OWNERS = (
    "Alibaba",
    "Huawei",
    "Tencent",
    "Baidu",
    "ByteDance",
    "Colocation China",
    "On-premises China",
)


def read(table: str) -> list[Row]:
    text = resources.files("evidence").joinpath(f"{table}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def index(quarter: str) -> int:
    year, number = quarter.split("Q")
    return int(year) * 4 + int(number) - 1


def chips() -> dict[str, Row]:
    return {row["chip"]: row for row in read("chips")}


def training_rate(chip: str) -> float:
    """A100 equivalents of one chip in training: ratio of bfloat16 rates."""
    table = chips()
    return float(table[chip]["bf16_tflops"]) / float(table["A100"]["bf16_tflops"])


def inference_rate(chip: str) -> float:
    """A10 equivalents of one chip in captive inference: geometric mean of rate and bandwidth ratios."""
    card, reference = chips()[chip], chips()["A10"]
    rate = float(card["bf16_tflops"]) / float(reference["bf16_tflops"])
    return math.sqrt(rate * float(card["bandwidth_tbs"]) / float(reference["bandwidth_tbs"]))


def processing_performance(chip: Row) -> float:
    """Total processing performance of 15 CFR 774 supplement 1, 3A090: dense TOPS times bit length."""
    return max(16 * float(chip["bf16_tflops"]), 8 * float(chip["int8_tops"]))


def barred_in_2022(chip: Row) -> bool:
    return processing_performance(chip) >= 4800 and float(chip["interconnect_gbs"]) >= 600


def barred_in_2023(chip: Row) -> bool:
    """Licence or notified exception needed under 88 FR 73458."""
    performance = processing_performance(chip)
    density = performance / float(chip["die_mm2"])
    return (
        performance >= 4800
        or (performance >= 2400 and density >= 1.6)
        or (performance >= 1600 and density >= 3.2)
    )


@pytest.mark.parametrize("table", TABLES)
def test_every_fact_names_its_source_date_and_confidence(table: str) -> None:
    rows = read(table)
    assert rows
    for row in rows:
        assert len(row["source"]) > 8, row
        assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", row["source_date"]), row
        assert row["confidence"] in {"high", "medium", "low"}, row


@pytest.mark.parametrize("table", TABLES)
def test_no_fact_is_later_than_the_end_of_2024(table: str) -> None:
    for row in read(table):
        assert row["source_date"] <= "2024-12", row


@pytest.mark.parametrize("table", sorted(QUARTER_COLUMNS))
def test_every_quarter_is_a_quarter(table: str) -> None:
    for row, column in product(read(table), QUARTER_COLUMNS[table]):
        value = row[column]
        if (value == "" and column in MAY_BE_BLANK) or (value == "never" and column == "china_from"):
            continue
        assert re.fullmatch(r"20\d\dQ[1-4]", value), (column, row)


def test_each_numeric_cell_is_declared_once_and_each_declared_column_holds_numbers() -> None:
    declared = read("columns")
    for row in declared:
        keys = row["key_columns"].split("/")
        facts = read(row["table"])
        assert all(key in facts[0] for key in keys), row
        names = ["/".join(fact[key] for key in keys) for fact in facts]
        assert len(names) == len(set(names)), f"keys of {row['table']} are not unique"
        cells = [fact[row["column"]] for fact in facts if fact[row["column"]] != ""]
        assert cells and all(math.isfinite(float(cell)) for cell in cells), row
        assert 0 < float(row["low_factor"]) <= 1 <= float(row["high_factor"]), row
        assert row["unit"] and row["description"], row
    pairs = [(row["table"], row["column"]) for row in declared]
    assert len(pairs) == len(set(pairs))
    assert {table for table, _ in pairs} == set(TABLES) - {"partners", "access"}


def test_the_compute_and_bandwidth_of_every_chip_are_of_this_world() -> None:
    for chip in chips().values():
        rate, bandwidth = float(chip["bf16_tflops"]), float(chip["bandwidth_tbs"])
        assert 20 <= rate <= 2500 and float(chip["int8_tops"]) >= rate / 3, chip
        assert 0.03 <= bandwidth <= 10, chip
        assert 30 <= rate / bandwidth <= 700 or chip["chip"] == "Hanguang 800", chip
        assert 50 <= float(chip["tdp_w"]) <= 1200, chip
        assert float(chip["unit_cost_usd"]) <= float(chip["list_price_usd"]), chip


def test_no_captive_chip_is_sold_and_every_merchant_chip_costs_at_most_half_its_price() -> None:
    firms = {row["firm"] for row in read("firms")}
    for chip in chips().values():
        if chip["captive_owner"]:
            assert chip["captive_owner"] in firms
        else:
            assert 2 * float(chip["unit_cost_usd"]) < float(chip["list_price_usd"]), chip


def test_the_export_rules_bar_exactly_the_chips_whose_sale_to_china_ends() -> None:
    for chip in chips().values():
        if chip["origin"] != "US" or chip["captive_owner"]:
            continue
        release, until = index(chip["release"]), chip["china_until"]
        if barred_in_2022(chip):
            sold_before = release < index("2022Q4")
            assert until == "2022Q3" if sold_before else chip["china_from"] == "never", chip
        elif barred_in_2023(chip):
            assert until == "2023Q4", chip
        else:
            assert until == "" and chip["china_from"] != "never", chip


def test_the_chips_that_a_rule_names_exist_and_their_sale_ends_as_it_takes_effect() -> None:
    table = chips()
    for rule in read("export_rules"):
        assert index(rule["quarter"]) >= int(rule["date"][:4]) * 4
        for name in filter(None, rule["chips"].split(";")):
            chip = table[name]
            ends = chip["china_until"]
            assert chip["china_from"] == "never" or index(ends) == index(rule["quarter"]) - 1, name
        if rule["buyers_restricted"]:
            assert rule["buyers_restricted"] in {row["firm"] for row in read("firms")}


def test_every_vendor_sells_a_flagship_and_a_small_model_and_each_launch_is_dated_to_2024() -> None:
    launches = read("launches")
    assert {row["vendor"] for row in launches} == VENDORS
    for vendor, tier in product(VENDORS, ("flagship", "small")):
        line = [row for row in launches if (row["vendor"], row["tier"]) == (vendor, tier)]
        assert [int(row["generation"]) for row in line] == list(range(1, len(line) + 1)), (vendor, tier)
        assert line and [row["launch"] for row in line] == sorted(row["launch"] for row in line)
    for row in launches:
        year, month, _ = row["launch"].split("-")
        assert row["quarter"] == f"{year}Q{(int(month) + 2) // 3}"
        assert index(row["quarter"]) <= index("2024Q4")
        if row["retired"]:
            assert index(row["quarter"]) < index(row["retired"]) <= index("2024Q4")


def test_a_new_generation_is_never_a_worse_model() -> None:
    best: dict[tuple[str, str], float] = {}
    for row in read("launches"):
        line, score = (row["vendor"], row["tier"]), float(row["mmlu"])
        # Llama 3.3 with 70 billion parameters replaced 405 billion at a little less of the score
        assert score >= best.get(line, 0.0) - 1.5, row
        best[line] = score


def test_sparse_models_and_only_they_use_fewer_parameters_than_they_hold() -> None:
    for row in read("launches"):
        active, total = float(row["active_params_b"]), float(row["total_params_b"])
        assert (row["sparse"] == "1") == (active < total) and active <= total, row
        assert 24 <= float(row["mmlu"]) <= 91, row


def test_latent_attention_keeps_less_than_half_the_cache_of_dense_models_of_its_quality() -> None:
    cache = {row["model"]: float(row["kv_bytes_per_token"]) for row in read("launches")}
    assert cache["deepseek-v2"] == (512 + 64) * 60 * 2
    assert cache["llama-2-70b"] == 2 * 80 * 8 * 128 * 2
    assert cache["deepseek-v2"] < cache["llama-3-70b"] / 2 < cache["gpt-3-davinci"]


def test_the_market_of_2022_has_a_western_and_a_chinese_offer() -> None:
    early = [row["vendor"] for row in read("launches") if index(row["quarter"]) < index("2022Q2")]
    assert {"OpenAI", "Baidu ERNIE"} <= set(early)


def test_no_firm_is_owned_more_than_wholly_in_any_quarter() -> None:
    stakes = read("stakes")
    for quarter in range(index("2020Q1"), index("2025Q1")):
        held: dict[str, float] = {}
        controlled: dict[str, float] = {}
        for row in stakes:
            if index(row["from"]) <= quarter and (not row["until"] or quarter <= index(row["until"])):
                held[row["owned"]] = held.get(row["owned"], 0.0) + float(row["rights"])
                controlled[row["owned"]] = controlled.get(row["owned"], 0.0) + float(row["control"])
        assert all(share <= 1 for share in (*held.values(), *controlled.values())), (held, controlled)


def test_every_name_in_the_relations_is_a_firm_of_the_right_kind() -> None:
    kind = {row["firm"]: row["kind"] for row in read("firms")}
    assert {name for name, of in kind.items() if of == "vendor"} == VENDORS
    for row in read("stakes"):
        assert kind[row["owner"]] == "cloud" and kind[row["owned"]] in {"vendor", "chipmaker"}, row
    for row in read("partners"):
        assert kind[row["vendor"]] == "vendor" and kind[row["cloud"]] in {"cloud", "venue"}, row
        assert row["role"] in {"serves", "resells"}
    for row in read("access"):
        assert kind[row["vendor_or_cloud"]] != "chipmaker" and row["region"] in REGIONS, row
    for row in read("chips"):
        assert kind[row["maker"]] == "chipmaker", row
    for row in (*read("captive"), *read("fleets")):
        assert kind[row["owner"]] in {"cloud", "venue"}, row


def test_a_vendor_with_an_interface_has_one_fleet_behind_it_from_its_first_sale() -> None:
    access: dict[str, int] = {}
    for row in read("access"):
        name = row["vendor_or_cloud"]
        access[name] = min(access.get(name, 10**6), index(row["from"]))
    for vendor in VENDORS - {"Meta"}:
        serving = [row for row in read("partners") if (row["vendor"], row["role"]) == (vendor, "serves")]
        for quarter in range(access[vendor], index("2025Q1")):
            live = [
                row
                for row in serving
                if index(row["from"]) <= quarter and (not row["until"] or quarter <= index(row["until"]))
            ]
            assert len(live) == 1, (vendor, quarter)


def test_no_western_vendor_sells_its_own_interface_in_china() -> None:
    western = {row["firm"] for row in read("firms") if row["kind"] == "vendor" and row["origin"] != "CN"}
    sold = {row["vendor_or_cloud"] for row in read("access") if row["region"] == "China"}
    assert not western & sold
    assert {row["firm"] for row in read("firms") if row["kind"] == "cloud" and row["origin"] == "CN"} <= sold


def test_firms_carry_the_numbers_that_their_kind_needs() -> None:
    needs = {
        "cloud": ("cash_usd", "power_usd_per_kwh", "pue", "cost_of_capital", "cloud_share_home"),
        "venue": ("cash_usd", "power_usd_per_kwh", "pue", "cost_of_capital"),
        "vendor": ("cash_usd", "research_usd_per_quarter", "research_from", "cost_of_capital"),
        "chipmaker": ("cash_usd", "research_usd_per_quarter", "research_from", "cost_of_capital"),
    }
    shares: dict[str, float] = {}
    for row in read("firms"):
        assert all(row[column] != "" for column in needs[row["kind"]]), row
        assert row["region"] in REGIONS
        if row["pue"]:
            assert 1.05 <= float(row["pue"]) <= 1.7
        if row["cloud_share_home"]:
            shares[row["origin"]] = shares.get(row["origin"], 0.0) + float(row["cloud_share_home"])
    # The hyperscalers of China and of America hold most of their home markets, local champions a part of theirs.
    assert all(0.5 < shares[origin] <= 1 for origin in ("CN", "US")), shares
    assert all(0.0 < shares[origin] < 0.2 for origin in ("AP", "EU")), shares


def test_each_maker_has_a_capacity_for_every_quarter_to_2024_and_no_ai_class_beyond_it() -> None:
    quarters = [f"{year}Q{number}" for year in (2022, 2023, 2024) for number in (1, 2, 3, 4)]
    makers = {row["firm"] for row in read("firms") if row["kind"] == "chipmaker"}
    assert [(row["maker"], row["quarter"]) for row in read("capacity")] and {
        row["maker"] for row in read("capacity")
    } == makers
    for maker in makers:
        rows = [row for row in read("capacity") if row["maker"] == maker]
        assert [row["quarter"] for row in rows] == quarters
        assert all(0 <= float(row["ai_units_per_quarter"]) <= float(row["units_per_quarter"]) for row in rows)


def test_nvidia_could_ship_what_was_counted_in_2022_and_2023() -> None:
    rows = [row for row in read("capacity") if row["maker"] == "NVIDIA"]
    units = {row["quarter"]: float(row["units_per_quarter"]) for row in rows}
    for year, counted in ((2022, 2.64e6), (2023, 3.76e6)):
        shipped = sum(value for quarter, value in units.items() if quarter.startswith(str(year)))
        assert counted <= shipped <= 1.1 * counted


def test_the_segments_cover_every_region_sector_and_size_once() -> None:
    keys = [(row["region"], row["sector"], row["size"]) for row in read("segments")]
    assert sorted(keys) == sorted(product(REGIONS, SECTORS, ("large", "small")))


def test_small_firms_schools_and_governments_are_the_more_price_sensitive_buyers() -> None:
    factor = {(r["region"], r["sector"], r["size"]): float(r["alpha_factor"]) for r in read("segments")}
    for region, sector in product(REGIONS, SECTORS):
        assert factor[region, sector, "small"] > factor[region, sector, "large"]
        if sector in {"technology", "finance", "industry", "services"}:
            for size, public in product(("large", "small"), ("education", "government")):
                assert factor[region, public, size] > factor[region, sector, size]


def test_captive_work_grows_and_starts_at_what_the_fleets_can_do() -> None:
    fleets = read("fleets")
    table = chips()
    for row in read("captive"):
        levels = [float(row[f"level_{year}q1"]) for year in (2022, 2023, 2024, 2025)]
        assert levels == sorted(levels) and levels[0] > 0
    for workload, rate in (("training", training_rate), ("captive", inference_rate)):
        for owners in (CHINESE_OWNERS, ("AWS", "Azure", "GCP", "Colocation West", "On-premises West")):
            work = sum(
                float(row["level_2022q1"])
                for row in read("captive")
                if row["workload"] == workload and row["owner"] in owners
            )
            able = sum(
                float(row["units"]) * rate(row["chip"])
                for row in fleets
                if row["owner"] in owners and (workload == "captive" or table[row["chip"]]["class"] == "ai")
            )
            assert able / 3 <= work <= able, (workload, owners, work, able)


def test_chinese_captive_growth_needs_the_cards_that_were_counted() -> None:
    """IDC: 1.09 and 1.335 million cards in 2022 and 2023; Epoch AI: 100,828 and 209,001 A100 to H800."""
    level = {
        (row["workload"], year): sum(
            float(other[f"level_{year}q1"])
            for other in read("captive")
            if other["workload"] == row["workload"] and other["owner"] in CHINESE_OWNERS
        )
        for row in read("captive")
        for year in (2022, 2023, 2024)
    }
    captive_of_ai_class, retired_a_year = 0.75, 0.2
    of_2023 = (93.3 * training_rate("A800") + 115.3 * training_rate("H800")) / 208.6
    # year, counted AI-class units of NVIDIA, their mean rate, domestic AI-class units and chip, all cards,
    # mean rate of a mid-range card by the mixes of docs/evidence.md
    for year, counted_ai, rate, domestic, chip, counted_all, card in (
        (2022, 100_828, training_rate("A100"), 20_000, "Ascend 910A", 1_090_000, 0.862),
        (2023, 209_001, of_2023, 38_000, "Ascend 910B", 1_335_000, 0.905),
    ):
        grown = (level["training", year + 1] - level["training", year]) / captive_of_ai_class
        assert (grown - domestic * training_rate(chip)) / rate == pytest.approx(counted_ai, rel=0.03)
        bought = level["captive", year + 1] - (1 - retired_a_year) * level["captive", year]
        assert bought / card + counted_ai + domestic == pytest.approx(counted_all, rel=0.05)
