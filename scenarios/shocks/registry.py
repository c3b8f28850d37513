"""The kinds of shock by the name that scenario files use, and what each of them may say of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from model.shock import Shock

KINDS: dict[str, type[Shock]] = {}
"""Every kind of shock by the name that scenario files use."""

AnyShock = TypeVar("AnyShock", bound=type[Shock])


def kind(name: str) -> Callable[[AnyShock], AnyShock]:
    """Register a shock under the name that scenario files use.

    The class is a frozen dataclass: its fields are the keys that ``[[shocks]]`` may give, their types and
    defaults are what the file is checked against, and its docstring is its documentation. A method ``check``,
    where there is one, raises ValueError for values that the types allow and the market does not. A method
    ``contradicts``, where there is one, says why it and another shock of the same quarter undo one another, or
    returns None (``scenarios/contradiction.py``).
    """

    def register(shock: AnyShock) -> AnyShock:
        if name in KINDS:
            raise ValueError(f"two shocks are called {name!r}")
        KINDS[name] = shock
        return shock

    return register
