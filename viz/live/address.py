"""The address of a live view: a link says what was played and what is on screen, and makes both again."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from model import calendar
from scenarios.document import MOST_BYTES
from scenarios.scenario import ScenarioError
from scenarios.seeds import SeedsError, parse
from viz.live.script import Act, Script, keys_of, shock
from viz.option.palette import REGIONS
from viz.option.price import TIERS

MOST_CHARACTERS = 60_000
"""A longer address is refused by browsers and servers; an upload that makes it so is left out."""

SETTING = "set"


@dataclass(frozen=True)
class Choice:
    """What a user looks at: the quarter shown, the firm in focus, the buyers' region and the tier of prices."""

    quarter: str = ""
    firm: str = ""
    region: str = "China"
    tier: str = "flagship"


def query(script: Script, choice: Choice) -> str:
    """The query of a script and a view; what stands at its default is left out."""
    parts: list[tuple[str, str]] = [("scenario", script.scenario), ("seed", str(script.seed))]
    parts += [("value", f"{name}:{value!r}") for name, value in script.values]
    for act in script.acts:
        parts.append(
            ("act" if act.fired else "change", json.dumps(keys_of(act.shock), separators=(",", ":")))
        )
    usual = Choice()
    for key in ("quarter", "firm", "region", "tier"):
        if getattr(choice, key) != getattr(usual, key):
            parts.append((key, getattr(choice, key)))
    if script.upload:
        packed = base64.urlsafe_b64encode(zlib.compress(script.upload.encode(), 9)).decode()
        parts.append(("file", packed))
    text = urlencode(parts)
    return text if len(text) <= MOST_CHARACTERS else urlencode([part for part in parts if part[0] != "file"])


def read(text: str) -> tuple[Script, Choice]:
    """The script and the view of a query. Raises ScenarioError for one that makes no sense, in a sentence."""
    if len(text) > MOST_CHARACTERS:
        raise ScenarioError("the address is too long to be one of this page; open the page without it")
    script, choice = Script(), Choice()
    values: dict[str, float] = {}
    acts: list[Act] = []
    for key, value in parse_qsl(text.removeprefix("?"), keep_blank_values=True):
        if key == "scenario":
            script = replace(script, scenario=value)
        elif key == "seed":
            script = replace(script, seed=seed_of(value))
        elif key == "value":
            name, _, number = value.partition(":")
            values[name] = _number(name, number)
        elif key in ("act", "change"):
            acts.append(Act(shock_of(_keys(value)), key == "act"))
        elif key == "file":
            script = replace(script, upload=_unpacked(value))
        elif key == "quarter":
            choice = replace(choice, quarter=_quarter(value))
        elif key == "firm":
            choice = replace(choice, firm=value)
        elif key == "region" and value in REGIONS:
            choice = replace(choice, region=value)
        elif key == "tier" and value in TIERS:
            choice = replace(choice, tier=value)
    script = replace(script, values=tuple(sorted(values.items())), acts=tuple(acts))
    for act in acts:
        if not act.fired and keys_of(act.shock).get("kind") != SETTING:
            raise ScenarioError(
                "the address changes something that is no parameter; open the page without it"
            )
    script.check()
    return script, choice


def seed_of(text: str) -> int:
    """A seed from a text. Raises ScenarioError."""
    try:
        seeds = parse(f"{text.strip()},")
    except (SeedsError, ValueError):
        seeds = ()
    if len(seeds) != 1:
        raise ScenarioError(f"{text[:40]!r} is no seed: write a whole number from 0, as 1")
    return seeds[0]


def shock_of(keys: Mapping[str, Any]) -> Any:
    """A shock from the keys of a table. Raises ScenarioError for keys that no shock has."""
    given = dict(keys)
    try:
        made = shock(given.pop("kind"), **{key: _tuple(value) for key, value in given.items()})
        hash(made)
    except (KeyError, TypeError) as error:
        raise ScenarioError(
            f"the address has a shock that does not exist ({error}); open the page without it"
        ) from None
    return made


def _tuple(value: Any) -> Any:
    return tuple(map(_tuple, value)) if isinstance(value, list) else value


def _keys(text: str) -> dict[str, Any]:
    try:
        keys = json.loads(text)
    except (ValueError, RecursionError):
        keys = None
    if (
        not isinstance(keys, dict)
        or not isinstance(keys.get("quarter"), str)
        or not isinstance(keys.get("kind"), str)
    ):
        raise ScenarioError("the address has a shock that cannot be read; open the page without it")
    return keys


def _number(name: str, text: str) -> float:
    from model.parameters import ParameterError, Parameters

    try:
        return Parameters.resolve({name: text})[name]
    except ParameterError as error:
        raise ScenarioError(str(error)) from None


def _quarter(text: str) -> str:
    try:
        calendar.index(text)
    except ValueError as error:
        raise ScenarioError(str(error)) from None
    return text


def _unpacked(text: str) -> str:
    try:
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(base64.urlsafe_b64decode(text.encode()), MOST_BYTES)
        if unpacker.unconsumed_tail:
            raise ValueError("too long")
        return raw.decode()
    except (ValueError, zlib.error):
        raise ScenarioError("the address has a file that cannot be read; open the page without it") from None
