"""The report of a batch is one file that needs nothing else, says what was run, and is the same each time."""

import math
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from evidence.claims import claims
from scenarios import batch as store
from scenarios.batch import Batch
from scenarios.plan import Plan, members_of
from scenarios.runner import Job
from scenarios.scenario import load
from tests.scenarios import toys
from viz import network, overlay
from viz.fan import ChartError
from viz.number import scale
from viz.origin import grid
from viz.report import SHOWN, sections, write

FIRMS = {"NVIDIA": "chipmaker", "Huawei Ascend": "chipmaker", "Alibaba": "cloud", "DeepSeek": "vendor"}
EDGES = [
    ("NVIDIA", "Alibaba", "chips", 100.0, 4e8),
    ("Huawei Ascend", "Alibaba", "chips", 50.0, 1e8),
    ("Alibaba", "DeepSeek", "hosting", 1e6, 2e7),
    ("DeepSeek", "China/retail", "tokens", 9.0, 3e6),
    ("DeepSeek", "China/finance", "tokens", 1.0, 1e6),
    ("Alibaba", "DeepSeek", "equity", 0.15, 0.0),
]


def trading(setting, seed):
    """Random tables, with firms that trade with one another."""
    frames = toys.plain(setting, seed)
    quarters = frames["quarters"]["quarter"]
    rows = [(q, s, t, k, u, "", m) for q in quarters for s, t, k, u, m in EDGES]
    frames["edges"] = pd.DataFrame(rows, columns=frames["edges"].columns)
    firms = frames["firms"]
    blank = firms.iloc[:1].assign(active=True, region="China")
    frames["firms"] = pd.concat(
        [blank.assign(quarter=q, firm=firm, kind=kind) for q in quarters for firm, kind in FIRMS.items()],
        ignore_index=True,
    )
    return frames


def fragile(setting, seed):
    """As before, but a seed fails, and says so in words that are no text of a page."""
    if seed == toys.FRAGILE:
        raise ArithmeticError("<b>tokens</b> sold & bought differ")
    return trading(setting, seed)


def measured(tables):
    """An outcome for every claim: by turns a number that the seed decides, one that holds, and none."""
    level = float(tables["quarters"]["adoption"].mean())
    kinds = (level, 0.4, math.nan)
    return {claim.id: kinds[place % 3] for place, claim in enumerate(claims())}


def stored(folder, scenarios=None, points=({},), simulate=trading, seeds=(1, 2), keep="sample:1") -> Batch:
    """A batch of toys in a store of its own."""
    short = replace(load("baseline"), last="2024Q4", notes="Prices <fall> & rise")
    members = members_of(scenarios or [(short, "Rules as they are")], points)
    job = Job(simulate, measured)
    plan = Plan(members, seeds, keep=keep, simulation=job.simulation)
    return store.run(plan, job, folder, workers=1)[0]


def two_worlds(folder, **more) -> Batch:
    return stored(folder, points=[{"alpha_mean": 1.65}, {"alpha_mean": 2.5}], **more)


class Reader(HTMLParser):
    """Tags, attributes and visible text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data):
        self.text.append(data)

    def of(self, name):
        return [value for _, attribute, value in self.attributes if attribute == name]

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


def report(batch, folder, quarter=""):
    file = folder / "report.html"
    write(batch, file, quarter)
    return file.read_text(encoding="utf-8")


@pytest.fixture
def blank(monkeypatch):
    """Pictures stay blank, for tests of the words around them: to draw them is most of the work of a report."""

    def save(figure, file, **options):
        file.write('<svg xmlns="http://www.w3.org/2000/svg"/>')

    monkeypatch.setattr(Figure, "savefig", save)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The text of a report on two worlds."""
    folder = tmp_path_factory.mktemp("report")
    return report(two_worlds(folder / "store"), folder)


def test_the_file_needs_nothing_else(written):
    page = Reader(written)
    assert not {"script", "link", "img", "iframe", "object", "embed", "base"} & set(page.tags)
    assert not {"src", "srcset", "action", "onload", "onclick"} & {name for _, name, _ in page.attributes}
    assert not [value for _, _, value in page.attributes if re.search(r"(https?:)?//", value)]
    assert "@import" not in written
    ids = page.of("id")
    assert len(ids) == len(set(ids))
    assert set(page.of("href")) <= {f"#{name}" for name in ids}
    used = re.findall(r"url\(([^)]*)\)", written)
    assert {found.strip("'\"") for found in used} <= {f"#{name}" for name in ids}
    assert used


def test_the_page_says_what_was_asked_and_what_came_of_it(written):
    words = Reader(written).words
    for text in (
        "Rules as they are",
        "baseline alpha_mean=2.5",
        "each with the seeds 1-2 (2)",
        "2023Q1 to 2024Q4",
    ):
        assert text in words
    assert "undercut run baseline --seeds 2 --grid alpha_mean=1.65,2.5" in words
    assert "against baseline alpha_mean=1.65" in words
    assert "seed 1, 2024Q4" in words
    for claim in claims():
        assert claim.id in words


def test_verdicts_are_told_by_sign_and_word_not_by_colour_alone(written):
    page = Reader(written)
    assert {"likely", "unlikely", "untested"} <= set(page.of("class"))
    assert "\u25b2 undetermined (virtually certain)" in page.words
    assert "\u25bd undetermined (exceptionally unlikely)" in page.words


def test_the_same_batch_gives_the_same_bytes_wherever_it_is_stored(written, tmp_path):
    assert report(two_worlds(tmp_path / "elsewhere"), tmp_path) == written
    assert str(tmp_path) not in written


def test_one_world_is_compared_with_nothing(tmp_path, blank):
    parts = [section.name for section in sections(stored(tmp_path))]
    assert "compared" not in parts
    assert parts == [
        "asked",
        "overview",
        "claims",
        "courses",
        "graph",
        "articles",
        "failures",
        "methods",
        "manifest",
    ]


def test_without_full_tables_it_says_how_to_get_them(tmp_path, blank):
    words = Reader(report(stored(tmp_path / "store", keep="headline"), tmp_path)).words
    assert "--keep sample:1" in words
    assert "seed 1, 2024Q4" not in words


def test_what_notes_have_between_backticks_is_code_and_harmless(tmp_path, blank):
    evil = "<script>1</script>"
    setting = replace(
        load("baseline"), last="2024Q4", notes=f"Look at `adoption` and `{evil}`, not at one ` alone"
    )
    page = report(stored(tmp_path / "a", [(setting, "A `title`")]), tmp_path)
    assert "Look at `adoption`" in page
    setting = replace(setting, notes=f"Look at `adoption` and `{evil}`")
    page = report(stored(tmp_path / "b", [(setting, "A `title`")]), tmp_path)
    for code in ("adoption", "title", "&lt;script&gt;1&lt;/script&gt;"):
        assert f"<code>{code}</code>" in page
    assert "script" not in Reader(page).tags


def test_values_that_differ_late_are_written_in_full_in_the_command(tmp_path, blank):
    words = Reader(
        report(stored(tmp_path / "a", points=[{"alpha_mean": 2.0}, {"alpha_mean": 2.0000001}]), tmp_path)
    ).words
    assert "--grid alpha_mean=2,2.0000001" in words


def test_runs_that_failed_are_named_with_the_reason_and_are_in_no_pair(tmp_path, blank):
    batch = two_worlds(tmp_path / "store", simulate=fragile, seeds=(1, 2, toys.FRAGILE))
    words = Reader(report(batch, tmp_path)).words
    assert "2 of 6 runs failed" in words
    assert "<b>tokens</b> sold & bought differ" in words
    assert "2 pairs of runs" in words


def test_a_batch_without_a_run_has_no_report(tmp_path):
    batch = stored(tmp_path / "store", simulate=fragile, seeds=(toys.FRAGILE,))
    with pytest.raises(ChartError, match=r"no run of baseline-.* has ended well"):
        write(batch, tmp_path / "report.html")


def test_many_worlds_are_counted_and_few_of_them_shown(tmp_path, blank):
    points = [{"alpha_mean": 1.6 + 0.05 * place} for place in range(12)]
    batch = stored(tmp_path, points=points, keep="headline")
    parts = {section.name: section.content for section in sections(batch)}
    assert [cell.text for cell in parts["overview"][1].iterfind(".//tbody/tr/th")] == batch.labels
    compared = " ".join(text for part in parts["compared"] for text in part.itertext())
    assert f"{len(points) - SHOWN} more worlds are not shown here" in compared
    said = "".join(parts["claims"][0].itertext())
    assert f"the first {SHOWN} of {len(points)} worlds. Left out: {', '.join(batch.labels[SHOWN:])};" in said
    labels = [drawn.get("aria-label", "") for part in parts["courses"] for drawn in part.iter("svg")]
    assert len([label for label in labels if "is the median" in label]) == SHOWN


def test_without_matplotlib_it_says_what_to_install(tmp_path, monkeypatch):
    batch = stored(tmp_path / "store")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ChartError, match="install Undercut with its extra `ui`"):
        write(batch, tmp_path / "report.html")


def test_a_file_that_cannot_be_written_is_a_sentence(tmp_path):
    with pytest.raises(ChartError, match="cannot write"):
        write(stored(tmp_path / "store"), tmp_path / "no" / "report.html")


def test_a_browser_opens_it_without_a_complaint_or_a_request(written, tmp_path, window):
    file = tmp_path / "report.html"
    file.write_text(written, encoding="utf-8")
    said, asked = [], []
    page = window.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    wide = page.evaluate("document.documentElement.scrollWidth")
    drawn = page.evaluate("[...document.querySelectorAll('svg')].map(s => s.getBoundingClientRect().width)")
    paper = page.pdf(prefer_css_page_size=True)
    page.close()
    assert said == []
    assert asked == [file.as_uri()]
    assert wide == 1280
    assert len(drawn) >= 5
    assert min(drawn) > 600
    assert paper.startswith(b"%PDF")


# ------------------------------------------------------------------------------------------ the drawings


def graph_of(quarter):
    frames = trading(replace(load("baseline"), last="2023Q4"), 1)
    return network.graph(frames["edges"], frames["firms"], quarter)


def test_the_graph_puts_firms_in_tiers_and_sums_the_segments_of_a_region():
    shown = graph_of("2023Q4")
    assert {name: tier for name, (tier, _) in shown.places.items()} == {
        "NVIDIA": 0,
        "Huawei Ascend": 0,
        "Alibaba": 1,
        "DeepSeek": 2,
        "China": 3,
    }
    assert shown.money["DeepSeek", "China", "tokens"] == 4e6
    assert shown.stakes == {("Alibaba", "DeepSeek", "equity"): 0.15}
    assert network.totals(shown)["chips"] == 5e8


def test_a_line_grows_with_the_money():
    drawn = network.figure(graph_of("2023Q4"), "title")
    widths = sorted(patch.get_linewidth() for patch in drawn.axes[0].patches)
    assert widths[-1] == pytest.approx(network.WIDEST_POINTS)
    assert widths[-2] == pytest.approx(network.WIDEST_POINTS / 2.0)


def test_a_quarter_that_is_not_on_record_is_refused():
    with pytest.raises(ChartError, match="it has 2023Q1 to 2023Q4"):
        graph_of("2030Q1")


def test_worlds_lie_over_one_another_in_every_panel():
    frames = {
        str(a): toys.plain(replace(load("baseline"), last="2023Q4"), a)["quarters"].assign(seed=1)
        for a in (1, 2)
    }
    drawn = overlay.figure(frames)
    for panel, (column, _, unit) in zip(drawn.axes, overlay.PANELS, strict=True):
        for line, frame in zip(panel.get_lines(), frames.values(), strict=True):
            np.testing.assert_allclose(np.asarray(line.get_ydata(), float), frame[column] / unit)
    looks = {(line.get_color(), line.get_linestyle()) for line in drawn.axes[0].get_lines()}
    assert len(looks) == 2
    with pytest.raises(ValueError, match="cannot be told apart"):
        overlay.figure(dict.fromkeys(map(str, range(7)), frames["1"]))


@pytest.mark.parametrize(
    ("points", "axes"),
    [
        ([{"a": 1.0, "b": 2.0}, {"a": 1.0, "b": 3.0}], {"a": [1.0], "b": [2.0, 3.0]}),
        ([{"a": 1.0, "b": 2.0}, {"a": 2.0, "b": 3.0}], {}),
        ([{}, {}], {}),
    ],
)
def test_a_grid_is_known_from_its_points(points, axes):
    assert grid([{"varied": point} for point in points]) == axes


@pytest.mark.parametrize(
    ("value", "unit", "read"),
    [
        (1.04e9, "USD a year", (1e9, "bn USD a year")),
        (5e6, "USD", (1e6, "million USD")),
        (3.0, "USD/Mtok", (1.0, "USD/Mtok")),
    ],
)
def test_money_is_read_in_billions(value, unit, read):
    assert scale(value, unit) == read
