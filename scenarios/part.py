"""One scenario file by itself: its parameters and shocks, and what is wrong with them, each with its line."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from model import calendar
from model.parameters import ParameterError, declared
from model.quotation import brief, quoted
from model.shock import Shock
from scenarios.document import Document, loose
from scenarios.fault import Fault, ScenarioError, close, nearest, unknown_key
from scenarios.form import ScenarioFile, expected, shape, way_to
from scenarios.lines import Keys
from scenarios.seeds import SeedsError, parse
from scenarios.shocks import KINDS


@dataclass(frozen=True)
class Dated:
    """A shock with its kind and the place in a file that it comes from."""

    kind: str
    shock: Shock
    document: Document
    number: int

    @property
    def keys(self) -> Keys:
        """The way to its table in the file."""
        return ("shocks", self.number)

    def fault(self, key: str, text: str) -> Fault:
        """A fault at one of its keys."""
        return self.document.fault((*self.keys, key), f"{self.called}: {text}")

    @property
    def called(self) -> str:
        """What faults call it."""
        return f"shock {self.number + 1} ({self.kind})"


@dataclass(frozen=True)
class Part:
    """What holds of one file by itself, and its faults; what has a fault is left out of the rest."""

    document: Document
    form: ScenarioFile
    parameters: Mapping[str, float]
    shocks: Sequence[Dated]
    faults: Sequence[Fault]


def check(document: Document) -> Part:
    """Check one file by itself, without the one that it extends."""
    form, faults = shape(document)
    faults += _horizon(document, form)
    faults += _seeds(document, form)
    values: dict[str, float] = {}
    for name, value in form.parameters.items():
        try:
            values[name] = _value(name, value)
        except ParameterError as error:
            faults.append(document.fault(("parameters", name), f"[parameters]: {error}"))
    shocks = []
    for number, keys in enumerate(form.shocks):
        made, wrong = _shock(document, number, keys)
        faults += wrong
        if made is not None:
            shocks.append(Dated(str(keys["kind"]), made, document, number))
    for number, keys in enumerate(form.drop):
        faults += _drop(document, number, keys)
    if form.drop and form.extends is None:
        faults.append(document.fault(("drop",), "there is nothing to drop in a file that extends no other"))
    return Part(document, form, values, shocks, faults)


def shock_of(keys: Mapping[str, Any], where: str) -> Shock:
    """One shock from the keys of a ``[[shocks]]`` table that stands in no file.

    Args:
        keys: as TOML or JSON gives them, ``kind`` and ``quarter`` among them.
        where: what a sentence about it begins with.

    Raises ScenarioError as for a file.
    """
    made, faults = _shock(loose(where, {"shocks": [keys]}), 0, keys)
    if made is None:
        raise ScenarioError(*map(str, faults))
    return made


def fields(kind: object) -> list[str]:
    """The keys that a kind of shock takes, but for ``kind`` itself; none when there is no such kind."""
    known = KINDS.get(kind) if isinstance(kind, str) else None
    return [] if known is None else [field.name for field in dataclasses.fields(known)]  # type: ignore[arg-type]


def _horizon(document: Document, form: ScenarioFile) -> list[Fault]:
    faults = []
    for key, quarter in form.horizon.model_dump(exclude_none=True).items():
        said = not_a_quarter(quarter)
        if said:
            faults.append(document.fault(("horizon", key), f"horizon.{key}: {said}"))
    return faults


def not_a_quarter(text: str) -> str:
    """What is wrong with the text of a quarter, if anything."""
    try:
        calendar.index(text)
    except ValueError as error:
        return str(error).removesuffix(".")
    return ""


def _seeds(document: Document, form: ScenarioFile) -> list[Fault]:
    if form.seeds is None:
        return []
    try:
        parse(str(form.seeds))
    except SeedsError as error:
        return [document.fault(("seeds",), str(error))]
    return []


def _value(name: str, value: bool | float | str) -> float:
    """A value of a parameter. Raises ParameterError for an unknown name and for what it cannot be."""
    known = declared(name)
    if isinstance(value, str) and known.distribution != "switch":
        raise ParameterError(
            f"{name} = {quoted(value)} is text: write a number without quotes, {known.allowed}"
        )
    return known.accept(value)


def _shock(document: Document, number: int, keys: Mapping[str, Any]) -> tuple[Shock | None, list[Fault]]:
    """The shock that a table describes, if it does, and the faults of the table."""
    here: Keys = ("shocks", number)
    kind = keys.get("kind")
    wrong = _kind(document, here, "shock", keys)
    if wrong or not isinstance(kind, str):
        return None, wrong
    called = f"shock {number + 1} ({kind})"
    given = {key: value for key, value in keys.items() if key != "kind"}
    allowed = fields(kind)
    unknown = [key for key in given if key not in allowed]
    faults = [document.fault((*here, key), f"{called}: {unknown_key(key, allowed)}") for key in unknown]
    # What a misspelt key was meant for is not missing.
    meant = {name for key in unknown for name in close(key, allowed)}
    known = {key: value for key, value in given.items() if key in allowed}
    try:
        # As JSON, so that a list can be a tuple while "3" is no number and 1 is no switch.
        shock: Shock = TypeAdapter(KINDS[kind]).validate_json(json.dumps(known), strict=True)
    except ValidationError as error:
        found = {_place(document, here, e): e for e in reversed(error.errors(include_url=False))}
        for (way, key), e in reversed(found.items()):
            if e["type"] != "missing":
                said = f"{brief(key)} = {quoted(e['input'])}: expected {expected(way, e)}"
                faults.append(document.fault(way, f"{called}: {said}"))
            elif key not in meant:
                faults.append(document.fault(here, f"{called}: the key {key!r} is missing"))
        return None, faults
    said = not_a_quarter(shock.quarter)
    if said:
        faults.append(document.fault((*here, "quarter"), f"{called}: {said}"))
    checked = getattr(shock, "check", None)
    if checked is not None:
        try:
            checked()
        except ValueError as error:
            faults.append(document.fault(_about(here, known, str(error)), f"{called}: {error}"))
    return (None if faults else shock), faults


def _kind(document: Document, here: Keys, what: str, keys: Mapping[str, Any]) -> list[Fault]:
    """The faults of the key ``kind`` of a table."""
    kind = keys.get("kind")
    called = f"{what} {int(here[-1]) + 1}"
    choice = f"write one of {', '.join(KINDS)}"
    if kind is None:
        return [document.fault(here, f"{called}: the key 'kind' is missing: {choice}")]
    if not isinstance(kind, str) or kind not in KINDS:
        said = f"no kind of shock is called {quoted(kind)}; {nearest(str(kind), KINDS) or choice}"
        return [document.fault((*here, "kind"), f"{called}: {said}")]
    return []


def _place(document: Document, here: Keys, error: ErrorDetails) -> tuple[Keys, str]:
    """The way to what an error of a shock is about, and the name of its key."""
    location = error["loc"]
    if error["type"] == "missing":
        return (*here, *location), str(location[-1])
    way = way_to(document, (*here, *location))
    return way, ".".join(str(part) for part in way[len(here) :]) or "the table"


def _about(here: Keys, keys: Mapping[str, Any], said: str) -> Keys:
    """The way to the value that a sentence about a shock is about, or to the shock itself."""
    for key, value in keys.items():
        if said.startswith(f"{key} = "):
            return (*here, key)
        for i, element in enumerate(value if isinstance(value, list) else ()):
            if isinstance(element, str) and quoted(element) in said:
                return (*here, key, i)
        if isinstance(value, float | int) and f" = {float(value)} " in said:
            return (*here, key)
    for key, value in keys.items():
        if isinstance(value, str) and (quoted(value) in said or (value and said.startswith(f"{value} "))):
            return (*here, key)
    return here


def _drop(document: Document, number: int, keys: Mapping[str, Any]) -> list[Fault]:
    """The faults of a table that says which inherited shocks to leave out."""
    here: Keys = ("drop", number)
    wrong = _kind(document, here, "drop", keys)
    if wrong:
        return wrong
    kind = str(keys["kind"])
    allowed = fields(kind)
    called = f"drop {number + 1} ({kind})"
    return [
        document.fault((*here, key), f"{called}: {unknown_key(key, allowed)}")
        for key in keys
        if key not in ("kind", *allowed)
    ]
