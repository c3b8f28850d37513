"""The commands of the live page without a browser: what each leaves on screen, whatever else is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from model.market import Market
from tests.viz import apart
from viz.live import address, world
from viz.live.simulator import Simulator
from viz.ui.stage import Stage, View

SMALL = "scenario=baseline&seed=1&value=enterprises:60"


class Here(Simulator):
    """A simulator in this process, whose quarters come when the test lets them."""

    def __init__(self) -> None:
        super().__init__(1)
        self.free = asyncio.Event()
        self.free.set()

    async def _call(self, session: str, function: Callable[..., Any], *arguments: object) -> Any:
        await self.free.wait()
        return function(*arguments)

    async def prepare(self, *_: object) -> None:
        return None


@pytest.fixture(autouse=True)
def no_worlds() -> Iterator[None]:
    """Each test ends without worlds in this process."""
    yield
    world.forget(tuple({*world._WORLDS, *world._AHEAD}))


def on_stage(act: Callable[[Stage, Here], Awaitable[None]], query: str = SMALL) -> None:
    """Do something with a stage that has opened an address."""

    async def play() -> None:
        here = Here()
        stage = Stage(here)
        await stage.carry_out("open", query)
        await act(stage, here)
        stage.close()

    apart.run(play())


def view(stage: Stage) -> View:
    seen: View = stage.view.value
    return seen


async def settled(stage: Stage) -> None:
    """Wait until nothing is under way, and no shot waits for it."""
    while stage._shots or (stage._task is not None and not stage._task.done()):
        await asyncio.sleep(0.01)


def test_an_error_said_while_a_quarter_is_on_its_way_is_still_there_when_it_lands() -> None:
    async def act(stage: Stage, here: Here) -> None:
        here.free.clear()
        stage.do("step")
        await asyncio.sleep(0.1)
        assert view(stage).busy
        await stage.carry_out("change", {"name": "eta", "value": "99"})
        assert "allowed is 0.2 to 1.3" in view(stage).error
        assert view(stage).busy
        here.free.set()
        await settled(stage)
        assert len(view(stage).frames) == 2
        assert not view(stage).busy
        assert "allowed is 0.2 to 1.3" in view(stage).error
        await stage.carry_out("change", {"name": "eta", "value": "0.9"})
        assert view(stage).error == ""

    on_stage(act)


def test_what_is_changed_while_a_quarter_is_on_its_way_holds_from_the_one_after() -> None:
    async def act(stage: Stage, here: Here) -> None:
        here.free.clear()
        stage.do("step")
        await asyncio.sleep(0)
        await stage.carry_out("change", {"name": "eta", "value": "0.9"})
        here.free.set()
        await settled(stage)
        (changed,) = view(stage).script.acts
        assert changed.shock.quarter == "2023Q3"
        assert view(stage).changed()["eta"] == 0.9

    on_stage(act)


def test_a_shock_that_the_market_refuses_is_not_in_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Market, shock: Any) -> None:
        raise ValueError("nobody is there to ban")

    async def act(stage: Stage, here: Here) -> None:
        before = view(stage)
        with monkeypatch.context() as patch:
            patch.setattr(Market, "shock", refuse)
            await stage.carry_out("fire", {"kind": "chip_ban"})
        assert "nobody is there to ban" in view(stage).error
        assert (view(stage).script, view(stage).ghost) == (before.script, before.ghost)
        await stage.carry_out("step")
        assert [frame.quarter for frame in view(stage).frames] == ["2023Q1", "2023Q2"]
        assert view(stage).error == ""

    on_stage(act)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"kind": "nonsense"}, "no kind of shock is called"),
        ({"kind": "demand_swing"}, "'factor' is missing"),
        ({"kind": "demand_swing", "faktor": 2}, "did you mean factor"),
        ({"kind": "demand_swing", "factor": "much"}, "expected a number"),
        ({"kind": "breakup", "target": "\ud800"}, "half of a character"),
        ({"kind": "breakup", "target": {"a": {}}}, "expected text"),
    ],
)
def test_a_shock_that_does_not_exist_gets_a_sentence(keys: dict[str, Any], said: str) -> None:
    async def act(stage: Stage, here: Here) -> None:
        await stage.carry_out("fire", keys)
        assert said in view(stage).error
        assert view(stage).script.acts == ()

    on_stage(act)


@pytest.mark.parametrize("kind", ["reset", "seed", "scenario"])
def test_every_new_start_keeps_what_was_changed_and_what_waited(kind: str) -> None:
    async def act(stage: Stage, here: Here) -> None:
        await stage.carry_out("change", {"name": "eta", "value": "0.9"})
        await stage.carry_out("change", {"name": "workload_scale", "value": "3"})
        script = view(stage).script
        assert view(stage).changed() == {"enterprises": 60.0, "eta": 0.9, "workload_scale": 3.0}
        # The waiting one is part of the link, and of no quarter yet.
        assert address.read(address.query(script, view(stage).choice))[0] == script
        assert script.setting().parameters["workload_scale"] == 1.0
        if kind == "reset":
            await stage.carry_out("reset")
        elif kind == "seed":
            await stage.carry_out("begin", lambda: script.with_seed("7"))
        else:
            await stage.carry_out("begin", lambda: script.in_scenario("controls_lifted"))
        values = dict(view(stage).script.values)
        assert values == {"enterprises": 60.0, "eta": 0.9, "workload_scale": 3.0}
        assert (view(stage).script.acts, view(stage).script.waiting) == ((), ())

    on_stage(act)


def test_a_browser_that_comes_back_on_another_connection_can_go_on() -> None:
    """The task of the lost connection never ends: its loop is gone."""
    here: list[Stage] = []

    async def leave() -> None:
        stage = Stage(Here())
        here.append(stage)
        await stage.carry_out("open", SMALL)
        stage.simulator.free.clear()  # type: ignore[attr-defined]
        stage.do("step")
        await asyncio.sleep(0)

    async def come_back() -> None:
        (stage,) = here
        stage.simulator = Here()
        stage.session = stage.simulator.session()
        stage.do("step")
        await settled(stage)
        assert [frame.quarter for frame in view(stage).frames] == ["2023Q1", "2023Q2"]
        assert stage.next_quarter == "2023Q3"

    lost = asyncio.new_event_loop()
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lost.run_until_complete, leave()).result()
        apart.run(come_back())
        for task in asyncio.all_tasks(lost):
            task.cancel()
        thread.submit(lost.run_until_complete, asyncio.sleep(0)).result()
    lost.close()


def test_a_new_start_gives_up_the_quarter_on_its_way() -> None:
    async def act(stage: Stage, here: Here) -> None:
        here.free.clear()
        stage.do("step")
        await asyncio.sleep(0.1)
        stage.do("reset")
        await asyncio.sleep(0)
        assert stage.next_quarter == "2023Q1"
        here.free.set()
        await settled(stage)
        assert [frame.quarter for frame in view(stage).frames] == ["2023Q1"]
        assert stage.next_quarter == "2023Q2"
        assert not view(stage).busy

    on_stage(act)


def test_tables_that_cannot_be_made_end_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bytes:
        raise world.RunError("the books do not balance")

    async def act(stage: Stage, here: Here) -> None:
        made = await stage.tables("csv")
        assert made is not None
        assert made == await stage.tables("csv")
        monkeypatch.setattr(world, "tables_at", broken)
        assert await stage.tables("csv") is None
        assert "the books do not balance" in view(stage).error

    on_stage(act)


def test_what_ends_leaves_nothing_under_way() -> None:
    async def play() -> None:
        here = Here()
        stage = Stage(here)
        await stage.carry_out("open", SMALL)
        here.free.clear()
        stage.do("step")
        await asyncio.sleep(0.1)
        stage.close()
        await asyncio.sleep(0.05)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        with pytest.raises(world.RunError, match="the session has ended"):
            await Simulator.quarter(Simulator(1), stage.session, "", view(stage).script, 0)

    apart.run(play())


def test_a_shot_fired_while_a_quarter_is_on_its_way_goes_into_the_next_one() -> None:
    async def act(stage: Stage, here: Here) -> None:
        here.free.clear()
        stage.do("step")
        await asyncio.sleep(0.1)
        stage.do("fire", {"kind": "chip_ban"})
        stage.do("step")  # as a click too many, which is ignored
        here.free.set()
        await settled(stage)
        assert [act.shock.quarter for act in view(stage).script.acts] == ["2023Q3"]
        assert [frame.quarter for frame in view(stage).frames] == ["2023Q1", "2023Q2", "2023Q3"]

    on_stage(act)


def test_a_shot_that_waits_is_gone_with_the_run_that_it_was_meant_for() -> None:
    async def act(stage: Stage, here: Here) -> None:
        here.free.clear()
        stage.do("step")
        await asyncio.sleep(0.1)
        stage.do("fire", {"kind": "chip_ban"})
        stage.do("reset")
        here.free.set()
        await settled(stage)
        assert view(stage).script.acts == ()
        assert [frame.quarter for frame in view(stage).frames] == ["2023Q1"]

    on_stage(act)
