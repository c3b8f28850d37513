"""Stores that came to harm: every reading of one is a sentence, or what the unharmed store says."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from evidence.claims import claims
from model.setting import Setting
from scenarios import batch, journal
from scenarios.batch import Batch
from scenarios.runner import Job
from scenarios.tables import stored_tables
from tests.fuzz.judge import Wrong, judged
from tests.scenarios import toys
from tests.scenarios.stores import plan_of
from undercut.stored import batches

WAYS = ("flip", "truncate", "zero", "empty", "delete", "foreign", "swap", "append", "folder", "link", "copy")
FOREIGN = (
    b"",
    b"\0" * 64,
    b"PAR1PAR1",
    b"{}",
    b"[]",
    b'{"format": 3}',
    b'{"format": true}',
    b"\xff\xfe",
    b"[" * 5000,
)


@dataclass(frozen=True)
class Damage:
    """What happens to one file of a store: ``file`` and ``place`` are shares of what there is."""

    finished: bool
    file: float
    way: str
    place: float
    bit: int
    content: bytes


share = st.floats(0, 1, exclude_max=True)
damages = st.lists(
    st.builds(
        Damage,
        st.booleans(),
        share,
        st.sampled_from((*WAYS, *["flip"] * len(WAYS))),
        share,
        st.integers(0, 7),
        st.one_of(st.sampled_from(FOREIGN), st.binary(max_size=40)),
    ),
    min_size=1,
    max_size=2,
)


def simulation(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """Tables of two quarters at random, for speed."""
    return {name: frame.head(2) for name, frame in toys.plain(setting, seed).items()}


def outcomes(frames: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    """A number for every claim."""
    start = float(frames["quarters"]["price_usd_per_mtok"].mean())
    return {claim.id: start + place for place, claim in enumerate(claims())}


@cache
def store(finished: bool) -> tuple[Path, dict[str, object]]:
    """An unharmed store with a batch that is packed, or one whose results are in parts; and what it says."""
    folder = Path(tempfile.mkdtemp(prefix="undercut-fuzz-"))
    job = Job(simulation, outcomes)
    plan = plan_of(
        job,
        ("baseline", "consortium"),
        seeds=(1, 2, 3),
        keep="sample:1",
        causes=("export_rules",),
        compared=1,
    )
    if finished:
        batch.run(plan, job, folder / "s", workers=1)
    else:
        packed, journal.Journal.finish = journal.Journal.finish, journal.Journal.flush  # type: ignore[method-assign]
        try:
            batch.run(plan, job, folder / "s", workers=1)
        finally:
            journal.Journal.finish = packed  # type: ignore[method-assign]
    return folder / "s", {name: read(folder / "s") for name, read in readings().items()}


def readings() -> dict[str, Callable[[Path], object]]:
    """What commands and pages read of a store."""

    def newest(folder: Path) -> Batch:
        return Batch.open(folder)

    def listed(folder: Path) -> object:
        rows = batches(folder)
        return json.dumps([{k: v for k, v in row.items() if k != "code"} for row in rows])

    def settings(folder: Path) -> object:
        of = newest(folder)
        return repr(
            [(label, of.world(label), of.setting(label), of.counterfactuals(label)) for label in of.labels]
        )

    def table(name: str) -> Callable[[Path], object]:
        return lambda folder: _exact(newest(folder).table(name))

    def verdicts(folder: Path) -> object:
        from undercut.batch import verdict_rows

        return json.dumps(verdict_rows(newest(folder)), default=str)

    return {
        "ls": listed,
        "settings": settings,
        "worlds": lambda folder: newest(folder).worlds().to_csv(),
        "made with": lambda folder: json.dumps(newest(folder).made_with, sort_keys=True),
        "verdicts": verdicts,
        "failures": lambda folder: _exact(newest(folder).failures()),
        **{name: table(name) for name in stored_tables()},
    }


def _exact(frame: pd.DataFrame) -> object:
    """A frame such that equal ones are equal to the bit."""
    return [
        (
            name,
            str(column.dtype),
            column.to_numpy().tobytes() if column.dtype != "str" else tuple(map(str, column)),
        )
        for name, column in frame.items()
        if not isinstance(column.dtype, np.dtype) or column.dtype != object
    ] + [(name, tuple(map(str, column))) for name, column in frame.items() if column.dtype == object]


def check_store(given: list[Damage]) -> bool:
    """Each reading of a harmed store gives what the unharmed one gives, or a sentence; none changes it."""
    whole, said = store(given[0].finished)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "s"
        shutil.copytree(whole, folder)
        told = [harm(folder, each) for each in given]
        before = _listing(folder)
        fine = True
        for reading, read in readings().items():
            found, refusal = judged(lambda read=read: read(folder))  # type: ignore[misc]
            if refusal:
                fine = False
            elif found != said[reading] and not (reading == "ls" and _confesses(str(found))):
                raise Wrong(f"{reading} is wrong without a word after {told}")
        if _listing(folder) != before:
            raise Wrong(f"reading changed the store after {told}")
        return fine


def _confesses(listed: str) -> bool:
    """Whether a listing says that a batch lacks something, or shows none."""
    rows = json.loads(listed)
    return not rows or any(row["done"] < row["runs"] for row in rows)


def _listing(folder: Path) -> list[tuple[str, int]]:
    """Every file but locks, with its size."""
    files = (file for file in folder.rglob("*") if not file.name.endswith("lock"))
    return sorted((str(file.relative_to(folder)), file.lstat().st_size) for file in files)


def harm(folder: Path, how: Damage) -> str:
    """Do it, and say what."""
    files = sorted(f for f in folder.rglob("*") if f.is_file() and "lock" not in f.name)
    if not files:
        return "nothing"
    file = files[int(how.file * len(files))]
    raw = file.read_bytes()
    at = int(how.place * len(raw))
    other = files[int(how.place * len(files))]
    if how.way == "flip" and raw:
        file.write_bytes(raw[:at] + bytes([raw[at] ^ 1 << how.bit]) + raw[at + 1 :])
    elif how.way == "truncate":
        file.write_bytes(raw[:at])
    elif how.way == "zero":
        file.write_bytes(raw[:at] + bytes(len(raw) - at))
    elif how.way == "empty":
        file.write_bytes(b"")
    elif how.way == "delete":
        file.unlink()
    elif how.way == "foreign":
        file.write_bytes(how.content)
    elif how.way == "swap":
        raw, there = file.read_bytes(), other.read_bytes()
        file.write_bytes(there)
        other.write_bytes(raw)
    elif how.way == "append":
        file.write_bytes(raw + how.content)
    elif how.way == "folder":
        file.unlink()
        file.mkdir()
    elif how.way == "link":
        file.unlink()
        file.symlink_to(other)
    elif how.way == "copy":
        file.with_name(f"copy-{file.name}").write_bytes(raw)
    return f"{how.way} {file.relative_to(folder)} at {at} bit {how.bit} ({other.relative_to(folder)}, {how.content[:20]!r})"
