"""Commands for a user to write next."""

from __future__ import annotations

import shlex
from pathlib import Path

from undercut.options import RUNS


def command(store: Path, *words: str) -> str:
    """A command on a store for a user to write: it names the store where that is not the one looked in anyway."""
    return shlex.join(["undercut", *words, *([] if store == RUNS else ["--store", str(store)])])
