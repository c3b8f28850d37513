"""What a run was made with: a hash of our own files, the git commit, libraries, Python and processor."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import platform
import subprocess
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

PACKAGES = ("agents", "evidence", "model", "scenarios", "studies", "undercut", "viz")
RESULTS_FROM = ("agents/", "evidence/", "model/", "scenarios/shocks")
SUFFIXES = (".py", ".csv", ".toml")
LIBRARIES = ("mesa", "networkx", "numba", "llvmlite", "numpy", "scipy", "pandas", "pyarrow", "pydantic")
GIT_SECONDS = 10


def release() -> str:
    """The version of the installed distribution, or ``"0"`` where the sources are used without installing."""
    try:
        return importlib.metadata.version("undercut")
    except importlib.metadata.PackageNotFoundError:
        return "0"


@lru_cache(maxsize=1)
def source_hash() -> str:
    """SHA-256 over the names and contents of all sources and data files of the packages, in hexadecimal."""
    return _hash(_files())


@lru_cache(maxsize=1)
def results_hash() -> str:
    """SHA-256 over what a run's stored numbers depend on: the market, the metrics, the shocks, libraries and Python.

    Charts, the command line and the runner can change without making stored runs out of date.
    """
    files = [(name, file) for name, file in _files() if name.startswith(RESULTS_FROM)]
    # Python 3.12 adds floats in another way: its major and minor version count, patches keep the numbers.
    python = platform.python_version_tuple()[:2]
    return hashlib.sha256(f"{_hash(files)} {_versions()} {python}".encode()).hexdigest()


def _hash(files: Iterable[tuple[str, Path]]) -> str:
    digest = hashlib.sha256()
    for name, file in sorted(files):
        content = file.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def commit() -> dict[str, Any]:
    """The git commit of the sources and whether they differ from it; None where they are in no repository."""
    folders = [str(folder) for folder in _folders()]
    here = Path(__file__)
    try:
        # A checkout that merely contains the environment that we are installed in is not ours.
        _git(here.parent, "ls-files", "--error-unmatch", here.name)
        changes = _git(here.parent, "status", "--porcelain", "--", *folders)
        return {"commit": _git(here.parent, "rev-parse", "HEAD"), "changed": bool(changes)}
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "changed": None}


def surroundings() -> dict[str, Any]:
    """Versions of Python and of the libraries that results depend on, and the type of processor."""
    return {
        "python": platform.python_version(),
        "libraries": _versions(),
        "processor": _processor(),
        "system": platform.system(),
    }


def _versions() -> dict[str, str]:
    versions = {}
    for library in LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[library] = importlib.metadata.version(library)
    return versions


def _folders() -> Iterator[Path]:
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.submodule_search_locations:
            yield Path(next(iter(spec.submodule_search_locations)))


def _files() -> Iterator[tuple[str, Path]]:
    for folder in _folders():
        for file in folder.rglob("*"):
            if file.suffix in SUFFIXES and file.is_file():
                yield f"{folder.name}/{file.relative_to(folder).as_posix()}", file


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=GIT_SECONDS)
    return done.stdout.strip()


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return f"{platform.machine()} {value.strip()}"
    except OSError:
        pass
    return f"{platform.machine()} {platform.processor()}".strip()
