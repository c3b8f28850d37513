"""A kernel is compiled again when one that it calls has changed, in whichever module that is."""

import ast
import os
import shutil
import subprocess
import sys

import pytest

from model import kernel
from model.climb import climb
from model.response import compile_kernels
from model.rivals import line_up
from model.search import search_all
from viz.live import world

PART = """from model.kernel import inlined

@inlined
def part(x):
    return {factor} * x
"""
WHOLE = """from model.kernel import kernel
from model.part import part
from model.place import LATER

@kernel
def whole(x):
    return part(x) + LATER
"""


TOLD = "from model.whole import whole; print(whole(3.0), sum(whole.stats.cache_hits.values()))"


@pytest.fixture
def folder(tmp_path):
    """A package of kernels, one of which calls another."""
    made = tmp_path / "model"
    made.mkdir()
    shutil.copy(kernel.__file__, made / "kernel.py")
    (made / "__init__.py").write_text("")
    (made / "whole.py").write_text(WHOLE)
    (made / "part.py").write_text(PART.format(factor="2.0"))
    (made / "place.py").write_text("LATER = 1.0\n")
    return made


def started(folder):
    """A process that calls the kernel, and says what came of it and whether it was kept."""
    # Neither byte code nor an installed package may stand in for what is written here.
    surroundings = {**os.environ, "PYTHONPATH": str(folder.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    surroundings.pop("NUMBA_CACHE_DIR", None)
    return subprocess.Popen(
        [sys.executable, "-c", TOLD], cwd=folder.parent, env=surroundings, stdout=subprocess.PIPE, text=True
    )


def said(process):
    return process.communicate()[0].split()


def test_a_change_in_a_kernel_or_a_number_reaches_kernels_of_other_modules(folder):
    assert said(started(folder)) == ["7.0", "0"]
    assert said(started(folder)) == ["7.0", "1"]
    (folder / "part.py").write_text(PART.format(factor="5.0"))
    assert said(started(folder)) == ["16.0", "0"]
    (folder / "place.py").write_text("LATER = 4.0\n")
    assert said(started(folder)) == ["19.0", "0"]


def test_of_processes_that_want_a_kernel_at_once_one_compiles_it_and_the_others_wait(folder):
    together = [started(folder) for _ in range(3)]
    assert sorted(said(process) for process in together) == [["7.0", "0"], ["7.0", "1"], ["7.0", "1"]]


def test_every_module_with_kernels_is_in_the_stamp():
    """A module that compiled by itself would be kept without regard to what it calls."""
    for file in kernel.FOLDER.glob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert "njit" not in text or file.name == "kernel.py", file
        assert kernel.KNOWN_BY.decode() in text or "@kernel" not in text, file


def test_the_kernels_compiled_ahead_are_those_that_a_market_calls():
    world.warm()
    kernels = (line_up, climb, search_all)
    called = [set(made.signatures) for made in kernels]
    compile_kernels()
    assert [set(made.signatures) for made in kernels] == called


def test_every_module_whose_numbers_kernels_read_is_in_the_stamp():
    """numba compiles numbers in: kernels would go on with the old order of purposes, or another length of a year."""
    trees = {file.stem: ast.parse(file.read_bytes()) for file in kernel.FOLDER.glob("*.py")}
    stamped = {name for name in trees if kernel.KNOWN_BY in (kernel.FOLDER / f"{name}.py").read_bytes()}
    stamped |= {name.removesuffix(".py") for name in kernel.READ}
    for name in stamped:
        code = [
            node
            for node in trees[name].body
            if isinstance(node, ast.Assign)  # a number that kernels of this or another module may read
            or (
                isinstance(node, ast.FunctionDef)
                and any(
                    isinstance(mark, ast.Name) and hasattr(kernel, mark.id) for mark in node.decorator_list
                )
            )
        ]
        used = {part.id for node in code for part in ast.walk(node) if isinstance(part, ast.Name)}
        for node in trees[name].body:
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("model."):
                taken = {given.name for given in node.names if given.name.isupper()} & used
                assert not taken or node.module.removeprefix("model.") in stamped, (name, node.module, taken)
