"""The batches that the pages can show: those of the server's store, and no other file of the machine."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from model.quotation import quoted
from scenarios.batch import Batch
from scenarios.folder import StoreError
from scenarios.journal import MANIFEST
from scenarios.store import DEFAULT, Store

VARIABLE = "UNDERCUT_STORE"
"""The environment variable that names the folder of the store."""

RUNNING, COMPLETE, INTERRUPTED = "running", "complete", "interrupted"


def place() -> Path:
    """The folder of the server's store."""
    return Path(os.environ.get(VARIABLE) or DEFAULT)


def batches() -> list[Batch]:
    """The batches of the store, the newest first; none where nothing has been stored yet.

    Raises StoreError when the folder holds something else.
    """
    folder = place()
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return []
    found = [(_age(batch), batch) for batch in Batch.all(Store(folder))]
    return [batch for _, batch in sorted(found, key=lambda pair: pair[0], reverse=True)]


def named(name: str, among: Iterable[Batch] | None = None) -> Batch:
    """The batch of a name. Raises StoreError for a name that is not in the list, whatever it is a path of."""
    # A plus sign that was typed into an address comes as a blank, which no name has.
    wanted = name.replace(" ", "+")
    for batch in batches() if among is None else among:
        if batch.name == wanted:
            return batch
    raise StoreError(f"there is no batch called {quoted(name)} in the store; choose one of the list")


def newest() -> Batch | None:
    """The complete batch that was asked for last; a study's where there is no other."""
    return next(
        (batch for batch in sorted(batches(), key=lambda batch: batch.of_study) if batch.complete), None
    )


def state(batch: Batch) -> str:
    """Whether a batch is running, complete or interrupted."""
    return RUNNING if batch.running else COMPLETE if batch.complete else INTERRUPTED


def summary(batch: Batch) -> dict[str, Any]:
    """What a batch asked for and how far it has come, as plain data."""
    asked = batch.manifest["asked"]
    return {
        "batch": batch.name,
        "scenarios": asked["scenarios"],
        "worlds": asked["worlds"],
        "seeds": asked["seeds"],
        "runs": len(batch.planned()),
        "done": len(batch.done()),
        "failed": len(batch.failures()),
        "state": state(batch),
    }


def labels(batch: Batch) -> list[str]:
    """The worlds of a batch, those that were asked for and then what they are compared with."""
    frame = batch.worlds()
    return [*batch.labels, *(str(label) for label in frame["label"][frame["of"] != ""])]


def world(batch: Batch, label: str) -> str:
    """A label of the batch: the given one, or the first where none is. Raises StoreError for one that it has not."""
    chosen = label or batch.labels[0]
    batch.world(chosen)
    return chosen


def _age(batch: Batch) -> int:
    try:
        return (batch.path / MANIFEST).stat().st_mtime_ns
    except OSError:  # removed meanwhile
        return 0


def facts(batch: Batch) -> list[tuple[str, str]]:
    """Code, libraries, processor and seeds that made a batch, in words."""
    asked, made = batch.manifest["asked"], batch.made_with
    code = made["code"]
    changed = ", with changes that were not committed" if code.get("changed") else ""
    compared = asked["counterfactual_seeds"]
    without = f", the first {compared} also without each cause" if compared else ""
    return [
        ("Scenarios", ", ".join(asked["scenarios"])),
        ("Worlds", f"{asked['worlds']}{', ' + asked['design'] if asked['design'] else ''}"),
        ("Seeds", f"{asked['seeds']} ({len(batch.seeds)}){without}"),
        ("Full tables kept", asked["keep"]),
        ("Undercut", str(made["undercut"])),
        ("Commit", f"{code.get('commit') or 'none: the sources were in no repository'}{changed}"),
        ("Sources, SHA-256", str(code["sha256"])),
        ("Python", made["python"]),
        ("Libraries", ", ".join(f"{name} {version}" for name, version in sorted(made["libraries"].items()))),
        ("Processor", str(made.get("processor", ""))),
    ]
