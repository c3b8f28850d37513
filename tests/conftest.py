"""The order of all tests."""

from __future__ import annotations

import pytest

SHARED = {"server", "store"}
"""What is dear to set up, and lives as long as the process that runs the tests."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests that share a server first: whoever has them sets it up once, while others are busy with the rest."""
    items.sort(key=lambda item: SHARED.isdisjoint(getattr(item, "fixturenames", ())))
