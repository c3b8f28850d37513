"""`undercut report` writes one file on a batch, named after it unless told otherwise."""

from dataclasses import replace

import pytest

from scenarios import batch as store
from scenarios.plan import Plan, members_of
from scenarios.runner import Job
from scenarios.scenario import load
from tests.scenarios import toys
from undercut.cli import main


@pytest.fixture
def stored(tmp_path):
    """A batch of toys without full tables, in a store of its own."""
    members = members_of([(replace(load("baseline"), last="2024Q4"), "A title")])
    job = Job(toys.plain, toys.mean_price)
    plan = Plan(members, (1, 2), keep="headline", simulation=job.simulation)
    return store.run(plan, job, tmp_path / "runs", workers=1)[0]


def test_the_newest_batch_is_reported_under_its_name(stored, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["report"]) == 0
    assert f"wrote {stored.name}.html" in capsys.readouterr().err
    written = (tmp_path / f"{stored.name}.html").read_text(encoding="utf-8")
    assert written.startswith("<!DOCTYPE html>")
    assert stored.name in written


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["nothing"], "has no batch 'nothing'"), (["--out", "no/such/report.html"], "cannot write")],
)
def test_a_wrong_use_is_a_sentence(stored, tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    assert main(["report", *arguments]) == 2
    assert said in capsys.readouterr().err
