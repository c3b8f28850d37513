"""A few of the trials of `make faults`, all of one study."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.kinds import Impossible
from tests.faults.series import MEMORY, Series

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="finds workers that outlive their command in /proc"
)


@pytest.fixture(scope="module")
def series() -> Iterator[Series]:
    with tempfile.TemporaryDirectory(prefix="undercut faults – é ", dir=MEMORY) as folder:
        yield Series(Path(folder))


@pytest.mark.parametrize("fault", ["killed in a study", "Ctrl-C in a study", "full disk in a study"])
def test_the_same_command_ends_with_the_same_bytes_after(fault: str, series: Series) -> None:
    try:
        assert series.loss(fault, seed=1) == ""
    except Impossible as reason:
        pytest.skip(str(reason))
