"""The wheel holds all that a run needs, and runs away from its sources with the core dependencies alone."""

import csv
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = PROJECT["tool"]["setuptools"]["packages"]


def locked(name: str) -> dict[str, str]:
    """Versions by distribution of a lock, as it applies to this interpreter."""
    text = (ROOT / name).read_text(encoding="utf-8")
    lines = [line.removesuffix("\\").strip() for line in text.splitlines() if re.match(r"[a-z0-9]", line)]
    requirements = [Requirement(line) for line in lines]
    return {
        r.name: str(r.specifier).removeprefix("==")
        for r in requirements
        if r.marker is None or r.marker.evaluate()
    }


def succeed(command: list[str | Path], folder: Path) -> str:
    """Run a command in an environment without traces of this one; return what it prints."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV", "COVERAGE"))}
    done = subprocess.run(
        command, cwd=folder, env=kept | {"PYTHONNOUSERSITE": "1"}, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, f"{command} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built by the locked backend from a copy, so that nothing is written into the sources."""
    copy = tmp_path_factory.mktemp("sources")
    for package in sorted({name.partition(".")[0] for name in PACKAGES}):
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__", "*.nb?"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, copy)
    build = "import setuptools.build_meta as backend; backend.build_wheel('dist')"
    succeed([sys.executable, "-c", build], copy)
    (made,) = (copy / "dist").glob("*.whl")
    return made


@pytest.fixture(scope="module")
def clean(wheel, tmp_path_factory):
    """A virtual environment with the wheel and what the core lock names, and nothing else of ours."""
    home = tmp_path_factory.mktemp("clean")
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    site = Path(
        succeed([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], home).strip()
    )
    for name in locked("requirements-core.lock"):
        distribution = importlib.metadata.distribution(name)
        # Linked from the environment that the tests run in: the same files, without a registry or a copy.
        tops = {
            path.parts[0] for path in distribution.files or () if path.parts[0] not in ("..", "__pycache__")
        }
        for top in sorted(tops):
            if not (site / top).exists():
                (site / top).symlink_to(Path(str(distribution.locate_file(top))).resolve())
    install = [sys.executable, "-m", "pip", "--python", python, "install"]
    succeed([*install, "--quiet", "--no-index", "--no-deps", wheel], home)
    return home / "bin"


def test_the_wheel_holds_every_source_and_table_and_no_tests(wheel):
    ours = {
        file.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for file in (ROOT / package).rglob("*")
        if file.suffix in (".py", ".csv", ".toml", ".json", ".vue", ".css")
    }
    assert ours
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == ours


def test_a_clean_environment_loads_every_module_and_founds_a_market(clean, tmp_path):
    script = """
import importlib, pkgutil, model, agents, scenarios, evidence, studies
for package in (model, agents, scenarios, evidence, studies):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if found.name != "scenarios.cluster":  # wants Dask, which the core does not have
            importlib.import_module(found.name)
import undercut
from scenarios.scenario import library
assert len(library()) > 20
market = undercut.Market("baseline", seed=1)
assert len(market.vendors) > 10
print(model.__file__)
"""
    where = succeed([clean / "python", "-c", script], tmp_path)
    assert str(ROOT) not in where


@pytest.mark.slow  # a clean environment has no compiled kernels: most of a minute goes to the compiler
def test_a_clean_environment_runs_a_scenario_from_another_folder(clean, tmp_path, tmp_path_factory):
    # Short and small: what takes the time is that a clean environment has no compiled kernels yet.
    short = tmp_path_factory.mktemp("mine") / "short.toml"
    short.write_text(
        'title = "Short"\nextends = "baseline"\n[horizon]\nlast = "2023Q2"\n[parameters]\nenterprises = 60\n'
    )
    succeed([clean / "undercut", "run", short, "--seeds", "1"], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    (code,) = (tmp_path / "runs" / "code").iterdir()
    assert json.loads(code.read_text(encoding="utf-8"))["parameters"]["sigma1"] > 0
    with (ROOT / "model" / "schema.csv").open(encoding="utf-8", newline="") as schema:
        tables = {row["table"] for row in csv.DictReader(schema)}
    assert tables <= {path.name for path in (tmp_path / "runs" / "tables").iterdir()}


def test_a_clean_environment_knows_every_parameter(clean, tmp_path):
    from model.parameters import table

    shown = json.loads(succeed([clean / "undercut", "show", "parameters", "--json"], tmp_path))
    assert {row["name"] for row in shown} == set(table())


def test_in_a_clean_environment_the_doctor_finds_the_extras_missing_and_nothing_wrong(clean, tmp_path):
    findings = json.loads(succeed([clean / "undercut", "doctor", "--json"], tmp_path))
    found = {finding["name"]: finding for finding in findings}
    assert [finding for finding in findings if finding["state"] == "wrong"] == []
    assert found["sources"]["found"].startswith(f"Undercut {PROJECT['project']['version']}, a package in ")
    assert found["packages"]["state"] == "ok"
    assert {"ui", "study"} <= set(re.findall(r"\w+", found["further packages"]["found"]))


def test_both_locks_agree_and_cover_what_the_project_asks_for():
    core, full = locked("requirements-core.lock"), locked("requirements.lock")
    assert core.items() <= full.items()
    asked = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
    extras = PROJECT["project"]["optional-dependencies"]
    for requirement in [*asked, *(Requirement(text) for text in extras["build"])]:
        assert requirement.specifier.contains(core[requirement.name]), requirement.name
    for requirement in [Requirement(text) for texts in extras.values() for text in texts]:
        assert requirement.specifier.contains(full[requirement.name.lower()]), requirement.name


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-core.lock"])
def test_a_lock_pins_hashes_and_names_no_host(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if "://" in line or line.startswith("-")] == []
    pinned = [i for i, line in enumerate(lines) if re.match(r"[a-z0-9][a-z0-9-]*==", line)]
    assert pinned
    assert all(lines[i + 1].strip().startswith("--hash=sha256:") for i in pinned)
    assert all(
        i in pinned or re.fullmatch(r" +--hash=sha256:[0-9a-f]{64}( \\)?", line)
        for i, line in enumerate(lines)
    )
