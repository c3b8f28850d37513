"""What an installation needs, looked at one thing at a time; needs nothing but the standard library itself."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path

from undercut.finding import Finding, State
from undercut.locked import ROOT, again, checkout, extras, installed, packages

OLDEST, NEWEST = (3, 11), (3, 13)
"""The versions of Python that are tested."""

FOLDERS = ("agents", "evidence", "model", "scenarios", "studies", "undercut", "viz")
LIBRARIES = (
    "mesa", "networkx", "numba", "numpy", "pandas", "pyarrow", "pydantic", "rich", "scipy", "typer"
)  # fmt: skip
WORKER_BYTES = 400e6
"""What a process that makes runs takes: docs/scaling.md."""
ROOM_BYTES = 100e6
"""A small batch with all its tables."""
GB = 1e9
WRONG = 2
"""What stands before a function that is compiled and kept: model/kernel.py."""


def python() -> Finding:
    """Whether this version of Python is one that is tested."""
    own, oldest, newest = (".".join(map(str, v)) for v in (sys.version_info[:2], OLDEST, NEWEST))
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return Finding("Python", State.OK, platform.python_version())
    mend = f"make an environment with another: `make clean`, then `make demo PYTHON=python{newest}`"
    return Finding("Python", State.WRONG, f"{own}, where {oldest} to {newest} are tested", mend)


def sources() -> Finding:
    """Whether our packages are imported from one place: their names are plain words that others use too."""
    for name in FOLDERS:
        spec = importlib.util.find_spec(name)
        found = [] if spec is None else [Path(each) for each in spec.submodule_search_locations or ()]
        if (ROOT / name).resolve() not in [each.resolve() for each in found]:
            where = f"`{name}` is imported from {found[0]}" if found else f"`{name}` is not found"
            mend = "leave the folder that hides it, or take that off PYTHONPATH" if found else again()
            return Finding("sources", State.WRONG, f"{where}, not from {ROOT / name}", mend)
    release = installed("undercut") or "not installed"
    return Finding(
        "sources", State.OK, f"Undercut {release}, {'a checkout' if checkout() else 'a package'} in {ROOT}"
    )


def imports() -> Finding:
    """Whether the libraries that a run needs, and the market itself, can be loaded."""
    failed = []
    for name in (*LIBRARIES, "model.market"):
        try:
            import_module(name)
        except (ImportError, OSError, ValueError, RuntimeError, AttributeError, TypeError) as error:
            failed.append(f"{name}: {' '.join(str(error).split())}")
    if failed:
        return Finding("imports", State.WRONG, "; ".join(failed[:2]), again())
    return Finding("imports", State.OK, f"{len(LIBRARIES)} libraries and the market load")


def kernels() -> Finding:
    """Whether compiled kernels are kept, and whether they are there already."""
    name = "compiled kernels"
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        found = "NUMBA_DISABLE_JIT is set: nothing is compiled, and a run takes hours"
        return Finding(name, State.WRONG, found, "unset NUMBA_DISABLE_JIT")
    given = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(given) if given else ROOT / "model" / "__pycache__"
    if not _writable(folder):
        # Where numba goes by itself when the folder of the sources is not ours to write to.
        folder = _user_cache() / "numba"
        if given or not _writable(folder):
            found = (
                f"{given or ROOT / 'model'} cannot be written to: every start compiles for a minute or two"
            )
            return Finding(name, State.WRONG, found, "set NUMBA_CACHE_DIR to a folder that you may write to")
    from model.kernel import stamp

    count = _compiled(folder, stamp())
    if not count:
        found = "not there yet: the next run takes a minute or two longer"
        return Finding(name, State.OK, found)
    return Finding(name, State.OK, f"{count}, kept in {folder}")


def _compiled(folder: Path, stamp: str) -> int:
    """How many kernels this version of Python keeps in a folder that are of the code as it is."""
    kept = folder.rglob("*.py{}{}.nbi".format(*sys.version_info[:2]))
    return sum(stamp.encode() in file.read_bytes() for file in kept)


def store(path: Path) -> Finding:
    """Whether a store can be read and written, and there is room for more."""
    name, room = "store", shutil.disk_usage(_nearest(path)).free
    free = f"{room / GB:.1f} GB free"
    if room < ROOM_BYTES:
        return Finding(name, State.WRONG, free, "make room, or give --out a folder on another disk")
    if not path.exists():
        return Finding(name, State.OK, f"none in {path} yet, the first batch makes it; {free}")
    from scenarios.folder import StoreError

    try:
        from undercut.stored import batches
    except ImportError as error:
        return Finding(name, State.WRONG, f"{path} cannot be read: {error}", again())
    try:
        rows = batches(path)
    except (StoreError, OSError) as error:
        return Finding(name, State.WRONG, str(error), "mend that, or give --out another folder")
    if not _writable(path):
        return Finding(name, State.WRONG, f"{path} cannot be written to", "give --out another folder")
    halted = [row["batch"] for row in rows if row["state"] == "interrupted"]
    said = f"{len(rows)} batches in {path}, {len(halted)} of them interrupted; {free}"
    return Finding(name, State.OK, said)


def machine() -> Finding:
    """Whether there is memory for a worker a processor."""
    processors = os.cpu_count() or 1
    memory = _memory()
    name, found = "machine", f"{processors} processors, {memory / GB:.1f} GB of memory to take"
    if memory < WORKER_BYTES:
        return Finding(name, State.WRONG, f"{found}; a run takes {WORKER_BYTES / GB:.1f} GB", "free some")
    if memory < WORKER_BYTES * processors:
        fewer = int(memory // WORKER_BYTES)
        mend = f"give --workers {fewer} to commands that make runs"
        return Finding(name, State.MISSING, f"{found}, too little for a worker a processor", mend)
    return Finding(name, State.OK, found)


def signs() -> Finding:
    """Whether the terminal can show what is printed. Nothing depends on the locale or the time zone."""
    name, encoding = "time zone, locale", sys.stdout.encoding or "ascii"
    found = f"nothing depends on them; output is {encoding}"
    try:
        "¥─".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return Finding(
            name, State.MISSING, f"{found}: signs that it lacks become ?", "set PYTHONIOENCODING=utf-8"
        )
    return Finding(name, State.OK, found)


def browser() -> Finding:
    """Whether the tests of the pages have their browser."""
    return _program(
        "Chromium", ("chromium", "chromium-browser"), "chromium", "the tests of the pages alone need it"
    )


def compiler() -> Finding:
    """Whether the benchmark in C has its compiler."""
    return _program("C compiler", ("cc", "gcc", "clang"), "gcc", "one benchmark alone needs it")


def examination(at: Path) -> Iterator[Finding]:
    """Every finding in turn; ``at`` is the folder of the store. A check that fails itself is a finding, too."""
    checks: tuple[Callable[[], Finding], ...] = (
        python, sources, packages, extras, imports, kernels, lambda: store(at), machine, signs, browser, compiler,
    )  # fmt: skip
    for check in checks:
        try:
            yield check()
        except (ImportError, OSError, ValueError, KeyError, AttributeError) as error:
            yield Finding(check.__name__, State.WRONG, f"cannot be checked: {error}", again())


def line(finding: Finding) -> str:
    """A finding for people; a second line says what to do."""
    said = f"{finding.state:<9}{finding.name:<19}{finding.found}"
    return f"{said}\n{'':<28}{finding.mend}" if finding.mend else said


def summary(findings: Iterable[Finding]) -> str:
    """What all findings come to."""
    wrong = [finding.name for finding in findings if finding.state is State.WRONG]
    return f"wrong: {', '.join(wrong)}" if wrong else "nothing is wrong"


def diagnose(store: Path, as_json: bool) -> int:
    """Print every finding as it is made, or all as JSON; returns the exit status: 0, or 2 when something is wrong."""
    findings = []
    for finding in examination(store):
        findings.append(finding)
        if not as_json:
            print(line(finding), flush=True)
    if as_json:
        print(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2))
    else:
        print(summary(findings))
    return WRONG if any(finding.state is State.WRONG for finding in findings) else 0


def without_command_line(error: ImportError) -> int:
    """What any command does where the command line itself cannot be loaded: say so, and what is wrong."""
    print(f"undercut: cannot start: {error}. This is what is wrong:", file=sys.stderr)
    diagnose(Path("runs"), "--json" in sys.argv)
    return WRONG


def _nearest(path: Path) -> Path:
    """A path, or the nearest folder above it that is there."""
    path = path.absolute()
    return next(each for each in (path, *path.parents) if each.exists())


def _writable(path: Path) -> bool:
    """Whether a folder can be written to, or made: a file that is gone at once tells, rights alone do not."""
    try:
        with tempfile.TemporaryFile(dir=_nearest(path)):
            return True
    except OSError:
        return False


def _user_cache() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _memory() -> float:
    """Bytes that are free to take, within what a container allows."""
    limits = [float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))]
    try:
        text = Path("/proc/meminfo").read_text(encoding="utf-8")
        limits += [float(kilobytes) * 1024 for kilobytes in re.findall(r"MemAvailable:\s+(\d+)", text)]
        limits.append(float(Path("/sys/fs/cgroup/memory.max").read_text(encoding="utf-8")))
    except (OSError, ValueError):  # another system, or a container without a limit
        pass
    return min(limits)


def _program(name: str, commands: tuple[str, ...], package: str, use: str) -> Finding:
    found = next((path for command in commands if (path := shutil.which(command))), None)
    if found:
        return Finding(name, State.OK, found)
    return Finding(name, State.MISSING, use, f"`apt-get install {package}`, or the like")
