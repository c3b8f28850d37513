"""Who and what is there at the start: chips, models, firms, fleets and edges, from the tables of ``evidence/``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agents.chipmaker import Chipmaker
from agents.cloud import Cloud, install
from agents.facts import KEPT, firms, given_chips, quarter_of
from agents.listing import PARTNER_ONLY
from agents.policy import FREE, ExportTerms, State
from agents.vendor import Vendor
from model import calendar
from model.catalogue import Catalogue
from model.chip import ChipBook
from model.fleet import HOURS_PER_QUARTER, Fleets
from model.ledger import Kind
from model.parameters import ParameterError, Parameters
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

if TYPE_CHECKING:
    from model.market import Market

FloatArray = NDArray[np.float64]
Begins = tuple[str, str, str, dict[str, Any]]
Ends = tuple[str, str, str]

OUTSIDE = ("suppliers", "utilities", "staff", "investors", "other business")
"""Accounts of the world outside the market."""

ROUNDS = 20
"""Rounds in which the founding fleets are shared out between training and captive work."""


def catalogue(p: Parameters) -> Catalogue:
    """An empty catalogue with the technology of serving, training and captive work."""
    kinds = {str(row["firm"]): row["kind"] for row in firms(p)}
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
    makers = _capacities(p)
    for row in firms(p):
        name, kind, region, origin = (str(row[key]) for key in ("firm", "kind", "region", "origin"))
        market.ledger.open(name)
        market.graph.add(name, "cloud" if kind == "venue" else kind, region, origin)
        cash = float(row["cash_usd"])
        if cash > 0.0:
            market.ledger.pay("investors", name, Kind.OPENING, cash)
        if kind == "chipmaker":
            market.chipmakers[name] = Chipmaker(market, name, region, origin, _of_start(makers, name))
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
    count, watts = units.sum(axis=1), market.catalogue.column("tdp_w") @ units
    install(market.fleets, count, watts, np.zeros_like(count), p)
    _found_states(market)
    _found_edges(market)


def _sizes(row: Mapping[str, Any], p: Parameters) -> dict[int, float]:
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


@lru_cache(maxsize=KEPT)
def _capacities(p: Parameters) -> dict[str, dict[int, dict[str, float]]]:
    """Units a quarter that each maker can ship to the modelled buyers, AI-class and mid-range, by quarter."""
    found: dict[str, dict[int, dict[str, float]]] = {}
    for row in p.facts("capacity"):
        share = float(row["modelled_share"])
        ai = float(row["ai_units_per_quarter"])
        quarter = quarter_of(row["quarter"])
        assert quarter is not None
        # A study may draw more of the better part than there is of all.
        rest = max(float(row["units_per_quarter"]) - ai, 0.0)
        found.setdefault(str(row["maker"]), {})[quarter] = {"ai": ai * share, "mid-range": rest * share}
    return found


def _of_start(
    capacities: Mapping[str, dict[int, dict[str, float]]], maker: str
) -> dict[int, dict[str, float]]:
    """The capacity of a maker by quarter. Raises ParameterError where none is given for the first."""
    given = capacities.get(maker, {})
    if 0 not in given:
        raise ParameterError(
            f"evidence/capacity.csv says nothing of {maker} in {calendar.name(0)}: add a row for each quarter that is "
            "given, with 0 units where it makes none yet"
        )
    return given


@lru_cache(maxsize=KEPT)
def _first_units(p: Parameters) -> tuple[tuple[tuple[str, int, str], ...], FloatArray]:
    """Owners of the fleets of 2022Q1 (name, region, origin), and their units, shape (fleets, chips, purposes).

    Chips as in ``evidence/chips.csv``; each is given to the work it suits and a sliver of it to inference.
    """
    owners = tuple(
        (str(row["firm"]), REGION_INDEX[str(row["region"])], str(row["origin"]))
        for row in firms(p)
        if row["kind"] in ("cloud", "venue")
    )
    number = {name: f for f, (name, _, _) in enumerate(owners)}
    chips = given_chips(p)[0]
    index = {str(row["chip"]): c for c, row in enumerate(chips)}
    units = np.zeros((len(owners), len(chips), len(PURPOSES)))
    for row in p.facts("fleets"):
        chip = index[str(row["chip"])]
        into = TRAINING if chips[chip]["class"] == "ai" else CAPTIVE
        count = float(row["units"])
        units[number[str(row["owner"])], chip, into] += count * (1.0 - p.initial_inference_share)
        units[number[str(row["owner"])], chip, DENSE] += count * p.initial_inference_share
    units.flags.writeable = False
    return owners, units


def _fleets(market: Market) -> Fleets:
    """Fleets of 2022Q1: training and captive work start with the chips that they need in proportion."""
    p, chips = market.parameters, market.catalogue.chips
    owners, units = _first_units(p)
    fleets = Fleets(owners, len(chips))
    prices = np.array([chip.price for chip in chips])
    suits = suitability(market.catalogue.work, prices, p.suitability_sharpness)
    fleets.units = _shared_out(
        *(array.tobytes() for array in (units, market.captive.trend(0), market.catalogue.work, suits)),
        units.shape,
    ).copy()
    return fleets


@lru_cache(maxsize=KEPT)
def _shared_out(units: bytes, own: bytes, work: bytes, suits: bytes, shape: tuple[int, ...]) -> FloatArray:
    """Units of fleets, (fleets, chips, purposes), with training and captive work given chips as they need in proportion.

    ``own`` is their work, (fleets, purposes); ``work`` and ``suits`` have shape (chips, purposes).
    """
    result = np.frombuffer(units).reshape(shape).copy()
    speed, suitable = (np.frombuffer(array).reshape(shape[1:]).copy() for array in (work, suits))
    for fleet, needs in enumerate(np.frombuffer(own).reshape(shape[0], shape[2])):
        for _ in range(ROUNDS):
            rate = (result[fleet] * speed).sum(axis=0)
            count = result[fleet].sum(axis=0)
            hours = np.divide(needs * count, rate, out=np.zeros_like(needs), where=rate > 0.0)
            hours[DENSE] = count[DENSE] * HOURS_PER_QUARTER
            spread = hours[[TRAINING, CAPTIVE]].sum()
            if spread <= 0.0:
                break
            hours[[TRAINING, CAPTIVE]] *= count[[TRAINING, CAPTIVE]].sum() * HOURS_PER_QUARTER / spread
            result[fleet] = reassignment(result[fleet], hours, HOURS_PER_QUARTER, 1.0, suitable)
    result.flags.writeable = False
    return result


def _found_states(market: Market) -> None:
    market.states["United States"] = State(market, "United States", "North America")
    market.states["China"] = State(market, "China", "China")
    market.states["United States"].rules.update(_export_rules(market.parameters))


@lru_cache(maxsize=KEPT)
def _export_rules(p: Parameters) -> dict[int, ExportTerms]:
    """Terms of the United States' rules by quarter."""
    rules: dict[int, ExportTerms] = {}
    for row in p.facts("export_rules"):
        quarter = quarter_of(row["quarter"])
        tflops = float(row["max_bf16_tflops"])
        if quarter is not None and not math.isnan(tflops):
            links = float(row["max_interconnect_gbs"])
            # Of two rules in one quarter the later one holds.
            rules[max(quarter, 0)] = ExportTerms(tflops, math.inf if math.isnan(links) else links)
    return rules


def _found_edges(market: Market) -> None:
    """Nodes of the segments and who may sell chips; dated edges of the facts are kept until their quarter."""
    graph, p = market.graph, market.parameters
    for node, (region, _) in zip(market.nodes, market.node_places, strict=True):
        origin = next((o for o, home in HOME_OF_ORIGIN.items() if home == REGIONS[region]), "AP")
        graph.add(node, "segment", REGIONS[region], origin)
        market.ledger.open(node, outside=True)
    listed, buyers = _chip_buyers(p)
    for maker in market.chipmakers.values():
        owners = buyers.get(maker.name, set())
        for cloud in market.clouds.values():
            # Buyers on the entity list may not buy from makers under United States rules.
            barred = cloud.name in listed and maker.region == "North America"
            # Chinese makers sell at home: compliance keeps their chips out of Western fleets.
            abroad = maker.domestic and cloud.origin != "CN"
            if (owners == {""} or cloud.name in owners) and not (barred or abroad):
                graph.permit(maker.name, cloud.name, "chips", export=FREE)
    begin, end = _dated_edges(p, tuple(zip(market.nodes, market.node_places, strict=True)))
    market.edges_to_come = {quarter: list(edges) for quarter, edges in begin.items()}
    market.edges_to_end = {quarter: list(edges) for quarter, edges in end.items()}


@lru_cache(maxsize=KEPT)
def _chip_buyers(p: Parameters) -> tuple[set[str], dict[str, set[str]]]:
    """Buyers on the entity list, and by maker the owners for whom alone it makes a chip ("": for everybody)."""
    listed = {str(row["buyers_restricted"]) for row in p.facts("export_rules")} - {""}
    owners: dict[str, set[str]] = {}
    for row in p.facts("chips"):
        owners.setdefault(str(row["maker"]), set()).add(str(row["captive_owner"]))
    return listed if p.export_rules else set(), owners


@lru_cache(maxsize=KEPT)
def _dated_edges(
    p: Parameters, nodes: tuple[tuple[str, tuple[int, str]], ...]
) -> tuple[dict[int, list[Begins]], dict[int, list[Ends]]]:
    """Edges of the facts by the quarter in which they begin, and by that in which they are gone again.

    ``nodes`` are the segments with their region and sector.
    """
    begin: dict[int, list[Begins]] = {}
    end: dict[int, list[Ends]] = {}

    def date(row: Mapping[str, Any], kind: str, source: str, target: str, **terms: Any) -> None:
        starts, ends = quarter_of(row["from"]), quarter_of(row["until"])
        if ends is not None and ends < 0:
            return
        begin.setdefault(max(starts or 0, 0), []).append((kind, source, target, terms))
        if ends is not None:
            end.setdefault(ends + 1, []).append((kind, source, target))

    for row in p.facts("access"):
        region = REGION_INDEX[str(row["region"])]
        scope = PARTNER_ONLY if "partner" in str(row["scope"]) else "all"
        for node, (place, _) in nodes:
            if place == region:
                date(row, "tokens", str(row["vendor_or_cloud"]), node, scope=scope)
    for row in p.facts("partners"):
        vendor, host = str(row["vendor"]), str(row["cloud"])
        if row["role"] == "serves":
            date(row, "hosting", host, vendor, role="serves")
        else:
            date(row, "hosting", vendor, host, role="resells")
    kind_of = {row["firm"]: row["kind"] for row in firms(p)}
    for row in p.facts("stakes"):
        by_cloud = kind_of.get(row["owner"]) in ("cloud", "venue") and kind_of.get(row["owned"]) == "vendor"
        if p.cloud_ownership or not by_cloud:
            shares = {"rights": float(row["rights"]), "control": float(row["control"])}
            date(row, "equity", str(row["owner"]), str(row["owned"]), **shares)
    return begin, end
