"""Compare, Results, Claims and evidence in a real browser; the fixture ``page`` fails on any error of the console."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pandas as pd
import pytest

from evidence.claims import by_id, claims
from evidence.metrics import METRICS
from scenarios.batch import Batch
from scenarios.scenario import load
from scenarios.store import Store
from studies.causes import causes
from tests.studies.games import GAMES
from tests.viz.conftest import until
from tests.viz.small import SMALL, small_batch
from viz.stored import pair
from viz.stored.pair import Pair

LONG = Pair(other="consortium", seeds="40", enterprises="100")
PAGES = {"Live": "player", "Compare": "pair", "Results": "batches", "Claims and evidence": "claims"}


@pytest.fixture(scope="module")
def batch(store: Path) -> Batch:
    """A small batch in the server's store."""
    return small_batch(store)


def compare(asked: Pair) -> str:
    return f"/compare?{pair.query(asked)}"


def shown(page: Any, panel: str) -> None:
    page.wait_for_selector(f"[data-panel={panel}]")


def rows(page: Any, panel: str) -> list[str]:
    return [
        row.get_attribute("data-row")
        for row in page.locator(f"[data-panel={panel}] tbody tr").element_handles()
    ]


def series(page: Any, panel: str) -> dict[str, list[Any]]:
    """The data of the series that a chart has drawn, by id."""
    plot = f"document.querySelector('[data-panel={panel}] .uc-plot')"
    page.wait_for_function(f"{plot} && {plot}.chart && {plot}.chart.getOption().series.length")
    return dict(page.evaluate(f"{plot}.chart.getOption().series.map(s => [s.id, s.data])"))


def test_every_page_is_reached_from_every_other(page: Any, server: str, batch: Batch) -> None:
    page.goto(server + "/claims")
    for name in ("Results", "Compare", "Claims and evidence", "Results", "Compare"):
        page.click(f"nav >> text={name}")
        shown(page, PAGES[name])
        page.wait_for_selector(f"nav .uc-here >> text={name}")
        assert page.title().endswith(name)
    page.go_back()
    shown(page, "batches")


def test_an_address_that_is_no_page_gets_a_sentence_and_a_way_on(window: Any, server: str) -> None:
    page = window.new_page()
    try:
        answer = page.goto(server + "/<b>results</b>")
        assert answer.status == 404
        assert "no such page" in page.inner_text("h1")
        page.click("text=Claims and evidence")
        shown(page, "claims")
    finally:
        page.close()


def test_compare_finishes_and_its_batch_is_a_result(page: Any, server: str, batch: Batch) -> None:
    asked = Pair(other="controls_lifted", seeds="2", enterprises="100")
    page.goto(server + compare(asked))
    shown(page, "explain")
    page.wait_for_function(
        "document.querySelector('[data-shown=progress]').innerText.includes('4 runs in all')"
    )
    page.click("[data-do=run]")
    page.wait_for_selector(".uc-bar[role=progressbar]")
    page.wait_for_selector("[data-phase=done]")
    shown(page, "differences")
    # The baseline was there already.
    name = asked.plan().name
    assert page.get_attribute("[data-panel=contrast]", "data-batch") == name
    assert page.is_disabled("[data-do=run]")
    for panel in (
        "price_usd_per_mtok",
        "price_china_usd_per_mtok",
        "nvidia_share_china_units_all",
        "market_revenue_usd",
    ):
        drawn = series(page, panel)
        assert {"baseline", "controls_lifted", "baseline middle half to"} <= set(drawn)
        assert len(drawn["baseline"]) == 24
    # Headline readings alone, until others are asked for.
    headlines = {claim.id for claim in claims() if claim.headline}
    assert set(rows(page, "chances")) <= headlines
    before = len(rows(page, "chances"))
    page.select_option("[data-panel=chances] [data-filter=reading]", "")
    assert len(rows(page, "chances")) > before
    page.fill("[data-panel=chances] [data-do=search]", "p1-nvidia-2027-ai")
    assert rows(page, "chances") == ["p1-nvidia-2027-ai"]
    page.click("text=Everything on these runs")
    page.wait_for_selector(f"[data-panel=opened][data-batch='{name}']")
    assert name in rows(page, "batches")


def test_a_link_to_a_complete_batch_shows_it_at_once(page: Any, server: str, batch: Batch) -> None:
    page.goto(server + compare(SMALL))
    shown(page, "contrast")
    assert page.input_value("[data-do=other]") == "consortium"
    assert page.input_value("[data-do=seeds]") == "2"


def test_choices_go_into_the_address_and_come_back_from_it(page: Any, server: str) -> None:
    page.goto(server + "/compare")
    shown(page, "pair")
    page.select_option("[data-do=other]", "baseline")
    page.fill("[data-do=other_set]", "sigma2=0.8")
    page.press("[data-do=other_set]", "Tab")
    page.fill("[data-do=seeds]", "3")
    page.press("[data-do=seeds]", "Tab")
    page.wait_for_url("**seeds=3**")
    address = page.url
    assert pair.read(address.partition("?")[2]) == Pair(other="baseline", other_set="sigma2=0.8", seeds="3")
    page.reload()
    shown(page, "pair")
    assert page.input_value("[data-do=other_set]") == "sigma2=0.8"
    assert page.url == address


def test_a_comparison_can_be_stopped_and_keeps_what_was_made(page: Any, server: str, store: Path) -> None:
    page.goto(server + compare(LONG))
    page.click("[data-do=run]")
    page.wait_for_function(
        "/^[1-9]\\d* of 80 runs/.test(document.querySelector('[data-shown=progress]').innerText)"
    )
    assert page.is_disabled("[data-do=seeds]")
    page.click("[data-do=stop]")
    page.wait_for_selector("[data-phase=stopped]")
    assert "are stored, Run makes the rest" in page.inner_text("[data-shown=progress]")
    assert page.is_enabled("[data-do=run]")
    made = Batch(Store(store), LONG.plan().name)
    assert not made.running
    assert 0 < len(made.done()) < 80


def test_leaving_the_page_stops_its_work(page: Any, server: str, store: Path) -> None:
    page.goto(server + compare(LONG))
    page.click("[data-do=run]")
    made = Batch(Store.make(store), LONG.plan().name)
    page.wait_for_selector("[data-phase=running]")
    assert made.running
    page.goto("about:blank")
    until(lambda: not made.running)


def test_a_pair_that_makes_no_sense_gets_a_sentence(page: Any, server: str) -> None:
    # tests/viz/test_pair.py has every sentence; here it is that they reach the page as text.
    for query, said in (
        ("other=../../etc/passwd", "no scenario called"),
        ("enterprises=<b>1</b>", "write a whole number"),
    ):
        page.goto(f"{server}/compare?{query}")
        page.wait_for_selector("[role=alert]")
        assert said in page.inner_text("[role=alert]")
    # The form is still there, to choose something else.
    page.select_option("[data-do=other]", "consortium")
    assert page.is_visible("[data-do=run]")


def test_an_opened_batch_shows_its_report(page: Any, server: str, batch: Batch) -> None:
    page.goto(server + "/results")
    shown(page, "batches")
    page.click(f"[data-panel=batches] [data-row='{batch.name}'] a")
    page.wait_for_selector(f"[data-panel=opened][data-batch='{batch.name}'][data-world=baseline]")
    assert quote(batch.name) in page.url
    drawn = {panel: series(page, panel) for panel in ("prices", "nvidia", "shares", "size", "supply")}
    assert {"China", "North America"} <= set(drawn["prices"])
    assert "the model" in drawn["size"]
    assert batch.seeds == (1, 2)
    # Another world, and the address says so.
    page.select_option("[data-do=world]", "consortium")
    page.wait_for_selector("[data-panel=opened][data-world=consortium]")
    assert "world=consortium" in page.url
    page.reload()
    page.wait_for_selector("[data-panel=opened][data-world=consortium]")
    # The quarter of the supply graph.
    series(page, "supply")
    dial = page.locator("input[data-do=quarter]")
    dial.focus()
    page.keyboard.press("Home")
    page.wait_for_selector("[data-panel=supply][data-shown='2023Q1']")
    # The verdicts: searched, filtered and sorted.
    page.fill("[data-panel=verdicts] [data-do=search]", "nvidia 2027")
    assert "p1-nvidia-2027" in rows(page, "verdicts")
    page.fill("[data-panel=verdicts] [data-do=search]", "no claim says this")
    assert rows(page, "verdicts") == []
    page.fill("[data-panel=verdicts] [data-do=search]", "")
    page.select_option("[data-panel=verdicts] [data-filter=article]", "infrastructure")
    found = rows(page, "verdicts")
    assert {by_id()[name].article for name in found} == {"infrastructure"}
    page.click("[data-panel=verdicts] th >> text=Probability")
    chances = page.locator("[data-panel=verdicts] tbody tr td:nth-child(4)").all_inner_texts()
    numbers = [float(text.split()[0]) for text in chances if text[0] != "–"]
    assert numbers == sorted(numbers, reverse=True)
    assert "scenarios" in page.inner_text("[data-panel=manifest]").lower()


def test_tables_and_verdicts_can_be_downloaded(page: Any, server: str, batch: Batch) -> None:
    page.goto(f"{server}/results?{urlencode({'batch': batch.name})}")
    shown(page, "opened")
    for form in ("csv", "parquet"):
        with page.expect_download() as download:
            page.click(f"[data-do=tables-{form}]")
        with zipfile.ZipFile(download.value.path()) as files:
            content = io.BytesIO(files.read(f"quarters.{form}"))
        frame = pd.read_csv(content) if form == "csv" else pd.read_parquet(content)
        assert len(frame) == len(batch.table("quarters"))
    with page.expect_download() as download:
        page.click("[data-do=verdicts-csv]")
    assert set(pd.read_csv(download.value.path())["id"]) == set(by_id())
    with page.expect_download() as download:
        page.click("[data-do=report]")
    assert "Undercut: the market for LLM inference" in Path(download.value.path()).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["../..", "<img src=x onerror=alert(1)>"])
def test_a_batch_that_is_not_in_the_list_gets_a_sentence(
    page: Any, server: str, batch: Batch, name: str
) -> None:
    page.goto(f"{server}/results?{urlencode({'batch': name})}")
    page.wait_for_selector("[role=alert]")
    said = page.inner_text("[role=alert]")
    assert f"no batch called {name!r} in the store" in said
    assert page.locator("[data-panel=opened]").count() == 0
    # A way on: the list is there.
    page.click(f"[data-panel=batches] [data-row='{batch.name}'] a")
    shown(page, "opened")


def test_a_claim_opens_from_its_link_with_definition_and_verdict(
    page: Any, server: str, batch: Batch
) -> None:
    query = {"claim": "v2-ratio-blended", "batch": batch.name, "world": "consortium"}
    page.goto(f"{server}/claims?{urlencode(query)}")
    page.wait_for_selector("[data-panel=claim][data-claim=v2-ratio-blended] [data-shown=verdict] table")
    claim = by_id()["v2-ratio-blended"]
    assert METRICS[claim.metric].description in page.inner_text("[data-shown=definition]")
    assert f"consortium in {batch.name}, 2 seeds" in page.inner_text("[data-shown=verdict]")
    assert page.inner_text("[data-shown=contradictions]").startswith("the article contradicts itself")
    assert page.inner_text("[data-shown=source]") == claim.source
    assert claim.quotation in page.inner_text("[data-panel=claim] blockquote")
    # Another reading of the sentence.
    page.click("[data-panel=claim] >> text=input tokens")
    page.wait_for_selector("[data-panel=claim][data-claim=v2-ratio-input]")
    assert "claim=v2-ratio-input" in page.url
    page.select_option("[data-do=world]", "baseline")
    page.wait_for_function(
        "document.querySelector('[data-shown=verdict]').innerText.includes('baseline in ')"
    )


def test_claims_and_evidence_are_searched(page: Any, server: str, batch: Batch) -> None:
    page.goto(server + "/claims")
    shown(page, "claims")
    page.select_option("[data-panel=claims] [data-filter=reading]", "")
    page.wait_for_function(
        f"document.querySelector('[data-panel=claims]').dataset.rows === '{len(claims())}'"
    )
    page.select_option("[data-panel=claims] [data-filter=kind]", "prediction")
    page.fill("[data-panel=claims] [data-do=search]", "nvidia")
    found = rows(page, "claims")
    assert found
    assert {by_id()[name].kind for name in found} == {"prediction"}
    page.fill("[data-panel=unjudged] [data-do=search]", "egress")
    assert len(rows(page, "unjudged")) == 1
    page.fill("[data-panel=evidence] [data-do=search]", "litellm gpt-4 turbo")
    page.wait_for_selector("[data-panel=evidence] [data-table=prices] tbody tr")
    page.fill("[data-panel=evidence] [data-do=search]", "nothing says this")
    assert page.get_attribute("[data-panel=evidence]", "data-rows") == "0"


def test_a_claim_that_is_none_gets_a_sentence(page: Any, server: str, batch: Batch) -> None:
    page.goto(f"{server}/claims?{urlencode({'claim': '<b>no such claim</b>'})}")
    page.wait_for_selector("[role=alert]")
    assert "there is no claim called '<b>no such claim</b>'" in page.inner_text("[role=alert]")
    page.goto(f"{server}/claims?batch=../..&claim=p2-asia")
    page.wait_for_selector("[role=alert]")
    assert "choose one of the list" in page.inner_text("[role=alert]")
    assert page.is_visible("[data-panel=claim][data-claim=p2-asia]")


def test_nothing_is_wider_than_the_screen(page: Any, server: str, batch: Batch) -> None:
    name = urlencode({"batch": batch.name})
    for address, panel in (
        (compare(SMALL), "differences"),
        (f"/results?{name}", "verdicts"),
        (f"/claims?claim=p2-asia&{name}", "claim"),
        ("/?value=enterprises:100", "size"),
    ):
        page.goto(server + address)
        shown(page, panel)
        for width in (800, 1280, 1920):
            page.set_viewport_size({"width": width, "height": 900})
            # Charts follow the width of their panels a moment later.
            page.wait_for_function(
                f"innerWidth === {width} && document.documentElement.scrollWidth <= {width}", timeout=10_000
            )


def test_a_study_opens_with_its_charts_and_tables_and_its_report_when_asked(
    page: Any, server: str, batch: Batch, store: Path, tmp_path: Path
) -> None:
    asked = ("open_weights", "export_rules")
    study, _ = causes(
        load("baseline"),
        (1, 2),
        tmp_path,
        over=asked,
        claims=("p1-nvidia-2027",),
        job=GAMES["additive"],
        workers=1,
    )
    folder = study.write(Store(store))
    page.goto(f"{server}/results")
    page.click(f"[data-panel=studies] [data-row='{study.name}'] a")
    page.wait_for_selector(f"[data-panel=study][data-study='{study.name}']")
    page.wait_for_selector("[data-panel=waterfall][data-shown]:not([data-shown=''])")
    assert not page.locator("iframe").count()
    names = page.evaluate(
        "document.querySelector('[data-panel=waterfall] .uc-plot').chart.getOption().yAxis[0].data"
    )
    assert sorted(names) == ["all", "export rules", "none of them", "open weights"]
    page.click("[data-panel=study] [data-do=read]")
    page.wait_for_selector("[data-panel=study] iframe")
    assert page.locator("[data-panel=study] iframe").get_attribute("sandbox") == ""
    report = page.frame_locator("[data-panel=study] iframe")
    assert report.locator("svg[aria-label^='Waterfall']").count() == 1
    page.fill("[data-panel=table-attribution] [data-do=search]", "export")
    assert len(rows(page, "table-attribution")) == 1
    page.goto(f"{server}/results?study={study.name}&subject=p3-price")
    page.wait_for_selector("[role=alert]")
    assert "says nothing of 'p3-price'" in page.inner_text("[role=alert]")
    page.goto(f"{server}/results?study=../..")
    page.wait_for_selector("[role=alert]")
    assert "there is no study called '../..' in the store" in page.inner_text("[role=alert]")
    shutil.rmtree(folder)
