"""What the supply graph is made of: kinds of relation, nodes, stakes, rows and compiled edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


class EdgeKind(StrEnum):
    """The relations that the graph permits; each points from seller to buyer, or from owner to owned."""

    CHIPS = "chips"
    HOSTING = "hosting"
    TOKENS = "tokens"
    EQUITY = "equity"
    SERVICES = "services"


UNITS = {
    EdgeKind.CHIPS: "units",
    EdgeKind.HOSTING: "h",
    EdgeKind.TOKENS: "Mtok",
    EdgeKind.EQUITY: "stake",
    EdgeKind.SERVICES: "USD",
}
"""What is counted on each kind of edge."""

Edge = tuple[str, str, EdgeKind]
"""Source, target and kind."""


class NotPermitted(ValueError):
    """Something was to flow between two nodes that no edge of that kind joins."""


class Node(NamedTuple):
    """Who a node is: a firm, or enterprises of one region and sector."""

    name: str
    kind: str
    region: str
    origin: str


class Stake(NamedTuple):
    """An equity edge: shares of the owned firm's cash flow and of the votes in it."""

    owner: str
    owned: str
    rights: float
    control: float


class Row(NamedTuple):
    """What flowed along one edge this quarter; money, USD, flows from target to source."""

    source: str
    target: str
    kind: str
    units: float
    unit: str
    money: float


@dataclass(frozen=True)
class CompiledEdges:
    """One kind of edge as arrays, in a fixed order, valid while ``version`` is the graph's for that kind.

    ``source`` and ``target`` hold indices into ``names``, shape (edges,); ``position`` finds an edge.
    ``attributes`` are the edges' own dictionaries in the graph.
    """

    kind: EdgeKind
    version: int
    names: tuple[str, ...]
    source: IntArray
    target: IntArray
    position: Mapping[tuple[str, str], int]
    attributes: tuple[dict[str, Any], ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.source)

    def positions(self, sources: Sequence[str], targets: Sequence[str]) -> IntArray:
        """Where the edge of every pair stands, -1 if there is none, shape (sources, targets)."""
        found = [self.position.get((source, target), -1) for source in sources for target in targets]
        return np.array(found, dtype=np.int64).reshape(len(sources), len(targets))
