"""The supply graph: permitted trade, flows and the compiled view."""

import math
from collections.abc import Callable

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.graph import UNITS, EdgeKind, Node, NotPermitted, Row, Stake, SupplyGraph

MAKERS = ("NVIDIA", "Huawei Ascend")
CLOUDS = ("Alibaba Cloud", "AWS", "Huawei Cloud")
VENDOR = "DeepSeek"
SEGMENTS = ("China/education", "Asia-Pacific/retail")
NAMES = (*MAKERS, *CLOUDS, VENDOR, *SEGMENTS)

trades = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from(EdgeKind)).filter(
    lambda trade: trade[0] != trade[1] and trade[2] is not EdgeKind.EQUITY
)
amounts = st.floats(min_value=0.0, max_value=1e12)


def market() -> SupplyGraph:
    graph = SupplyGraph()
    for names, kind in (
        (MAKERS, "chipmaker"),
        (CLOUDS, "cloud"),
        ((VENDOR,), "vendor"),
        (SEGMENTS, "enterprise"),
    ):
        for name in names:
            graph.add(
                name, kind, "China" if name != "AWS" else "North America", "CN" if name != "AWS" else "US"
            )
    return graph


def test_a_firm_buys_only_along_an_edge() -> None:
    graph = market()
    graph.permit("NVIDIA", "AWS", "chips")
    graph.flow("NVIDIA", "AWS", "chips", 8, 250_000.0)
    with pytest.raises(
        NotPermitted, match=r"no chips edge from NVIDIA to Alibaba Cloud: permit it with graph\.permit"
    ):
        graph.flow("NVIDIA", "Alibaba Cloud", "chips", 8, 250_000.0)
    with pytest.raises(NotPermitted):
        graph.flow("AWS", "NVIDIA", "chips", 8, 250_000.0)
    with pytest.raises(NotPermitted):
        graph.flow("NVIDIA", "AWS", "hosting", 8, 250_000.0)
    assert list(graph.rows()) == [Row("NVIDIA", "AWS", "chips", 8.0, "units", 250_000.0)]


def test_an_export_rule_closes_an_edge_and_reopens_it_on_new_terms() -> None:
    graph = market()
    graph.permit("NVIDIA", "Alibaba Cloud", "chips", tariff=0.0)
    before = graph.version
    graph.forbid("NVIDIA", "Alibaba Cloud", "chips")
    assert graph.version > before
    assert not graph.permitted("NVIDIA", "Alibaba Cloud", "chips")
    assert graph.targets("NVIDIA", "chips") == [] == graph.sources("Alibaba Cloud", "chips")
    with pytest.raises(NotPermitted):
        graph.terms("NVIDIA", "Alibaba Cloud", "chips")
    graph.permit("NVIDIA", "Alibaba Cloud", "chips", performance_limit=2400.0)
    assert graph.terms("NVIDIA", "Alibaba Cloud", "chips") == {"performance_limit": 2400.0}


def test_what_was_shipped_before_the_rule_is_still_reported_this_quarter() -> None:
    graph = market()
    graph.permit("NVIDIA", "Alibaba Cloud", "chips")
    graph.flow("NVIDIA", "Alibaba Cloud", "chips", 2, 10.0)
    graph.forbid("NVIDIA", "Alibaba Cloud", "chips")
    assert list(graph.rows()) == [Row("NVIDIA", "Alibaba Cloud", "chips", 2.0, "units", 10.0)]
    assert graph.money("chips") == {("NVIDIA", "Alibaba Cloud"): 10.0}
    graph.permit("NVIDIA", "Alibaba Cloud", "chips")
    graph.flow("NVIDIA", "Alibaba Cloud", "chips", 1, 5.0)
    assert list(graph.rows()) == [Row("NVIDIA", "Alibaba Cloud", "chips", 3.0, "units", 15.0)]
    graph.forbid("NVIDIA", "Alibaba Cloud", "chips")
    graph.reset_flows()
    assert list(graph.rows()) == []


def test_only_changes_of_structure_count_as_versions() -> None:
    graph = market()
    graph.permit("NVIDIA", "AWS", "chips", tariff=0.1)

    def changes(act: Callable[[], object]) -> bool:
        before = graph.version
        act()
        return graph.version > before

    assert not changes(lambda: graph.flow("NVIDIA", "AWS", "chips", 1, 1.0))
    assert not changes(graph.reset_flows)
    assert not changes(lambda: graph.compiled("chips"))
    assert not changes(lambda: graph.permit("NVIDIA", "AWS", "chips", tariff=0.1))
    assert not changes(lambda: graph.permit("NVIDIA", "AWS", "chips"))
    assert not changes(lambda: graph.forbid("NVIDIA", "AWS", "tokens"))
    assert changes(lambda: graph.permit("NVIDIA", "AWS", "chips", tariff=0.2))
    assert changes(lambda: graph.permit("NVIDIA", "AWS", "services"))
    assert changes(lambda: graph.add("Oracle", "cloud", "North America", "US"))
    assert changes(lambda: graph.forbid("NVIDIA", "AWS", "chips"))


def test_a_second_permit_changes_the_named_terms_and_keeps_the_others() -> None:
    graph = market()
    graph.permit("NVIDIA", "AWS", "chips", tariff=0.1, limit=5)
    graph.flow("NVIDIA", "AWS", "chips", 1, 2.0)
    graph.permit("NVIDIA", "AWS", "chips", tariff=0.25)
    assert graph.terms("NVIDIA", "AWS", "chips") == {"tariff": 0.25, "limit": 5}
    assert graph.money("chips") == {("NVIDIA", "AWS"): 2.0}
    graph.terms("NVIDIA", "AWS", "chips")["tariff"] = 0.9
    assert graph.terms("NVIDIA", "AWS", "chips")["tariff"] == 0.25, "terms change through permit only"


@given(st.sets(trades), st.data())
def test_flows_add_up_over_edges_firms_and_kinds(
    edges: set[tuple[str, str, EdgeKind]], data: st.DataObject
) -> None:
    graph = market()
    for edge in sorted(edges):
        graph.permit(*edge)
    steps = st.lists(st.tuples(st.sampled_from(sorted(edges)), amounts, amounts)) if edges else st.just([])
    flows = data.draw(steps)
    for edge, units, money in flows:
        graph.flow(*edge, units, money)
    rows = list(graph.rows())
    for kind in EdgeKind:
        paid = math.fsum(money for edge, _, money in flows if edge[2] is kind)
        assert math.fsum(row.money for row in rows if row.kind == kind) == pytest.approx(paid, rel=1e-12)
        assert math.fsum(graph.money(kind).values()) == pytest.approx(paid, rel=1e-12)
        counted = math.fsum(units for edge, units, _ in flows if edge[2] is kind)
        assert math.fsum(row.units for row in rows if row.kind == kind) == pytest.approx(counted, rel=1e-12)
        assert {row.unit for row in rows if row.kind == kind} <= {UNITS[kind]}
    earned = {name: math.fsum(row.money for row in rows if row.source == name) for name in NAMES}
    spent = {name: math.fsum(row.money for row in rows if row.target == name) for name in NAMES}
    assert math.fsum(earned.values()) == pytest.approx(math.fsum(spent.values()), rel=1e-12)


@given(st.lists(st.tuples(trades, st.booleans())))
def test_the_compiled_view_is_the_graph_whatever_policy_did(
    history: list[tuple[tuple[str, str, EdgeKind], bool]],
) -> None:
    graph = market()
    watched, standing = market(), set[tuple[str, str, EdgeKind]]()
    assert not watched.network.edges
    for edge, allowed in history:
        graph.compiled(edge[2])
        watched.permit(*edge) if allowed else watched.forbid(*edge)
        if allowed:
            graph.permit(*edge)
            standing.add(edge)
        else:
            graph.forbid(*edge)
            standing.discard(edge)
    edges = list(watched.network.edges(keys=True))
    assert list(zip(*graph.columns(idle=True)[:3], strict=True)) == edges
    assert list(graph.network.edges(keys=True)) == edges, "made late, the networkx graph is the same"
    for name in NAMES:
        for kind in EdgeKind:
            assert graph.targets(name, kind) == [t for s, t, k in edges if s == name and k == kind]
            before = watched.network.pred[name]
            assert graph.sources(name, kind) == [source for source, keyed in before.items() if kind in keyed]
    for kind in EdgeKind:
        view = graph.compiled(kind)
        pairs = [(view.names[i], view.names[j]) for i, j in zip(view.source, view.target, strict=True)]
        assert sorted(pairs) == sorted((source, target) for source, target, k in standing if k is kind)
        assert [view.position[pair] for pair in pairs] == list(range(len(view)))
        found = view.positions(NAMES, NAMES)
        for i, source in enumerate(NAMES):
            assert sorted(graph.targets(source, kind)) == sorted(
                NAMES[j] for j in np.flatnonzero(found[i] >= 0)
            )
            assert sorted(graph.sources(source, kind)) == sorted(
                NAMES[j] for j in np.flatnonzero(found[:, i] >= 0)
            )
            for j, target in enumerate(NAMES):
                assert graph.permitted(source, target, kind) == (found[i, j] >= 0)
                assert found[i, j] == -1 or pairs[found[i, j]] == (source, target)


def test_flows_of_all_edges_at_once_are_those_of_single_edges() -> None:
    at_once, single = market(), market()
    for graph in (at_once, single):
        for cloud in CLOUDS:
            for segment in SEGMENTS:
                graph.permit(cloud, segment, "tokens")
        graph.forbid("AWS", "China/education", "tokens")
    view = at_once.compiled("tokens")
    where = view.positions(CLOUDS, SEGMENTS)
    tokens = np.arange(6.0).reshape(3, 2)
    units = np.zeros(len(view))
    units[where[where >= 0]] = tokens[where >= 0]
    at_once.add_flows(view, units, 0.5 * units)
    at_once.add_flows(view, units, 0.5 * units)
    for i, cloud in enumerate(CLOUDS):
        for j, segment in enumerate(SEGMENTS):
            if single.permitted(cloud, segment, "tokens"):
                single.flow(cloud, segment, "tokens", 2 * tokens[i, j], tokens[i, j])
    assert list(at_once.rows(idle=True)) == list(single.rows(idle=True))
    assert all(type(row.units) is float and type(row.money) is float for row in at_once.rows())


def test_many_flows_at_once_are_those_of_single_edges() -> None:
    at_once, single = market(), market()
    for graph in (at_once, single):
        for cloud in CLOUDS:
            for segment in SEGMENTS:
                graph.permit(cloud, segment, "tokens")
        graph.forbid("AWS", "China/education", "tokens")
    sources = np.array([at_once.number(name) for name in CLOUDS]).repeat(2)
    targets = np.tile([at_once.number(name) for name in SEGMENTS], 3)
    units = np.array([1.0, 2.0, 0.0, 3.0, 4.0, 0.0])
    at_once.flow_many("tokens", sources, targets, units, 0.5 * units)
    at_once.flow_many("tokens", sources, targets, units, 0.5 * units)
    for cloud, segment, count in zip(np.repeat(CLOUDS, 2), SEGMENTS * 3, units, strict=True):
        if count:
            single.flow(cloud, segment, "tokens", 2 * count, count)
    assert list(at_once.rows(idle=True)) == list(single.rows(idle=True))
    assert all(type(row.units) is float and type(row.money) is float for row in at_once.rows())
    units[2] = 1.0
    with pytest.raises(NotPermitted, match="no tokens edge from AWS to China/education"):
        at_once.flow_many("tokens", sources, targets, units, units)
    assert list(at_once.rows(idle=True)) == list(single.rows(idle=True)), "nothing is added"


def test_a_view_is_rebuilt_only_when_edges_of_its_kind_change() -> None:
    graph = market()
    graph.permit("NVIDIA", "AWS", "chips")
    view = graph.compiled("chips")
    graph.permit("AWS", "China/education", "tokens")
    graph.flow("NVIDIA", "AWS", "chips", 1, 1.0)
    assert graph.compiled("chips") is view
    graph.permit("NVIDIA", "Alibaba Cloud", "chips")
    assert len(graph.compiled("chips")) == 2


def test_arrays_of_an_old_structure_cannot_flow() -> None:
    graph = market()
    graph.permit("NVIDIA", "AWS", "chips")
    view = graph.compiled("chips")
    graph.forbid("NVIDIA", "AWS", "chips")
    graph.permit("Huawei Ascend", "Alibaba Cloud", "chips")
    with pytest.raises(ValueError, match="compile them again"):
        graph.add_flows(view, [1.0], [1.0])
    with pytest.raises(ValueError, match="There are 1 chips edges"):
        graph.add_flows(graph.compiled("chips"), [1.0, 1.0], [1.0, 1.0])
    assert list(graph.rows()) == []


@pytest.mark.parametrize(
    ("units", "money"), [(-1.0, 1.0), (1.0, -1.0), (math.nan, 1.0), (1.0, math.nan), (1.0, math.inf)]
)
def test_nothing_flows_backwards_or_without_end(units: float, money: float) -> None:
    graph = market()
    graph.permit("NVIDIA", "AWS", "chips")
    with pytest.raises(ValueError, match="NVIDIA to AWS"):
        graph.flow("NVIDIA", "AWS", "chips", units, money)
    with pytest.raises(ValueError, match="NVIDIA to AWS"):
        graph.add_flows(graph.compiled("chips"), [units], [money])
    with pytest.raises(ValueError, match="NVIDIA to AWS"):
        ends = np.array([graph.number("NVIDIA")]), np.array([graph.number("AWS")])
        graph.flow_many("chips", *ends, np.array([units]), np.array([money]))
    assert list(graph.rows()) == []


def test_the_networkx_graph_tells_what_flows_also_after_somebody_looked() -> None:
    graph = market()
    graph.permit("NVIDIA", "AWS", "chips")
    graph.flow("NVIDIA", "AWS", "chips", 1, 2.0)
    told = graph.network.edges["NVIDIA", "AWS", "chips"]
    assert (told["units"], told["money"]) == (1.0, 2.0)
    graph.flow("NVIDIA", "AWS", "chips", 1, 2.0)
    assert (told["units"], told["money"]) == (2.0, 4.0)
    maker, cloud = (np.array([graph.number(name)]) for name in ("NVIDIA", "AWS"))
    graph.flow_many("chips", maker, cloud, np.ones(1), np.ones(1))
    assert (told["units"], told["money"]) == (3.0, 5.0)
    graph.forbid("NVIDIA", "AWS", "chips")
    graph.permit("NVIDIA", "AWS", "chips", tariff=0.1)
    told = graph.network.edges["NVIDIA", "AWS", "chips"]
    assert told == {"units": 3.0, "money": 5.0, "terms": {"tariff": 0.1}}
    graph.reset_flows()
    assert (told["units"], told["money"]) == (0.0, 0.0)


def test_rows_recorded_earlier_stay_in_their_order_whatever_is_permitted_later() -> None:
    graph = market()
    for cloud in CLOUDS:
        graph.permit("NVIDIA", cloud, "chips")
        graph.flow("NVIDIA", cloud, "chips", 1, 1.0)
    before, rows = graph.flowed(), graph.columns()
    graph.forbid("NVIDIA", CLOUDS[0], "chips")
    assert graph.columns()[1] == [*CLOUDS[1:], CLOUDS[0]], "what has ended comes last"
    for name in NAMES[1:]:
        graph.permit("NVIDIA", name, "services")
    graph.permit("NVIDIA", CLOUDS[0], "chips")
    for n in range(100):
        graph.add(f"late {n}", "cloud", "China", "CN")
        graph.permit(f"late {n}", "NVIDIA", "services")
    assert before.columns() == rows
    edges = [(source, target) for source, target, key in graph.network.edges(keys=True) if key == "chips"]
    assert list(zip(*graph.columns()[:2], strict=True)) == edges


def test_owners_hold_rights_and_votes_and_receive_dividends() -> None:
    graph = market()
    graph.permit("Alibaba Cloud", VENDOR, "equity", rights=0.3)
    graph.permit("Huawei Cloud", VENDOR, "equity", rights=0.2, control=0.7)
    assert graph.stakes() == [
        Stake("Alibaba Cloud", VENDOR, 0.3, 0.3),
        Stake("Huawei Cloud", VENDOR, 0.2, 0.7),
    ]
    graph.flow("Alibaba Cloud", VENDOR, "equity", 0, -50.0)
    graph.flow("Alibaba Cloud", VENDOR, "equity", 0, 10.0)
    assert list(graph.rows()) == [
        Row("Alibaba Cloud", VENDOR, "equity", 0.3, "stake", -40.0),
        Row("Huawei Cloud", VENDOR, "equity", 0.2, "stake", 0.0),
    ]


def test_nobody_can_own_more_than_the_whole() -> None:
    graph = market()
    graph.permit("Alibaba Cloud", VENDOR, "equity", rights=0.6)
    with pytest.raises(ValueError, match="more than the whole in rights"):
        graph.permit("AWS", VENDOR, "equity", rights=0.5)
    graph.permit("Alibaba Cloud", VENDOR, "equity", rights=0.5, control=1.0)
    with pytest.raises(ValueError, match="more than the whole in control"):
        graph.permit("AWS", VENDOR, "equity", rights=0.5)
    graph.permit("AWS", VENDOR, "equity", rights=0.5, control=0.0)
    with pytest.raises(ValueError, match="rights=None"):
        graph.permit("Huawei Cloud", VENDOR, "equity")
    with pytest.raises(ValueError, match=r"control=1\.5"):
        graph.permit("Huawei Cloud", "AWS", "equity", rights=0.1, control=1.5)
    assert [stake.owner for stake in graph.stakes()] == ["Alibaba Cloud", "AWS"]


def test_partners_whose_stakes_are_rounded_up_own_the_whole() -> None:
    graph = market()
    partners = [f"partner {i}" for i in range(49)]
    for partner in partners:
        graph.add(partner, "cloud", "Europe and rest", "EU")
        graph.permit(partner, VENDOR, "equity", rights=(1 + 1e-12) / 49)
    assert graph.sources(VENDOR, "equity") == partners


def test_nodes_know_who_they_are() -> None:
    graph = market()
    assert graph.node("AWS") == Node("AWS", "cloud", "North America", "US")
    assert graph.names("chipmaker") == list(MAKERS)
    assert graph.names() == list(NAMES)
    with pytest.raises(ValueError, match="AWS is in the supply graph already"):
        graph.add("AWS", "cloud", "North America", "US")


def test_networkx_reads_the_graph_but_cannot_change_it() -> None:
    graph = market()
    graph.permit("NVIDIA", "AWS", "chips")
    graph.permit("AWS", "Asia-Pacific/retail", "tokens")
    network = graph.network
    graph.permit("NVIDIA", "Alibaba Cloud", "chips")
    assert isinstance(network, nx.MultiDiGraph)
    assert nx.has_path(network, "NVIDIA", "Asia-Pacific/retail")
    assert network.has_edge("NVIDIA", "Alibaba Cloud", key="chips"), "the view is live"
    with pytest.raises(nx.NetworkXError, match="Frozen graph"):
        network.add_edge("AWS", "NVIDIA", key="chips")


def test_a_misspelt_name_or_kind_is_answered_with_the_right_one() -> None:
    graph = market()
    with pytest.raises(ValueError, match="did you mean 'NVIDIA'"):
        graph.permit("NVIDA", "AWS", "chips")
    with pytest.raises(ValueError, match=r"graph\.add"):
        graph.targets("zzzzzz", "chips")
    with pytest.raises(ValueError, match="did you mean 'Alibaba Cloud'"):
        graph.flow("NVIDIA", "Alibaba Clod", "chips", 1, 1.0)
    with pytest.raises(ValueError, match="write one of chips, hosting, tokens, equity, services"):
        graph.permit("NVIDIA", "AWS", "chip")
    with pytest.raises(ValueError, match="cannot trade with itself"):
        graph.permit("AWS", "AWS", "chips")
