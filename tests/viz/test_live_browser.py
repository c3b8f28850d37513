"""The live page in a real browser: each control does what it says."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest

from benchmarks.soak import sessions_of
from model import calendar
from scenarios.scenario import resolve
from tests.viz.conftest import until, watch
from viz.live import world
from viz.live.script import Script

SMALL = "/?scenario=baseline&seed=1&value=enterprises:100"
PANELS = {"tiles", "supply", "prices", "chips", "clouds", "size", "board", "feed"}


def begin(page: Any, server: str, query: str = SMALL, quarter: str = "2023Q1") -> None:
    page.goto(server + query)
    at(page, quarter)


def at(page: Any, quarter: str) -> None:
    """Wait until every panel shows a quarter."""
    for panel in PANELS:
        page.wait_for_selector(f"[data-panel={panel}][data-shown='{quarter}']")
    assert page.text_content("[data-shown=quarter]") == quarter


def press(page: Any, what: str) -> None:
    page.click(f"[data-do={what}]")


def step(page: Any, quarter: str) -> None:
    press(page, "step")
    at(page, quarter)


def lines(page: Any, panel: str) -> dict[str, list[Any]]:
    """The data of the series that a chart has drawn, by id."""
    drawn = page.evaluate(
        f"document.querySelector('[data-panel={panel}] .uc-plot').chart.getOption().series.map(s => [s.id, s.data])"
    )
    return dict(drawn)


def axis(page: Any, panel: str) -> list[float]:
    """The ends of the vertical axis of a chart."""
    chart = f"document.querySelector('[data-panel={panel}] .uc-plot').chart"
    return list(page.evaluate(f"{chart}.getModel().getComponent('yAxis').axis.scale.getExtent()"))


def numbers(page: Any) -> list[str]:
    return list(page.locator("[data-panel=tiles] b").all_text_contents())


def test_a_step_moves_every_panel_and_back_moves_them_again(page: Any, server: str) -> None:
    begin(page, server)
    first = numbers(page)
    assert page.is_disabled("[data-do=back]")
    step(page, "2023Q2")
    second = numbers(page)
    assert second != first
    assert sum(value is not None for value in lines(page, "size")["world"]) == 2
    press(page, "back")
    at(page, "2023Q1")
    assert numbers(page) == first
    assert sum(value is not None for value in lines(page, "size")["world"]) == 1
    step(page, "2023Q2")
    assert numbers(page) == second


def test_play_goes_on_by_itself_until_it_is_paused_and_seek_returns(page: Any, server: str) -> None:
    begin(page, server)
    page.select_option("[data-do=speed]", "0")
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('[data-shown=quarter]').textContent >= '2023Q4'")
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('[data-shown=state]').textContent === ''")
    page.wait_for_timeout(500)
    paused = page.text_content("[data-shown=quarter]")
    page.wait_for_timeout(500)
    assert page.text_content("[data-shown=quarter]") == paused
    assert page.text_content("[data-do=play]").strip().endswith("Play")
    page.fill("[data-do=seek]", "1")
    at(page, "2023Q2")
    # No further than what was simulated.
    page.fill("[data-do=seek]", "23")
    at(page, str(paused))
    assert page.input_value("[data-do=seek]") != "23"


def test_the_keys_play_step_and_step_back_but_not_while_one_types(page: Any, server: str) -> None:
    begin(page, server)
    page.keyboard.press("ArrowRight")
    at(page, "2023Q2")
    page.keyboard.press("ArrowLeft")
    at(page, "2023Q1")
    page.click("[data-do=search]")
    page.keyboard.press("ArrowRight")
    page.keyboard.type("sigma 2")
    page.wait_for_timeout(300)
    at(page, "2023Q1")


def test_a_changed_parameter_changes_the_numbers_is_marked_and_survives_reset(page: Any, server: str) -> None:
    begin(page, server, f"{SMALL}&quarter=2023Q3", "2023Q3")
    plain = numbers(page)
    press(page, "back")
    press(page, "back")
    at(page, "2023Q1")
    begin(page, server)
    page.fill("[data-do=search]", "eta")
    box = page.locator("[data-parameter=eta] input[type=number]")
    box.fill("1.1")
    box.press("Enter")
    page.wait_for_selector("[data-parameter=eta].uc-changed")
    step(page, "2023Q2")
    step(page, "2023Q3")
    changed = numbers(page)
    assert changed != plain
    press(page, "reset")
    at(page, "2023Q1")
    assert page.locator("[data-parameter=eta]").get_attribute("class").endswith("uc-changed")
    assert page.input_value("[data-parameter=eta] input[type=number]") == "1.1"
    assert "value=eta%3A1.1" in page.url
    step(page, "2023Q2")
    step(page, "2023Q3")
    assert numbers(page) not in (plain, changed)


def test_a_parameter_of_the_founding_waits_for_the_reset(page: Any, server: str) -> None:
    begin(page, server)
    before = numbers(page)
    page.fill("[data-do=search]", "workload_scale")
    box = page.locator("[data-parameter=workload_scale] input[type=number]")
    box.fill("3")
    box.press("Enter")
    page.wait_for_selector("[data-parameter=workload_scale].uc-changed")
    assert numbers(page) == before
    press(page, "reset")
    page.wait_for_function("location.search.includes('value=workload_scale')")
    at(page, "2023Q1")
    assert numbers(page) != before


def test_a_value_that_no_run_accepts_gets_a_sentence_and_changes_nothing(page: Any, server: str) -> None:
    begin(page, server)
    page.fill("[data-do=search]", "eta")
    box = page.locator("[data-parameter=eta] input[type=number]")
    box.fill("99")
    box.press("Enter")
    page.wait_for_selector("[role=alert]")
    assert "allowed is 0.2 to 1.3" in page.text_content("[role=alert]")
    # The box says again what holds.
    page.wait_for_function(
        "document.querySelector('[data-parameter=eta] input[type=number]').value === '0.45'"
    )
    step(page, "2023Q2")
    assert page.locator("[role=alert]").count() == 0


def test_a_shot_bends_the_path_and_the_path_without_it_stays(page: Any, server: str) -> None:
    begin(page, server, f"{SMALL}&quarter=2023Q4", "2023Q4")
    page.click("[data-fire='Ban chip exports']")
    at(page, "2024Q1")
    step(page, "2024Q2")
    drawn = lines(page, "chips")
    shot, without = drawn["NVIDIA, all units"], drawn["NVIDIA, all units, without what was fired"]
    assert shot[:4] == without[:4]
    assert shot[4:6] != without[4:6]
    assert "chip_ban" in page.text_content("[data-fired]")
    assert page.locator("[data-event=shock]").count() == 1
    # The ghost is the run that nobody shot at.
    begin(page, server, f"{SMALL}&quarter=2024Q2", "2024Q2")
    assert lines(page, "chips")["NVIDIA, all units"] == without


def test_any_shock_can_be_written_and_a_wrong_one_gets_a_sentence(page: Any, server: str) -> None:
    begin(page, server)
    page.click("text=Any other shock")
    page.select_option("[data-do=kind]", "demand_swing")
    page.fill("[data-do=keys]", "factor = -3")
    press(page, "fire")
    page.wait_for_selector("[role=alert]")
    assert "factor" in page.text_content("[role=alert]")
    page.fill("[data-do=keys]", "factor = 0.5")
    press(page, "fire")
    at(page, "2023Q2")
    assert "demand_swing" in page.text_content("[data-fired]")


def test_a_link_reproduces_the_view(page: Any, server: str, stranger: Any) -> None:
    begin(page, server)
    page.click("[data-do='region-North America']")
    page.click("[data-fire=Shortage]")
    at(page, "2023Q2")
    page.fill("[data-do=search]", "eta")
    page.fill("[data-parameter=eta] input[type=number]", "0.9")
    page.press("[data-parameter=eta] input[type=number]", "Enter")
    page.wait_for_selector("[data-parameter=eta].uc-changed")
    step(page, "2023Q3")
    page.click("[data-panel=board] a >> nth=0", trial=True)
    link, seen, drawn = page.url, numbers(page), lines(page, "prices")
    stranger.goto(link)
    at(stranger, "2023Q3")
    assert numbers(stranger) == seen
    assert lines(stranger, "prices") == drawn
    assert stranger.get_attribute("[data-do='region-North America']", "aria-pressed") == "true"


def test_a_firm_in_focus_shows_its_accounts_and_decisions(page: Any, server: str) -> None:
    begin(page, server)
    x, y = page.evaluate(
        "(() => { const chart = document.querySelector('[data-panel=supply] .uc-plot').chart;"
        " const nodes = chart.getModel().getSeriesByIndex(0).getData();"
        " return nodes.getItemGraphicEl(nodes.indexOfName('NVIDIA')).transformCoordToGlobal(0, 0); })()"
    )
    page.locator("[data-panel=supply] .uc-plot").click(position={"x": x, "y": y})
    page.wait_for_selector("[data-panel=firm][data-firm=NVIDIA]")
    assert "revenue chips" in page.text_content("[data-panel=firm]")
    assert "firm=NVIDIA" in page.url
    step(page, "2023Q2")
    page.wait_for_selector("[data-panel=firm][data-shown='2023Q2']")
    before = {panel: axis(page, panel) for panel in ("prices", "chips", "clouds", "size")}
    press(page, "unfocus")
    page.wait_for_selector("[data-panel=firm]", state="detached")
    # The charts below the firm are still themselves, and those on the page before.
    assert {panel: axis(page, panel) for panel in before} == before
    assert before["size"][1] > 1e6
    page.evaluate("document.querySelector('[data-panel=size]').known = true")
    page.fill("[data-do=seed]", "none")
    page.press("[data-do=seed]", "Enter")
    page.wait_for_selector("[role=alert]")
    assert page.evaluate("document.querySelector('[data-panel=size]').known")


def test_the_page_fits_its_window_and_its_charts_their_panels(page: Any, server: str) -> None:
    begin(page, server)
    page.click("[data-fire=Shortage]")
    at(page, "2023Q2")
    for width in (800, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(
            "[...document.querySelectorAll('.uc-plot')].every(each => each.chart.getWidth() === each.clientWidth)"
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        # The symbols of the graph are as wide as they are high.
        wide, _, _, high, *_ = page.evaluate(
            "(() => { const nodes = document.querySelector('[data-panel=supply] .uc-plot').chart.getModel()"
            ".getSeriesByIndex(0).getData();"
            " return [...nodes.getItemGraphicEl(nodes.indexOfName('NVIDIA')).getComputedTransform()]; })()"
        )
        assert wide == pytest.approx(high, rel=0.01)
        # No row of a legend reaches into the lines.
        for panel in ("prices", "chips", "clouds", "size"):
            chart = f"document.querySelector('[data-panel={panel}] .uc-plot').chart"
            low, top = page.evaluate(
                f"(() => {{ const of = {chart}; const legend = of._componentsViews.find(v => v.type === 'legend.plain');"
                " const box = legend.group.getBoundingRect();"
                " const grid = of.getModel().getComponent('grid').coordinateSystem.getRect();"
                " return [legend.group.y + box.y + box.height, grid.y]; })()"
            )
            assert low <= top


def test_another_scenario_and_another_seed_begin_anew(page: Any, server: str) -> None:
    begin(page, server)
    first = numbers(page)
    page.fill("[data-do=seed]", "7")
    page.press("[data-do=seed]", "Enter")
    page.wait_for_function("location.search.includes('seed=7')")
    at(page, "2023Q1")
    assert numbers(page) != first
    page.select_option("[data-do=scenario]", "controls_lifted")
    page.wait_for_function("location.search.includes('controls_lifted')")
    at(page, "2023Q1")
    page.fill("[data-do=seed]", "minus one")
    page.press("[data-do=seed]", "Enter")
    page.wait_for_selector("[role=alert]")
    assert "is no seed" in page.text_content("[role=alert]")
    page.wait_for_function("document.querySelector('[data-do=seed]').value === '7'")


def test_a_wrong_upload_gets_a_sentence(page: Any, server: str) -> None:
    begin(page, server)
    for name, text, said in (
        ("mine.toml", 'title = "Mine"\n[parameters]\nalpha_meen = 2\n', "alpha_mean"),
        ("mine.toml", "title = <script>alert(1)</script>", "not TOML"),
        ("mine.toml", 'title = "Mine"\nextends = "../../etc/passwd.toml"\n', "without a path"),
        ("mine.exe", 'title = "Mine"\n', "end in .toml"),
        ("mine.toml", "#" * 300_000, "longer than"),
    ):
        file = {"name": name, "mimeType": "text/plain", "buffer": text.encode()}
        page.set_input_files("[data-do=upload]", file)
        page.wait_for_function(f"document.querySelector('[role=alert]')?.textContent.includes({said!r})")
    step(page, "2023Q2")


def test_a_right_upload_is_played(page: Any, server: str) -> None:
    begin(page, server)
    text = 'title = "Mine"\nextends = "baseline"\n[parameters]\nenterprises = 80\nalpha_mean = 2.5\n'
    page.set_input_files(
        "[data-do=upload]", {"name": "mine.toml", "mimeType": "text/plain", "buffer": text.encode()}
    )
    page.wait_for_function("location.search.includes('mine.toml')")
    at(page, "2023Q1")
    page.fill("[data-do=search]", "alpha_mean")
    page.wait_for_selector("[data-parameter=alpha_mean].uc-changed")
    page.goto(page.url)
    at(page, "2023Q1")
    assert page.input_value("[data-do=scenario]") == "mine.toml"


def test_the_downloads_recreate_what_is_on_screen(page: Any, server: str, tmp_path: Path) -> None:
    begin(page, server)
    page.click("[data-fire='Ban chip exports']")
    at(page, "2023Q2")
    shown = page.evaluate(
        "document.querySelector('[data-panel=size] .uc-plot').chart.getOption().series[0].data"
    )

    def take(button: str) -> Path:
        with page.expect_download() as waiting:
            page.click(f"text={button}")
        path: Path = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(path)
        return path

    with zipfile.ZipFile(take("Tables (CSV)")) as archive:
        quarters = pd.read_csv(io.BytesIO(archive.read("quarters.csv")))
    with zipfile.ZipFile(take("Tables (Parquet)")) as archive:
        assert len(pd.read_parquet(io.BytesIO(archive.read("quarters.parquet")))) == 2
    assert list(quarters["market_revenue_usd"]) == pytest.approx(shown[:2], rel=1e-12)
    scenario = resolve(take("Scenario file"))
    assert [shock["kind"] for shock in scenario.shocks] == ["chip_ban"]
    assert scenario.parameters["enterprises"] == 100
    with page.expect_download() as waiting:
        page.click("[aria-label='Download Size of the market as SVG']")
    picture = Path(waiting.value.path()).read_text(encoding="utf-8")
    assert picture.startswith("<svg")
    assert "Size of the market" in picture and "USD a quarter" in picture
    with page.expect_download() as waiting:
        page.click("[aria-label='Download Size of the market as PNG']")
    assert Path(waiting.value.path()).read_bytes().startswith(b"\x89PNG")


def test_an_address_that_makes_no_sense_gets_a_sentence_and_the_baseline(page: Any, server: str) -> None:
    page.goto(server + "/?scenario=../../etc/passwd")
    page.wait_for_selector("[role=alert]")
    assert "The address cannot be shown" in page.text_content("[role=alert]")
    at(page, "2023Q1")
    assert parse_qs(urlsplit(page.url).query)["scenario"] == ["baseline"]
    page.goto(server + SMALL + "&quarter=1999Q1")
    page.wait_for_selector("[role=alert]")
    assert "goes from 2023Q1 to 2028Q4" in page.text_content("[role=alert]")


def test_the_bar_leads_back_to_the_run_that_was_left(page: Any, server: str) -> None:
    begin(page, server)
    step(page, "2023Q2")
    seen, link = numbers(page), page.url
    page.click("nav >> text=Claims and evidence")
    page.wait_for_selector("[data-panel=claims]")
    page.click("nav >> text=Live")
    at(page, "2023Q2")
    assert numbers(page) == seen
    assert page.url == link


def test_the_board_counts_what_holds_as_of_the_quarter(page: Any, server: str) -> None:
    begin(page, server)
    at_first = {kind: page.text_content(f"[data-count={kind}] b") for kind in ("holds", "fails", "pending")}
    assert at_first["holds"] == at_first["fails"] == "0"
    begin(page, server, f"{SMALL}&quarter=2023Q4", "2023Q4")
    settled = sum(
        int(page.text_content(f"[data-count={kind}] b")) for kind in ("holds", "fails", "undefined")
    )
    assert 0 < settled == int(at_first["pending"]) - int(page.text_content("[data-count=pending] b"))
    page.click("[data-count=pending]")
    assert set(page.locator("[data-claim]").evaluate_all("all => all.map(each => each.dataset.state)")) == {
        "pending"
    }


@pytest.mark.slow  # twenty pages take the processors for a minute and more
def test_twenty_sessions_play_at_once_and_none_sees_anothers_state(window: Any, server: str) -> None:
    seeds = range(1, 21)
    others = sessions_of(server)
    pages = [window.new_page() for _ in seeds]
    wrong = [watch(page) for page in pages]
    try:
        for page, seed in zip(pages, seeds, strict=True):
            page.set_default_timeout(180_000)
            page.goto(f"{server}/?scenario=baseline&seed={seed}&value=enterprises:60", wait_until="commit")
        for page in pages:
            page.wait_for_selector("[data-panel=size][data-shown='2023Q1']")
        for quarter in ("2023Q2", "2023Q3"):
            for page in pages:
                press(page, "step")
            for page in pages:
                page.wait_for_selector(f"[data-panel=size][data-shown='{quarter}']")
        for page, seed in zip(pages, seeds, strict=True):
            assert f"seed={seed}&" in page.url
            assert page.input_value("[data-do=seed]") == str(seed)
            script = Script("baseline", seed, (("enterprises", 60.0),))
            expected = [world.quarter_of("alone", script, t) for t in range(calendar.index("2023Q3") + 1)]
            revenue = [each.headline["market_revenue_usd"] for each in expected if each is not None]
            assert lines(page, "size")["world"][:3] == pytest.approx(revenue, rel=1e-12)
        assert wrong == [[] for _ in pages]
    finally:
        world.forget(("alone",))
        for page in pages:
            page.close()
    until(lambda: sessions_of(server) <= others)
