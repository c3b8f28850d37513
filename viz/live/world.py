"""The worlds that a process simulates for live runs, each as far as it has come."""

from __future__ import annotations

import copy
import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from evidence.claims import Claim, claims
from evidence.metrics import evaluate_metric
from evidence.period import period
from evidence.record import Record
from model import calendar
from model.market import Market
from viz.live import frame
from viz.live.frame import Frame
from viz.live.memory import give_back
from viz.live.script import Act, Script
from viz.parcel import parcel

MOST_WORLDS = 64
"""Worlds that a process keeps; the one that was idle longest goes, and is made again if it is asked for."""

_WORLDS: OrderedDict[str, World] = OrderedDict()
_AHEAD: dict[str, tuple[World, Frame | None]] = {}
"""Copies of worlds that are a quarter ahead, with its frame: for a user who is likely to ask for just that."""


class RunError(RuntimeError):
    """The market could not go on; the message says where and why."""


@dataclass
class World:
    """A market on its way, and what of the script it has played."""

    script: Script
    market: Market
    played: list[Act] = field(default_factory=list)

    @classmethod
    def begin(cls, script: Script) -> World:
        """The world of a script before its first quarter."""
        return cls(script, Market(script.setting(), script.seed))

    def follows(self, script: Script) -> bool:
        """Whether what has been played is how a script begins."""
        same = replace(self.script, acts=(), waiting=()) == replace(script, acts=(), waiting=())
        return same and tuple(self.played) == script.until(self.market.t - 1)

    def play(self, script: Script) -> Frame | None:
        """The next quarter with what the script does in it; None during the burn-in.

        Raises RunError when the market refuses an act or does not balance.
        """
        market, t = self.market, self.market.t
        quarter = market.quarter
        try:
            for act in script.until(t):
                if calendar.index(act.shock.quarter) == t:
                    market.shock(act.shock)
                    self.played.append(act)
            before = frame.counts(market)
            market.step()
        except (ValueError, RuntimeError, ArithmeticError, LookupError) as error:
            raise RunError(f"the market cannot go on in {quarter}: {error}") from None
        if t < market.record_from:
            return None
        return frame.cut(market, before)

    def settled(self, t: int) -> dict[str, float]:
        """Values of the claims whose period ended with quarter ``t``; nan only after the last quarter.

        Claims that compare with another world need a batch, and are not among them. Some metrics, as savings over
        years, look beyond the period that the claim speaks of: until they can be told they are not there.
        """
        due = _due().get(calendar.name(t), ())
        if t == self.market.last:
            due = tuple(claim for of in _due().values() for claim in of)
        if not due:
            return {}
        record = Record(self.market.frames())
        told = {c.id: evaluate_metric(record, c.metric, c.period, c.subject) for c in due}
        return {name: value for name, value in told.items() if t == self.market.last or not math.isnan(value)}


def quarter_of(key: str, script: Script, t: int, like: str = "") -> Frame | None:
    """The frame of quarter ``t`` of a script; None in the burn-in.

    Pure but for its speed: the world of ``key`` goes on from where it is, or is copied from the world ``like``, or is
    played again from the start where neither is on the way to this quarter. Raises RunError or ScenarioError.
    """
    ahead = _AHEAD.pop(key, None)
    if ahead is not None:
        world, shown = ahead
        if world.market.t == t + 1 and world.follows(script):
            _drop(key)
            _keep(key, world)
            return shown
        world.market.release()
    world = _before(key, script, t, like)
    try:
        shown = world.play(script)
    except RunError:
        world.market.release()
        raise
    _keep(key, world)
    return shown


def prepare(key: str, script: Script, t: int) -> None:
    """Simulate quarter ``t`` ahead of its time on a copy of a world; a script that then says otherwise loses nothing."""
    if key in _AHEAD or (world := _copy(key, script, t)) is None or world.market.t != t:
        return
    try:
        _AHEAD[key] = world, world.play(script)
    except RunError:  # whoever asks for the quarter will hear of it
        world.market.release()


def settled_at(key: str, script: Script, t: int) -> dict[str, float]:
    """The claims that are settled by quarter ``t`` of a script, and not before: see :meth:`World.settled`.

    Meant to follow :func:`quarter_of` of the same quarter, whose frame is then on screen already.
    """
    return _after(key, script, t).settled(t)


def tables_at(key: str, script: Script, t: int, form: str) -> bytes:
    """Every recorded table of a script to quarter ``t``, as files ``csv`` or ``parquet`` in a ZIP archive.

    Raises RunError or ScenarioError.
    """
    return parcel(_after(key, script, t).market.frames().items(), form)


def forget(keys: tuple[str, ...]) -> None:
    """Drop the worlds of a session that has ended."""
    for key in keys:
        _drop(key)
        if ahead := _AHEAD.pop(key, None):
            ahead[0].market.release()
    give_back()


def warm() -> None:
    """Load the market and its kernels before the first user waits for them."""
    script = Script(values=(("enterprises", 100.0),))
    setting = script.setting()
    first = calendar.index(setting.first)
    market = Market(replace(setting, record_from=setting.first, last=calendar.name(first + 1)), seed=0)
    market.run()
    market.release()


def _before(key: str, script: Script, t: int, like: str = "") -> World:
    """The world of a script before quarter ``t``. Raises RunError."""
    world = _WORLDS.pop(key, None)
    if world is None or world.market.t > t or not world.follows(script):
        if world is not None:
            world.market.release()
        world = _copy(like, script, t) or World.begin(script)
    try:
        while world.market.t < t:
            world.play(script)
    except RunError:
        world.market.release()
        raise
    world.script = script
    return world


def _after(key: str, script: Script, t: int) -> World:
    """The world of a script after quarter ``t``, which is kept. Raises RunError."""
    world = _WORLDS.get(key)
    if world is None or world.market.t != t + 1 or not world.follows(script):
        world = _before(key, script, t + 1)
        _keep(key, world)
    return world


def _drop(key: str) -> None:
    if world := _WORLDS.pop(key, None):
        world.market.release()


def _keep(key: str, world: World) -> None:
    """Keep a world as the latest one; beyond the most that are kept, the oldest goes."""
    _WORLDS[key] = world
    while len(_WORLDS) > MOST_WORLDS:
        _WORLDS.popitem(last=False)[1].market.release()


def _copy(like: str, script: Script, t: int) -> World | None:
    world = _WORLDS.get(like)
    if world is None or world.market.t > t or not world.follows(script):
        return None
    return World(world.script, copy.deepcopy(world.market), list(world.played))


@cache
def _due() -> Mapping[str, tuple[Claim, ...]]:
    """The claims by the quarter with which their period ends, without those that compare with another world."""
    found: dict[str, list[Claim]] = {}
    for claim in claims():
        if not claim.worlds:
            found.setdefault(max(period(claim.period).needed), []).append(claim)
    return {quarter: tuple(of) for quarter, of in found.items()}


def holds(claim: Claim, value: float) -> bool | None:
    """Whether a settled claim holds; None where its metric is undefined."""
    return None if math.isnan(value) else claim.holds(value)
