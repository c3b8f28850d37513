"""Scenario files: TOML that names a world, checked and resolved into the setting of a market."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from model import calendar
from model.parameters import ParameterError, Parameters
from model.setting import Setting
from model.shock import Shock
from scenarios.shocks import KINDS

SUFFIX = ".toml"
HORIZON = {
    field.name: str(field.default)
    for field in dataclasses.fields(Setting)
    if field.name in ("first", "record_from", "last")
}


class ScenarioError(ValueError):
    """A scenario that does not exist, or a scenario file that cannot be read as one."""


class Horizon(BaseModel):
    """The calendar of a run, as ``"2024Q1"``: start of the burn-in, first recorded quarter, last one."""

    model_config = ConfigDict(extra="forbid")

    first: str = HORIZON["first"]
    record_from: str = HORIZON["record_from"]
    last: str = HORIZON["last"]


class ScenarioFile(BaseModel):
    """What a scenario file holds; ``notes`` says in a paragraph what it asks and what to look at."""

    model_config = ConfigDict(extra="forbid")

    name: str
    title: str
    notes: str = ""
    parameters: dict[str, float | str] = Field(default_factory=dict)
    horizon: Horizon = Field(default_factory=Horizon)
    shocks: list[dict[str, Any]] = Field(default_factory=list)


def names() -> list[str]:
    """Names of the scenarios that come with Undercut."""
    return [Path(file.name).stem for file in _library()]


def library() -> list[ScenarioFile]:
    """The scenarios that come with Undercut, checked, the baseline first and then by name."""
    return [_parse(file) for file in _library()]


def load(name_or_path: str | Path, overrides: Mapping[str, float | str] | None = None) -> Setting:
    """The setting of a scenario, by name or by the path of a TOML file, with ``overrides`` of its parameters.

    Raises ScenarioError, in one sentence that names the file and the key, for a scenario that does not
    exist or does not hold; raises ParameterError for an override that the parameter table refuses.
    """
    file = _find(name_or_path)
    scenario = _parse(file)
    try:
        Parameters.resolve(scenario.parameters)
    except ParameterError as error:
        raise ScenarioError(f"{file.name}, [parameters]: {error}") from None
    horizon = _calendar(file.name, scenario.horizon)
    return Setting(
        name=scenario.name,
        parameters=Parameters.resolve({**scenario.parameters, **(overrides or {})}),
        shocks=tuple(
            sorted(
                (
                    _shock(f"{file.name}, shock {i}", keys, horizon)
                    for i, keys in enumerate(scenario.shocks, start=1)
                ),
                key=lambda shock: shock.quarter,
            )
        ),
        first=horizon.first,
        record_from=horizon.record_from,
        last=horizon.last,
        notes=scenario.notes.strip(),
    )


def _library() -> list[Traversable]:
    files = [file for file in resources.files("scenarios").joinpath("library").iterdir() if file.name.endswith(SUFFIX)]
    return sorted(files, key=lambda file: (file.name != f"baseline{SUFFIX}", file.name))


def _find(name_or_path: str | Path) -> Traversable:
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or text.endswith(SUFFIX) or "/" in text or "\\" in text:
        path = Path(name_or_path)
        if not path.is_file():
            raise ScenarioError(f"there is no scenario file {text}; give the path of a {SUFFIX} file")
        return path
    for file in _library():
        if file.name == text + SUFFIX:
            return file
    raise ScenarioError(
        f"no scenario is named {text!r}; {nearest(text, names()) or 'write one of ' + ', '.join(names())}"
    )


def _parse(file: Traversable) -> ScenarioFile:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        return ScenarioFile.model_validate({"name": Path(file.name).stem, **content})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{file.name} is not TOML: {error}") from None
    except OSError as error:
        raise ScenarioError(f"cannot read {file.name}: {error.strerror}") from None
    except ValidationError as error:
        raise ScenarioError(f"{file.name}{_first(error)}") from None


def _first(error: ValidationError) -> str:
    """One fault of a validation in words: key, what was expected, the nearest right name."""
    # A misspelt key is both unknown and missing: only the first says what to do.
    fault = min(error.errors(include_url=False), key=lambda fault: fault["type"] != "extra_forbidden")
    keys = [str(part) for part in fault["loc"] if part not in ("float", "str")]
    key = ".".join(keys) or "the file"
    if fault["type"] == "missing":
        return f": the key {key!r} is missing"
    if fault["type"] == "extra_forbidden":
        allowed = Horizon.model_fields if len(keys) > 1 else ScenarioFile.model_fields
        return f": {unknown_key(key, allowed)}"
    return f": {key} = {fault['input']!r}: {fault['msg'][0].lower()}{fault['msg'][1:]}"


def _calendar(file: str, horizon: Horizon) -> Horizon:
    quarters = horizon.model_dump()
    for key, quarter in quarters.items():
        _check_quarter(f"{file}: horizon.{key}", quarter)
    if not quarters["first"] <= quarters["record_from"] <= quarters["last"]:
        order = " then ".join(f"{key} = {quarter}" for key, quarter in quarters.items())
        raise ScenarioError(f"{file}: the horizon runs backwards: {order}")
    return horizon


def _shock(where: str, keys: Mapping[str, Any], horizon: Horizon) -> Shock:
    """The shock that a ``[[shocks]]`` table describes. Raises ScenarioError naming ``where`` and the key."""
    keys = dict(keys)
    kind = keys.pop("kind", None)
    if kind is None:
        raise ScenarioError(f"{where}: the key 'kind' is missing: write one of {', '.join(KINDS)}")
    if kind not in KINDS:
        hint = nearest(str(kind), KINDS) or f"write one of {', '.join(KINDS)}"
        raise ScenarioError(f"{where}: no kind of shock is called {kind!r}; {hint}")
    allowed = [field.name for field in dataclasses.fields(KINDS[kind])]  # type: ignore[arg-type]
    for key in keys:
        if key not in allowed:
            raise ScenarioError(f"{where} ({kind}): {unknown_key(key, allowed)}")
    try:
        shock: Shock = TypeAdapter(KINDS[kind]).validate_python(keys)
    except ValidationError as error:
        raise ScenarioError(f"{where} ({kind}){_first(error)}") from None
    _check_quarter(f"{where} ({kind})", shock.quarter)
    if not horizon.first <= shock.quarter <= horizon.last:
        raise ScenarioError(
            f"{where} ({kind}): {shock.quarter} is outside the run, {horizon.first} to {horizon.last}"
        )
    check = getattr(shock, "check", None)
    if check is not None:
        try:
            check()
        except ValueError as error:
            raise ScenarioError(f"{where} ({kind}): {error}") from None
    return shock


def _check_quarter(where: str, quarter: str) -> None:
    try:
        calendar.index(quarter)
    except ValueError as error:
        raise ScenarioError(f"{where}: {error}") from None


def nearest(name: str, known: Iterable[str]) -> str:
    """``"did you mean x?"`` for the nearest of the known names, or nothing when none is near."""
    close = difflib.get_close_matches(name.rpartition(".")[2].lower(), list(known), n=2)
    return f"did you mean {' or '.join(close)}?" if close else ""


def unknown_key(key: str, allowed: Iterable[str]) -> str:
    """What to say of a key that a table does not have."""
    allowed = list(allowed)
    return f"there is no key {key!r}; {nearest(key, allowed) or 'write one of ' + ', '.join(allowed)}"
