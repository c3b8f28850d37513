"""How kernels are compiled, and kept compiled from one process to the next.

numba compiles a kernel that it keeps again when its own file changes, but not when one that it calls does. All of ours
have one stamp, the contents of every module that has kernels, so that they may call each other across modules.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from numba import config, njit
from numba.core.caching import InTreeCacheLocator, UserProvidedCacheLocator, UserWideCacheLocator

FOLDER = Path(__file__).parent
KNOWN_BY = b"from model.kernel import"

_COMMON: dict[str, Any] = {"nogil": True, "error_model": "numpy"}

kernel = njit(cache=True, **_COMMON)
"""Compiled as written: each operation is rounded by itself."""

contracted = njit(cache=True, fastmath={"contract"}, **_COMMON)
"""A product and the sum that it goes into may be rounded once."""

reordered = njit(cache=True, fastmath={"contract", "reassoc", "nsz"}, **_COMMON)
"""Sums are taken in whichever order is fast, always the same, so that they are vectorised."""

merged = njit(cache=True, forceinline=True, fastmath={"contract"}, **_COMMON)
"""Compiled by itself, and then made part of whichever kernel calls it."""

inlined = njit(inline="always", error_model="numpy", fastmath={"contract"})
"""Part of whichever kernel calls it, before that is compiled."""


@cache
def stamp() -> str:
    """What all kernels are compiled from: a digest of the modules that have some."""
    texts = (file.read_bytes() for file in sorted(FOLDER.glob("*.py")))
    return hashlib.sha256(b"\0".join(text for text in texts if KNOWN_BY in text)).hexdigest()


class _Stamped:
    """Keeps the kernels of this folder, and no others, as long as their common stamp stays the same."""

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> Any:
        """The place for a function's kernels; None where this is not one."""
        ours = Path(py_file).parent == FOLDER
        return super().from_function(py_func, py_file) if ours else None  # type: ignore[misc]

    def get_source_stamp(self) -> str:
        """What numba compares."""
        return stamp()


class Given(_Stamped, UserProvidedCacheLocator):
    """In the folder that NUMBA_CACHE_DIR names."""


class Beside(_Stamped, InTreeCacheLocator):
    """In ``__pycache__``, beside the modules."""


class Home(_Stamped, UserWideCacheLocator):
    """In the user's own cache, where the package cannot be written."""


# Those of numba's own are for the kernels of others in this process.
_OTHERS = vars(config)["CACHE_LOCATOR_CLASSES"] or (
    "UserProvidedCacheLocator,InTreeCacheLocator,UserWideCacheLocator,IPythonCacheLocator,ZipCacheLocator"
)
vars(config)["CACHE_LOCATOR_CLASSES"] = ",".join(
    [*(f"{__name__}.{place.__name__}" for place in (Given, Beside, Home)), _OTHERS]
)
