"""The start of a new scenario file."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from model.quotation import quoted
from scenarios.document import SUFFIX, extended, names
from scenarios.fault import ScenarioError
from scenarios.scenario import HORIZON, resolve
from scenarios.shocks import KINDS
from scenarios.toml import value

WIDTH = 110
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")

STARTER = '''\
# Check this file with `undercut scenario check {file}`, run it with `undercut run {file}`.
# Every key: docs/scenarios.md, or `undercut scenario schema`.

title = {title}
notes = """
What does this scenario ask, and which numbers should a reader look at?
"""

# Everything of this scenario holds here too, unless it is said otherwise below.
extends = {extends}

# Which seeds to run by default: how many, as 32, or which, as "1,2,5-8".
# seeds = 32

# The calendar: the start of the burn-in, the first recorded quarter, the last quarter.
# [horizon]
{horizon}

# Other values of parameters; `undercut show parameters` lists them with range and unit.
# [parameters]
# alpha_mean = 2.5

# Leave out inherited shocks: all that have these keys.
# [[drop]]
# kind = "consortium"

# Shocks: what happens, and in which quarter.
{kinds}
# [[shocks]]
# kind = "set"
# quarter = "2026Q1"
# name = "sigma2"
# value = 0.8
'''
"""A new scenario file, with what it can hold as comments."""


def write(name: str, extends: str, out: Path | None = None) -> Path:
    """Write a new scenario file and return its path, by default ``NAME.toml`` in the working folder.

    Raises ScenarioError for a name that is not plain or that the library has, for a scenario to extend that
    does not hold, and for a file that exists or cannot be written.
    """
    path = Path(name + SUFFIX) if out is None else out
    if path.suffix != SUFFIX:
        raise ScenarioError(f"{path} must end in {SUFFIX}: so scenario files are known")
    for given in (name, path.stem):
        if not NAME.fullmatch(given):
            raise ScenarioError(
                f"{quoted(given)} cannot name a scenario: write letters, digits, hyphens and underscores"
            )
    if path.stem in names():
        raise ScenarioError(
            f"the library has a scenario {path.stem!r}: give yours another name, or extend that one"
        )
    if not path.parent.is_dir():
        raise ScenarioError(f"there is no folder {path.parent} to write {path.name} into: make it first")
    extended(extends, path.parent)
    resolve(path.parent / extends if extends.endswith(SUFFIX) else extends)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text(name, path.name, extends))
    except FileExistsError:
        raise ScenarioError(f"{path} exists and is not overwritten: give another name, or --out") from None
    except OSError as error:
        raise ScenarioError(f"cannot write {path}: {error.strerror}") from None
    return path


def text(name: str, file: str, extends: str) -> str:
    """The text of a new scenario file, with a comment on every key."""
    title = name.replace("_", " ").replace("-", " ").strip().capitalize()
    return STARTER.format(
        title=value(title or name),
        file=file,
        extends=value(extends),
        horizon="\n".join(f"# {key} = {value(quarter)}" for key, quarter in HORIZON.items()),
        kinds=textwrap.fill(f"# The kinds are {', '.join(KINDS)}.", WIDTH, subsequent_indent="# "),
    )
