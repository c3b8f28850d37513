"""The address of a live view: a link says what was played and what is on screen, and makes both again."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from model import calendar
from scenarios.document import MOST_BYTES
from scenarios.part import shock_of
from scenarios.scenario import ScenarioError
from viz.live.script import Act, Script, keys_of
from viz.option.palette import REGIONS
from viz.option.price import TIERS

MOST_CHARACTERS = 60_000
"""A longer address is refused by browsers and servers."""

MOST_FILE = 50_000
"""Characters of an uploaded file in an address; a longer one is left out."""

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
    parts += [("next", f"{name}:{value!r}") for name, value in script.waiting]
    usual = Choice()
    for key in ("quarter", "firm", "region", "tier"):
        if getattr(choice, key) != getattr(usual, key):
            parts.append((key, getattr(choice, key)))
    if linked(script):
        parts += [("file", _packed(script.upload))] if script.upload else []
    return urlencode(parts)


def linked(script: Script) -> bool:
    """Whether an address can hold the script: the file that was uploaded for it may be too long."""
    return len(_packed(script.upload)) <= MOST_FILE


def read(text: str) -> tuple[Script, Choice]:
    """The script and the view of a query. Raises ScenarioError for one that makes no sense, in a sentence."""
    if len(text) > MOST_CHARACTERS:
        raise ScenarioError("the address is too long to be one of this page; open the page without it")
    script, choice = Script(), Choice()
    values: dict[str, float] = {}
    waiting: dict[str, float] = {}
    acts: list[Act] = []
    for key, value in parse_qsl(text.removeprefix("?"), keep_blank_values=True):
        if key == "scenario":
            script = replace(script, scenario=value)
        elif key == "seed":
            script = script.with_seed(value)
        elif key in ("value", "next"):
            name, _, number = value.partition(":")
            (values if key == "value" else waiting)[name] = _number(name, number)
        elif key in ("act", "change"):
            acts.append(Act(shock_of(_keys(value), "the address"), key == "act"))
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
    script = replace(
        script,
        values=tuple(sorted(values.items())),
        acts=tuple(acts),
        waiting=tuple(sorted(waiting.items())),
    )
    for act in acts:
        if not act.fired and keys_of(act.shock).get("kind") != SETTING:
            raise ScenarioError(
                "the address changes something that is no parameter; open the page without it"
            )
    script.check()
    return script, choice


def _keys(text: str) -> dict[str, Any]:
    try:
        keys = json.loads(text)
    except (ValueError, RecursionError):
        keys = None
    if not isinstance(keys, dict):
        raise ScenarioError("the address has a shock that cannot be read; open the page without it")
    return keys


def _number(name: str, text: str) -> float:
    from model.parameters import ParameterError, declared

    try:
        return declared(name).accept(text)
    except ParameterError as error:
        raise ScenarioError(str(error)) from None


def _quarter(text: str) -> str:
    try:
        calendar.index(text)
    except ValueError as error:
        raise ScenarioError(str(error)) from None
    return text


@lru_cache(maxsize=16)
def _packed(text: str) -> str:
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode()


def _unpacked(text: str) -> str:
    try:
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(base64.urlsafe_b64decode(text.encode()), MOST_BYTES)
        if unpacker.unconsumed_tail:
            raise ValueError("too long")
        return raw.decode()
    except (ValueError, zlib.error):
        raise ScenarioError("the address has a file that cannot be read; open the page without it") from None
