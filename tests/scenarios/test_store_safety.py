"""A store from a stranger can make nobody read, write or delete a file outside of it, nor run anything."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from scenarios import batch
from scenarios.batch import Batch
from scenarios.folder import SEAL, StoreError, sealed, write_json
from scenarios.journal import MANIFEST
from scenarios.runner import Job
from scenarios.store import COMMIT, Store
from tests.scenarios import toys
from tests.scenarios.stores import plan_of

JOB = Job(toys.plain, toys.mean_price)
OUTSIDE = "../precious.txt"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a batch."""
    folder = tmp_path_factory.mktemp("whole") / "runs"
    batch.run(plan_of(JOB, seeds=(1,)), JOB, folder, workers=1)
    return folder


@pytest.fixture
def store(whole: Path, tmp_path: Path) -> Path:
    """A copy of it, beside a file that is not its own."""
    (tmp_path / "precious.txt").write_text("mine")
    shutil.copytree(whole, tmp_path / "runs")
    return tmp_path / "runs"


@pytest.mark.parametrize(
    "plan",
    [
        {"rename": [], "delete": [OUTSIDE]},
        {"rename": [[OUTSIDE, "tables/runs/0123456789abcdef.parquet"]], "delete": []},
        {"rename": [["tables/runs/.a.partial", OUTSIDE]], "delete": []},
        {"rename": [], "delete": ["tables/../../precious.txt"]},
        {"rename": ["ab"], "delete": []},
        {"rename": [], "delete": [None]},
    ],
)
@pytest.mark.parametrize("absolute", [False, True])
def test_a_commit_touches_packs_of_the_store_alone(
    store: Path, plan: dict[str, list[object]], absolute: bool
) -> None:
    precious = store.parent / "precious.txt"
    text = json.dumps(plan).replace(OUTSIDE, str(precious) if absolute else OUTSIDE)
    (store / COMMIT).write_text(text)
    with pytest.raises(StoreError, match="repair"):
        Store(store).recover()
    assert batch.repair(Store(store)) == (0, 0)
    assert precious.read_text() == "mine"
    Store(store).recover()


@pytest.mark.parametrize("name", ["batches", "tables", "tables/quarters", "code", "batches/elsewhere"])
def test_a_folder_that_is_a_link_is_refused(store: Path, tmp_path: Path, name: str) -> None:
    away = tmp_path / "away"
    if (store / name).exists():
        (store / name).rename(away)
    else:
        away.mkdir()
    (store / name).symlink_to(away)
    with pytest.raises(StoreError, match="is a link to another folder"):
        Store(store)


def test_what_is_written_replaces_a_link_and_not_what_it_leads_to(store: Path) -> None:
    precious = store.parent / "precious.txt"
    of = Batch.open(store)
    (of.path / f".{MANIFEST}.partial").symlink_to(precious)
    batch.run(plan_of(JOB, seeds=(1,)), JOB, store, workers=1)
    assert precious.read_text() == "mine"
    assert Batch.open(store).complete


@pytest.mark.parametrize("code", ["../../precious", "/etc/hostname", "..", ""])
def test_a_manifest_leads_to_no_file_outside(store: Path, code: str) -> None:
    of = Batch.open(store)
    (store.parent / "precious.json").write_text((store / "code" / f"{of.manifest['code']}.json").read_text())
    content = json.loads((of.path / MANIFEST).read_text())
    del content[SEAL]
    write_json(of.path / MANIFEST, sealed({**content, "code": code}))
    with pytest.raises(StoreError, match="missing or damaged"):
        _ = Batch.open(store).made_with


def test_no_module_of_the_project_reads_what_could_run_code() -> None:
    root = Path(__file__).parents[2]
    folders = ("model", "agents", "scenarios", "evidence", "studies", "viz", "undercut")
    risky = (
        "pickle",
        "marshal.",
        "shelve",
        "yaml",
        "eval(",
        "exec(",
        "allow_pickle",
        "shell=True",
        "os.system",
        "joblib.load",
    )
    found = [
        f"{file.relative_to(root)}: {word}"
        for folder in folders
        for file in sorted((root / folder).rglob("*.py"))
        for word in risky
        # What is said of pickling markets between a run's own processes loads nothing.
        if any(
            word in line and '"""' not in line and "pickled" not in line
            for line in file.read_text().splitlines()
        )
    ]
    assert found == []
