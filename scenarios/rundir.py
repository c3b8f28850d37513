"""The run directory: Parquet tables of all seeds, metrics, verdicts and a manifest; whole or absent."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from model.records import tables
from model.setting import Setting
from scenarios import version
from scenarios.runner import Failure, Outcome
from scenarios.shocks import KINDS
from scenarios.tables import METRICS, arrow_schema, metrics_to_arrow

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

Object = dict[str, Any]
"""A JSON object."""

FORMAT = 1
RUNS = Path("runs")
MANIFEST = "manifest.json"
CLAIMS = "claims.json"
FAILURES = "failures.json"
LOCK = ".undercut.lock"
PARTIAL = ".partial"
SEEDS_PER_ROW_GROUP = 32


class RunFolderError(ValueError):
    """A folder that a run cannot be written to or read from; the message says what to do about it."""


class RunFolder:
    """A folder that is being filled by one run; a context that leaves nothing behind unless it is committed.

    Files are written beside their final names and renamed at the end, the manifest last: a folder holds a
    run when it holds a manifest.
    """

    def __init__(self, out: str | Path | None, scenario: str) -> None:
        """Take an empty or new folder: ``out``, or the next free number under ``./runs``.

        Raises RunFolderError when the folder is not empty, not ours, in use, or not writable.
        """
        self.scenario = scenario
        self.new_folders: list[Path] = []
        self.lock: IO[str] | None = None
        self.writers: dict[str, pq.ParquetWriter] = {}
        self.held: dict[str, list[pa.Table]] = {}
        self.committed = False
        with _as_folder_error(out or RUNS):
            self.path = self._numbered() if out is None else self._given(Path(out))
            self._take()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for writer in self.writers.values():
            with contextlib.suppress(OSError):
                writer.close()
        for name in (*self._partial(), LOCK):
            (self.path / name).unlink(missing_ok=True)
        if self.lock is not None:
            self.lock.close()
        if not self.committed:
            for folder in reversed(self.new_folders):
                with contextlib.suppress(OSError):
                    folder.rmdir()

    def write(self, outcome: Outcome) -> None:
        """Add a seed's tables and metrics. Call it in the order of seeds: bytes depend on the order."""
        if not outcome.ok:
            return
        with _as_folder_error(self.path):
            metrics = metrics_to_arrow(outcome.metrics, self.scenario, outcome.seed)
            for name, table in {**outcome.tables, METRICS: metrics}.items():
                held = self.held.setdefault(name, [])
                held.append(table)
                if len(held) == SEEDS_PER_ROW_GROUP:
                    self._flush(name)

    def commit(self, manifest: Object, claims: list[Object], failures: list[Object]) -> None:
        """Write what is left, make it durable, and give every file its name, the manifest's last."""
        with _as_folder_error(self.path):
            for name in self.held:
                self._flush(name)
            for writer in self.writers.values():
                writer.close()
            names = [f"{name}.parquet" for name in self.writers]
            texts: Object = {
                CLAIMS: claims,
                **({FAILURES: failures} if failures else {}),
                MANIFEST: manifest,
            }
            for name, content in texts.items():
                self._partial_path(name).write_text(to_json(content) + "\n", encoding="utf-8")
                names.append(name)
            for name in names:
                _sync(self._partial_path(name))
            for name in names:
                self._partial_path(name).rename(self.path / name)
            self.committed = True
            _sync(self.path)

    def _given(self, out: Path) -> Path:
        missing = [folder for folder in (out, *out.parents) if not folder.exists()]
        out.mkdir(parents=True, exist_ok=True)
        self.new_folders = missing[::-1]
        return out

    def _numbered(self) -> Path:
        """The next free folder ``runs/<scenario>-<number>``, made by this call alone."""
        self.new_folders = [] if RUNS.exists() else [RUNS]
        RUNS.mkdir(exist_ok=True)
        number = 1
        while True:
            folder = RUNS / f"{self.scenario}-{number:03d}"
            try:
                folder.mkdir()
            except FileExistsError:
                number += 1
                continue
            self.new_folders.append(folder)
            return folder

    def _take(self) -> None:
        """Refuse a folder with anything in it but the leavings of an interrupted run, and lock it."""
        present = {file.name for file in self.path.iterdir()}
        if MANIFEST in present and _is_ours(self.path / MANIFEST):
            raise RunFolderError(
                f"{self.path} already holds an Undercut run; give --out another folder or delete this one"
            )
        if any(not _is_leaving(name) for name in present):
            raise RunFolderError(f"{self.path} is not empty and not Undercut's; give --out a new folder")
        self.lock = (self.path / LOCK).open("w", encoding="utf-8")
        if not _lock(self.lock):
            self.lock.close()
            raise RunFolderError(f"another Undercut run is writing to {self.path}; give --out another folder")
        for name in self._partial():
            (self.path / name).unlink(missing_ok=True)

    def _flush(self, name: str) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        held = self.held[name]
        if not held:
            return
        if name not in self.writers:
            form = arrow_schema(name)
            # Floats hardly repeat: a dictionary of them costs a quarter more room than none.
            repeated = [field.name for field in form if not pa.types.is_floating(field.type)]
            file = self._partial_path(f"{name}.parquet")
            self.writers[name] = pq.ParquetWriter(file, form, compression="zstd", use_dictionary=repeated)
        merged = pa.concat_tables(held).combine_chunks()
        self.writers[name].write_table(merged, row_group_size=max(1, merged.num_rows))
        held.clear()

    def _partial_path(self, name: str) -> Path:
        return self.path / f".{name}{PARTIAL}"

    def _partial(self) -> list[str]:
        return [file.name for file in self.path.iterdir() if _is_leaving(file.name) and file.name != LOCK]


@dataclasses.dataclass(frozen=True)
class StoredRun:
    """A finished run on disk."""

    path: Path
    manifest: Object

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Raises RunFolderError when the folder holds no run."""
        folder = Path(path)
        if not folder.is_dir():
            raise RunFolderError(
                f"there is no folder {path}; `undercut run baseline --out {path}` would make it"
            )
        file = folder / MANIFEST
        if not file.is_file() or not _is_ours(file):
            raise RunFolderError(
                f"{path} holds no Undercut run (no {MANIFEST} of ours); give the folder of --out"
            )
        return cls(folder, json.loads(file.read_text(encoding="utf-8")))

    @property
    def seeds(self) -> list[int]:
        """The seeds whose own run ended well."""
        failed = set(self.manifest["failed"])
        return [seed for seed in self.manifest["seeds"] if seed not in failed]

    def claims(self) -> list[Object]:
        """The verdicts as stored, a list of objects."""
        return self._json(CLAIMS)

    def failures(self) -> list[Object]:
        """The runs that failed, each with its inputs, traceback and the command that replays it."""
        return self._json(FAILURES) if (self.path / FAILURES).exists() else []

    def table(self, name: str) -> pd.DataFrame:
        """A table of all seeds, the columns ``scenario`` and ``seed`` first.

        Raises RunFolderError when the run has no such table.
        """
        import pandas as pd

        file = self.path / f"{name}.parquet"
        if not file.is_file():
            known = (
                ", ".join(sorted(file.stem for file in self.path.glob("*.parquet")))
                or "none, every seed failed"
            )
            raise RunFolderError(f"{self.path} has no table {name!r}; it has {known}")
        return pd.read_parquet(file)

    def _json(self, name: str) -> list[Object]:
        try:
            content: list[Object] = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise RunFolderError(
                f"{self.path / name} is missing or damaged; run the scenario again"
            ) from None
        return content


def describe(setting: Setting) -> Object:
    """A setting as plain data: its name, calendar, shocks with kind and arguments, and notes."""
    kinds = {shock: kind for kind, shock in KINDS.items()}
    shocks = [
        {"kind": kinds.get(type(shock), type(shock).__name__), **dataclasses.asdict(shock)}  # type: ignore[call-overload]
        for shock in setting.shocks
    ]
    calendar = {"first": setting.first, "record_from": setting.record_from, "last": setting.last}
    return {"name": setting.name, **calendar, "shocks": shocks, "notes": setting.notes}


def manifest(
    setting: Setting,
    seeds: Sequence[int],
    worlds: Sequence[str],
    failed: Sequence[int],
    duration_seconds: float,
) -> Object:
    """All that is needed to make a run again, and what it was made with; only the duration changes then."""
    return {
        "undercut": version.release(),
        "format": FORMAT,
        "scenario": describe(setting),
        "overrides": setting.parameters.overridden,
        "parameters": dict(setting.parameters),
        "seeds": list(seeds),
        "failed": list(failed),
        "counterfactuals": list(worlds),
        "tables": [*tables(), METRICS],
        "code": {"sha256": version.source_hash(), **version.commit()},
        **version.surroundings(),
        "duration_seconds": round(duration_seconds, 3),
    }


def describe_failure(failure: Failure, setting: Setting, replay: str) -> Object:
    """A failed run as plain data: its inputs, its traceback and the command that replays it alone."""
    return {
        "seed": failure.seed,
        "counterfactual": failure.world,
        "scenario": setting.name,
        "overrides": setting.parameters.overridden,
        "reason": failure.reason,
        "traceback": failure.traceback,
        "replay": replay,
    }


def to_json(content: Any) -> str:
    """JSON with sorted keys where a number that is none is null, so that any reader takes it."""
    return json.dumps(_plain(content), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)


def _plain(content: Any) -> Any:
    if isinstance(content, float):
        return content if content - content == 0.0 else None
    if isinstance(content, dict):
        return {str(key): _plain(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_plain(value) for value in content]
    return content


def _is_leaving(name: str) -> bool:
    return name == LOCK or (name.startswith(".") and name.endswith(PARTIAL))


def _is_ours(file: Path) -> bool:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and "undercut" in content and content.get("format") == FORMAT


def _lock(file: IO[str]) -> bool:
    """Hold the file for this process until it is closed; False when another process holds it."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _as_folder_error(folder: str | Path) -> Iterator[None]:
    """Say in a user's words why a folder cannot be written to."""
    try:
        yield
    except (FileExistsError, NotADirectoryError):
        raise RunFolderError(f"{folder} is, or lies under, a file; give --out a folder") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RunFolderError(
            f"cannot write to {folder}: {reason}; give --out a folder that you can write to"
        ) from None
