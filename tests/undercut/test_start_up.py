"""Starting the command line is quick because it imports nothing heavy before a command needs it."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from undercut import cli
from undercut.group import Group
from undercut.study.app import app as studies

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
    "pydantic",
    "dask",
}


def imported_by(*arguments: str) -> set[str]:
    """Top-level packages that a fresh interpreter imports for a command line, which must succeed."""
    return {module.partition(".")[0] for module in modules_by(*arguments)}


def modules_by(*arguments: str) -> set[str]:
    """The modules that it imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = (line for line in done.stderr.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip() for line in lines}


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("run",),
        ("claims",),
        ("show",),
        ("show", "parameters"),
        ("study",),
        ("study", "sobol"),
        ("scenario",),
        ("doctor",),
    ],
    ids=" ".join,
)
def test_help_imports_nothing_heavy(command):
    imported = imported_by("-m", "undercut", *command, "--help")
    assert "undercut" in imported
    assert imported & HEAVY == set()


def test_importing_the_public_names_imports_nothing_heavy():
    assert imported_by("-c", "import undercut") & HEAVY == set()


def test_a_heavy_import_would_be_seen():
    assert "numpy" in imported_by("-c", "import numpy")


def test_the_list_of_commands_loads_none_of_them_and_each_is_where_the_list_says():
    assert "undercut.runs" not in modules_by("-m", "undercut", "--help")
    assert "undercut.figures" not in modules_by("-m", "undercut", "run", "--help")
    for group in (get_command(cli.app), get_command(studies)):
        assert isinstance(group, Group)
        for name, command in group.commands.items():
            assert command.name == name
            assert command.get_short_help_str(200) or command.help
