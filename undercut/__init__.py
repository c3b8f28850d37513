"""Public names for notebooks and scripts; each is loaded when it is first used.

>>> from undercut import Market
>>> tables = Market("baseline", seed=1).run()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scenarios.batch import Batch
    from scenarios.scenario import load
    from undercut.batch import run, verdicts
    from undercut.world import Market

__all__ = ["Batch", "Market", "__version__", "load", "run", "verdicts"]

_HOMES = {
    "Batch": "scenarios.batch",
    "Market": "undercut.world",
    "load": "scenarios.scenario",
    "run": "undercut.batch",
    "verdicts": "undercut.batch",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from scenarios.version import release

        return release()
    if name not in _HOMES:
        raise AttributeError(f"undercut has no {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
