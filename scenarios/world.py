"""A world as data: what is written of a setting, the hash that names it, and the way back."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from model.parameters import Parameters
from model.setting import Setting
from scenarios import version
from scenarios.shocks import KINDS

HORIZON = ("first", "record_from", "last")
ID_LETTERS = 16
"""Hexadecimal digits of a world's name: 64 bits, so that a billion worlds hardly ever share one."""


def describe(setting: Setting) -> dict[str, Any]:
    """A setting as plain data: name, calendar, overrides, shocks with kind and arguments, notes."""
    kinds = {shock: kind for kind, shock in KINDS.items()}
    shocks = [
        {"kind": kinds.get(type(shock), type(shock).__name__), **dataclasses.asdict(shock)}  # type: ignore[call-overload]
        for shock in setting.shocks
    ]
    return {
        "name": setting.name,
        **{key: getattr(setting, key) for key in HORIZON},
        "overrides": setting.parameters.overridden,
        "shocks": shocks,
        "notes": setting.notes,
    }


def restore(description: Mapping[str, Any]) -> Setting:
    """The setting that :func:`describe` described.

    Raises KeyError for a kind of shock that this version does not have, ParameterError for a parameter.
    """
    shocks = []
    for keys in description["shocks"]:
        arguments = dict(keys)
        shocks.append(TypeAdapter(KINDS[arguments.pop("kind")]).validate_python(arguments))
    return Setting(
        name=description["name"],
        parameters=Parameters.resolve(description["overrides"]),
        shocks=tuple(shocks),
        notes=description["notes"],
        **{key: description[key] for key in HORIZON},
    )


def identify(setting: Setting, simulation: str) -> str:
    """The name of a world: a hash of its resolved inputs and of the code and libraries that simulate it.

    With a seed it names a run. Neither the scenario's name nor its notes count, so that two scenarios which
    resolve to the same world share their runs. ``simulation`` names the function that simulates it.
    """
    inputs = {key: value for key, value in describe(setting).items() if key not in ("name", "notes")}
    content = {**inputs, "simulation": simulation, "code": version.results_hash()}
    return digest(content)


def at(setting: Setting, point: Mapping[str, float]) -> Setting:
    """A setting with other values of some parameters. Raises ParameterError for what these cannot take."""
    if not point:
        return setting
    return dataclasses.replace(setting, parameters=setting.parameters.changed(point))


def digest(content: Any) -> str:
    """The first digits of the SHA-256 of plain data in canonical JSON."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:ID_LETTERS]
