"""Shocks of one quarter that undo or redefine each other, which no order could make sense of."""

from __future__ import annotations

import dataclasses
from typing import Any

from model.shock import Shock


def contradiction(one: Shock, other: Shock) -> str:
    """Why two shocks cannot both happen in their quarter, or nothing.

    A shock says for itself what it contradicts, in an optional method ``contradicts(other)`` that returns
    the reason or None. Besides, no shock may stand twice, and no two of a kind and a quarter may give one
    subject, which is all that they say in words, different values.
    """
    if one.quarter != other.quarter:
        return ""
    for first, second in ((one, other), (other, one)):
        contradicts = getattr(first, "contradicts", None)
        reason = contradicts(second) if contradicts is not None else None
        if reason:
            return str(reason)
    if one == other:
        return "it says the same"
    if type(one) is not type(other) or _subject(one) != _subject(other):
        return ""
    values, others = _values(one), _values(other)
    key = next(key for key in values if values[key] != others[key])
    return f"{key} is {_text(values[key])} in one and {_text(others[key])} in the other"


def _values(shock: Shock) -> dict[str, Any]:
    return {field.name: getattr(shock, field.name) for field in dataclasses.fields(shock)}  # type: ignore[arg-type]


def _subject(shock: Shock) -> dict[str, Any]:
    """What a shock is about: its words, without its amounts and its date."""
    return {key: value for key, value in _values(shock).items() if _is_words(value)}


def _is_words(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, tuple) and all(map(_is_words, value)))


def _text(value: object) -> str:
    return "left out" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
