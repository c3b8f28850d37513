"""What the supply graph is made of: kinds of relation, nodes, stakes, rows, compiled edges and flows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.kernel import kernel

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


class EdgeKind(StrEnum):
    """The relations that the graph permits; each points from seller to buyer, or from owner to owned."""

    CHIPS = "chips"
    HOSTING = "hosting"
    TOKENS = "tokens"
    EQUITY = "equity"
    SERVICES = "services"


KINDS = tuple(EdgeKind)
CODE: dict[str, int] = {kind: code for code, kind in enumerate(KINDS)}
"""The number of each kind in arrays."""

UNITS = {
    EdgeKind.CHIPS: "units",
    EdgeKind.HOSTING: "h",
    EdgeKind.TOKENS: "Mtok",
    EdgeKind.EQUITY: "stake",
    EdgeKind.SERVICES: "USD",
}
"""What is counted on each kind of edge."""

Edge = tuple[str, str, str]
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


class Slots:
    """Every edge that there is or was, as columns: an edge keeps its slot, also while it is forbidden.

    ``source`` and ``target`` number the nodes in the order in which they were added, ``kind`` is the kind's number;
    ``standing`` says whether the edge is permitted now, ``rights`` is an owner's share. ``units`` and ``money`` are
    what flowed this quarter. All have shape (slots,) and some room behind it. ``at`` finds the slot of an edge,
    (kinds, nodes, nodes), -1 where there never was one. In the graph's order edges stand by source, then by
    ``pair``, which counts when two nodes were first joined, then by ``since``, which counts permits.
    """

    def __init__(self) -> None:
        self.count = 0
        self.source, self.target, self.kind, self.pair, self.since = np.zeros((5, FIRST), dtype=np.int64)
        self.standing = np.zeros(FIRST, dtype=bool)
        self.units, self.money, self.rights = np.zeros((3, FIRST))
        self.at = np.full((len(KINDS), FIRST, FIRST), -1, dtype=np.int64)

    def room_for(self, nodes: int) -> None:
        """Make room for as many nodes."""
        known = self.at.shape[1]
        if nodes > known:
            wider = np.full((len(KINDS), 2 * known, 2 * known), -1, dtype=np.int64)
            wider[:, :known, :known] = self.at
            self.at = wider

    def open(self, source: int, target: int, kind: int) -> int:
        """The slot of an edge that there was not yet."""
        slot = self.count
        if slot == len(self.source):
            for name in ("source", "target", "kind", "pair", "since", "standing", "units", "money", "rights"):
                column = getattr(self, name)
                setattr(self, name, np.concatenate([column, np.zeros_like(column)]))
        self.source[slot], self.target[slot], self.kind[slot] = source, target, kind
        self.at[kind, source, target] = slot
        self.count += 1
        return slot

    def place(self, slot: int, pair: int, since: int) -> None:
        """Say where a permitted edge stands in the graph's order."""
        if self.since[slot]:
            # What was recorded keeps the order that it was recorded in.
            self.pair, self.since = self.pair.copy(), self.since.copy()
        self.pair[slot], self.since[slot] = pair, since

    def those(self, kind: int) -> IntArray:
        """The slots of the permitted edges of a kind."""
        chosen = self.standing[: self.count] & (self.kind[: self.count] == kind)
        return np.flatnonzero(chosen)

    def order(self) -> tuple[IntArray, IntArray, IntArray]:
        """What the graph's order goes by; the arrays do not change for slots that exist now."""
        return self.source, self.pair, self.since


FIRST = 64
"""Slots, and nodes, that there is room for at first."""


def in_order(slots: IntArray, order: tuple[IntArray, IntArray, IntArray]) -> IntArray:
    """The slots in the graph's order."""
    source, pair, since = order
    return slots[np.lexsort((since[slots], pair[slots], source[slots]))]


class CompiledEdges:
    """One kind of edge as arrays, in the graph's order, valid while ``version`` is the graph's for that kind.

    ``source`` and ``target`` hold indices into ``names``, shape (edges,); ``position`` finds an edge, ``attributes``
    are the edges' own dictionaries. All are worked out when they are asked for.
    """

    def __init__(
        self,
        kind: EdgeKind,
        version: int,
        names: Sequence[str],
        slots: Slots,
        data: Mapping[Edge, dict[str, Any]],
    ) -> None:
        self.kind = kind
        self.version = version
        self.names = names
        self._data = data
        self._slots, self._order, self._ends = slots.those(CODE[kind]), slots.order(), slots.target

    def __len__(self) -> int:
        return len(self._slots)

    @cached_property
    def source(self) -> IntArray:
        """The sellers or owners."""
        return np.asarray(self._order[0][in_order(self._slots, self._order)])

    @cached_property
    def target(self) -> IntArray:
        """The buyers or owned."""
        return np.asarray(self._ends[in_order(self._slots, self._order)])

    @cached_property
    def position(self) -> Mapping[tuple[str, str], int]:
        """Where the edge of a pair stands."""
        pairs = zip(self.source.tolist(), self.target.tolist(), strict=True)
        return {(self.names[source], self.names[target]): at for at, (source, target) in enumerate(pairs)}

    @cached_property
    def attributes(self) -> tuple[dict[str, Any], ...]:
        """The edges' own dictionaries in the graph."""
        return tuple(self._data[source, target, self.kind] for source, target in self.position)

    def positions(self, sources: Sequence[str], targets: Sequence[str]) -> IntArray:
        """Where the edge of every pair stands, -1 if there is none, shape (sources, targets)."""
        found = [self.position.get((source, target), -1) for source in sources for target in targets]
        return np.array(found, dtype=np.int64).reshape(len(sources), len(targets))


@dataclass(frozen=True)
class Flows:
    """What flowed along some edges, shape (edges,) each but ``ended``; it does not change with the graph.

    ``slots`` in any order, with ``units`` (an owner's stake of equity edges) and ``money``; ``ended`` are the slots
    of edges that were forbidden since, in order. ``columns`` sorts and names them.
    """

    slots: IntArray
    units: FloatArray
    money: FloatArray
    ended: tuple[int, ...]
    names: Sequence[str]
    order: tuple[IntArray, IntArray, IntArray]
    target: IntArray
    kind: IntArray

    @cached_property
    def rows(self) -> IntArray:
        """Where each edge of the graph's order stands in ``slots``; ended ones come last, in the order of their ends."""
        source, pair, since = self.order
        slots = self.slots
        late = np.zeros(len(slots), dtype=np.int64)
        for number, slot in enumerate(self.ended):
            late[slots == slot] = number + 1
        return np.lexsort((since[slots], pair[slots], source[slots], late))

    def columns(self) -> tuple[list[str], list[str], list[str], list[float], list[str], list[float]]:
        """Source, target, kind, units, unit and money, in the order of the fields of ``Row``."""
        rows, names = self.rows, self.names
        slots = self.slots[rows]
        kinds = [KINDS[code] for code in self.kind[slots].tolist()]
        return (
            [names[number] for number in self.order[0][slots].tolist()],
            [names[number] for number in self.target[slots].tolist()],
            [kind.value for kind in kinds],
            self.units[rows].tolist(),
            [UNITS[kind] for kind in kinds],
            self.money[rows].tolist(),
        )


@kernel
def flow_along(
    kind: int,
    sources: IntArray,
    targets: IntArray,
    units: FloatArray,
    money: FloatArray,
    owing: bool,
    at: IntArray,
    standing: BoolArray,
    all_units: FloatArray,
    all_money: FloatArray,
) -> tuple[int, bool]:  # pragma: no cover - compiled
    """Add flows to the edges' slots; returns the first that cannot be (-1: none) and whether its numbers are fine."""
    for n in range(len(sources)):
        u, m = units[n], money[n]
        if u == 0.0 and m == 0.0:
            continue
        if not (0.0 <= u < np.inf and -np.inf < m < np.inf and (m >= 0.0 or owing)):
            return n, False
        slot = at[kind, sources[n], targets[n]]
        if slot < 0 or not standing[slot]:
            return n, True
    for n in range(len(sources)):
        if units[n] != 0.0 or money[n] != 0.0:
            slot = at[kind, sources[n], targets[n]]
            all_units[slot] += units[n]
            all_money[slot] += money[n]
    return -1, True


@kernel
def without_edge(
    kind: int, sources: IntArray, targets: IntArray, amounts: FloatArray, at: IntArray, standing: BoolArray
) -> IntArray:  # pragma: no cover - compiled
    """Where something is to flow and no edge is permitted."""
    found, count = np.empty(len(sources), dtype=np.int64), 0
    for n in range(len(sources)):
        if amounts[n] != 0.0:
            slot = at[kind, sources[n], targets[n]]
            if slot < 0 or not standing[slot]:
                found[count] = n
                count += 1
    return found[:count]
