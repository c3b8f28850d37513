"""The supply graph: who may sell what to whom, who owns whom, and what flowed along each edge."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.edges import UNITS, CompiledEdges, Edge, EdgeKind, Node, NotPermitted, Row, Stake
from model.identities import TOLERANCE

__all__ = ["UNITS", "EdgeKind", "Node", "NotPermitted", "Row", "Stake", "SupplyGraph"]

FloatArray = NDArray[np.float64]

_KINDS: dict[str, EdgeKind] = {kind: kind for kind in EdgeKind}
_PLAIN: dict[EdgeKind, str] = {kind: kind.value for kind in EdgeKind}


class SupplyGraph:
    """Nodes that trade, edges that permit it, in one networkx ``MultiDiGraph`` keyed by the kind of edge.

    ``version`` counts changes of structure (nodes, edges and their terms), so that whatever was computed from
    the structure knows when it is out of date. Flows are not structure.
    """

    def __init__(self) -> None:
        self.version = 0
        self._graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        self._changed = dict.fromkeys(EdgeKind, 0)
        self._compiled: dict[EdgeKind, CompiledEdges] = {}
        # The edges' own dictionaries in the graph: by edge, and in the graph's order until an edge changes.
        self._data: dict[Edge, dict[str, Any]] = {}
        self._in_order: list[tuple[Edge, dict[str, Any]]] | None = None
        self._neighbours: dict[EdgeKind, dict[tuple[str, str], list[str]]] = {kind: {} for kind in EdgeKind}
        self._nodes: dict[str, Node] = {}
        # Edges forbidden after something flowed along them this quarter, which is still to be recorded.
        self._ended: dict[Edge, dict[str, Any]] = {}

    @property
    def network(self) -> nx.MultiDiGraph[str]:
        """The graph itself, live, for networkx's algorithms; structure changes only through this class."""
        view: nx.MultiDiGraph[str] = self._graph.copy(as_view=True)
        return view

    def add(self, name: str, kind: str, region: str, origin: str) -> None:
        """Add a firm, or a segment of enterprises.

        Raises:
            ValueError: if there is a node of that name.
        """
        if name in self._nodes:
            raise ValueError(f"{name} is in the supply graph already: give each node a name of its own.")
        self._graph.add_node(name, kind=kind, region=region, origin=origin)
        self._nodes[name] = Node(name, kind, region, origin)
        self.version += 1

    def __contains__(self, name: str) -> bool:
        return name in self._nodes

    def node(self, name: str) -> Node:
        """Who a node is; ValueError if there is none of that name."""
        self._known(name)
        return self._nodes[name]

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
        self._known(source)
        self._known(target)
        if source == target:
            raise ValueError(f"{source} cannot trade with itself: its own use of {kind} needs no edge.")
        data = self._edge(source, target, edge)
        old: dict[str, Any] = {} if data is None else data["terms"]
        new = {**old, **terms}
        if edge is EdgeKind.EQUITY:
            new.setdefault("control", new.get("rights"))
            self._check_stake(source, target, new)
        if data is None:
            data = self._ended.pop((source, target, edge), None) or {"units": 0.0, "money": 0.0}
            self._graph.add_edge(source, target, key=edge, **{**data, "terms": new})
            self._data[source, target, edge] = self._graph.get_edge_data(source, target, edge)
        elif new != old:
            data["terms"] = new
        else:
            return
        self._touch(edge)

    def forbid(self, source: str, target: str, kind: str) -> None:
        """Take the edge away, if there is one; what flowed along it this quarter is still reported."""
        edge = self._kind(kind)
        data = self._edge(source, target, edge)
        if data is None:
            return
        if data["units"] or data["money"]:
            self._ended[source, target, edge] = data
        self._graph.remove_edge(source, target, key=edge)
        del self._data[source, target, edge]
        self._touch(edge)

    def permitted(self, source: str, target: str, kind: str) -> bool:
        """Whether there is an edge of that kind."""
        return self._edge(source, target, self._kind(kind)) is not None

    def terms(self, source: str, target: str, kind: str) -> dict[str, Any]:
        """A copy of the terms of an edge.

        Raises:
            NotPermitted: if there is no such edge.
        """
        return dict(self._permitted(source, target, self._kind(kind))["terms"])

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
        data["units"] += units
        data["money"] += money

    def flow_between(
        self, sources: Sequence[str], targets: Sequence[str], kind: str, units: FloatArray, money: FloatArray
    ) -> None:
        """Add what flowed between every source and every target, shapes (sources, targets).

        Raises:
            NotPermitted: if something is to flow where there is no edge; then nothing is added.
            ValueError: as ``flow``.
        """
        edges = self.compiled(kind)
        at = edges.positions(sources, targets)
        for i, j in np.argwhere((at < 0) & ((units != 0.0) | (money != 0.0))):
            self._permitted(sources[i], targets[j], edges.kind)
        goods, paid = np.zeros(len(edges)), np.zeros(len(edges))
        goods[at[at >= 0]], paid[at[at >= 0]] = units[at >= 0], money[at >= 0]
        self.add_flows(edges, goods, paid)

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
        goods, paid = (np.asarray(units, dtype=np.float64), np.asarray(money, dtype=np.float64))
        if goods.shape != (len(edges),) or paid.shape != (len(edges),):
            raise ValueError(
                f"There are {len(edges)} {edges.kind} edges: give units and money for each of them."
            )
        low = -np.inf if edges.kind is EdgeKind.EQUITY else 0.0
        fine = np.isfinite(goods) & np.isfinite(paid) & (goods >= 0.0) & (paid >= low)
        if not fine.all():
            source, target = list(edges.position)[int(np.argmin(fine))]
            raise ValueError(
                f"What flows from {source} to {target} as {edges.kind} must be finite and at least 0, "
                "in units and in money."
            )
        for at in np.flatnonzero((goods != 0.0) | (paid != 0.0)).tolist():
            data = edges.attributes[at]
            data["units"] += float(goods[at])
            data["money"] += float(paid[at])

    def reset_flows(self) -> None:
        """Begin a quarter: nothing has flowed yet."""
        self._ended.clear()
        for data in self._data.values():
            data["units"] = data["money"] = 0.0

    def targets(self, source: str, kind: str) -> list[str]:
        """Those to whom ``source`` may sell (or whom it owns), in the order in which they were permitted."""
        known, edge = self._neighbours[self._kind(kind)], self._kind(kind)
        if (source, "") not in known:
            self._known(source)
            known[source, ""] = [
                target for target, keyed in self._graph.succ[source].items() if edge in keyed
            ]
        return list(known[source, ""])

    def sources(self, target: str, kind: str) -> list[str]:
        """Those from whom ``target`` may buy (or who own it), in the order in which they were permitted."""
        known, edge = self._neighbours[self._kind(kind)], self._kind(kind)
        if ("", target) not in known:
            self._known(target)
            known["", target] = [
                source for source, keyed in self._graph.pred[target].items() if edge in keyed
            ]
        return list(known["", target])

    def stakes(self) -> list[Stake]:
        """Every equity edge as (owner, owned, rights, control)."""
        return [
            Stake(owner, owned, data["terms"]["rights"], data["terms"]["control"])
            for (owner, owned, key), data in self._edges()
            if key is EdgeKind.EQUITY
        ]

    def compiled(self, kind: str) -> CompiledEdges:
        """The edges of a kind as arrays; the same object until an edge of that kind changes."""
        edge = self._kind(kind)
        known = self._compiled.get(edge)
        if known is not None and known.version == self._changed[edge]:
            return known
        names = tuple(self._graph)
        number = {name: i for i, name in enumerate(names)}
        found = [(source, target, data) for (source, target, key), data in self._edges() if key is edge]
        self._compiled[edge] = compiled = CompiledEdges(
            kind=edge,
            version=self._changed[edge],
            names=names,
            source=np.array([number[source] for source, _, _ in found], dtype=np.int64),
            target=np.array([number[target] for _, target, _ in found], dtype=np.int64),
            position={(source, target): at for at, (source, target, _) in enumerate(found)},
            attributes=tuple(data for _, _, data in found),
        )
        return compiled

    def money(self, kind: str) -> dict[tuple[str, str], float]:
        """Money that flowed along edges of a kind this quarter by (source, target), USD; zeros left out."""
        return {pair: data["money"] for pair, data in self._flowed(kind) if data["money"]}

    def units(self, kind: str) -> dict[tuple[str, str], float]:
        """Units that flowed along edges of a kind this quarter by (source, target); zeros left out."""
        return {pair: data["units"] for pair, data in self._flowed(kind) if data["units"]}

    def _flowed(self, kind: str) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
        edges = self.compiled(kind)
        yield from zip(edges.position, edges.attributes, strict=True)
        for (source, target, key), data in self._ended.items():
            if key is edges.kind:
                yield (source, target), data

    def rows(self, idle: bool = False) -> list[Row]:
        """The edges that something flowed along this quarter and all stakes; ``idle`` adds the others."""
        return [Row(*row) for row in zip(*self.columns(idle), strict=True)]

    def columns(self, idle: bool = False) -> tuple[list[Any], ...]:
        """The same as columns, in the order of the fields of ``Row``."""
        flowed = [
            (edge, data)
            for edge, data in self._edges()
            if idle or data["units"] or data["money"] or edge[2] is EdgeKind.EQUITY
        ]
        flowed += self._ended.items()
        return (
            [source for (source, _, _), _ in flowed],
            [target for (_, target, _), _ in flowed],
            [_PLAIN[kind] for (_, _, kind), _ in flowed],
            [
                float(data["terms"]["rights"] if kind is EdgeKind.EQUITY else data["units"])
                for (_, _, kind), data in flowed
            ],
            [UNITS[kind] for (_, _, kind), _ in flowed],
            [data["money"] for _, data in flowed],
        )

    def _touch(self, kind: EdgeKind) -> None:
        self.version += 1
        self._changed[kind] = self.version
        self._neighbours[kind].clear()
        self._in_order = None

    def _edges(self) -> list[tuple[Edge, dict[str, Any]]]:
        if self._in_order is None:
            self._in_order = [
                ((source, target, key), data)
                for source, target, key, data in self._graph.edges(keys=True, data=True)
            ]
        return self._in_order

    def _edge(self, source: str, target: str, kind: EdgeKind) -> dict[str, Any] | None:
        return self._data.get((source, target, kind))

    def _permitted(self, source: str, target: str, kind: EdgeKind) -> dict[str, Any]:
        data = self._edge(source, target, kind)
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
            near = get_close_matches(name, list(self._graph), n=1)
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
