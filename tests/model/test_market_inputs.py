"""What goes into the market: sourced facts and parameters, no path of an outcome; and the same bytes every time."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agents.facts import quarter_of
from model import calendar
from model.parameters import Parameters, described_columns, scalars
from model.records import tables

ROOT = Path(__file__).parents[2]
FACTS = {
    "access",
    "capacity",
    "captive",
    "chips",
    "export_rules",
    "firms",
    "fleets",
    "launches",
    "partners",
    "segments",
    "stakes",
}
"""The tables of facts that a market is made from: who, what, where and since when."""

OUTCOMES = {"prices", "observations", "claims", "targets", "likelihood", "tolerances"}
"""What happened, or is said to happen, in the market: to be judged against, never to be read."""

NUMBERS = {
    "capacity": {"units_per_quarter", "ai_units_per_quarter", "modelled_share"},
    "captive": {"level_2022q1", "level_2023q1", "level_2024q1", "level_2025q1"},
    "chips": {
        "bf16_tflops",
        "int8_tops",
        "memory_gb",
        "bandwidth_tbs",
        "interconnect_gbs",
        "tdp_w",
        "die_mm2",
        "unit_cost_usd",
        "list_price_usd",
    },
    "export_rules": {
        "max_bf16_tflops",
        "max_total_processing_performance",
        "max_interconnect_gbs",
        "max_performance_density",
        "max_hbm_bandwidth_density_gbs_mm2",
    },
    "firms": {
        "cash_usd",
        "research_usd_per_quarter",
        "parent_support_usd_per_quarter",
        "power_usd_per_kwh",
        "pue",
        "cost_of_capital",
        "cloud_share_home",
        "cloud_share_apac",
    },
    "fleets": {"units"},
    "launches": {"active_params_b", "total_params_b", "mmlu", "kv_bytes_per_token"},
    "segments": {"firms", "workload_mtok_per_quarter", "alpha_factor", "beta_factor"},
    "stakes": {"rights", "control"},
}
"""Their numbers: technology, costs, where everybody starts, captive work, rules; first prices of chips only."""

RUN = """
import hashlib, json, sys
opened = set()
def listen(event, details):
    if event == "open" and isinstance(details[0], str):
        opened.add(details[0].replace("\\\\", "/"))
sys.addaudithook(listen)
from model.market import Market
from model.parameters import Parameters
from model.setting import Setting
from scenarios.shocks import Consortium
setting = Setting("x", Parameters.resolve({"enterprises": 60}), (Consortium("2023Q3"),), last="2024Q1")
frames = Market(setting, seed=7).run()
digests = {name: hashlib.sha256(f.to_csv(index=False).encode()).hexdigest() for name, f in frames.items()}
read = sorted(path.split("/evidence/")[-1] for path in opened if "/evidence/" in path)
print(json.dumps({"digests": digests, "read": read, "rows": {name: len(f) for name, f in frames.items()}}))
"""


@pytest.fixture(scope="module")
def processes() -> list[dict[str, Any]]:
    """The same world in two processes that hash texts differently."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", RUN],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "2")
    ]
    answers = [process.communicate()[0] for process in started]
    assert all(process.returncode == 0 for process in started)
    return [json.loads(answer) for answer in answers]


def test_a_seed_and_a_setting_give_the_same_tables_in_every_process(processes):
    one, other = processes
    assert one["digests"].keys() == tables().keys()
    assert min(one["rows"].values()) > 0
    assert one["digests"] == other["digests"]


def test_no_process_that_runs_a_market_opens_a_table_of_outcomes(processes):
    for answer in processes:
        read = {Path(path).stem for path in answer["read"] if path.endswith(".csv")}
        assert not read & OUTCOMES
        assert read >= FACTS  # the listener hears


def modules() -> list[Path]:
    return [file for folder in ("model", "agents") for file in sorted((ROOT / folder).glob("*.py"))]


def tables_asked_for(source: str) -> set[str]:
    """The tables of facts that code asks for by name; an unknown name counts as ``?``."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("facts", "fact_table")
        ):
            name = node.args[0] if node.args else None
            known = isinstance(name, ast.Constant) and isinstance(name.value, str)
            found.add(str(name.value) if known and isinstance(name, ast.Constant) else "?")
    return found


def test_the_market_asks_for_facts_and_never_for_outcomes():
    asked = {file.stem: tables_asked_for(file.read_text(encoding="utf-8")) for file in modules()}
    assert set().union(*asked.values()) == FACTS
    assert all(not names & OUTCOMES for names in asked.values())


def test_a_table_that_is_asked_for_is_found_wherever_it_hides():
    assert tables_asked_for("def f(p):\n    return [r for r in p.facts('prices')]") == {"prices"}
    assert tables_asked_for("market.parameters.facts(name)") == {"?"}


def test_the_market_reads_no_files_but_through_the_parameter_table():
    # Facts pass through the table, which names, bounds and overrides every number.
    for file in modules():
        if file.name in ("parameters.py", "records.py", "kernel.py"):  # the last reads the sources of kernels
            continue
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"\bread_csv\b|\bread_text\b|\bread_bytes\b|importlib|\bopen\([\"'f]", text), (
            file
        )
        assert not re.search(r"\.csv[\"']", text), file


def test_the_numbers_among_the_facts_are_technology_costs_and_beginnings():
    described = described_columns()
    found = {name: {row["column"] for row in described[name]} for name in FACTS if name in described}
    assert found == NUMBERS


def test_facts_end_with_2024():
    p, end = Parameters.resolve({}), calendar.index("2024Q4")

    def latest(table: str, column: str) -> int:
        dates = [quarter_of(row[column]) for row in p.facts(table) if row[column] != "never"]
        return max(date for date in dates if date is not None)

    assert latest("launches", "quarter") <= end
    assert latest("capacity", "quarter") <= end
    # A rule of December takes effect in the quarter after.
    assert max(str(row["date"]) for row in p.facts("export_rules")) < "2025"
    assert latest("export_rules", "quarter") <= end + 1
    for table in ("access", "partners", "stakes"):
        assert latest(table, "from") <= end
    assert latest("chips", "release") <= end


def test_no_parameter_is_the_value_of_a_quarter():
    assert [name for name in scalars() if re.search(r"20[23]\d|q[1-4]\b", name)] == []
