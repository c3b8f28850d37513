"""Files that appear whole or not at all, and locks that end with their holder: what the store is built on."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

PARTIAL = ".partial"
HASH_LETTERS = 16
GLANCES, GLANCE_SECONDS = 5, 0.02
"""Who would take a lock at once tries so often: another process may just be looking whether it is held."""


class StoreError(ValueError):
    """A store that cannot be written to or read from; the message says what to do about it."""


def to_json(content: Any) -> str:
    """JSON with sorted keys where a number that is none is null, so that any reader takes it."""
    return json.dumps(_plain(content), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)


Form = Mapping[str, "type | Form"]
"""What a JSON object must hold: types, or the forms of objects within it, by key."""


SEAL = "sha256"
"""The key of a sealed JSON object under which its own digest stands."""


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """An object with a digest of itself in it, so that a changed digit is found when it is read."""
    return {**content, SEAL: _digest(content)}


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(to_json(dict(content)).encode()).hexdigest()


def read_json(path: Path, form: Form, mend: str = "run the same command again") -> dict[str, Any]:
    """The object in a JSON file, without its seal where the form asks for one.

    Raises StoreError, with the mend, when it is missing, damaged or not of the form.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        content = {}
    whole = _fits(content, form)
    if whole and SEAL in form:
        whole = content.pop(SEAL) == _digest(content)
    if not whole:
        raise StoreError(f"{path} is missing or damaged; {mend}")
    return content


def _fits(content: Any, form: Form) -> bool:
    return isinstance(content, dict) and all(
        isinstance(content.get(key), kind) if isinstance(kind, type) else _fits(content.get(key), kind)
        for key, kind in form.items()
    )


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name in the same folder, renamed to ``path`` and made durable when the block ends well."""
    partial = path.with_name(f".{path.name}{PARTIAL}")
    partial.unlink(missing_ok=True)  # what lies there may be a link that leads elsewhere
    try:
        yield partial
        sync(partial)
        partial.replace(path)
        sync(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file whole or not at all."""
    with replacing(path) as partial:
        partial.write_text(to_json(content) + "\n", encoding="utf-8")


def sync(path: Path) -> None:
    """Make a file, or the names in a folder, durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def hash_of(path: Path) -> str:
    """The first digits of the SHA-256 of a file. Raises OSError when it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:HASH_LETTERS]


class Lock:
    """An advisory lock on a file, which the system lifts when its holder ends, whatever it dies of."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: IO[str] | None = None

    def take(self, wait: bool) -> bool:
        """Hold the lock; without ``wait``, return False soon where somebody else holds it."""
        try:
            import fcntl
        except ImportError:  # a system without flock: one batch at a time is up to the user
            self.file = self.path.open("a", encoding="utf-8")
            return True
        for _ in itertools.count() if wait else range(GLANCES):
            self.file = self.path.open("a", encoding="utf-8")
            try:
                fcntl.flock(self.file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
                if self._current():
                    return True
                self.free()  # whoever held it took the file away
            except BlockingIOError:
                self.free()
                time.sleep(GLANCE_SECONDS)
        return False

    def _current(self) -> bool:
        assert self.file is not None
        try:
            return os.path.samestat(os.fstat(self.file.fileno()), self.path.stat())
        except FileNotFoundError:
            return False

    def held(self) -> bool:
        """Whether somebody holds the lock. To look needs no right to write, and is over before a taker gives up."""
        try:
            import fcntl

            with self.path.open(encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except (ImportError, OSError):
            return False
        return False

    def free(self) -> None:
        """Let the lock go."""
        if self.file is not None:
            self.file.close()
            self.file = None

    def __enter__(self) -> Lock:
        self.take(wait=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.free()


@contextlib.contextmanager
def as_store_error(folder: str | Path) -> Iterator[None]:
    """Say in a user's words why a folder cannot be written to."""
    try:
        yield
    except (FileExistsError, NotADirectoryError):
        raise StoreError(f"{folder} is, or lies under, a file; give --out a folder") from None
    except BrokenPipeError:
        raise  # of somebody who read what was said, not of the folder
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreError(
                f"no room left on the disk of {folder}; free some and run the same command again: what is stored stays"
            ) from None
        reason = (error.strerror or str(error)).lower()
        raise StoreError(
            f"cannot write to {folder}: {reason}; make it writable, or name another folder"
        ) from None


def _plain(content: Any) -> Any:
    if isinstance(content, float):
        return content if content - content == 0.0 else None
    if isinstance(content, dict):
        return {str(key): _plain(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_plain(value) for value in content]
    return content
