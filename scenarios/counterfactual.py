"""The worlds that a run is compared with: the same seed with a cause turned off, or with a what-if added."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from model.parameters import Parameters
from model.place import CAUSES
from model.quotation import quoted
from model.setting import Setting
from scenarios.scenario import ScenarioError, load, names, nearest

Worlds = tuple[tuple[str, Setting], ...]
"""Names and settings of the counterfactual worlds of a batch."""


def cause(text: str) -> str:
    """The name of a cause as the parameter table has it, from ``"export-rules"`` or ``"export rules"``.

    Raises ScenarioError, with the nearest name, when there is no such cause.
    """
    name = text.strip().lower().replace("-", "_").replace(" ", "_")
    if name not in CAUSES:
        hint = nearest(name, CAUSES) or f"write one of {', '.join(CAUSES)}"
        raise ScenarioError(f"there is no cause {quoted(text)} to turn off; {hint}")
    return name


def without(setting: Setting, *causes: str) -> Setting:
    """The same world with the switches of these causes at 0."""
    overrides = {**setting.parameters.overridden, **dict.fromkeys(causes, 0.0)}
    return replace(setting, parameters=Parameters.resolve(overrides))


def with_scenario(setting: Setting, name: str) -> Setting:
    """The same world with the shocks and the overrides of a scenario of the library added."""
    added = load(name)
    shocks = [
        shock for shock in added.shocks if shock not in setting.shocks and shock.quarter <= setting.last
    ]
    overrides = {**setting.parameters.overridden, **added.parameters.overridden}
    return replace(
        setting,
        parameters=Parameters.resolve(overrides),
        shocks=tuple(sorted((*setting.shocks, *shocks), key=lambda shock: shock.quarter)),
    )


def worlds(setting: Setting, wanted: Iterable[str]) -> Worlds:
    """The wanted worlds that can be made of a setting and differ from it, in the order given.

    A cause is a switch of the parameter table, a what-if the name of a scenario of the library. One that the
    setting already has (or lacks, for a cause), or that no scenario describes, is left out: what needs it
    cannot be tested in this world, and its claims say so.
    """
    library = names()
    made = []
    for world in wanted:
        if world not in CAUSES and world not in library:
            continue
        other = without(setting, world) if world in CAUSES else with_scenario(setting, world)
        if other != setting:
            made.append((world, other))
    return tuple(made)
