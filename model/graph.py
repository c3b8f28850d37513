"""The supply graph: who may sell what to whom, who owns whom, and what flowed along each edge."""

from __future__ import annotations

import math
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.edges import (
    CODE,
    UNITS,
    CompiledEdges,
    Edge,
    EdgeKind,
    Flows,
    Node,
    NotPermitted,
    Row,
    Slots,
    Stake,
    flow_along,
    in_order,
    without_edge,
)
from model.identities import TOLERANCE

__all__ = ["UNITS", "EdgeKind", "Node", "NotPermitted", "Row", "Stake", "SupplyGraph"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

Neighbours = dict[str, list[str]]

_KINDS: dict[str, EdgeKind] = {kind: kind for kind in EdgeKind}


class SupplyGraph:
    """Nodes that trade, and the edges that permit it, one of each kind between two nodes.

    ``version`` counts changes of structure (nodes, edges and their terms), so that whatever was computed from
    the structure knows when it is out of date. Flows are not structure. Nodes, edges and flows are kept in columns
    (``slots``), and from when somebody first looks at it also in a networkx ``MultiDiGraph`` keyed by the kind of edge: a
    run that nobody looks into does without.
    """

    def __init__(self) -> None:
        self.version = 0
        self._permits = 0
        self._graph: nx.MultiDiGraph[str] | None = None
        self._changed = dict.fromkeys(EdgeKind, 0)
        self._compiled: dict[EdgeKind, CompiledEdges] = {}
        # The edges' own dictionaries, the slot of each edge that there is or was, and the joined pairs: when they were
        # joined, and by how many kinds.
        self._data: dict[Edge, dict[str, Any]] = {}
        self._slot: dict[Edge, int] = {}
        self._joined: dict[tuple[str, str], tuple[int, int]] = {}
        self._neighbours: dict[EdgeKind, tuple[Neighbours, Neighbours]] = {}
        self._nodes: dict[str, Node] = {}
        self._names: list[str] = []
        self._number: dict[str, int] = {}
        # Edges forbidden after something flowed along them this quarter, which is still to be recorded.
        self._ended: dict[int, None] = {}
        self.slots = Slots()

    @property
    def network(self) -> nx.MultiDiGraph[str]:
        """The graph itself, live, for networkx's algorithms; it changes only through this class."""
        if self._graph is None:
            self._graph = nx.MultiDiGraph()
            for name, node in self._nodes.items():
                self._graph.add_node(name, kind=node.kind, region=node.region, origin=node.origin)
            edges = {slot: edge for edge, slot in self._slot.items()}
            for slot in in_order(np.flatnonzero(self.slots.standing), self.slots.order()).tolist():
                self._draw(edges[slot])
        return self._graph.copy(as_view=True)

    def add(self, name: str, kind: str, region: str, origin: str) -> None:
        """Add a firm, or a segment of enterprises.

        Raises:
            ValueError: if there is a node of that name.
        """
        if name in self._nodes:
            raise ValueError(f"{name} is in the supply graph already: give each node a name of its own.")
        self._nodes[name] = Node(name, kind, region, origin)
        if self._graph is not None:
            self._graph.add_node(name, kind=kind, region=region, origin=origin)
        self._number[name] = len(self._names)
        self._names.append(name)
        self.slots.room_for(len(self._names))
        self.version += 1

    def __contains__(self, name: str) -> bool:
        return name in self._nodes

    def node(self, name: str) -> Node:
        """Who a node is; ValueError if there is none of that name."""
        self._known(name)
        return self._nodes[name]

    def number(self, name: str) -> int:
        """The number of a node in arrays: nodes are counted from 0 in the order in which they were added."""
        self._known(name)
        return self._number[name]

    def names(self, kind: str | None = None) -> list[str]:
        """The nodes, or those of one kind (``"cloud"``), in the order in which they were added."""
        return [name for name, node in self._nodes.items() if kind is None or node.kind == kind]

    def permit(self, source: str, target: str, kind: str, **terms: Any) -> None:
        """Let ``source`` sell to (or own) ``target``, on the given terms.

        On an edge that exists, the named terms change and the others stay. An equity edge needs ``rights``,
        the share of cash flows from 0 to 1; ``control``, the share of votes, equals it unless it is given.

        Raises:
            ValueError: if a node or the kind does not exist, both ends are one, or stakes in a firm exceed
                the whole.
        """
        edge = self._kind(kind)
        if not (source in self._nodes and target in self._nodes):
            self._known(source)
            self._known(target)
        if source == target:
            raise ValueError(f"{source} cannot trade with itself: its own use of {kind} needs no edge.")
        data = self._data.get((source, target, edge))
        old: dict[str, Any] = {} if data is None else data["terms"]
        new = {**old, **terms}
        if edge is EdgeKind.EQUITY:
            new.setdefault("control", new.get("rights"))
            self._check_stake(source, target, new)
        if data is None:
            self._join(source, target, edge, new)
        elif new != old:
            data["terms"] = new
        else:
            return
        if edge is EdgeKind.EQUITY:
            self.slots.rights[self._slot[source, target, edge]] = new["rights"]
        self._touch(edge)

    def _join(self, source: str, target: str, kind: EdgeKind, terms: dict[str, Any]) -> None:
        """Enter an edge; what flowed along it before it was forbidden this quarter goes on."""
        slots, edge = self.slots, (source, target, kind)
        slot = self._slot.get(edge)
        if slot is None:
            ends = self._number[source], self._number[target]
            self._slot[edge] = slot = slots.open(*ends, CODE[kind])
        self._ended.pop(slot, None)
        self._permits += 1
        pair, kinds = self._joined.get((source, target), (self._permits, 0))
        self._joined[source, target] = pair, kinds + 1
        slots.place(slot, pair, self._permits)
        slots.standing[slot] = True
        self._data[edge] = {"terms": terms}
        if self._graph is not None:
            self._draw(edge)

    def _draw(self, edge: Edge) -> None:
        """Enter an edge in the networkx graph, whose dictionary becomes the edge's own."""
        assert self._graph is not None
        source, target, kind = edge
        self._graph.add_edge(source, target, key=kind, units=0.0, money=0.0, **self._data[edge])
        self._data[edge] = self._graph.get_edge_data(source, target, kind)
        self._show(self._slot[edge], self._data[edge])

    def forbid(self, source: str, target: str, kind: str) -> None:
        """Take the edge away, if there is one; what flowed along it this quarter is still reported."""
        edge = self._kind(kind)
        if self._data.pop((source, target, edge), None) is None:
            return
        slots, slot = self.slots, self._slot[source, target, edge]
        if slots.units[slot] or slots.money[slot]:
            self._ended[slot] = None
        slots.standing[slot] = False
        pair, kinds = self._joined.pop((source, target))
        if kinds > 1:
            self._joined[source, target] = pair, kinds - 1
        if self._graph is not None:
            self._graph.remove_edge(source, target, key=edge)
        self._touch(edge)

    def permitted(self, source: str, target: str, kind: str) -> bool:
        """Whether there is an edge of that kind."""
        return (source, target, kind) in self._data or (source, target, self._kind(kind)) in self._data

    def terms(self, source: str, target: str, kind: str) -> dict[str, Any]:
        """A copy of the terms of an edge.

        Raises:
            NotPermitted: if there is no such edge.
        """
        data = self._data.get((source, target, kind))
        return dict((data or self._permitted(source, target, self._kind(kind)))["terms"])

    def flow(self, source: str, target: str, kind: str, units: float, money: float) -> None:
        """Add what flowed along an edge: units to the target, money (USD) to the source.

        On equity edges money is dividends less capital paid in, and may be negative.

        Raises:
            NotPermitted: if there is no such edge.
            ValueError: if units or money are not finite, or negative where they cannot be.
        """
        edge = self._kind(kind)
        data = self._permitted(source, target, edge)
        units, money = float(units), float(money)
        low = -math.inf if edge is EdgeKind.EQUITY else 0.0
        if not (0.0 <= units < math.inf and low <= money < math.inf and money > -math.inf):
            raise ValueError(
                f"{units} {UNITS[edge]} for {money} USD cannot flow from {source} to {target}: "
                "units and money are finite and at least 0."
            )
        slot = self._slot[source, target, edge]
        self.slots.units[slot] += units
        self.slots.money[slot] += money
        self._show(slot, data)

    def flow_many(
        self, kind: str, sources: IntArray, targets: IntArray, units: FloatArray, money: FloatArray
    ) -> None:
        """Add what flowed along many edges of a kind, shape (flows,) each; ends are numbers of nodes.

        Nothing need not be permitted.

        Raises:
            NotPermitted: if something is to flow where there is no edge; then nothing is added.
            ValueError: as ``flow``.
        """
        edge, slots = self._kind(kind), self.slots
        owing = edge is EdgeKind.EQUITY
        wrong, fine = flow_along(
            CODE[edge], sources, targets, units, money, owing,
            slots.at, slots.standing, slots.units, slots.money,
        )  # fmt: skip
        if wrong >= 0:
            source, target = self._names[sources[wrong]], self._names[targets[wrong]]
            if fine:
                self._permitted(source, target, edge)
            raise ValueError(
                f"{units[wrong]} {UNITS[edge]} for {money[wrong]} USD cannot flow from {source} to {target}: "
                "units and money are finite and at least 0."
            )
        if self._graph is not None:
            for known, data in self._data.items():
                self._show(self._slot[known], data)

    def lacking(self, kind: str, sources: IntArray, targets: IntArray, amounts: FloatArray) -> IntArray:
        """Which of many flows of a kind, as in ``flow_many``, have no edge yet to go along; their positions."""
        code = CODE[self._kind(kind)]
        return np.asarray(without_edge(code, sources, targets, amounts, self.slots.at, self.slots.standing))

    def add_flows(self, edges: CompiledEdges, units: ArrayLike, money: ArrayLike) -> None:
        """Add flows along all edges of one kind, arrays in compiled order, shape (edges,).

        Raises:
            ValueError: if the edges have changed since they were compiled, the shapes are others, or a number
                is not finite or negative; then nothing is added.
        """
        if edges.version != self._changed[edges.kind]:
            raise ValueError(
                f"The {edges.kind} edges have changed: compile them again with graph.compiled()."
            )
        goods, paid = np.asarray(units, dtype=np.float64), np.asarray(money, dtype=np.float64)
        if goods.shape != (len(edges),) or paid.shape != (len(edges),):
            raise ValueError(
                f"There are {len(edges)} {edges.kind} edges: give units and money for each of them."
            )
        self.flow_many(edges.kind, edges.source, edges.target, goods, paid)

    def _show(self, slot: int, data: dict[str, Any]) -> None:
        """Write on an edge of the networkx graph what flowed, once somebody looks at it."""
        if self._graph is not None:
            data["units"], data["money"] = float(self.slots.units[slot]), float(self.slots.money[slot])

    def reset_flows(self) -> None:
        """Begin a quarter: nothing has flowed yet."""
        self._ended.clear()
        self.slots.units[:] = self.slots.money[:] = 0.0
        if self._graph is not None:
            for data in self._data.values():
                data["units"] = data["money"] = 0.0

    def targets(self, source: str, kind: str) -> list[str]:
        """Those to whom ``source`` may sell (or whom it owns), in the order in which they were permitted."""
        self._known(source)
        return list(self._joined_by(kind)[0].get(source, ()))

    def sources(self, target: str, kind: str) -> list[str]:
        """Those from whom ``target`` may buy (or who own it), in the order in which they were permitted."""
        self._known(target)
        return list(self._joined_by(kind)[1].get(target, ()))

    def _joined_by(self, kind: str) -> tuple[Neighbours, Neighbours]:
        """The targets of each node and the sources of each along edges of a kind, in the order of joining."""
        edge, slots, names = self._kind(kind), self.slots, self._names
        if edge not in self._neighbours:
            targets: Neighbours = {}
            sources: Neighbours = {}
            mine = slots.those(CODE[edge])
            mine = mine[np.argsort(slots.pair[mine])]
            for source, target in zip(slots.source[mine].tolist(), slots.target[mine].tolist(), strict=True):
                targets.setdefault(names[source], []).append(names[target])
                sources.setdefault(names[target], []).append(names[source])
            self._neighbours[edge] = targets, sources
        return self._neighbours[edge]

    def stakes(self) -> list[Stake]:
        """Every equity edge as (owner, owned, rights, control)."""
        slots = self.slots
        found = []
        for slot in in_order(slots.those(CODE[EdgeKind.EQUITY]), slots.order()).tolist():
            owner, owned = self._names[slots.source[slot]], self._names[slots.target[slot]]
            terms = self._data[owner, owned, EdgeKind.EQUITY]["terms"]
            found.append(Stake(owner, owned, terms["rights"], terms["control"]))
        return found

    def compiled(self, kind: str) -> CompiledEdges:
        """The edges of a kind as arrays; the same object until an edge of that kind changes."""
        edge = self._kind(kind)
        known = self._compiled.get(edge)
        if known is None or known.version != self._changed[edge]:
            known = CompiledEdges(edge, self._changed[edge], self._names, self.slots, self._data)
            self._compiled[edge] = known
        return known

    def money(self, kind: str) -> dict[tuple[str, str], float]:
        """Money that flowed along edges of a kind this quarter by (source, target), USD; zeros left out."""
        source, target, _, _, _, money = self.flowed(kind).columns()
        return {(s, t): paid for s, t, paid in zip(source, target, money, strict=True) if paid}

    def units(self, kind: str) -> dict[tuple[str, str], float]:
        """Units that flowed along edges of a kind this quarter by (source, target); zeros left out."""
        source, target, _, units, _, _ = self.flowed(kind).columns()
        return {(s, t): count for s, t, count in zip(source, target, units, strict=True) if count}

    def rows(self, idle: bool = False) -> list[Row]:
        """The edges that something flowed along this quarter and all stakes; ``idle`` adds the others."""
        return [Row(*row) for row in zip(*self.columns(idle), strict=True)]

    def columns(self, idle: bool = False) -> tuple[list[Any], ...]:
        """The same as columns, in the order of the fields of ``Row``."""
        return self.flowed(idle=idle).columns()

    def flowed(self, kind: str | None = None, idle: bool = False) -> Flows:
        """What flowed this quarter along edges of a kind, or of all with all stakes; ``idle`` adds the other edges."""
        slots, count = self.slots, self.slots.count
        chosen = (slots.units[:count] != 0.0) | (slots.money[:count] != 0.0)
        kinds, units = slots.kind[:count], slots.units
        if kind is not None:
            chosen &= kinds == CODE[self._kind(kind)]
        else:
            stakes = kinds == CODE[EdgeKind.EQUITY]
            chosen |= slots.standing[:count] & (stakes | idle)
            units = np.where(stakes, slots.rights[:count], slots.units[:count])
        at = np.flatnonzero(chosen)
        return Flows(
            slots=at, units=units[at], money=slots.money[at], ended=tuple(self._ended), names=self._names,
            order=slots.order(), target=slots.target, kind=slots.kind,
        )  # fmt: skip

    def _touch(self, kind: EdgeKind) -> None:
        self.version += 1
        self._changed[kind] = self.version
        self._neighbours.pop(kind, None)

    def _permitted(self, source: str, target: str, kind: EdgeKind) -> dict[str, Any]:
        data = self._data.get((source, target, kind))
        if data is None:
            self._known(source)
            self._known(target)
            raise NotPermitted(
                f"There is no {kind} edge from {source} to {target}: permit it with "
                f"graph.permit({source!r}, {target!r}, {str(kind)!r})."
            )
        return data

    def _known(self, name: str) -> None:
        if name not in self._nodes:
            near = get_close_matches(name, self._names, n=1)
            hint = (
                f"did you mean {near[0]!r}?" if near else "add it with graph.add(name, kind, region, origin)."
            )
            raise ValueError(f"{name!r} is not in the supply graph: {hint}")

    def _kind(self, kind: str) -> EdgeKind:
        try:
            return _KINDS[kind]
        except KeyError:
            raise ValueError(f"{kind!r} is no kind of edge: write one of {', '.join(_KINDS)}.") from None

    def _check_stake(self, owner: str, owned: str, terms: Mapping[str, Any]) -> None:
        for term in ("rights", "control"):
            share = terms.get(term)
            if share is None or not 0.0 <= share <= 1.0:
                raise ValueError(
                    f"{owner}'s stake in {owned} has {term}={share}: give a share from 0 to 1, as in "
                    f"graph.permit({owner!r}, {owned!r}, 'equity', rights=..., control=...)."
                )
            others = [
                self.terms(other, owned, EdgeKind.EQUITY)[term]
                for other in self.sources(owned, EdgeKind.EQUITY)
                if other != owner
            ]
            if math.fsum([share, *others]) > 1.0 + TOLERANCE:
                raise ValueError(
                    f"{owned}'s owners would hold more than the whole in {term}: lower a stake first."
                )
