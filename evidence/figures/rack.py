"""A training rack beside an inference rack as a run installs them: chips, power, network, cooling."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agents.cloud import decide_cooling, decide_network
from evidence.chips import INFERENCE
from evidence.facts import rows as facts
from evidence.figures.article import claims_beside
from evidence.figures.machine import WorkloadError, specification
from evidence.period import Quarters, moment
from evidence.record import Record, Rows, ratio
from model.cost import power_kw
from model.parameters import Parameters
from model.serving import ChipSpec

if TYPE_CHECKING:
    from pandas import DataFrame

    from evidence.figures.spread import Tables

FloatArray = NDArray[np.float64]

TRAINING = "training"
CLAIMS = (
    "liquid-2024",
    "liquid-2025",
    "liquid-rise",
    "liquid-cause",
    "liquid-density",
    "ethernet-2024",
    "ethernet-2027",
)
KINDS = {TRAINING: (TRAINING,), "inference": INFERENCE, "captive": ("captive",)}
"""Racks by what they were bought for: training, language models, and the owner's other business."""


def _quarters(when: str, record: Record) -> Quarters:
    """The quarters of a period on record. Raises WorkloadError for a period that cannot be read or has none."""
    try:
        wanted = moment(when).quarters
    except ValueError as error:
        raise WorkloadError(str(error)) from None
    on_record = record.quarters
    if not set(wanted) <= set(on_record):
        raise WorkloadError(f"the run has {on_record[0]} to {on_record[-1]}, not all of {when}")
    return wanted


def _specs(rows: Rows, p: Parameters) -> list[ChipSpec | None]:
    """The chip of every row; None where the run made it, since only chips of the facts have a data sheet."""
    known = {str(row["chip"]) for row in p.facts("chips")}
    sheets = {name: specification(p, name) for name in rows.names("product") if name in known}
    return [sheets.get(str(name)) for name in rows["product"]]


def _mean(values: FloatArray, units: FloatArray) -> float:
    return ratio(float(values @ units), float(units.sum()))


def _row(rows: Rows, p: Parameters, purposes: tuple[str, ...]) -> dict[str, object]:
    """Racks of one kind, from the deliveries of some quarters; nan and empty without any."""
    units = rows["units_delivered"]
    products = {name: rows.where(product=name).total("units_delivered") for name in rows.names("product")}
    main = max(products, key=lambda name: products[name], default="")
    gain = p.infiniband_gain_training if TRAINING in purposes else p.infiniband_gain_inference
    ethernet = float(decide_network(gain, p.infiniband_premium, p.network_choice_width))
    specs = _specs(rows, p)
    known = np.array([spec is not None for spec in specs], dtype=bool)
    sheets = [spec for spec in specs if spec is not None]
    counted = units[known]
    kw = np.array([float(power_kw(spec.tdp_w, p.server_power_share)) for spec in sheets]) * counted
    racks = liquid = 0.0
    # A buyer racks what one quarter brings for one purpose together, as ``Cloud.install`` does.
    lots = list(zip(rows["quarter"][known], rows["buyer"][known], rows["purpose"][known], strict=True))
    for lot in dict.fromkeys(lots):
        mine = np.array([one == lot for one in lots])
        density = min(kw[mine].sum() / counted[mine].sum() * p.chips_per_rack, p.rack_limit_kw)
        filled = kw[mine].sum() / density
        racks += filled
        liquid += filled * float(decide_cooling(density, p.air_cooling_limit_kw, p.air_cooling_width_kw))
    return {
        "main_chip": main,
        "chips": float(units.sum()),
        "racks": racks,
        "chips_per_rack": ratio(float(counted.sum()), racks),
        "kw_per_rack": ratio(float(kw.sum()), racks),
        "link_gb_per_s": _mean(np.array([spec.interconnect_gbs for spec in sheets]), counted),
        "memory_gb_per_chip": _mean(np.array([spec.memory_gb for spec in sheets]), counted),
        "main_chip_share": ratio(products.get(main, math.nan), float(units.sum())),
        "domestic_share": _mean((rows["maker_origin"] == "CN").astype(np.float64), units),
        "inference_listed_share": _mean(rows["inference_listed"].astype(np.float64), units),
        "ethernet_share": ethernet if len(rows) else math.nan,
        "liquid_share": ratio(liquid, racks),
        "known_share": ratio(float(counted.sum()), float(units.sum())),
    }


def racks(p: Parameters, tables: Tables, region: str = "China", when: str = "2024") -> DataFrame:
    """Racks that buyers of a region install in a period, a row a kind (training, inference, captive).

    Chips are those delivered, by what they were bought for; how they are racked, wired and cooled follows from
    their rated power by the laws of ``agents/cloud.py``. ``link_gb_per_s`` is the chip-to-chip bandwidth
    (NVLink and its like), ``ethernet_share`` that of network ports, ``inference_listed_share`` that of the
    article's list of inference chips. Chips that the run made after 2024 have no data sheet: they count
    as chips only, and ``known_share`` says what part is left. Raises WorkloadError when nothing was delivered.
    """
    record = Record(tables)
    quarters = _quarters(when, record)
    bought = record.rows("chips", quarters).where(buyer_region=region)
    bought = bought.keep(bought["units_delivered"] > 0.0)
    if not len(bought):
        raise WorkloadError(f"nobody received chips in {region} in {when}: choose another region or period")
    found = [{"kind": kind, **_row(bought.where(purpose=w), p, w)} for kind, w in KINDS.items()]
    return pd.DataFrame(found)


def standing(p: Parameters, tables: Tables, region: str = "China", when: str = "2024") -> DataFrame:
    """What stands in the halls of a region at the end of a period: a row a kind, from the table ``fleets``.

    Shares are of racks and ports as recorded. Chips change their work and racks do not, so that chips a rack
    would mean nothing here.
    """
    record = Record(tables)
    rows = record.rows("fleets", _quarters(when, record)[-1:]).where(region=region)
    found = []
    for kind, purposes in KINDS.items():
        mine = rows.where(purpose=purposes)
        found.append(
            {
                "kind": kind,
                "chips": mine.total("units"),
                "racks": mine.total("racks"),
                "ethernet_share": ratio(mine.total("ethernet_ports"), mine.total("ports")),
                "liquid_share": ratio(mine.total("liquid_racks"), mine.total("racks")),
            }
        )
    return pd.DataFrame(found)


def judged(p: Parameters, tables: Tables) -> DataFrame:
    """What the first article says of cooling and networks in China beside the run's figures.

    Columns as of ``evidence.figures.article.claims_beside``.
    """
    return claims_beside(tables, CLAIMS)


def claimed() -> dict[str, dict[str, str]]:
    """The first article's two racks: property by kind (training, inference), as its picture has them."""
    table = facts("articles/racks")
    return {kind: {row["property"]: row[kind] for row in table} for kind in ("training", "inference")}
