"""What commands share: what they say and show, the batch that they open, and how they end."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from scenarios.batch import Batch
    from scenarios.progress import Progress
    from scenarios.runner import Failure


def print_anything() -> None:
    """Print ``?`` for a sign that a terminal's encoding lacks, as that of a yen, rather than fail over it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")


def say(text: str) -> None:
    """Print lines for people on standard error, so that standard output holds results alone.

    What would command the terminal, as in a value that a user quotes, is written out.
    """
    from scenarios.fault import printable

    print("\n".join(map(printable, text.split("\n"))), file=sys.stderr, flush=True)


def print_json(content: Any) -> None:
    """Print plain data on standard output."""
    from scenarios.folder import to_json

    print(to_json(content))


def progress(quiet: bool) -> Progress:
    """The progress display that suits standard error."""
    from scenarios.progress import shown_on

    return shown_on(sys.stderr, quiet)


def one_thread() -> None:
    """Run BLAS on one thread in this process too, before NumPy is loaded, as workers do: sums must agree."""
    from scenarios.workers import THREAD_VARIABLES

    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))


def open_batch(batch: str, store: Path) -> Batch:
    """The batch that a command names, or the newest of the store, of which it says the name where there are others.

    Raises StoreError where there is none.
    """
    from scenarios.batch import Batch

    opened = Batch.open(batch or store, store)
    if opened.name != Path(batch).name and len(Batch.all(opened.store)) > 1:
        say(f"opened {opened.name}")
    return opened


def end_with_failures(batch: Batch, by_chance: Sequence[Failure] = ()) -> None:
    """Say which runs failed, and end with status 1 if any did."""
    from undercut.stored import failures

    lines = failures(batch, by_chance)
    for line in lines:
        say(line)
    if lines:
        raise typer.Exit(1)
