"""What may come of an input: success, or one sentence for its user; never a traceback, and never no end."""

from __future__ import annotations

import contextlib
import io
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TypeVar

from scenarios.fault import printable
from undercut.cli import WRONG_USE, _is_users, main

T = TypeVar("T")

PATIENCE_SECONDS = 60
"""An input takes milliseconds, a report seconds: one that takes this long hangs, also on a machine that is busy."""

LONGEST_SENTENCE = 20_000
"""Characters; a sentence may list what there is, and quotes little of what is wrong."""


class Hang(BaseException):
    """An input that does not end; no handler of the code under test catches it."""


def judged(work: Callable[[], T]) -> tuple[T | None, str]:
    """What an input gives, or the sentence that refuses it. Fails for a refusal that is none."""
    with patience():
        try:
            return work(), ""
        except ValueError as error:
            if not _is_users(error):
                raise
            said = [printable(str(each)) for each in (error, *error.args)]  # as commands and pages show it
    for sentence in said:
        check_sentence(sentence)
    return None, said[0]


def command(arguments: list[str]) -> int:
    """The exit status of a command: 0, 1 where runs failed, or 2 with one sentence. Fails for all others."""
    out, errors = io.StringIO(), io.StringIO()
    with patience(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        status = main(arguments)
    if status == WRONG_USE:
        check_sentence(errors.getvalue().removesuffix("\n"))
    assert status in (0, 1, WRONG_USE), arguments
    return status


def check_sentence(said: str) -> None:
    """Fail where a refusal is empty, runs over lines, could command a terminal, or never ends."""
    assert said.strip()
    assert said.isprintable(), f"no sentence for a terminal: {said[:200]!r}"
    assert len(said) <= LONGEST_SENTENCE, f"a sentence of {len(said)} characters: {said[:200]!r}"


@contextlib.contextmanager
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
