"""How many processes run all tests, in which order, and what holds for all that Hypothesis draws."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from undercut.terminal import one_thread

# How long an example takes says nothing on a machine that does other things too; benchmarks measure time.
settings.register_profile("undercut", deadline=None)
settings.load_profile("undercut")

one_thread()  # as runs do: several of these processes share the processors

# No power fails during the tests: a disk that forgets what was not made durable is one of test_crash.py's own.
os.fsync = lambda fd: None

SHARED = {"server", "store"}
"""What is dear to set up, and lives as long as the process that runs the tests."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process more than there are processors: tests of the browser and of other processes wait a good deal."""
    return (os.cpu_count() or 1) + 1


def pytest_sessionstart() -> None:
    """On a fresh machine kernels compile for a minute: one process begins with the dearest, the others come to the rest."""
    if os.environ.get("PYTEST_XDIST_WORKER") == "gw1":
        from model.response import compile_kernels

        compile_kernels()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests that share a server first: whoever has them sets it up once, while others are busy with the rest."""
    items.sort(key=lambda item: SHARED.isdisjoint(getattr(item, "fixturenames", ())))
