"""What a live run plays: a scenario, a seed, and everything that its user changed, dated."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from model import calendar
from model.parameters import Parameters
from model.quotation import quoted
from model.setting import Setting
from model.shock import Shock
from scenarios.document import MOST_BYTES, in_library
from scenarios.fault import printable
from scenarios.scenario import HORIZON, Scenario, ScenarioError, described, resolve, resolve_text
from scenarios.seeds import SeedsError, parse
from scenarios.shocks import KINDS
from scenarios.toml import to_toml


@dataclass(frozen=True)
class Act:
    """Something that the user did to the running world: a shock, and whether it is one to compare without.

    A parameter that is changed on the way is a shock of the kind ``set``, which the ghost shares; what was fired is
    left out of the ghost.
    """

    shock: Shock
    fired: bool


@dataclass(frozen=True)
class Script:
    """A run that can be made again: the same script gives the same numbers, live, from a link, or from its file.

    Args:
        scenario: its name in the library, or the file name of an upload.
        seed: of chance, 0 or more.
        values: parameters that hold from the start, by name, over those of the scenario.
        acts: what happened on the way, in the order in which it was done.
        upload: the text of an uploaded scenario file; empty for one of the library.
        waiting: parameters to hold from the next start on, since the world was built with others.
    """

    scenario: str = "baseline"
    seed: int = 1
    values: tuple[tuple[str, float], ...] = ()
    acts: tuple[Act, ...] = ()
    upload: str = ""
    waiting: tuple[tuple[str, float], ...] = ()

    def base(self) -> Scenario:
        """The scenario before any change. Raises ScenarioError."""
        return _base(self.scenario, self.upload)

    def setting(self) -> Setting:
        """The world at its start, without the acts. Raises ScenarioError or ParameterError."""
        start = self.base().setting
        return replace(start, parameters=start.parameters.changed(dict(self.values)))

    def until(self, t: int) -> tuple[Act, ...]:
        """The acts that take effect before quarter ``t`` is over: those dated to it or earlier."""
        return tuple(act for act in self.acts if calendar.index(act.shock.quarter) <= t)

    def ghost(self) -> Script:
        """The same run without what was fired."""
        return replace(self, acts=tuple(act for act in self.acts if not act.fired))

    @property
    def haunted(self) -> bool:
        """Whether anything was fired, so that there is a ghost to see."""
        return any(act.fired for act in self.acts)

    def with_value(self, name: str, value: float) -> Script:
        """A parameter at a value from the start on; the scenario's own value drops it from the list."""
        values = {**dict(self.values), name: value}
        if value == self.base().setting.parameters[name]:
            del values[name]
        return replace(self, values=tuple(sorted(values.items())))

    def awaiting(self, name: str, value: float) -> Script:
        """The script with one more parameter that waits for the next start."""
        return replace(self, waiting=tuple(sorted({**dict(self.waiting), name: value}.items())))

    def acting(self, act: Act) -> Script:
        """The script with one more act; a parameter that is set twice in a quarter keeps its last value.

        Raises ScenarioError where the act makes no sense or contradicts another, as the scenario file would.
        """
        kept = [other for other in self.acts if not _same_setting(other.shock, act.shock)]
        more = replace(self, acts=(*kept, act))
        more.check()
        return more

    def restarted(self) -> Script:
        """The script for a new start: parameters keep the values they were changed to, from the first quarter on."""
        script = replace(self, acts=(), waiting=())
        for name, value in {**_changes(self.acts), **dict(self.waiting)}.items():
            script = script.with_value(name, value)
        return script

    def with_seed(self, text: str) -> Script:
        """The script for a new start with the seed that a text says. Raises ScenarioError."""
        try:
            seeds = parse(f"{text.strip()},")
        except (SeedsError, ValueError):
            seeds = ()
        if len(seeds) != 1:
            raise ScenarioError(f"{quoted(text)} is no seed: write a whole number from 0, as 1")
        return replace(self.restarted(), seed=seeds[0])

    def in_scenario(self, scenario: str) -> Script:
        """The script for a new start in another world of the library, with what was changed. Raises ScenarioError."""
        script = Script(scenario, self.seed)
        for name, value in self.restarted().values:
            script = script.with_value(name, value)
        return script

    def with_file(self, path: str, text: object) -> Script:
        """The script for a new start in the world of an uploaded file, as a browser hands it over. Raises ScenarioError."""
        name = printable(path.replace("\\", "/").rpartition("/")[2]) or "upload.toml"
        if not name.endswith(".toml"):
            raise ScenarioError(
                f"{name} is no scenario file: those end in .toml; `undercut scenario new` writes one"
            )
        if not isinstance(text, str) or len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
            raise ScenarioError(f"{name} is longer than {MOST_BYTES:,} bytes: that is no scenario")
        return Script(name, self.seed, upload=text)

    def values_at(self, t: int) -> Parameters:
        """The parameters in force in quarter ``t`` or waiting for a start, as far as the user's own changes go."""
        asked = {**dict(self.values), **_changes(self.until(t)), **dict(self.waiting)}
        return self.base().setting.parameters.changed(asked)

    def check(self) -> None:
        """Raises ScenarioError or ParameterError where the file of this script, or of its next start, would be refused."""
        resolve_text(f"{self._stem}.toml", self.toml())
        if self.waiting:
            self.base().setting.parameters.changed({**dict(self.values), **dict(self.waiting)})

    def scenario_of(self) -> Scenario:
        """The script as a resolved scenario: its acts are shocks like others. Raises ScenarioError or ParameterError."""
        base = self.base()
        setting = self.setting()
        shocks = sorted((*setting.shocks, *(act.shock for act in self.acts)), key=lambda shock: shock.quarter)
        return replace(
            base, setting=replace(setting, shocks=tuple(shocks)), seeds=f"{self.seed}-{self.seed}", extends=()
        )

    def toml(self) -> str:
        """The scenario file that makes this run again with ``undercut run FILE --seeds SEED``."""
        return to_toml(self.scenario_of())

    @property
    def _stem(self) -> str:
        return self.scenario.removesuffix(".toml")


def shock(kind: str, quarter: str, **keys: Any) -> Shock:
    """A shock by its kind and the keys of a ``[[shocks]]`` table. Raises KeyError for an unknown kind."""
    make: Callable[..., Shock] = KINDS[kind]
    return make(quarter=quarter, **keys)


def keys_of(of: Shock) -> dict[str, Any]:
    """A shock as the keys of a ``[[shocks]]`` table without what stands at its default."""
    plain = {each.name: each.default for each in dataclasses.fields(of)}  # type: ignore[arg-type]
    return {key: value for key, value in described(of).items() if plain.get(key, _NONE) != value}


def calendar_of(setting: Setting) -> tuple[int, int, int]:
    """First, first recorded and last quarter by number."""
    first, record, last = (calendar.index(getattr(setting, key)) for key in HORIZON)
    return first, record, last


_NONE = object()


@lru_cache(maxsize=64)
def _base(scenario: str, upload: str) -> Scenario:
    """A scenario of the library, or of an uploaded text; each step of a session asks for it again."""
    if upload:
        return resolve_text(scenario, upload)
    in_library(scenario)  # refuses whatever is no name, so that no path of this machine is read
    return resolve(scenario)


def _changes(acts: Iterable[Act]) -> dict[str, float]:
    """The parameters that acts change, at the last of their values by date."""
    found: dict[str, float] = {}
    for act in sorted(acts, key=lambda act: calendar.index(act.shock.quarter)):
        if not act.fired:
            keys = described(act.shock)
            found[keys["name"]] = keys["value"]
    return found


def _same_setting(one: Shock, other: Shock) -> bool:
    """Whether two shocks set the same parameter in the same quarter."""

    def key(of: Shock) -> Mapping[str, Any]:
        keys = described(of)
        return {name: keys[name] for name in ("kind", "quarter", "name") if name in keys}

    return key(one).get("kind") == "set" and key(one) == key(other)
