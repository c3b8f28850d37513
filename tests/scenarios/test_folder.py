"""Locks end with their holder, and looking at one disturbs nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.folder import Lock


def test_who_looks_at_a_lock_does_not_keep_others_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    lock, looks = Lock(tmp_path / "lock"), []
    assert not lock.held()
    lock.path.touch()
    onlooker = lock.path.open()
    fcntl.flock(onlooker, fcntl.LOCK_SH)

    def pass_by(seconds: float) -> None:
        looks.append(seconds)
        onlooker.close()

    monkeypatch.setattr("time.sleep", pass_by)
    assert lock.take(wait=False)
    assert looks
    assert Lock(tmp_path / "lock").held()
    assert not Lock(tmp_path / "lock").take(wait=False)
    lock.free()
    assert not lock.held()


def test_a_lock_whose_file_was_taken_away_is_taken_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    real = fcntl.flock

    def late(file: object, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", real)
        (tmp_path / "lock").unlink()
        real(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    first = Lock(tmp_path / "lock")
    assert first.take(wait=False)
    assert not Lock(tmp_path / "lock").take(wait=False)
