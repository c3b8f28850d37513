"""A run is named by all that its numbers depend on, the version of Python among it."""

from __future__ import annotations

import platform

import pytest

from scenarios.version import results_hash


def made_with(monkeypatch: pytest.MonkeyPatch, *python: str) -> str:
    """What the hash would be under a version of Python."""
    monkeypatch.setattr(platform, "python_version_tuple", lambda: python)
    return results_hash.__wrapped__()


def test_another_python_makes_other_runs_and_a_patch_of_it_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    name = made_with(monkeypatch, "3", "11", "9")
    assert made_with(monkeypatch, "3", "11", "14") == name
    assert made_with(monkeypatch, "3", "12", "9") != name
