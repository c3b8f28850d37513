"""What may come of an input: success, or one sentence for its user; never a traceback, and never no end."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from scenarios.fault import printable
from undercut.cli import _is_users

T = TypeVar("T")

PATIENCE_SECONDS = 20
"""An input takes milliseconds: one that takes this long hangs."""

LONGEST_SENTENCE = 20_000
"""Characters; a sentence may list what there is, and quotes little of what is wrong."""


class Wrong(AssertionError):
    """An input whose outcome no input may have."""


class Hang(BaseException):
    """An input that does not end; no handler of the code under test catches it."""


def judged(work: Callable[[], T]) -> tuple[T | None, str]:
    """What an input gives, or the sentence that refuses it. Raises Wrong for a refusal that is none."""
    with patience():
        try:
            return work(), ""
        except ValueError as error:
            if not _is_users(error):
                raise
            said = printable(str(error))
    check_sentence(said)
    return None, said


def check_sentence(said: str) -> None:
    """Raise Wrong where a refusal is empty, runs over lines, could command a terminal, or never ends."""
    if not said.strip() or not said.isprintable():
        raise Wrong(f"no sentence for a terminal: {said[:200]!r}")
    if len(said) > LONGEST_SENTENCE:
        raise Wrong(f"a sentence of {len(said)} characters: {said[:200]!r}")


@contextmanager
def patience() -> Iterator[None]:
    """Raise Hang in the block once it has taken too long."""
    before = signal.signal(signal.SIGALRM, _hangs)
    signal.alarm(PATIENCE_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _hangs(signum: int, frame: FrameType | None) -> None:
    raise Hang(f"no end within {PATIENCE_SECONDS} seconds")
