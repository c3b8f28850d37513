"""Whether the packages that Undercut needs are there, in the versions of its locks; the standard library tells."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

from undercut.finding import Finding, State

ROOT = Path(__file__).resolve().parents[1]
"""The folder that holds our packages: a checkout, or the site-packages of an environment."""

CORE_LOCK, FULL_LOCK = "requirements-core.lock", "requirements.lock"
PINNED = re.compile(r"^(?P<name>[a-z0-9][\w.-]*)==(?P<version>[^\s;]+)(?:\s*;\s*(?P<marker>[^\\]+))?")
AGAIN = "write `make clean`, then `make demo`: results in runs/ stay"
REINSTALL = "install Undercut again, into an environment of its own"
SHOWN = 4


def packages() -> Finding:
    """Whether what a run needs is there, in the locked versions."""
    if not checkout():
        return _declared()
    pinned = _pinned(CORE_LOCK)
    absent, other = _compared(pinned)
    if not absent and not other:
        return Finding("packages", State.OK, f"{len(pinned)}, in the versions of {CORE_LOCK}")
    said = [*(f"{name} is missing" for name in absent), *other]
    return Finding("packages", State.WRONG, _few(said), AGAIN)


def extras() -> Finding:
    """Whether what reports, studies, pages and tests need is there, in the locked versions."""
    if not checkout():
        return _declared_extras()
    core = _pinned(CORE_LOCK)
    pinned = {name: version for name, version in _pinned(FULL_LOCK).items() if name not in core}
    absent, other = _compared(pinned)
    name = "further packages"
    if other:
        return Finding(name, State.WRONG, _few(other), "write `make clean`, then `make install`")
    if absent:
        found = f"{len(absent)} of {len(pinned)} are not there; reports, studies, pages and tests need them"
        return Finding(name, State.MISSING, found, "write `make install`")
    return Finding(name, State.OK, f"{len(pinned)}, in the versions of {FULL_LOCK}")


def checkout() -> bool:
    """Whether we run from a checkout, with its locks beside us."""
    return all((ROOT / name).is_file() for name in ("pyproject.toml", CORE_LOCK, FULL_LOCK))


def again() -> str:
    """How to make a broken environment anew."""
    return AGAIN if checkout() else REINSTALL


def _pinned(lock: str) -> dict[str, str]:
    """Versions by name that a lock asks for on this machine."""
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    found = (match for line in lines if (match := PINNED.match(line)))
    return {match["name"]: match["version"] for match in found if _applies(match["marker"])}


def _applies(marker: str | None) -> bool:
    """Whether a condition of a lock holds here; one that cannot be told is taken not to."""
    if not marker:
        return True
    try:
        from packaging.markers import Marker
    except ImportError:
        return False
    return Marker(marker.strip()).evaluate()


def installed(name: str) -> str | None:
    """The version of an installed distribution, None where there is none."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _compared(pinned: dict[str, str]) -> tuple[list[str], list[str]]:
    """Which of some pinned packages are absent, and what is said of those in another version."""
    there = {name: installed(name) for name in pinned}
    absent = [name for name, version in there.items() if version is None]
    other = [
        f"{name} is {version}, the lock has {pinned[name]}"
        for name, version in there.items()
        if version is not None and version != pinned[name]
    ]
    return absent, other


def _declared() -> Finding:
    """The packages that an installed Undercut names itself, without its extras."""
    faults = _unmet("")
    if faults:
        return Finding("packages", State.WRONG, _few(faults), REINSTALL)
    return Finding("packages", State.OK, "as the installed Undercut asks for")


def _declared_extras() -> Finding:
    about = importlib.metadata.metadata("undercut")
    lacking = [extra for extra in about.get_all("Provides-Extra") or () if _unmet(extra)]
    if lacking:
        found, mend = f"extras that are not there: {', '.join(lacking)}", "install Undercut with these extras"
        return Finding("further packages", State.MISSING, found, mend)
    return Finding("further packages", State.OK, "every extra is there")


def _unmet(extra: str) -> list[str]:
    """What the installed Undercut asks for, with an extra or without any, and is not there so."""
    from packaging.requirements import Requirement

    faults = []
    for text in importlib.metadata.requires("undercut") or ():
        asked = Requirement(text)
        of_extra = "extra" in str(asked.marker or "")
        if of_extra != bool(extra) or (asked.marker and not asked.marker.evaluate({"extra": extra})):
            continue
        version = installed(asked.name)
        if version is None:
            faults.append(f"{asked.name} is missing")
        elif not asked.specifier.contains(version, prereleases=True):
            faults.append(f"{asked.name} is {version}, not {asked.specifier}")
    return faults


def _few(said: list[str]) -> str:
    more = f" and {len(said) - SHOWN} more" if len(said) > SHOWN else ""
    return "; ".join(said[:SHOWN]) + more
