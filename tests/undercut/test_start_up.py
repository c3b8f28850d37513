"""Starting the command line is quick because it imports nothing heavy before a command needs it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {
    "mesa",
    "pandas",
    "SALib",
    "numba",
    "numpy",
    "scipy",
    "networkx",
    "pyarrow",
    "matplotlib",
    "solara",
    "dask",
}


def imported_by(*arguments: str) -> set[str]:
    """Top-level packages that a fresh interpreter imports for a command line, which must succeed."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = (line for line in done.stderr.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@pytest.mark.parametrize(
    "command", [(), ("run",), ("claims",), ("show",), ("show", "parameters")], ids=" ".join
)
def test_help_imports_nothing_heavy(command):
    imported = imported_by("-m", "undercut", *command, "--help")
    assert "undercut" in imported
    assert imported & HEAVY == set()


def test_importing_the_public_names_imports_nothing_heavy():
    assert imported_by("-c", "import undercut") & HEAVY == set()


def test_a_heavy_import_would_be_seen():
    assert "numpy" in imported_by("-c", "import numpy")
