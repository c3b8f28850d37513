"""A study whose folder somebody sealed anew with less in it is refused in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from scenarios.folder import SEAL, hash_of, sealed, to_json
from scenarios.store import Store
from studies.study import FILE, Study
from tests.fuzz.judge import command
from undercut.study.app import KINDS


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.make(tmp_path / "runs")


def report(store: Store, name: str) -> int:
    return command(["study", "report", name, f"--store={store.path}", f"--html={store.path}.html"])


def reseal(folder: Path, **changed: object) -> None:
    """Write another content into the file of a study, as if it had been stored so."""
    content = json.loads((folder / FILE).read_text(encoding="utf-8"))
    del content[SEAL]
    (folder / FILE).write_text(to_json(sealed({**content, **changed})), encoding="utf-8")


@pytest.mark.parametrize("kind", [name for name in KINDS if name not in ("report", "ls")])
def test_a_study_without_the_tables_of_its_kind_is_refused_in_a_sentence(kind, store, capsys):
    Study(kind, "A study", {}, {}).write(store)
    assert report(store, kind) == 2
    assert list(store.path.parent.iterdir()) == [store.path]


def test_what_a_study_lacks_is_named_with_the_folder(store):
    folder = Study("toy", "A toy", {}, {}).write(store)
    with pytest.raises(ValueError, match=rf"{folder.name} has no 'effects', .*; run the study again"):
        _ = Study.open("toy", store).tables["effects"]


@pytest.mark.parametrize(
    "changed",
    [{"digests": []}, {"tables": []}, {"tables": [["a"]]}, {"tables": ["a", "b"]}, {"digests": [1]}],
)
def test_tables_and_checksums_that_do_not_agree_are_refused_in_a_sentence(changed, store):
    reseal(Study("toy", "A toy", {}, {"a": pd.DataFrame({"x": [1.0]})}).write(store), **changed)
    assert report(store, "toy") == 2


def test_a_table_that_is_none_is_refused_in_a_sentence(store):
    folder = Study("toy", "A toy", {}, {"a": pd.DataFrame({"x": [1.0]})}).write(store)
    (folder / "a.parquet").write_bytes(b"no table")
    reseal(folder, digests=[hash_of(folder / "a.parquet")])
    assert report(store, "toy") == 2
