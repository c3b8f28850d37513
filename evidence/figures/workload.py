"""What Chinese clouds earn on which workload, year by year, beside the first article's chart."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from evidence.claims import by_id
from evidence.clouds import WORKLOADS, groups
from evidence.figures.article import claims_beside
from evidence.period import moment
from evidence.record import Record, ratio

if TYPE_CHECKING:
    from pandas import DataFrame

    from evidence.figures.spread import Tables
    from model.parameters import Parameters

TOTAL = "all"
CLAIMS = dict(
    zip(
        WORKLOADS,
        ("workload-open", "workload-proprietary", "workload-training", "workload-other"),
        strict=True,
    )
)
GROWTH_CLAIMS = ("alibaba-growth", "huawei-growth", "alibaba-growth-cause")
CLAIMED_YEAR = "2024"
"""The article's chart has no date and is read as of this year."""


def revenue(record: Record, year: str) -> dict[str, float]:
    """USD of a year by workload, as the metric ``workload_share`` defines them.

    Clouds count with the firms that they own more than half of. Inference hours sold to vendors and captive
    work are left out.
    """
    quarters = moment(year).quarters
    members = groups(record, quarters)
    sold = record.rows("offers", quarters).where(seller=members)
    firms = record.rows("firms", quarters).where(firm=members)
    earned = (
        sold.where(open_weights=True).total("revenue_usd"),
        sold.where(open_weights=False).total("revenue_usd"),
        firms.where(kind="cloud").total("revenue_training_usd"),
        firms.total("revenue_services_usd"),
    )
    return dict(zip(WORKLOADS, earned, strict=True))


def workloads(p: Parameters, tables: Tables) -> DataFrame:
    """AI revenue of Chinese clouds by year and workload, and all of it: a row each, for whole years only.

    Columns: ``year``, ``workload``, ``revenue_usd``, ``share`` of the year, ``growth_share`` on the year before
    (1.42 is a rise of 142 %; nan in the first year and from nothing).
    """
    record = Record(tables)
    on_record = record.known
    years = sorted({quarter[:4] for quarter in on_record})
    rows, before = [], dict[str, float]()
    for year in (name for name in years if on_record.issuperset(moment(name).quarters)):
        earned = revenue(record, year)
        earned[TOTAL] = sum(earned.values())
        for workload, usd in earned.items():
            growth = ratio(usd, before.get(workload, math.nan)) - 1.0
            rows.append((year, workload, usd, ratio(usd, earned[TOTAL]), growth))
        before = earned
    return pd.DataFrame(rows, columns=["year", "workload", "revenue_usd", "share", "growth_share"])


def claimed_shares() -> dict[str, float]:
    """The article's share of each workload."""
    return {workload: float(by_id()[claim].claimed) for workload, claim in CLAIMS.items()}


def growth(p: Parameters, tables: Tables) -> DataFrame:
    """What the article says of clouds' growth beside the run's figures.

    Columns: ``quantity``, ``unit``, ``claimed`` (text), ``model``, ``note``.
    """
    return claims_beside(tables, GROWTH_CLAIMS)
