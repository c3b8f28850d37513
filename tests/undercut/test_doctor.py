"""The doctor says in a line what is wrong with an installation, whatever is, and what to do about it."""

from __future__ import annotations

import io
import json
import os
import pickle
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy
import pytest

from model.kernel import stamp
from scenarios.store import Store
from scenarios.version import PACKAGES
from undercut import __main__, health, locked
from undercut.cli import main
from undercut.finding import State
from viz.live import world

ROOT = Path(__file__).parents[2]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with locks of its own, which a test writes."""
    for name in ("pyproject.toml", locked.CORE_LOCK, locked.FULL_LOCK):
        (tmp_path / name).write_text("")
    monkeypatch.setattr(locked, "ROOT", tmp_path)
    monkeypatch.setattr(health, "ROOT", tmp_path)
    return tmp_path


def test_an_installation_that_runs_these_tests_has_nothing_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--store", str(tmp_path / "runs")]) == 0
    printed = capsys.readouterr().out
    assert printed.splitlines()[-1] == "nothing is wrong"
    assert f"in the versions of {locked.CORE_LOCK}" in printed
    assert main(["doctor", "--store", str(tmp_path / "runs"), "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)
    assert [finding["name"] for finding in findings if finding["name"] in printed] == [
        finding["name"] for finding in findings
    ]
    assert {finding["state"] for finding in findings} <= {"ok", "missing"}


def test_what_is_wrong_ends_with_status_2_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(health, "NEWEST", (3, 1))
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to-my-aunt").write_text("Dear aunt")
    assert main(["doctor", "--store", str(tmp_path / "letters")]) == 2
    printed = capsys.readouterr().out
    assert "make demo PYTHON=python3.1" in printed
    assert "is not an Undercut store" in printed
    assert printed.splitlines()[-1] == "wrong: Python, store"


def test_tested_versions_of_python_are_those_that_the_project_names() -> None:
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    named = [text.rpartition(" ")[2] for text in classifiers if "Python :: 3." in text]
    assert [f"{major}.{minor}" for major, minor in (health.OLDEST, health.NEWEST)] == [named[0], named[-1]]


def test_its_list_of_our_folders_is_the_list_that_runs_are_hashed_from() -> None:
    assert health.FOLDERS == PACKAGES


def test_packages_that_differ_from_the_lock_are_named(elsewhere: Path) -> None:
    there = numpy.__version__
    lock = elsewhere / locked.CORE_LOCK
    lock.write_text(
        f"numpy=={there} \\\n    --hash=sha256:00\nonly-there==1 ; sys_platform == 'no-such' \\\n"
    )
    assert locked.packages().state is State.OK
    assert locked.packages().found.startswith("1, ")
    lock.write_text("numpy==0.1 \\\nno-such-package==2 \\\n")
    found = locked.packages()
    assert found.state is State.WRONG
    assert "no-such-package is missing" in found.found
    assert f"numpy is {there}, the lock has 0.1" in found.found
    assert "make clean" in found.mend


def test_extras_that_are_not_there_are_no_fault_but_other_versions_are(elsewhere: Path) -> None:
    (elsewhere / locked.CORE_LOCK).write_text("numpy==0.1\n")
    (elsewhere / locked.FULL_LOCK).write_text("numpy==0.1\nno-such-package==2\n")
    assert locked.extras().state is State.MISSING
    assert "1 of 1" in locked.extras().found
    assert "make install" in locked.extras().mend
    (elsewhere / locked.FULL_LOCK).write_text("numpy==0.1\npytest==0.1\n")
    assert locked.extras().state is State.WRONG


def test_a_library_that_cannot_be_loaded_is_named_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    assert health.imports().state is State.OK
    monkeypatch.setitem(sys.modules, "scipy", None)
    assert health.imports().state is State.WRONG
    assert health.imports().found.startswith("scipy: ")


def test_a_folder_that_hides_one_of_ours_is_named(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "__init__.py").touch()
    code = "from undercut.health import sources; found = sources(); print(found.state, found.found)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.startswith(f"wrong `model` is imported from {tmp_path / 'model'}, not from "), (
        done.stderr
    )


def test_kernels_are_warm_where_they_are_of_the_code_as_it_is(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = elsewhere / "model" / "__pycache__"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(kept))

    assert health.kernels().found.startswith("not there yet")
    kept.mkdir(parents=True)
    tag = "py{}{}".format(*sys.version_info[:2])
    index = kept / f"order.ration-1.{tag}.nbi"
    index.write_bytes(pickle.dumps(("another version", {})))
    assert health.kernels().found.startswith("not there yet")
    index.write_bytes(pickle.dumps((stamp(), {})))
    assert health.kernels().found == f"1, kept in {kept}"
    assert health.kernels().state is State.OK
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert health.kernels().state is State.WRONG


def test_after_a_run_the_kernels_are_warm() -> None:
    world.warm()
    assert re.match(r"\d+, kept in ", health.kernels().found)


def test_kernels_that_can_be_kept_nowhere_are_a_fault(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = elsewhere / "a file"
    nowhere.touch()
    (elsewhere / "model").touch()
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(nowhere))
    found = health.kernels()
    assert found.state is State.WRONG
    assert "NUMBA_CACHE_DIR" in found.mend


def test_a_store_is_looked_into(tmp_path: Path) -> None:
    assert "the first batch makes it" in health.store(tmp_path / "none").found
    there = Store.make(tmp_path / "runs").path
    assert health.store(there).found.startswith(f"0 batches in {there}, 0 of them interrupted")
    (there / "undercut.json").write_text('{"format": 1}')
    assert health.store(there).state is State.WRONG
    assert "a store of format 1" in health.store(there).found


def test_too_little_memory_says_how_many_workers_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    for gigabytes, state in ((16.0, State.OK), (1.0, State.MISSING), (0.1, State.WRONG)):
        monkeypatch.setattr(health, "_memory", lambda amount=gigabytes: amount * 1e9)
        assert health.machine().state is state
    monkeypatch.setattr(health, "_memory", lambda: 1e9)
    assert health.machine().mend.startswith("give --workers 2 ")


def test_a_terminal_without_our_signs_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    found = health.signs()
    assert found.state is State.MISSING
    assert "PYTHONIOENCODING" in found.mend


def test_programs_that_few_things_need_are_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert {health.browser().state, health.compiler().state} == {State.MISSING}
    for name in ("chromium", "cc"):
        (tmp_path / name).touch(mode=0o755)
    assert {health.browser().state, health.compiler().state} == {State.OK}


def test_a_check_that_fails_itself_is_a_finding_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locked, "CORE_LOCK", "no-such.lock")
    monkeypatch.setattr(locked, "checkout", lambda: True)
    findings = list(health.examination(tmp_path / "runs"))
    assert next(finding.name for finding in findings if finding.state is State.WRONG) == "packages"
    assert findings[-1].name == "C compiler"


def test_every_command_of_a_broken_installation_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "typer", None)
    monkeypatch.delitem(sys.modules, "undercut.cli")
    monkeypatch.setattr(sys, "argv", ["undercut", "run"])
    assert __main__.main() == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("undercut: cannot start: ")
    assert "typer: " in printed.out
    assert printed.out.splitlines()[-1].startswith("wrong: ")


def test_a_command_that_lacks_a_library_names_it_and_the_doctor(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)
    assert main(["scenario", "list"]) == 2
    assert (
        capsys.readouterr().err == "undercut: rich is not installed; `undercut doctor` says what is wrong\n"
    )
