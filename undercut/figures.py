"""The commands that show the articles' own figures from runs: `tco`, `racks`, `workloads` and `tables`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from model.quotation import quoted
from undercut import sheet
from undercut.terminal import say

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from evidence.figures.spread import Run

ScenarioArgument = Annotated[
    str,
    typer.Argument(metavar="SCENARIO", help="Name of a scenario (undercut show scenarios), or a TOML file."),
]
SeedsOption = Annotated[
    str, typer.Option("--seeds", metavar="N|LIST", help="How many, as 4, or which, as 1,2,5-8.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Give a parameter another value; may be repeated."),
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write the figure (.svg, .png, .pdf) or its numbers (.csv)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON: the rows of each table by its name.")]
RegionOption = Annotated[
    str, typer.Option("--region", help="china, asia-pacific, north-america or europe.", metavar="REGION")
]


StoreOption = Annotated[
    Path, typer.Option("--store", metavar="DIR", help="The store that runs are taken from or made in.")
]
RUNS = Path("runs")


def runs_of(scenario: str, seeds: str, assignments: Iterable[str], store: Path) -> list[Run]:
    """The parameters and tables of a scenario's runs, one a seed; those that the store lacks are made.

    Raises ScenarioError, ParameterError, SeedsError or StoreError for what cannot be read.
    """
    from model.parameters import parse_assignment
    from scenarios.progress import shown_on
    from undercut import batch

    changed = dict(map(parse_assignment, assignments))
    made = batch.run(
        scenario, seeds, overrides=changed, compared=0, keep="all", out=store, progress=shown_on(sys.stderr)
    )
    label = made.labels[0]
    parameters = made.setting(label).parameters
    return [(parameters, frames) for _, frames in made.frames(label)]


def tco(
    scenario: ScenarioArgument = "baseline",
    queries_per_day: Annotated[float, typer.Option(help="Queries a day, as 10e6.", metavar="N")] = 10e6,
    tokens_per_query: Annotated[
        float, typer.Option(help="Tokens of a query and its answer together.", metavar="N")
    ] = 800.0,
    region: RegionOption = "china",
    params_b: Annotated[
        float, typer.Option(help="Size of the open model, billion parameters.", metavar="B")
    ] = 70.0,
    active_b: Annotated[
        float | None,
        typer.Option(help="Parameters it uses a token, billions; all of them unless given.", metavar="B"),
    ] = None,
    years: Annotated[int, typer.Option(help="Years to add up.", metavar="N")] = 3,
    start: Annotated[
        str, typer.Option(help="First quarter of the first year.", metavar="QUARTER")
    ] = "2024Q2",
    input_per_output: Annotated[
        float | None,
        typer.Option(help="Input tokens for each output token; by default the parameter's.", metavar="N"),
    ] = None,
    api: Annotated[
        str, typer.Option(help="The proprietary product, as 'GPT-4 Turbo' or 'OpenAI flagship'.")
    ] = "OpenAI flagship",
    chip: Annotated[str, typer.Option(help="The chip to buy; by default the cheapest on sale.")] = "",
    prices: Annotated[
        str,
        typer.Option(help="Prices of API and host: 'followed' through the years, or 'held' at the first."),
    ] = "followed",
    seeds: SeedsOption = "4",
    assignments: SetOption = None,
    store: StoreOption = RUNS,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the cost of owning, hosting and buying a workload over years.

    \b
    Three ways to serve the same queries: a proprietary API, open weights hosted by clouds of the region, and
    open weights on one's own chips. Prices, chips and power are those of the run.
    \b
    Examples:
      undercut tco --queries-per-day 10e6 --tokens-per-query 800 --region china
      undercut tco --region north-america --chip H100 --out tco.svg
      undercut tco --params-b 236 --active-b 21 --prices held --json
    """
    from evidence.claims import claims
    from evidence.figures import tco as costs
    from evidence.figures.spread import over_runs

    workload = costs.Workload(
        queries_per_day=queries_per_day,
        tokens_per_query=tokens_per_query,
        region=_region(region),
        params_b=params_b,
        active_b=active_b,
        start=start,
        years=years,
        input_per_output=input_per_output,
        api=api,
        chip=chip,
        prices=prices,
    )
    runs = runs_of(scenario, seeds, assignments or (), store)
    frames = {
        "cost": over_runs(runs, lambda p, tables: costs.cost(p, tables, workload)),
        "plan": over_runs(runs, lambda p, tables: costs.plan(p, tables, workload), []),
        "savings": over_runs(runs, lambda p, tables: costs.savings(p, tables, workload)),
    }
    asked = f"{queries_per_day:,.0f} queries of {tokens_per_query:,.0f} tokens a day in {workload.region}"
    title = f"Cost of {asked}, from {start}, prices {prices}"
    if as_json:
        _print_json(frames)
    else:
        sheet.print_costs(frames, workload, f"{title} ({sheet.named(scenario, runs)})")

    def draw() -> Figure:
        from viz import figures

        band = next((c.claimed_low, c.claimed_high) for c in claims() if c.claim_group == costs.CLAIM_GROUP)
        return figures.tco(frames["cost"], title, band)

    _write(out, frames["cost"], draw)


def racks(
    scenario: ScenarioArgument = "baseline",
    region: RegionOption = "china",
    when: Annotated[
        str, typer.Option(help="A year or a quarter, as 2024 or 2024Q2.", metavar="WHEN")
    ] = "2024",
    seeds: SeedsOption = "4",
    assignments: SetOption = None,
    store: StoreOption = RUNS,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a training rack beside an inference rack as installed.

    \b
    Examples:
      undercut racks
      undercut racks --when 2024Q4 --region north-america --out racks.svg
    """
    from evidence.figures import rack
    from evidence.figures.spread import over_runs

    place = _region(region)
    runs = runs_of(scenario, seeds, assignments or (), store)
    frames = {
        "installed": over_runs(runs, lambda p, tables: rack.racks(p, tables, place, when), ["kind"]),
        "standing": over_runs(runs, lambda p, tables: rack.standing(p, tables, place, when)),
        "claims": over_runs(runs, rack.judged),
    }
    title = f"Racks installed in {place} in {when}"
    if as_json:
        _print_json(frames)
    else:
        sheet.print_racks(frames, rack.claimed(), f"{title} ({sheet.named(scenario, runs)})")

    def draw() -> Figure:
        from viz import figures

        return figures.racks(frames["installed"], rack.claimed(), f"{title}, scenario {scenario}")

    _write(out, frames["installed"], draw)


def workloads(
    scenario: ScenarioArgument = "baseline",
    seeds: SeedsOption = "4",
    assignments: SetOption = None,
    store: StoreOption = RUNS,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the Chinese clouds' AI revenue by workload, with growth.

    \b
    Example:
      undercut workloads --out workloads.svg
    """
    from evidence.figures import workload
    from evidence.figures.spread import over_runs

    runs = runs_of(scenario, seeds, assignments or (), store)
    frames = {
        "revenue": over_runs(runs, workload.workloads),
        "growth": over_runs(runs, workload.growth),
    }
    title = "AI revenue of Chinese clouds by workload"
    if as_json:
        _print_json(frames)
    else:
        sheet.print_workloads(frames, workload.claimed_shares(), f"{title} ({sheet.named(scenario, runs)})")

    def draw() -> Figure:
        from viz import figures

        return figures.workloads(
            frames["revenue"], workload.claimed_shares(), f"{title}, scenario {scenario}"
        )

    _write(out, frames["revenue"], draw)


def tables(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TABLES]", help="Of benchmarks, offers, growth, hardware; all by default."),
    ] = None,
    scenario: Annotated[str, typer.Option(help="Name of a scenario, or a TOML file.")] = "baseline",
    seeds: SeedsOption = "4",
    assignments: SetOption = None,
    store: StoreOption = RUNS,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the articles' tables with the model's figures beside.

    \b
    Examples:
      undercut tables growth
      undercut tables benchmarks offers --seeds 8 --out cells.csv
    """
    from evidence.figures import article
    from evidence.figures.spread import over_runs

    chosen = names or list(article.TITLES)
    if unknown := [name for name in chosen if name not in article.TITLES]:
        raise typer.BadParameter(
            f"no table is named {quoted(unknown[0])}: write some of {', '.join(article.TITLES)}"
        )
    runs = runs_of(scenario, seeds, assignments or (), store)
    cells = over_runs(runs, article.beside)
    cells = cells[cells["table"].isin(chosen)].reset_index(drop=True)
    if as_json:
        _print_json({name: cells[cells["table"] == name] for name in chosen})
    else:
        for name in chosen:
            heading = f"{article.TITLES[name]} ({sheet.named(scenario, runs)})"
            sheet.print_cells(cells[cells["table"] == name], heading)

    def draw() -> Figure:
        from viz import figures

        return figures.ratios(cells, article.TITLES, f"The articles' tables against scenario {scenario}")

    _write(out, cells, draw)


def _region(text: str) -> str:
    """The region that a word means, as `china` or `north-america`. Raises BadParameter for none."""
    from model.place import REGIONS

    plain = text.lower().replace("-", " ").strip()
    found = [name for name in REGIONS if plain and name.lower().replace("-", " ").startswith(plain)]
    if len(found) != 1:
        raise typer.BadParameter(
            f"no region is called {quoted(text)}: write china, asia-pacific, north-america or europe"
        )
    return found[0]


def _write(out: Path | None, frame: DataFrame, draw: Callable[[], Figure]) -> None:
    """Write the numbers into a `.csv`, or the drawing into anything else that Matplotlib knows."""
    if out is None:
        return
    if out.suffix.lower() == ".csv":
        try:
            frame.to_csv(out, index=False)
        except OSError as error:
            raise typer.BadParameter(
                f"cannot write {out}: {(error.strerror or str(error)).lower()}"
            ) from None
    else:
        from viz.figures import save

        save(draw(), out)
    say(f"wrote {out}")


def _print_json(frames: Mapping[str, DataFrame]) -> None:
    rows = {
        name: json.loads(frame.to_json(orient="records", double_precision=15))
        for name, frame in frames.items()
    }
    print(json.dumps(rows, indent=2, ensure_ascii=False))
