"""The supply graph of a stored run, quarter by quarter, as the live page draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from viz.live.frame import Flow, Frame, finite
from viz.option import supply
from viz.option.palette import Option
from viz.plates import kept

if TYPE_CHECKING:
    import pandas as pd

    from scenarios.batch import Batch


class Graph:
    """The graphs of one run of a batch, whose full tables are kept."""

    def __init__(self, seed: int, edges: pd.DataFrame, firms: pd.DataFrame) -> None:
        self.seed = seed
        self.quarters = sorted(str(quarter) for quarter in edges["quarter"].unique())
        self._edges = dict(iter(edges.groupby("quarter")))
        self._firms = dict(iter(firms.groupby("quarter")))

    def option(self, quarter: str, focus: str = "") -> Option:
        """The chart of a quarter, the last one if it is not on record."""
        shown = quarter if quarter in self.quarters else self.quarters[-1]
        firms = self._firms.get(shown)
        return supply.option(frame(shown, self._edges[shown], firms), focus)


def read(batch: Batch, label: str) -> Graph | None:
    """The graphs of the first run of a world whose full tables are kept; None where there is none."""
    seeds = kept(batch, label)
    if not seeds:
        return None
    edges, firms = (batch.table(name, label) for name in ("edges", "firms"))
    edges, firms = (table[table["seed"] == seeds[0]] for table in (edges, firms))
    return Graph(seeds[0], edges, firms) if len(edges) else None


def frame(quarter: str, edges: pd.DataFrame, firms: pd.DataFrame | None) -> Frame:
    """What the graph needs of a quarter, from rows of the tables ``edges`` and ``firms`` of one run.

    The segments of a region are one buyer. Prices, sales and events are not there.
    """
    buyers = edges["target"].astype(str).str.partition("/")[0]
    keys = ["source", "target", "kind"]
    grouped = edges.assign(target=buyers).groupby(keys, sort=False, observed=True)
    sums = grouped.agg({"units": "sum", "unit": "first", "money_usd": "sum"}).reset_index()
    columns = [sums[name].tolist() for name in (*keys, "units", "unit", "money_usd")]
    flows = [
        Flow(str(source), str(target), str(kind), finite(units) or 0.0, str(unit), finite(money) or 0.0)
        for source, target, kind, units, unit, money in zip(*columns, strict=True)
    ]
    known: dict[str, dict[str, Any]] = {}
    if firms is not None:
        for row in firms.to_dict("records"):
            known[str(row["firm"])] = {"kind": str(row["kind"]), "region": str(row["region"])}
    return Frame(quarter, {}, (), {}, {}, known, tuple(flows), ())
