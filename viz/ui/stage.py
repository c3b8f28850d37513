"""One session of the live page: what it plays, the quarters so far, and what is on screen."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import solara

from evidence.claims import by_id
from model import calendar
from model.parameters import ParameterError, scalars
from scenarios.part import shock_of
from scenarios.scenario import ScenarioError
from scenarios.shocks.parameter import FOUNDING, HALFWAY
from viz.live import address
from viz.live.address import Choice
from viz.live.frame import Frame
from viz.live.script import Act, Script, calendar_of, shock
from viz.live.simulator import Simulator
from viz.live.world import RunError, holds

logger = logging.getLogger(__name__)

Settled = dict[str, list[Any]]

STARTS = ("open", "reset", "begin")
"""Commands that begin a world anew."""

PATIENCE_SECONDS = 0.04
"""How long a quarter may take before the page says that it simulates."""

LEISURE_SECONDS = 0.1
"""How long nothing is asked for before the next quarter is simulated ahead: play at full speed has no use for it."""

QUARTERLY = ("step", "fire")
"""Commands that may simulate a quarter."""


@dataclass(frozen=True)
class View:
    """Everything that the page shows; a new one after each change, never changed itself.

    ``frames`` are the recorded quarters so far and ``ghost`` the same ones without what was fired; ``cursor`` is the
    place of the frame shown; ``painted`` counts the views that were worth painting; ``stopped`` those that end play.
    """

    script: Script = field(default_factory=Script)
    choice: Choice = field(default_factory=Choice)
    names: tuple[str, ...] = ()
    frames: tuple[Frame, ...] = ()
    ghost: tuple[Frame, ...] = ()
    cursor: int = 0
    busy: bool = False
    painted: int = 0
    stopped: int = 0
    error: str = ""

    @property
    def seen(self) -> tuple[Frame, ...]:
        """The frames up to the one shown."""
        return self.frames[: self.cursor + 1]

    @property
    def seen_ghost(self) -> tuple[Frame, ...]:
        """The ghost's frames up to the one shown."""
        return self.ghost[: self.cursor + 1]

    @property
    def frame(self) -> Frame | None:
        """The frame shown."""
        return self.frames[self.cursor] if self.frames else None

    @property
    def next_quarter(self) -> str:
        """The first quarter that is neither simulated nor said to be on its way, empty after the last."""
        return self.unmade(self.busy)

    def unmade(self, coming: bool) -> str:
        """The first quarter without a frame, or the one after it while that one comes; empty after the last."""
        place = len(self.frames) + coming
        return self.names[place] if place < len(self.names) else ""

    def settled(self) -> Settled:
        """Value and whether it holds of each claim that is settled by the quarter shown."""
        known = by_id()
        found: Settled = {}
        for frame in self.seen:
            for name, value in frame.settled.items():
                held = holds(known[name], value)
                found[name] = [None if held is None else value, held]
        return found

    def changed(self) -> dict[str, float]:
        """The parameters that differ from their defaults, as they hold from the next quarter or the next start."""
        t = calendar.index(self.next_quarter or self.names[-1]) if self.names else 0
        asked = self.script.values_at(t).overridden
        return {name: value for name, value in asked.items() if name in scalars()}


class Stage:
    """The commands of the page; each ends in a new :class:`View`, errors in its sentence."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.session = simulator.session()
        self.view = solara.reactive(View())
        self._runs = 0
        self._coming: object | None = None  # names the quarter that is on its way
        self._task: asyncio.Task[None] | None = None
        self._shots: list[Any] = []  # fired while a quarter was on its way
        self._others: set[asyncio.Task[None]] = set()

    def do(self, kind: str, value: Any = None) -> None:
        """Begin a command on the event loop of the session, which paints meanwhile.

        A new start ends what runs. While a quarter is on its way, a step is ignored, and a shot waits for it.
        """
        loop = asyncio.get_running_loop()
        if self._task is not None and self._task.get_loop() is not loop:
            # The browser was away and is back on another connection, whose loop knows nothing of what was under way.
            self._task, self._coming = None, None
            self._shots.clear()
        if self._task is not None and not self._task.done():
            if kind == "fire":
                self._shots.append(value)
                return
            if kind in QUARTERLY:
                return
            if kind in STARTS:
                self._shots.clear()
                self._task.cancel()
        task = loop.create_task(self.carry_out(kind, value))
        if kind in QUARTERLY or kind in STARTS:
            self._task = task
            task.add_done_callback(self._shoot)
        else:
            self._beside(task)

    def _shoot(self, done: asyncio.Task[None]) -> None:
        """Fire the shot that has waited longest for a quarter, now that it is there."""
        if self._shots and done is self._task and not done.cancelled():
            self.do("fire", self._shots.pop(0))

    def _beside(self, task: asyncio.Task[None]) -> None:
        """Hold a task that nothing waits for, until it is done."""
        self._others.add(task)
        task.add_done_callback(self._others.discard)

    @property
    def key(self) -> str:
        """The name of the world that is played."""
        return f"{self.session}/{self._runs}"

    @property
    def next_quarter(self) -> str:
        """The first quarter that is neither simulated nor on its way, where what a user does takes effect; or empty."""
        view: View = self.view.peek()
        return view.unmade(self._coming is not None)

    @property
    def ghost_key(self) -> str:
        """The name of the world without what was fired."""
        return f"{self.key}/ghost"

    async def tables(self, form: str) -> bytes | None:
        """The recorded tables to the newest quarter as an archive; None where that failed, which the page then says."""
        view = self.view.peek()
        try:
            t = calendar.index(view.frames[-1].quarter)
            return await self.simulator.tables(self.session, self.key, view.script, t, form)
        except (RunError, ScenarioError, ParameterError) as error:
            self._show(error=f"The tables could not be made: {error}")
        except Exception:
            logger.exception("the tables of a live run failed")
            self._show(error="The tables could not be made, a fault of Undercut: the server's log says why.")
        return None

    def close(self) -> None:
        """End the session: what runs is given up, its worlds are forgotten."""
        self._shots.clear()
        for task in (self._task, *self._others):
            if task is not None and not task.done():
                with contextlib.suppress(RuntimeError):  # its loop may have ended with the connection
                    task.get_loop().call_soon_threadsafe(task.cancel)
        self.simulator.end(self.session, (self.key, self.ghost_key))

    # --------------------------------------------------------------------------------------------- what a user does

    async def carry_out(self, kind: str, value: Any = None) -> None:
        """Do one thing: ``open`` an address, ``step``, ``back``, ``seek``, ``reset``, ``begin`` another script,
        ``change`` a parameter, ``fire`` a shock, or ``choose`` what to look at."""
        known: Mapping[str, Callable[[Any], Any]] = {
            "open": self._open,
            "step": self._step,
            "back": self._back,
            "seek": self._seek,
            "reset": self._reset,
            "begin": self._begin,
            "change": self._change,
            "fire": self._fire,
            "choose": self._choose,
        }
        if self.view.value.error:  # of the command before
            self._show(error="")
        try:
            # What a user wrote may be wrong: it is read here, where errors become sentences.
            await known[kind](value() if callable(value) else value)
        except (RunError, ScenarioError, ParameterError) as error:
            self._fail(str(error))
        except Exception:
            # Whatever else goes wrong must not leave a page that only says that it is busy.
            logger.exception("a command of the live page failed: %s", kind)
            self._fail(
                "That failed, which is a fault of Undercut: the server's log says what. Press reset to begin again."
            )

    def _fail(self, sentence: str) -> None:
        """Say what went wrong, and end play; a quarter that is on its way beside the command comes all the same."""
        view = self.view.value
        others = self._task not in (None, asyncio.current_task()) and not self._task.done()
        self._show(error=sentence, busy=view.busy and others, stopped=view.stopped + 1)

    async def _open(self, text: str) -> None:
        """Play what an address says, up to the quarter that it shows."""
        try:
            script, choice = address.read(text)
        except (ScenarioError, ParameterError) as error:
            await self._start(Script(), Choice())
            self._show(error=f"The address cannot be shown: {error}")
            return
        await self._start(script, choice)
        names = self.view.value.names
        if choice.quarter and choice.quarter not in names:
            self._show(
                error=f"The address asks for {choice.quarter}; this run goes from {names[0]} to {names[-1]}."
            )

    async def _begin(self, script: Script) -> None:
        """Start another script."""
        script.check()
        await self._start(script, replace(self.view.value.choice, quarter=""))

    async def _reset(self, _: Any) -> None:
        """Begin again; what was changed on the way now holds from the start, what was fired is gone."""
        await self._begin(self.view.value.script.restarted())

    async def _start(self, script: Script, choice: Choice) -> None:
        setting = script.setting()
        first, record, last = calendar_of(setting)
        names = tuple(calendar.name(t) for t in range(record, last + 1))
        shown = names.index(choice.quarter) if choice.quarter in names else 0
        self.simulator.forget(self.session, (self.key, self.ghost_key))
        self._runs += 1
        self._coming = None
        before = self.view.value
        self.view.value = View(
            script=script,
            choice=choice,
            names=names,
            busy=True,
            painted=before.painted,
            stopped=before.stopped + 1,
        )
        for t in range(first, record):
            await self.simulator.quarter(self.session, self.key, script, t)
        for _ in range(shown + 1):
            await self._advance()

    async def _step(self, _: Any) -> None:
        view = self.view.value
        if view.cursor + 1 < len(view.frames):
            self._move(view.cursor + 1)
        elif len(view.frames) < len(view.names):
            await self._advance()

    async def _back(self, _: Any) -> None:
        self._move(self.view.value.cursor - 1)

    async def _seek(self, place: Any) -> None:
        self._move(int(place))

    async def _choose(self, choice: Mapping[str, str]) -> None:
        """Look at another firm, region or tier."""
        self._show(choice=replace(self.view.value.choice, **choice))

    async def _change(self, given: Mapping[str, str]) -> None:
        """Set a parameter: from the next quarter where the market can, from the next start where it cannot."""
        view = self.view.value
        name = given["name"]
        number = view.script.base().setting.parameters.changed({name: given["value"]})[name]
        live = changes_live(name)
        if live and self.next_quarter:
            setting = shock("set", self.next_quarter, name=name, value=number)
            self._show(script=view.script.acting(Act(setting, fired=False)))
        else:
            self._show(script=view.script.awaiting(name, number))

    async def _fire(self, keys: Mapping[str, Any]) -> None:
        """Fire a shock into the next quarter and play it; from now on the path without it is kept as a ghost."""
        view = self.view.value
        if not view.next_quarter:
            raise ScenarioError("the run has ended: step back does not reopen it; reset, and fire earlier")
        fired = shock_of({**keys, "quarter": view.next_quarter}, "it cannot be fired")
        script = view.script.acting(Act(fired, fired=True))
        ghost = view.ghost if view.script.haunted else view.frames
        self._show(script=script, ghost=ghost, cursor=len(view.frames) - 1)
        try:
            await self._advance()
        except RunError:
            # The market refused it: the run goes on without, and with whatever was changed meanwhile.
            now = self.view.value.script
            acts = tuple(act for act in now.acts if act is not script.acts[-1])
            self._show(script=replace(now, acts=acts), ghost=view.ghost)
            raise

    # ------------------------------------------------------------------------------------------------- what follows

    async def _advance(self) -> None:
        """Simulate the next quarter and show it, beside its ghost if it has one."""
        view = self.view.value
        t = calendar.index(view.names[len(view.frames)])
        coming = asyncio.ensure_future(self._simulated(view, t))
        named = self._coming = object()
        try:
            # A quarter that was simulated ahead is here at once; to paint that one waits for it would take longer.
            await asyncio.wait({coming}, timeout=PATIENCE_SECONDS)
            if not coming.done():
                self._show(busy=True)
            shown, ghost = await coming
        finally:
            if self._coming is named:  # no other start has begun meanwhile
                self._coming = None
            coming.cancel()
        if shown is None:
            raise RunError("the market recorded nothing; press reset to begin again")
        # Claims may have settled meanwhile, so the frames are not those of the start.
        frames = (*self.view.value.frames, shown)
        self._show(
            frames=frames,
            ghost=ghost,
            cursor=len(frames) - 1,
            busy=False,
            painted=view.painted + 1,
        )
        # What the quarter settles takes as long again in some quarters: it follows, and nobody waits for it.
        settling = self._settle(self.key, view.script, len(view.frames), t)
        self._beside(asyncio.get_running_loop().create_task(settling))

    async def _settle(self, key: str, script: Script, place: int, t: int) -> None:
        """Add to a frame the claims that its quarter settles; then, if the user takes time, simulate the next one."""
        try:
            settled = await self.simulator.settled(self.session, key, script, t)
            frames = self.view.value.frames
            if settled and key == self.key and place < len(frames):
                told = replace(frames[place], settled=settled)
                self._show(frames=(*frames[:place], told, *frames[place + 1 :]))
            await asyncio.sleep(LEISURE_SECONDS)
            view = self.view.value
            if (
                key == self.key
                and not view.busy
                and not view.script.haunted
                and len(view.frames) < len(view.names)
            ):
                await self.simulator.prepare(self.session, key, view.script, t + 1)
        except RunError:
            pass  # the next quarter meets the same error, and says it
        except Exception:
            logger.exception("what follows a quarter of the live page failed")

    async def _simulated(self, view: View, t: int) -> tuple[Frame | None, tuple[Frame, ...]]:
        """The frame of a quarter, and the ghost's frames to it."""
        script = view.script
        if not script.haunted:
            return await self.simulator.quarter(self.session, self.key, script, t), ()
        # The ghost parts from the world before the first shot: it is copied while both are at one place.
        without = await self.simulator.quarter(self.session, self.ghost_key, script.ghost(), t, like=self.key)
        shown = await self.simulator.quarter(self.session, self.key, script, t)
        return shown, (*view.ghost, *([without] if without else []))

    def _move(self, place: int) -> None:
        view = self.view.value
        self._show(cursor=max(0, min(place, len(view.frames) - 1)), painted=view.painted + 1)

    def _show(self, **parts: Any) -> None:
        view = replace(self.view.value, **parts)
        frame = view.frame
        if frame is not None and view.choice.quarter != frame.quarter:
            view = replace(view, choice=replace(view.choice, quarter=frame.quarter))
        self.view.value = view


def changes_live(name: str) -> bool:
    """Whether a parameter can change in a running world; the others are built into it at the start."""
    return name in scalars() and name not in FOUNDING and name not in HALFWAY
