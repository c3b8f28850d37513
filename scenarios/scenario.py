"""Scenarios: files that name a world, resolved over the files that they extend into the setting of a market."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources.abc import Traversable
from itertools import combinations
from pathlib import Path
from typing import Any

from model import calendar
from model.parameters import Parameters
from model.setting import Setting
from model.shock import Shock
from scenarios import document, part
from scenarios.contradiction import contradiction
from scenarios.document import Document, find, library_files, names, read
from scenarios.fault import Fault, ScenarioError, close, nearest, unknown_key
from scenarios.part import Dated, Part
from scenarios.shocks import KINDS

__all__ = ["Scenario", "ScenarioError", "library", "load", "names", "nearest", "resolve", "unknown_key"]

HORIZON = {
    each.name: str(each.default)
    for each in dataclasses.fields(Setting)
    if each.name in ("first", "record_from", "last")
}
"""The calendar of a run that no file says otherwise of."""

LONGEST = 200
"""More quarters than this are a slip of the keyboard."""


@dataclass(frozen=True)
class Scenario:
    """A scenario resolved over the files that it extends: the setting that it makes, and what it says of itself.

    ``seeds`` are those to run by default, in the notation of :mod:`scenarios.seeds`, or None; ``extends``
    is the chain of scenarios below this one, the nearest first, as the files write their names.
    """

    setting: Setting
    title: str
    seeds: str | None = None
    extends: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name, which is that of its file."""
        return self.setting.name

    @property
    def notes(self) -> str:
        """What it asks, and what to look at."""
        return self.setting.notes

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters that differ from their defaults, by name."""
        return self.setting.parameters.overridden

    @property
    def horizon(self) -> dict[str, str]:
        """The calendar by the keys of ``[horizon]``."""
        return {key: getattr(self.setting, key) for key in HORIZON}

    @property
    def shocks(self) -> list[dict[str, Any]]:
        """The shocks by date, each as the keys of a ``[[shocks]]`` table."""
        return [described(shock) for shock in self.setting.shocks]

    def model_dump(self) -> dict[str, Any]:
        """The scenario as plain data."""
        keys = ("name", "title", "notes", "extends", "seeds", "horizon", "parameters", "shocks")
        return {key: getattr(self, key) for key in keys}


def library() -> list[Scenario]:
    """The scenarios that come with Undercut, resolved, the baseline first and then by name."""
    return [_resolve(file) for file in library_files()]


def load(name_or_path: str | Path, overrides: Mapping[str, float | str] | None = None) -> Setting:
    """The setting of a scenario, by name or by the path of a TOML file, with ``overrides`` of its parameters.

    Raises ScenarioError, in one sentence that names the file, the line and the key, for a scenario that does
    not exist or does not hold; raises ParameterError for an override that the parameter table refuses.
    """
    setting = resolve(name_or_path).setting
    if not overrides:
        return setting
    return replace(setting, parameters=setting.parameters.changed(overrides))


def resolve(name_or_path: str | Path) -> Scenario:
    """A scenario, by name or by the path of a TOML file, resolved over the files that it extends.

    Raises ScenarioError, whose text is the first fault and whose ``args`` are all of them.
    """
    return _resolve(find(name_or_path))


def resolve_text(name: str, text: str) -> Scenario:
    """A scenario from the text of a file that is not on this machine; it can extend the library alone.

    Args:
        name: what faults call the file, ending in ``.toml``.
        text: its content.

    Raises ScenarioError as :func:`resolve` does.
    """
    return _resolve(document.Text(name, text))


def described(shock: Shock) -> dict[str, Any]:
    """A shock as the keys of a ``[[shocks]]`` table, without what it leaves open.

    Raises KeyError for a shock that no file can name.
    """
    kind = {shock: kind for kind, shock in KINDS.items()}[type(shock)]
    keys = dataclasses.asdict(shock)  # type: ignore[call-overload]
    return {"kind": kind, **{key: value for key, value in keys.items() if value is not None}}


@dataclass(frozen=True)
class _World:
    """What the files of a chain amount to so far, the lowest first; ``sound`` when none of them has a fault."""

    title: str | None = None
    notes: str = ""
    seeds: str | None = None
    horizon: Mapping[str, str] = field(default_factory=lambda: HORIZON)
    parameters: Mapping[str, float] = field(default_factory=dict)
    shocks: Sequence[Dated] = ()
    sound: bool = True


def _resolve(file: Traversable) -> Scenario:
    documents, broken = _chain(file)
    if broken:
        own = (fault for each in documents for fault in part.check(each).faults)
        raise ScenarioError(*broken, *(_named(fault, file) for fault in own))
    world = _World()
    faults: list[Fault] = []
    for each in reversed(documents):
        checked = part.check(each)
        world, wrong = _over(world, checked)
        # What does not fit together is only worth saying of what holds by itself; the first line comes first.
        faults += sorted([*checked.faults, *wrong], key=lambda fault: fault.line)
    if faults:
        raise ScenarioError(*(_named(fault, file) for fault in faults))
    setting = Setting(
        name=documents[0].name,
        parameters=Parameters.resolve(world.parameters),
        shocks=tuple(dated.shock for dated in sorted(world.shocks, key=lambda dated: dated.shock.quarter)),
        notes=world.notes.strip(),
        **world.horizon,
    )
    chain = tuple(str(each.content["extends"]) for each in documents[:-1])
    return Scenario(setting, world.title or setting.name, world.seeds, chain)


def _named(fault: Fault, file: Traversable) -> str:
    """A fault as a sentence, which says of a fault elsewhere how it concerns the file."""
    return str(fault) if fault.file == file.name else f"{fault} ({file.name} extends it)"


def _chain(file: Traversable) -> tuple[list[Document], Sequence[str]]:
    """The documents from a file down to the one that extends nothing, and what broke the chain before, if so.

    Raises ScenarioError when the file itself cannot be read.
    """
    documents = [read(file)]
    seen = [_identity(file)]
    while isinstance(name := documents[-1].content.get("extends"), str):
        last = documents[-1]
        folder = last.file.parent if isinstance(last.file, Path) and not _in_library(last.file) else None
        try:
            below = document.extended(name, folder)
        except ScenarioError as error:
            return documents, [_named(last.fault(("extends",), str(error)), file)]
        if _identity(below) in seen:
            circle = " -> ".join(each.file.name for each in documents) + f" -> {below.name}"
            text = f"extends = {name!r} closes a circle: {circle}; let one of them extend something else"
            return documents, [_named(last.fault(("extends",), text), file)]
        try:
            documents.append(read(below))
        except ScenarioError as error:
            return documents, [f"{said} ({file.name} extends it)" for said in error.args]
        seen.append(_identity(below))
    return documents, ()


def _in_library(file: Traversable) -> bool:
    return any(_identity(file) == _identity(other) for other in library_files())


def _identity(file: Traversable) -> object:
    return file.resolve() if isinstance(file, Path) else file


def _over(below: _World, above: Part) -> tuple[_World, list[Fault]]:
    """A file on top of those that it extends, and the faults that only show there."""
    form = above.form
    faults: list[Fault] = []
    # A misspelt title is a fault of its own.
    if below.title is None and not close("title", above.document.content):
        faults.append(above.document.fault((), "the key 'title' is missing: write title = \"...\" on top"))
    kept, wrong = _dropped(below, above)
    faults += wrong
    horizon = {**below.horizon, **form.horizon.model_dump(exclude_none=True)}
    faults += _calendar_faults(above, horizon, kept)
    shocks = [*kept, *above.shocks]
    faults += _contradictions(shocks, above.document)
    world = _World(
        title=form.title if form.title is not None else below.title,
        notes=form.notes if form.notes is not None else below.notes,
        seeds=str(form.seeds) if form.seeds is not None else below.seeds,
        horizon=horizon,
        parameters={**below.parameters, **above.parameters},
        shocks=shocks,
        sound=below.sound and not above.faults and not faults,
    )
    return world, faults


def _dropped(below: _World, above: Part) -> tuple[list[Dated], list[Fault]]:
    """The inherited shocks that a file keeps, and a fault for each ``[[drop]]`` that is about none of them."""
    kept, faults = list(below.shocks), []
    for number, keys in enumerate(above.form.drop):
        gone = [dated for dated in kept if _fits(dated, keys)]
        known = {"kind", *part.fields(keys.get("kind"))}
        if not gone and below.sound and keys.keys() <= known:
            there = ", ".join(f"{dated.kind} of {dated.shock.quarter}" for dated in kept) or "none"
            text = f"drop {number + 1}: no inherited shock has these keys; there are: {there}"
            faults.append(above.document.fault(("drop", number), text))
        kept = [dated for dated in kept if dated not in gone]
    return kept, faults


def _fits(dated: Dated, keys: Mapping[str, Any]) -> bool:
    """Whether a shock has all of the keys that a ``[[drop]]`` gives."""
    has = described(dated.shock)
    return all(_plain(has.get(key)) == value for key, value in keys.items())


def _plain(value: object) -> object:
    return list(map(_plain, value)) if isinstance(value, tuple) else value


def _calendar_faults(above: Part, horizon: Mapping[str, str], inherited: Sequence[Dated]) -> list[Fault]:
    """A horizon that runs backwards, and shocks that lie outside it."""
    if any(part.not_a_quarter(quarter) for quarter in horizon.values()):
        return []
    first, record_from, last = horizon["first"], horizon["record_from"], horizon["last"]
    if not first <= record_from <= last:
        order = " then ".join(f"{key} = {quarter}" for key, quarter in horizon.items())
        return [above.document.fault(("horizon",), f"the horizon runs backwards: {order}")]
    quarters = calendar.index(last) - calendar.index(first) + 1
    if quarters > LONGEST:
        text = f"{first} to {last} are {quarters} quarters, expected at most {LONGEST}"
        return [above.document.fault(("horizon",), f"the horizon is too long: {text}")]
    run = f"the run, {first} to {last}"
    faults = [
        dated.fault("quarter", f"{dated.shock.quarter} is outside {run}")
        for dated in above.shocks
        if not first <= dated.shock.quarter <= last
    ]
    if above.form.horizon.model_fields_set:
        faults += [
            above.document.fault(
                ("horizon",),
                f"the inherited {d.kind} of {d.shock.quarter} is outside {run}; drop it with [[drop]]",
            )
            for d in inherited
            if not first <= d.shock.quarter <= last
        ]
    return faults


def _contradictions(shocks: Sequence[Dated], own: Document) -> list[Fault]:
    """A fault for each pair of shocks that contradict each other, where one of them is the file's own."""
    faults = []
    for one, other in combinations(shocks, 2):
        if other.document is not own:
            continue
        reason = contradiction(one.shock, other.shock)
        if reason:
            line = one.document.line(one.keys)
            where = f"line {line}" if one.document is own else f"{one.document.file.name}, line {line}"
            text = f"contradicts the {one.kind} of {one.shock.quarter} in {where}: {reason}"
            faults.append(other.document.fault(other.keys, f"{other.called} {text}"))
    return faults
