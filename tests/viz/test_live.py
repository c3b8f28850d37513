"""Live runs without a browser: a script makes the same numbers live, from a link and from its file."""

from __future__ import annotations

import json
import math
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.claims import claims
from evidence.metrics import outcomes
from model import calendar
from model.market import Market
from model.parameters import ParameterError
from scenarios.scenario import ScenarioError, load, names, resolve
from scenarios.seeds import parse
from tests.viz import apart
from viz.live import address, frame, world
from viz.live.address import Choice
from viz.live.frame import OWN, Frame
from viz.live.script import Act, Script, shock
from viz.live.simulator import Simulator

SMALL = (("enterprises", 60.0),)
BAN = Act(shock("chip_ban", "2024Q1"), fired=True)
ETA = Act(shock("set", "2023Q3", name="eta", value=1.1), fired=False)
PLAYED = Script("baseline", 3, SMALL).acting(ETA).acting(BAN)
LAST = "2024Q3"


@pytest.fixture(autouse=True)
def no_worlds() -> Iterator[None]:
    """Each test begins and ends without worlds in this process."""
    yield
    world.forget(tuple({*world._WORLDS, *world._AHEAD}))


def play(script: Script, key: str = "a", last: str = LAST, **how: Any) -> list[Frame]:
    made = [world.quarter_of(key, script, t, **how) for t in range(calendar.index(last) + 1)]
    return [each for each in made if each is not None]


def same(one: Any, other: Any) -> bool:
    """Equality in which nan equals nan."""
    return repr(one) == repr(other)


def test_a_live_run_gives_the_numbers_of_its_scenario_file(tmp_path: Path) -> None:
    file = tmp_path / "played.toml"
    file.write_text(PLAYED.toml(), encoding="utf-8")
    (seed,) = parse(resolve(file).seeds or "")
    market = Market(replace(load(file), last=LAST), seed)
    tables = market.run()
    live = play(PLAYED)
    assert [each.quarter for each in live] == list(tables["quarters"]["quarter"])
    for column in ("market_revenue_usd", "price_usd_per_mtok", "china_chip_units_all"):
        assert [each.headline[column] for each in live] == list(tables["quarters"][column])


def test_a_change_on_the_way_is_what_the_script_knew_from_the_start() -> None:
    before = Script("baseline", 3, SMALL)
    for t in range(calendar.index("2023Q3")):
        world.quarter_of("a", before, t)
    bent = before.acting(ETA)
    followed = [
        world.quarter_of("a", bent, t) for t in range(calendar.index("2023Q3"), calendar.index("2024Q1"))
    ]
    assert same(followed, play(bent, "b", "2023Q4")[2:])


@pytest.mark.parametrize("way", ["copied", "played again", "ahead of time", "ahead of what was changed"])
def test_every_way_to_a_quarter_gives_the_same_numbers(way: str) -> None:
    at = calendar.index("2024Q1")
    expected = play(PLAYED, "expected")[-3:]
    plain = PLAYED.ghost()
    for t in range(at):
        world.quarter_of("main", plain, t)
    key, like = "main", ""
    if way == "copied":
        key, like = "copy", "main"
    elif way == "played again":
        world.forget(("main",))
    elif way == "ahead of time":
        world.prepare("main", PLAYED, at)
    else:
        world.prepare("main", plain, at)
    found = [world.quarter_of(key, PLAYED, t, like) for t in range(at, at + 3)]
    assert same(found, expected)
    if way == "copied":
        assert same(
            [world.quarter_of("main", plain, t) for t in range(at, at + 3)], play(plain, "plain")[-3:]
        )


def test_a_frame_says_what_the_tables_say() -> None:
    market = Market(replace(load("baseline", dict(SMALL)), last="2023Q4"), 1)
    frames = []
    while not market.finished:
        before = frame.counts(market)
        market.step()
        if market.t > market.record_from:
            frames.append(frame.cut(market, before))
    tables = market.frames()
    for shown in frames:
        now = {name: table[table["quarter"] == shown.quarter] for name, table in tables.items()}
        offers = now["offers"]
        assert math.isclose(
            sum(map(sum, (of.values() for of in shown.sales.values()))), offers["revenue_usd"].sum()
        )
        assert {p.price for p in shown.prices} == set(
            offers.groupby(["model", "region"])["price_usd_per_mtok"].min()
        )
        api = offers[offers["channel"] == "api"].groupby("region")["revenue_usd"].sum()
        for region, revenue in api.items():
            assert math.isclose(shown.sales[str(region)].get(OWN, 0.0), revenue, abs_tol=1e-6)
        money = now["edges"].groupby("kind")["money_usd"].sum()
        for kind, paid in money.items():
            assert math.isclose(sum(f.money for f in shown.flows if f.kind == kind), paid, abs_tol=1e-3)
        china = now["chips"][now["chips"]["buyer_region"] == "China"]
        assert sum(units for _, units, _ in shown.deliveries.values()) == pytest.approx(
            china["units_delivered"].sum()
        )
        nvidia = shown.deliveries["NVIDIA"][1] / sum(units for _, units, _ in shown.deliveries.values())
        assert nvidia == pytest.approx(shown.headline["nvidia_share_china_units_all"])
        assert len(shown.events) == len(now["events"])
        assert set(shown.firms) == set(now["firms"]["firm"])


def test_claims_settle_with_their_quarter_as_a_whole_run_judges_them() -> None:
    script = Script("baseline", 1, SMALL)
    market = Market(script.setting(), 1)
    expected = outcomes(market.run(), [claim for claim in claims() if not claim.worlds])
    settled: dict[str, float] = {}
    for t in range(calendar.index("2028Q4") + 1):
        world.quarter_of("a", script, t)
        settled |= world.settled_at("a", script, t)
    assert settled.keys() == expected.keys()
    assert all(same(settled[name], expected[name]) for name in expected)


def test_a_reset_keeps_what_was_changed_and_drops_what_was_fired() -> None:
    assert PLAYED.restarted() == Script("baseline", 3, (("enterprises", 60.0), ("eta", 1.1)))
    assert PLAYED.ghost() == Script("baseline", 3, SMALL).acting(ETA)


def test_the_last_value_of_a_parameter_in_a_quarter_counts() -> None:
    again = PLAYED.acting(Act(shock("set", "2023Q3", name="eta", value=0.8), fired=False))
    assert [act.shock.value for act in again.acts if not act.fired] == [0.8]  # type: ignore[attr-defined]


def test_what_a_file_would_refuse_is_refused() -> None:
    with pytest.raises(ScenarioError, match="alpha_mean is built into the world"):
        PLAYED.acting(Act(shock("set", "2024Q1", name="alpha_mean", value=2.0), fired=False))
    with pytest.raises(ScenarioError, match="outside the run"):
        PLAYED.acting(Act(shock("chip_ban", "2031Q1"), fired=True))
    with pytest.raises(ScenarioError, match="no scenario is named"):
        Script("../pyproject").setting()


def test_a_market_that_cannot_go_on_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Market) -> None:
        raise RuntimeError("the books do not balance")

    world.quarter_of("a", PLAYED, 0)
    monkeypatch.setattr(Market, "open_quarter", broken)
    with pytest.raises(world.RunError, match="cannot go on in 2022Q2: the books do not balance"):
        world.quarter_of("a", PLAYED, 1)


@given(
    scenario=st.sampled_from(names()),
    seed=st.integers(0, 10**12),
    eta=st.none() | st.floats(0.2, 1.3),
    fired=st.booleans(),
    region=st.sampled_from(["China", "Asia-Pacific", "North America", "Europe and rest"]),
    firm=st.text(max_size=20),
)
def test_an_address_is_read_as_it_was_written(
    scenario: str, seed: int, eta: float | None, fired: bool, region: str, firm: str
) -> None:
    script = Script(scenario, seed, () if eta is None else (("eta", eta),))
    if fired:
        script = script.acting(Act(shock("demand_swing", "2026Q3", factor=0.5), fired=True))
    choice = Choice("2026Q2", firm, region, "both")
    assert address.read(address.query(script, choice)) == (script, choice)


def test_an_uploaded_file_travels_in_the_address() -> None:
    text = 'title = "Mine"\nextends = "baseline"\n[parameters]\nenterprises = 80\n'
    script = Script("mine.toml", 1, upload=text)
    assert address.read(address.query(script, Choice()))[0] == script


def test_an_uploaded_file_of_any_name_and_text_is_a_world_or_a_sentence() -> None:
    text = 'title = "Mine"\nextends = "baseline"\n'
    script = Script(seed=3).with_file("C:\\a/\x1b\ud800.toml", text)
    assert (script.scenario, script.seed) == ("\\x1b\\ud800.toml", 3)
    assert address.read(address.query(script, Choice()))[0] == script
    with pytest.raises(ScenarioError, match="not UTF-8"):
        Script().with_file("mine.toml", f"{text}# \ud800").base()
    for name, wrong in (("mine.exe", text), ("mine.toml", None), ("mine.toml", "é" * 150_000)):
        with pytest.raises(ScenarioError, match=r"end in \.toml|longer than"):
            Script().with_file(name, wrong)


@pytest.mark.parametrize(
    "query",
    [
        "scenario=../../etc/passwd",
        "scenario=/etc/passwd.toml",
        "seed=-1",
        "seed=1e3",
        "value=eta:99",
        "value=nothing:1",
        "value=eta:nan",
        "act=%7B",
        "act=[]",
        "act=" + json.dumps({"kind": "chip_ban"}),
        "act=" + json.dumps({"kind": "nonsense", "quarter": "2025Q1"}),
        "act=" + json.dumps({"kind": "chip_ban", "quarter": "2025Q1", "more": {}}),
        "act=" + json.dumps({"kind": "breakup", "quarter": "2025Q1", "target": {"a": 1}}),
        "act=" + json.dumps({"kind": "demand_swing", "quarter": "2025Q1", "factor": "much"}),
        "change=" + json.dumps({"kind": "chip_ban", "quarter": "2025Q1"}),
        "act=" + json.dumps({"kind": "breakup", "quarter": "2025Q1", "target": "\ud800"}),
        "act=" + json.dumps({"kind": "breakup", "quarter": 20251}),
        "next=eta:99",
        "next=nothing:1",
        "change=" + json.dumps({"kind": "set", "quarter": "1999Q1", "name": "eta", "value": 1}),
        "quarter=soon",
        "file=xyz",
        "scenario=x.toml&file=eNpLBAAAYgBi",
        "seed=1&" * 20_000,
    ],
)
def test_an_address_that_makes_no_sense_gets_a_sentence(query: str) -> None:
    with pytest.raises((ScenarioError, ParameterError)) as said:
        address.read(query)
    assert str(said.value)


def test_a_killed_process_costs_no_session() -> None:
    async def session() -> None:
        simulator = Simulator(1)
        try:
            one, two = simulator.session(), simulator.session()
            expected = play(PLAYED)
            for t in range(calendar.index("2023Q3") + 1):
                await simulator.quarter(one, one, PLAYED, t)
            assert len(simulator.pids()) == 1
            os.kill(simulator.pids()[0], signal.SIGKILL)
            after = calendar.index("2023Q4")
            found = [await simulator.quarter(one, one, PLAYED, t) for t in range(after, after + 2)]
            assert same(found, expected[3:5])
            assert await simulator.quarter(two, two, PLAYED, 0) is None
        finally:
            simulator.close()

    apart.run(session())


def test_sessions_are_spread_over_the_processes() -> None:
    simulator = Simulator(2)
    first = [simulator.session() for _ in range(4)]
    assert sorted(simulator._homes.values()) == [0, 0, 1, 1]
    simulator.end(first[0], ())
    simulator.end(first[2], ())
    simulator.session()
    assert sorted(simulator._homes.values()) == [0, 1, 1]
