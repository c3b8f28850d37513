"""The shocks that the live page offers: some at a press, all in the words of a scenario file."""

from __future__ import annotations

import dataclasses
import inspect
import tomllib
from typing import Any

from scenarios.scenario import ScenarioError
from scenarios.shocks import KINDS
from scenarios.toml import key as toml_key
from scenarios.toml import value as toml_value

USUAL: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Ban chip exports", {"kind": "chip_ban"}),
    ("Open a frontier model", {"kind": "openness", "target": "OpenAI", "weights": "open", "existing": True}),
    ("Cut NVIDIA's price", {"kind": "chip_discount", "share": 0.4}),
    ("Break the consortium", {"kind": "breakup"}),
    ("Shortage", {"kind": "capacity_loss", "share": 0.6, "makers": ["NVIDIA", "AMD", "Huawei Ascend"]}),
)
"""What the buttons say, and the keys of their shocks but for the quarter."""


def shots() -> list[dict[str, Any]]:
    """The buttons: name, keys, and a sentence on what each does."""
    return [{"name": name, "keys": keys, "about": _about(keys["kind"])} for name, keys in USUAL]


def kinds() -> list[dict[str, str]]:
    """Every kind of shock with its documentation and the keys that it takes, as a file has them."""
    return [{"kind": kind, "about": _about(kind), "text": template(kind)} for kind in KINDS]


def template(kind: str) -> str:
    """The keys of a kind without the quarter, a line each: those with a default at it, the others to be filled in."""
    lines = []
    for each in dataclasses.fields(KINDS[kind]):  # type: ignore[arg-type]
        if each.name == "quarter":
            continue
        if each.default is dataclasses.MISSING:
            lines.append(f"{each.name} = {_EXAMPLES.get(each.name, toml_value(''))}")
        elif each.default is not None:
            lines.append(f"{toml_key(each.name)} = {toml_value(each.default)}")
    return "\n".join(lines)


_EXAMPLES = {
    "share": "0.3",
    "factor": "0.5",
    "usd_per_mtok": "0.1",
    "gain": "0.5",
    "stake": "0.2",
    "value": "0",
    "target": '"DeepSeek"',
    "backer": '"Alibaba"',
    "weights": '"open"',
}


def keys(kind: str, text: str) -> dict[str, Any]:
    """The keys that a user wrote for a kind. Raises ScenarioError for what is no TOML."""
    if kind not in KINDS:
        raise ScenarioError(f"choose a kind of shock first; there are {', '.join(KINDS)}")
    try:
        written = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise ScenarioError(f"the keys of {kind} are not TOML: {error}") from None
    return {**written, "kind": kind}


def _about(kind: str) -> str:
    return " ".join((inspect.getdoc(KINDS[kind]) or "").split("\n\n")[0].split())
