"""A resolved scenario as a TOML file that stands alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from scenarios.scenario import HORIZON, Scenario

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def to_toml(scenario: Scenario) -> str:
    """A file that says all that a scenario resolves to, and extends nothing.

    It resolves to an equal setting. Keys that stand at their defaults are left out.
    """
    horizon = {key: quarter for key, quarter in scenario.horizon.items() if quarter != HORIZON[key]}
    parts = [f"title = {value(scenario.title)}"]
    if scenario.notes:
        parts[0] += f"\nnotes = {_paragraph(scenario.notes)}"
    if scenario.seeds is not None:
        parts[0] += f"\nseeds = {value(scenario.seeds)}"
    if horizon:
        parts.append(_table("[horizon]", horizon))
    if scenario.parameters:
        parts.append(_table("[parameters]", {k: _short(v) for k, v in scenario.parameters.items()}))
    parts += [_table("[[shocks]]", shock) for shock in scenario.shocks]
    return "\n\n".join(parts) + "\n"


def value(thing: object) -> str:
    """A value as TOML. Raises TypeError for what TOML cannot hold."""
    if isinstance(thing, bool):
        return "true" if thing else "false"
    if isinstance(thing, int | float):
        return repr(thing)
    if isinstance(thing, str):
        # JSON's escapes are TOML's, but that TOML wants one more character escaped.
        return json.dumps(thing, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(thing, Mapping):
        inner = ", ".join(f"{key(name)} = {value(each)}" for name, each in thing.items() if each is not None)
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(thing, list | tuple):
        return f"[{', '.join(value(each) for each in thing)}]"
    raise TypeError(f"TOML has no {type(thing).__name__}")


def key(name: str) -> str:
    """A key as TOML, in quotes where it needs them."""
    return name if _BARE_KEY.fullmatch(name) else value(name)


def _table(header: str, keys: Mapping[str, Any]) -> str:
    return "\n".join([header, *(f"{key(name)} = {value(each)}" for name, each in keys.items())])


def _short(number: float) -> float | int:
    """A number without the point that it does not need."""
    return int(number) if number == int(number) and abs(number) < 1e15 and number != 0.0 else number


def _paragraph(text: str) -> str:
    """Text over lines, with the escapes that TOML wants between three quotes."""
    lines = (value(line)[1:-1].replace('\\"', '"') for line in text.split("\n"))
    return '"""\n' + "\n".join(lines).replace('"""', '""\\"') + '\n"""'
