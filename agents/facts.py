"""Chips and models of the fact tables as they enter the market, each in its quarter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from model import calendar
from model.capability import BenchmarkLink, capability_from_score, dense_equivalent
from model.catalogue import Model
from model.chip import Chip
from model.parameters import Parameters
from model.serving import Architecture, ChipSpec

KEPT = 8
"""Sets of parameters whose facts are kept at hand: the runs of a batch differ in their seeds, or in a few parameters."""


def link(p: Parameters) -> BenchmarkLink:
    """The logistic link from capability to MMLU."""
    return BenchmarkLink(p.mmlu_floor, p.mmlu_ceiling, p.mmlu_slope, p.mmlu_midpoint)


def quarter_of(text: Any) -> int | None:
    """A quarter of the fact tables as a number, negative before 2022Q1; None where the cell is empty."""
    return None if str(text) in ("", "nan") else calendar.index(str(text))


def _before(quarter: int | None) -> int | None:
    """The last quarter of something whose first quarter of absence is given."""
    return None if quarter is None else quarter - 1


def _or(quarter: int | None, otherwise: float) -> float:
    """A quarter, or what stands in its place where none is given."""
    return otherwise if quarter is None else quarter


@lru_cache(maxsize=KEPT)
def firms(p: Parameters) -> tuple[Mapping[str, Any], ...]:
    """The rows of ``evidence/firms.csv``."""
    return tuple(p.facts("firms"))


@lru_cache(maxsize=KEPT)
def _chips(p: Parameters) -> tuple[tuple[int, dict[str, Any]], ...]:
    found = []
    for row in p.facts("chips"):
        released = quarter_of(row["release"])
        assert released is not None
        found.append((max(released, 0), dict(row, launched=released)))
    return tuple(found)


def given_chips(p: Parameters) -> dict[int, list[dict[str, Any]]]:
    """Rows of chips by the quarter of release, not to be changed; those before the start under 0."""
    found: dict[int, list[dict[str, Any]]] = {}
    for quarter, row in _chips(p):
        found.setdefault(quarter, []).append(row)
    return found


def chip_of(row: dict[str, Any], index: int, p: Parameters) -> Chip:
    """A chip on the market from its row of ``evidence/chips.csv``."""
    starts = str(row["china_from"])
    spec = ChipSpec(
        name=row["chip"],
        maker=row["maker"],
        origin=row["origin"],
        release=row["release"],
        bf16_tflops=row["bf16_tflops"],
        int8_tops=row["int8_tops"],
        memory_gb=row["memory_gb"],
        bandwidth_tbs=row["bandwidth_tbs"],
        interconnect_gbs=row["interconnect_gbs"],
        tdp_w=row["tdp_w"],
    )
    return Chip(
        spec=spec,
        index=index,
        launched=row["launched"],
        line=row["successor_line"],
        grade=row["class"],
        inference_listed=bool(float(row["inference_listed"])),
        captive_owner=row["captive_owner"],
        price=row["list_price_usd"],
        unit_cost=row["unit_cost_usd"],
        first_cost=row["unit_cost_usd"],
        given=True,
        trains=row["interconnect_gbs"] >= p.training_interconnect_least_gbs,
        window_from=math.inf if starts == "never" else _or(quarter_of(starts), row["launched"]),
        window_until=_or(quarter_of(row["china_until"]), math.inf),
        made_for_rules=starts not in ("", "nan", "never") or row["successor_line"] == "nvidia-china",
    )


def given_models(p: Parameters) -> dict[int, list[Model]]:
    """Models of the facts by quarter of launch; those before the start under 0.

    Without sparse architectures each is the dense model of equal quality: the geometric mean of its total
    and active parameters, with the cache of its dense peers.
    """
    found: dict[int, list[Model]] = {}
    for quarter, fields in _models(p):
        found.setdefault(quarter, []).append(Model(**fields))
    return found


@lru_cache(maxsize=KEPT)
def _models(p: Parameters) -> tuple[tuple[int, dict[str, Any]], ...]:
    """The quarter and the fields of each model of the facts."""
    origin = {row["firm"]: row["origin"] for row in firms(p)}
    rows = p.facts("launches")
    capabilities = capability_from_score([float(row["mmlu"]) for row in rows], link(p), p.mmlu_margin)
    found = []
    for row, capability in zip(rows, capabilities.tolist(), strict=True):
        active = float(row["active_params_b"])
        # A dense model has one size; a mixture is never smaller than what it uses, whatever a study draws.
        total = max(float(row["total_params_b"]), active) if bool(float(row["sparse"])) else active
        cache = float(row["kv_bytes_per_token"])
        if total > active and not p.sparse_architectures:
            active = total = dense_equivalent(total, active)
            cache = max(cache, p.cache_bytes_per_token * math.sqrt(active / p.cache_reference_params_b))
        launched = quarter_of(row["quarter"])
        assert launched is not None
        fields = {
            "name": str(row["model"]),
            "vendor": str(row["vendor"]),
            "tier": str(row["tier"]),
            "generation": int(row["generation"]),
            "origin": str(origin[row["vendor"]]),
            "launched": launched,
            "capability": capability,
            "architecture": Architecture(
                active, total, cache, p.shared_expert_share if total > active else 1.0
            ),
            "open_weights": bool(float(row["open_weights"])) and bool(p.open_weights),
            "given": True,
            "until": _before(quarter_of(row["retired"])),
        }
        found.append((max(launched, 0), fields))
    return tuple(found)
