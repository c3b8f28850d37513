"""`undercut doctor`: what is wrong with an installation."""

from __future__ import annotations

import typer

from undercut import health
from undercut.options import RUNS, JsonOption, StoreOption


def doctor(store: StoreOption = RUNS, as_json: JsonOption = False) -> None:
    """Say what is wrong with this installation, and what to do about it.

    It looks at Python, the packages and their locked versions, compiled kernels, the store, the machine, and what the
    tests of the pages and a benchmark need. A line is ok, missing (some things need it), or wrong: then the exit
    status is 2.

    \b
    Examples:
      undercut doctor
      undercut doctor --store elsewhere --json
    """
    raise typer.Exit(health.diagnose(store, as_json))
