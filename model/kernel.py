"""How kernels are compiled, and kept compiled from one process to the next.

numba compiles a kernel that it keeps again when its own file changes, but not when a kernel that it calls does, nor a
number of another module, which is compiled in. All of ours have one stamp, the contents of every module that has kernels
and of those whose numbers they read, so that they may call each other across modules.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO, Any

from numba import config, njit
from numba.core.caching import (
    FunctionCache,
    InTreeCacheLocator,
    UserProvidedCacheLocator,
    UserWideCacheLocator,
)

FOLDER = Path(__file__).parent
KNOWN_BY = b"from model.kernel import"
READ = ("calendar.py", "catalogue.py", "chip.py", "place.py")
"""Modules without kernels whose numbers kernels read."""

_COMMON: dict[str, Any] = {"nogil": True, "error_model": "numpy"}

PATIENCE_SECONDS = 60.0
"""How long a process waits for another that compiles the same kernel: several times what the largest takes."""
GLANCE_SECONDS = 0.05


class Kept(FunctionCache):
    """A kernel's own cache, which never costs a run: what cannot be read is compiled, what cannot be written is not kept.

    Of several processes that want a kernel at once one compiles it, and the others wait for what it keeps.
    """

    _turn: IO[str] | None = None

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The kernel as it was kept; None where it was not, or is damaged: then it is this process' turn to compile."""
        found = self._read(sig, target_context)
        if found is None and self._turn is None:
            self._turn = _take_turn(Path(self.cache_path) / f"{self._impl.filename_base}.lock")
            found = self._read(sig, target_context)
        if found is not None:
            self._end_turn()
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a kernel where there is room."""
        with suppress(OSError):
            super().save_overload(sig, data)
        self._end_turn()

    def _end_turn(self) -> None:
        if self._turn is not None:
            self._turn.close()
            self._turn = None

    def _read(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # noqa: BLE001  bytes that were cut short may raise anything when they are unpickled
            with suppress(OSError):
                self.flush()
            return None


def _take_turn(path: Path) -> IO[str] | None:
    """A lock that the system lifts when this process ends; None where there can be none, or another holds it too long."""
    try:
        import fcntl
    except ImportError:  # a system without flock: each process compiles for itself
        return None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a", encoding="utf-8")
    except OSError:
        return None
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            time.sleep(GLANCE_SECONDS)
        except OSError:
            break
    file.close()
    return None


def _keeping(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """A decorator that compiles a function, and keeps what it compiled if there is any place for it."""

    def compiled(function: Callable[..., Any]) -> Any:
        made = njit(**_COMMON, **options)(function)
        if hasattr(made, "enable_caching"):  # not so where NUMBA_DISABLE_JIT is set
            with suppress(RuntimeError):  # no place
                made._cache = Kept(function)
        return made

    return compiled


kernel = _keeping()
"""Compiled as written: each operation is rounded by itself."""

contracted = _keeping(fastmath={"contract"})
"""A product and the sum that it goes into may be rounded once."""

reordered = _keeping(fastmath={"contract", "reassoc", "nsz"})
"""Sums are taken in whichever order is fast, always the same, so that they are vectorised."""

lean = _keeping(fastmath={"contract"}, _nrt=False)
"""As ``contracted``, of functions that make no array and are called in loops: rows that they take or are given are not
counted as references, each of which is an atomic operation and takes longer than a few numbers of the row."""

lean_reordered = _keeping(fastmath={"contract", "reassoc", "nsz"}, _nrt=False)
"""As ``reordered``, of such functions."""

merged = _keeping(forceinline=True, fastmath={"contract"})
"""Compiled by itself, and then made part of whichever kernel calls it."""

inlined = njit(inline="always", error_model="numpy", fastmath={"contract"})
"""Part of whichever kernel calls it, before that is compiled."""


@cache
def stamp() -> str:
    """What all kernels are compiled from: a digest of the modules that have some, and of those that these read."""
    texts = {file.name: file.read_bytes() for file in sorted(FOLDER.glob("*.py"))}
    return hashlib.sha256(
        b"\0".join(text for name, text in texts.items() if KNOWN_BY in text or name in READ)
    ).hexdigest()


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


class Passing(Given):
    """In a folder that lasts as long as this process, and serves its workers, where no other can be written."""

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> Any:
        """The place for a function's kernels; None where this is not one, or not even that can be made."""
        if Path(py_file).parent != FOLDER:
            return None
        with suppress(OSError):
            folder = _passing_folder()
            vars(config)["CACHE_DIR"] = os.environ["NUMBA_CACHE_DIR"] = folder
            return super().from_function(py_func, py_file)
        return None


@cache
def _passing_folder() -> str:
    folder = tempfile.mkdtemp(prefix="undercut-kernels-")
    owner = os.getpid()

    def remove() -> None:
        if os.getpid() == owner:  # not a process that was forked from it
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    print(
        f"undercut: compiling anew, a minute or two: neither {FOLDER} nor the home folder can be written to; "
        "set NUMBA_CACHE_DIR to a folder that can",
        file=sys.stderr,
    )
    return folder


# Those of numba's own are for the kernels of others in this process.
_OTHERS = vars(config)["CACHE_LOCATOR_CLASSES"] or (
    "UserProvidedCacheLocator,InTreeCacheLocator,UserWideCacheLocator,IPythonCacheLocator,ZipCacheLocator"
)
vars(config)["CACHE_LOCATOR_CLASSES"] = ",".join(
    [*(f"{__name__}.{place.__name__}" for place in (Given, Beside, Home, Passing)), _OTHERS]
)
