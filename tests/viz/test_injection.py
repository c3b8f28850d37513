"""What users and strangers write, in scenarios, claims, studies and names of files, is shown as text and never as code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import pytest

from evidence.claims import Claim, claims
from scenarios.batch import Batch
from scenarios.scenario import load
from scenarios.store import Store
from studies.study import Study
from tests.viz.test_report import Reader, report, stored
from undercut.cli import main
from undercut.stored import write
from viz import page as pages
from viz.fan import ChartError
from viz.page import Section, table
from viz.study import report as study_report

EVIL = (
    "<script>alert(1)</script>",
    "</style></title><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' autofocus onfocus='alert(1)",
    "]]> --> &lt;b&gt; &amp;",
    "javascript:alert(1)",
    "[a](javascript:alert(1)) ![a](https://elsewhere.example/x.png)",
    "{{ 7 * 7 }} ${alert(1)} $\\frac$ %s {0}",
    "=cmd()",
)
ALL = " | ".join(EVIL)


def harmless(text: str) -> Reader:
    """A page whose tags are those of a report, where nothing runs, and no link or address leads out."""
    page = Reader(text)
    assert not {"script", "img", "iframe", "object", "embed", "form", "base", "link"} & set(page.tags)
    assert page.tags.count("style") == page.tags.count("title") == 1
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert all(value.startswith("#") for value in page.of("href"))
    return page


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    """A batch of a scenario whose every text is evil."""
    setting = replace(load("baseline"), last="2024Q4", name=ALL, notes=ALL)
    return stored(tmp_path / "store", [(setting, ALL)], [{"alpha_mean": a} for a in (1.65, 2.0)])


@pytest.mark.filterwarnings("ignore:constrained_layout")
def test_a_report_shows_texts_of_scenarios_and_claims(
    batch: Batch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Claim, "statement", property(lambda claim: f"{claim.id}: {ALL}"), raising=False)
    words = harmless(report(batch, tmp_path)).words
    for text in EVIL:
        assert words.count(text) > 10
    assert f"{claims()[0].id}: {ALL}" in words
    assert f"{ALL} alpha_mean=2" in words


def test_a_batch_is_named_in_plain_letters(batch: Batch) -> None:
    assert re.fullmatch(r"[\w.+-]+", batch.name, re.ASCII)
    assert batch.path.parent == batch.store.batches


def test_the_page_of_a_study_shows_what_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Kind:
        @staticmethod
        def sections(study: Study) -> list[Section]:
            return [Section("a", ALL, [table({"a": ALL}, [{"a": ALL}], ALL), pages.details(ALL, ALL)])]

    monkeypatch.setattr(study_report, "_of", lambda study: Kind)
    words = harmless(study_report.html(Study("kind", ALL, {"scenario": EVIL[0]}, {}, (ALL,), (ALL,)))).words
    assert words.count(ALL) >= 10
    assert EVIL[0] in words


@pytest.mark.parametrize("kind", ["report", "os.path", "nothing", "../morris", EVIL[0]])
def test_a_study_of_no_known_kind_is_refused(kind: str) -> None:
    with pytest.raises(ChartError, match="knows no study of the kind"):
        study_report.html(Study(kind, "a title", {}, {}))


def test_the_title_of_a_study_commands_no_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Study("causes", "a\x1b[31m\n\u202etitle", {}, {})
    made.write(Store.make(tmp_path / "store"))
    assert main(["study", "ls", "--store", str(tmp_path / "store")]) == 0
    assert capsys.readouterr().out == f"{made.name}\ta\\x1b[31m\\n\\u202etitle\n"


def test_exported_texts_come_back_as_they_were_written(batch: Batch, tmp_path: Path) -> None:
    # Also what a spreadsheet would take for a formula: docs/security.md says why it is left as it is.
    files = dict(write(batch, tmp_path / "out", "worlds,quarters", "csv"))
    worlds = pd.read_csv(tmp_path / "out" / "worlds.csv")
    assert set(worlds["title"]) == set(worlds["notes"]) == {ALL}
    assert set(pd.read_csv(tmp_path / "out" / "quarters.csv")["scenario"]) == set(batch.labels)
    assert files[tmp_path / "out" / "worlds.csv"] == len(worlds) == 2


@pytest.fixture
def harm(page: Any) -> Iterator[list[str]]:
    """What a page asks its user, which no page of ours does; the fixture ``page`` finds requests that leave the machine."""
    asked: list[str] = []

    def answer(dialog: Any) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", answer)
    yield asked
    assert asked == []
    assert (
        page.locator("img[src=x], script:text('alert(1)'), [onmouseover], [onfocus], [onerror]").count() == 0
    )
    assert page.locator("a[href^=javascript]").count() == 0


def test_an_opened_batch_shows_texts(page: Any, server: str, store: Path, harm: list[str]) -> None:
    setting = replace(load("baseline"), last="2024Q4", name=ALL, notes=ALL)
    made = stored(store, [(setting, ALL)])
    try:
        page.goto(f"{server}/results?{urlencode({'batch': made.name})}")
        page.wait_for_selector("[data-panel=opened]")
        assert page.get_attribute("[data-panel=opened]", "data-world") == ALL
        assert ALL in page.inner_text("[data-panel=opened]")
        assert ALL in page.inner_text("[data-panel=batches]")
        page.wait_for_selector("[data-panel=supply] canvas, [data-panel=supply] svg")
    finally:
        made.remove()


def test_an_uploaded_file_is_shown_as_text(page: Any, server: str, harm: list[str]) -> None:
    text = f"title = {EVIL[0]!r}\nnotes = '''{ALL}'''\nextends = 'baseline'\n[parameters]\nenterprises = 80\n"
    name = '"><img src=x onerror=alert(1)>{{ 7 * 7 }}.toml'
    page.goto(f"{server}/?scenario=baseline&value=enterprises:100")
    page.wait_for_selector("[data-panel=tiles][data-shown='2023Q1']")
    page.set_input_files(
        "[data-do=upload]", {"name": name, "mimeType": "text/plain", "buffer": text.encode()}
    )
    page.wait_for_function("document.body.innerText.includes('elsewhere.example')")
    page.wait_for_selector("[data-panel=tiles][data-shown='2023Q1']")
    assert page.input_value("[data-do=scenario]") == name
    for each in EVIL:
        assert each in page.inner_text("body")
