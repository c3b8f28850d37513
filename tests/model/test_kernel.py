"""A kernel is compiled again when one that it calls has changed, in whichever module that is."""

import os
import shutil
import subprocess
import sys

from model import kernel

PART = """from model.kernel import inlined

@inlined
def part(x):
    return {factor} * x
"""
WHOLE = """from model.kernel import kernel
from model.part import part

@kernel
def whole(x):
    return part(x) + 1.0
"""


def test_a_change_in_a_kernel_reaches_those_that_call_it_from_other_modules(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    shutil.copy(kernel.__file__, folder / "kernel.py")
    (folder / "__init__.py").write_text("")
    (folder / "whole.py").write_text(WHOLE)
    # Neither byte code nor an installed package may stand in for what is written here.
    surroundings = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    surroundings.pop("NUMBA_CACHE_DIR", None)
    told = "from model.whole import whole; print(whole(3.0), sum(whole.stats.cache_hits.values()))"
    said = []
    for factor in ("2.0", "2.0", "5.0"):
        (folder / "part.py").write_text(PART.format(factor=factor))
        run = subprocess.run(
            [sys.executable, "-c", told], cwd=tmp_path, env=surroundings, capture_output=True, text=True
        )
        said.append(run.stdout.split() or run.stderr)
    assert said == [["7.0", "0"], ["7.0", "1"], ["16.0", "0"]]


def test_every_module_with_kernels_is_in_the_stamp():
    """A module that compiled by itself would be kept without regard to what it calls."""
    for file in kernel.FOLDER.glob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert "njit" not in text or file.name == "kernel.py", file
        assert kernel.KNOWN_BY.decode() in text or "@kernel" not in text, file
