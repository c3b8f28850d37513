"""Who and what is there at the start: chips, models, firms, fleets and edges, from the tables of ``evidence/``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.chipmaker import Chipmaker
from agents.cloud import Cloud, install
from agents.facts import quarter_of
from agents.listing import PARTNER_ONLY
from agents.policy import FREE, ExportTerms, State
from agents.vendor import Vendor
from model import calendar
from model.catalogue import Catalogue
from model.chip import ChipBook
from model.fleet import HOURS_PER_QUARTER, Fleets
from model.ledger import Kind
from model.parameters import Parameters
from model.place import (
    ASIA_PACIFIC,
    CAPTIVE,
    DENSE,
    HOME_OF_ORIGIN,
    PURPOSES,
    REGION_INDEX,
    REGIONS,
    TRAINING,
)
from model.procurement import reassignment, suitability
from model.serving import Architecture, CaptiveWork, ServingTechnology, TrainingTechnology
from model.trend import faded_growth

if TYPE_CHECKING:
    from model.market import Market

OUTSIDE = ("suppliers", "utilities", "staff", "investors", "other business")
"""Accounts of the world outside the market."""

KNOTS = ("2022Q1", "2023Q1", "2024Q1", "2025Q1")
"""Quarters of the levels in ``evidence/captive.csv``."""

KNOT_QUARTERS = tuple(calendar.index(name) for name in KNOTS)

ROUNDS = 20
"""Rounds in which the founding fleets are shared out between training and captive work."""

NO_CARDS = 1e-9
"""Stands for none where a logarithm is taken."""


def catalogue(p: Parameters) -> Catalogue:
    """An empty catalogue with the technology of serving, training and captive work."""
    kinds = {str(row["firm"]): row["kind"] for row in p.facts("firms")}
    makers = [name for name, kind in kinds.items() if kind == "chipmaker"]
    owners = [name for name, kind in kinds.items() if kind in ("cloud", "venue")]
    return Catalogue(
        serving=ServingTechnology(
            weight_bytes=p.weight_bytes,
            activation_bytes=p.activation_bytes,
            compute_efficiency=p.compute_efficiency,
            bandwidth_efficiency=p.bandwidth_efficiency,
            interconnect_efficiency=p.interconnect_efficiency,
            sparse_efficiency=p.sparse_efficiency,
            pipeline_efficiency=p.pipeline_efficiency,
            memory_usable_share=p.memory_usable_share,
            latency_target_s=p.latency_target_s,
            input_per_output=p.input_per_output,
            context_tokens=p.context_tokens,
            node_chips=int(p.node_chips),
            max_chips=int(p.max_chips),
            transfer_latency_us=p.transfer_latency_us,
            width_over_depth=p.width_over_depth,
            cache_bytes=p.cache_bytes,
        ),
        training=TrainingTechnology(
            p.model_flop_utilisation, p.training_bytes_per_flop, p.training_interconnect_efficiency
        ),
        chips=ChipBook(
            {name: number for number, name in enumerate(makers)},
            {name: number for number, name in enumerate(owners)},
        ),
        captive=CaptiveWork(
            params_b=p.captive_params_b,
            tokens_per_query=p.captive_tokens_per_query,
            batch=p.captive_batch,
            lookup_mb=p.captive_lookup_mb,
            compute_efficiency=p.captive_compute_efficiency,
            bandwidth_efficiency=p.captive_bandwidth_efficiency,
        ),
        online_efficiency=p.online_efficiency,
        reference_dense=Architecture(
            p.reference_dense_params_b, p.reference_dense_params_b, p.reference_dense_cache_bytes
        ),
        reference_sparse=Architecture(
            p.reference_sparse_active_b,
            p.reference_sparse_total_b,
            p.reference_sparse_cache_bytes,
            p.shared_expert_share,
        ),
    )


def found_firms(market: Market) -> None:
    """Make every firm, its account, its node, its fleet and its edges."""
    p = market.parameters
    for name in OUTSIDE:
        market.ledger.open(name, outside=True)
    market.fleets = _fleets(market)
    fleets = {fleet.owner: fleet for fleet in market.fleets}
    for row in p.facts("firms"):
        name, kind, region, origin = (str(row[key]) for key in ("firm", "kind", "region", "origin"))
        market.ledger.open(name)
        market.graph.add(name, "cloud" if kind == "venue" else kind, region, origin)
        cash = float(row["cash_usd"])
        if cash > 0.0:
            market.ledger.pay("investors", name, Kind.OPENING, cash)
        if kind == "chipmaker":
            market.chipmakers[name] = Chipmaker(market, name, region, origin, _capacity(p, name))
        elif kind == "vendor":
            plan, support = (
                float(row["research_usd_per_quarter"]),
                float(row["parent_support_usd_per_quarter"]),
            )
            starts = quarter_of(row["research_from"]) or 0
            market.vendors[name] = Vendor(market, name, region, origin, plan, support, starts)
        else:
            fleet = fleets[name]
            fleet.power_usd_per_kwh = float(row["power_usd_per_kwh"])
            fleet.pue = float(row["pue"])
            fleet.cost_of_capital = float(row["cost_of_capital"])
            sizes = _sizes(row, p)
            cloud = Cloud(market, name, region, origin, str(row["channel"]), fleet, sizes)
            market.clouds[name] = cloud
    units = market.fleets.units
    install(market.fleets, units, np.zeros(units.shape[:2]), market.catalogue.column("tdp_w"), p)
    _found_states(market)
    _found_edges(market)


def _sizes(row: dict[str, Any], p: Parameters) -> dict[int, float]:
    """A cloud's standing (share of all cloud spending) by buyers' region."""
    home = REGION_INDEX[str(row["region"])]
    share = float(row["cloud_share_home"])
    if math.isnan(share):
        return {}
    abroad = float(row["cloud_share_apac"])
    abroad = 0.0 if math.isnan(abroad) else abroad
    sizes = dict.fromkeys(range(len(REGIONS)), max(abroad * p.standing_abroad, p.smallest_standing))
    sizes[ASIA_PACIFIC] = max(abroad, p.smallest_standing)
    sizes[home] = share
    if row["origin"] == "US":
        # American clouds stand in Europe as they do at home.
        sizes[REGION_INDEX["Europe and rest"]] = share
        sizes[REGION_INDEX["China"]] = p.smallest_standing
    return sizes


def _capacity(p: Parameters, maker: str) -> dict[int, dict[str, float]]:
    """Units a quarter that a maker can ship to the modelled buyers, AI-class and mid-range, by quarter."""
    found: dict[int, dict[str, float]] = {}
    for row in p.facts("capacity"):
        if row["maker"] != maker:
            continue
        share = float(row["modelled_share"])
        ai = float(row["ai_units_per_quarter"])
        quarter = quarter_of(row["quarter"])
        assert quarter is not None
        # A study may draw more of the better part than there is of all.
        rest = max(float(row["units_per_quarter"]) - ai, 0.0)
        found[quarter] = {"ai": ai * share, "mid-range": rest * share}
    return found


def captive_levels(p: Parameters) -> dict[str, np.ndarray]:
    """Log work of each owner's other business at the knots, in reference cards, shape (2, knots).

    Rows are training (A100 cards) and captive inference (A10 cards).
    """
    found: dict[str, np.ndarray] = {}
    for row in p.facts("captive"):
        levels = [max(float(row[f"level_{name.lower()}"]), NO_CARDS) for name in KNOTS]
        table = found.setdefault(str(row["owner"]), np.full((2, len(KNOTS)), math.log(NO_CARDS)))
        table[0 if row["workload"] == "training" else 1] = np.log(levels)
    return found


def captive_work(market: Market, owner: str, quarter: int) -> np.ndarray:
    """Work that the owner's other business asks of its fleet, reference units a quarter, shape (purposes,).

    Log-linear between the levels of ``evidence/captive.csv``; after the last it grows at a rate that
    fades (``captive_growth`` a year at first, fading by ``captive_growth_fade`` a year).
    """
    p = market.parameters
    work = np.zeros(len(PURPOSES))
    levels = market.captive_levels.get(owner)
    if levels is None:
        return work
    years = max(quarter - KNOT_QUARTERS[-1], 0) / calendar.QUARTERS_PER_YEAR
    later = faded_growth(math.log1p(p.captive_growth), p.captive_growth_fade, years)
    cards = [math.exp(float(np.interp(quarter, KNOT_QUARTERS, row)) + later) for row in levels]
    per_card = HOURS_PER_QUARTER * p.target_utilisation
    work[TRAINING] = cards[0] * per_card * market.catalogue.work[market.chip_index["A100"], TRAINING]
    work[CAPTIVE] = cards[1] * per_card * market.catalogue.work[market.chip_index["A10"], CAPTIVE]
    return work


def _fleets(market: Market) -> Fleets:
    """Fleets of 2022Q1, each chip given to the work it suits and a sliver of it to inference."""
    p, chips = market.parameters, market.catalogue.chips
    owners = [
        (str(row["firm"]), REGION_INDEX[str(row["region"])], str(row["origin"]))
        for row in p.facts("firms")
        if row["kind"] in ("cloud", "venue")
    ]
    fleets = Fleets(owners, len(chips))
    of = {fleet.owner: fleet for fleet in fleets}
    for row in p.facts("fleets"):
        index = market.chip_index[str(row["chip"])]
        units = float(row["units"])
        into = TRAINING if chips[index].grade == "ai" else CAPTIVE
        fleet = of[str(row["owner"])]
        fleet.units[index, into] += units * (1.0 - p.initial_inference_share)
        fleet.units[index, DENSE] += units * p.initial_inference_share
    prices = np.array([chip.price for chip in chips])
    suits = suitability(market.catalogue.work, prices, p.suitability_sharpness)
    for fleet in fleets:
        # Training and captive work start with the chips that they need in proportion.
        own = captive_work(market, fleet.owner, 0)
        for _ in range(ROUNDS):
            rate = (fleet.units * market.catalogue.work).sum(axis=0)
            units = fleet.units.sum(axis=0)
            hours = np.divide(own * units, rate, out=np.zeros_like(own), where=rate > 0.0)
            hours[DENSE] = units[DENSE] * HOURS_PER_QUARTER
            spread = hours[[TRAINING, CAPTIVE]].sum()
            if spread <= 0.0:
                break
            hours[[TRAINING, CAPTIVE]] *= units[[TRAINING, CAPTIVE]].sum() * HOURS_PER_QUARTER / spread
            fleet.units = reassignment(fleet.units, hours, HOURS_PER_QUARTER, 1.0, suits)
    return fleets


def _found_states(market: Market) -> None:
    market.states["United States"] = State(market, "United States", "North America")
    market.states["China"] = State(market, "China", "China")
    rules = market.states["United States"].rules
    for row in market.parameters.facts("export_rules"):
        quarter = quarter_of(row["quarter"])
        tflops = float(row["max_bf16_tflops"])
        if quarter is not None and not math.isnan(tflops):
            links = float(row["max_interconnect_gbs"])
            # Of two rules in one quarter the later one holds.
            rules[max(quarter, 0)] = ExportTerms(tflops, math.inf if math.isnan(links) else links)


def _found_edges(market: Market) -> None:
    """Nodes of the segments and who may sell chips; dated edges of the facts are kept until their quarter."""
    graph, p = market.graph, market.parameters
    for node, (region, _) in zip(market.nodes, market.node_places, strict=True):
        origin = next((o for o, home in HOME_OF_ORIGIN.items() if home == REGIONS[region]), "AP")
        graph.add(node, "segment", REGIONS[region], origin)
        market.ledger.open(node, outside=True)
    listed = (
        {str(row["buyers_restricted"]) for row in p.facts("export_rules")} - {""} if p.export_rules else set()
    )
    for maker in market.chipmakers.values():
        owners = {str(row["captive_owner"]) for row in p.facts("chips") if row["maker"] == maker.name}
        for cloud in market.clouds.values():
            # Buyers on the entity list may not buy from makers under United States rules.
            barred = cloud.name in listed and maker.region == "North America"
            # Chinese makers sell at home: compliance keeps their chips out of Western fleets.
            abroad = maker.domestic and cloud.origin != "CN"
            if (owners == {""} or cloud.name in owners) and not (barred or abroad):
                graph.permit(maker.name, cloud.name, "chips", export=FREE)
    for row in p.facts("access"):
        region = REGION_INDEX[str(row["region"])]
        scope = PARTNER_ONLY if "partner" in str(row["scope"]) else "all"
        for node, (place, _) in zip(market.nodes, market.node_places, strict=True):
            if place == region:
                _date(market, row, "tokens", str(row["vendor_or_cloud"]), node, scope=scope)
    for row in p.facts("partners"):
        vendor, host = str(row["vendor"]), str(row["cloud"])
        if row["role"] == "serves":
            _date(market, row, "hosting", host, vendor, role="serves")
        else:
            _date(market, row, "hosting", vendor, host, role="resells")
    for row in p.facts("stakes"):
        if not p.cloud_ownership and row["owner"] in market.clouds and row["owned"] in market.vendors:
            continue
        shares = {"rights": float(row["rights"]), "control": float(row["control"])}
        _date(market, row, "equity", str(row["owner"]), str(row["owned"]), **shares)


def _date(market: Market, row: dict[str, Any], kind: str, source: str, target: str, **terms: Any) -> None:
    """Put an edge of the facts on the calendar, from its first quarter to its last."""
    starts, ends = quarter_of(row["from"]), quarter_of(row["until"])
    if ends is not None and ends < 0:
        return
    market.edges_to_come.setdefault(max(starts or 0, 0), []).append((kind, source, target, terms))
    if ends is not None:
        market.edges_to_end.setdefault(ends + 1, []).append((kind, source, target))
