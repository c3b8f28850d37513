"""The command line. Nothing heavy is imported before a command that needs it runs."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.main import get_command

from undercut import figures
from undercut.compare import compare
from undercut.report import report
from undercut.scenario import app as scenario_commands
from undercut.show import NothingFound

if TYPE_CHECKING:
    from scenarios.batch import Batch
    from scenarios.progress import Progress
    from scenarios.runner import Failure

PLACE = "undercut"
WRONG_USE = 2
INTERRUPTED = 130

app = typer.Typer(
    name="undercut",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Simulate the market for LLM inference, 2023 to 2028, and judge two forecasts of it.",
    epilog="Start with: undercut run baseline --seeds 8    then: undercut show claims",
)

ScenarioArgument = Annotated[
    str,
    typer.Argument(metavar="SCENARIO", help="Name of a scenario (undercut show scenarios), or a TOML file."),
]
SeedsOption = Annotated[
    str,
    typer.Option("--seeds", metavar="N|LIST", help="How many, as 32, or which, as 1,2,5-8 (7-7 is seed 7)."),
]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", min=1, metavar="N", help="Processes; by default one a processor.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Give a parameter another value; may be repeated."),
]
WithoutOption = Annotated[
    list[str] | None,
    typer.Option("--without", metavar="CAUSE", help="Turn a cause off, as export-rules; may be repeated."),
]
EnterprisesOption = Annotated[
    int | None, typer.Option("--enterprises", min=1, metavar="N", help="How many enterprises to simulate.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print a JSON list of objects.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
EveryOption = Annotated[bool, typer.Option("--all", help="Print every reading of every claim.")]
BatchArgument = Annotated[
    str,
    typer.Argument(
        metavar="[BATCH]",
        help="Name of a batch (undercut ls) or how it begins, or its folder; else the newest.",
    ),
]
StoreOption = Annotated[
    Path, typer.Option("--store", metavar="DIR", help="The store to look in; by default ./runs.")
]
OutOption = Annotated[
    Path,
    typer.Option(
        "--out", metavar="DIR", help="The store for the results, made if need be; by default ./runs."
    ),
]
KeepOption = Annotated[
    str,
    typer.Option(
        "--keep",
        metavar="WHAT",
        help="Runs whose full tables are stored: all, headline (none), or sample:N, the first N seeds of a world.",
    ),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="URL", help="Run on a Dask cluster, as tcp://host:8786."),
]
ScenarioOption = Annotated[
    str | None, typer.Option("--scenario", metavar="LABEL", help="Which world of the batch; else the first.")
]
RUNS = Path("runs")


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Simulate the market for LLM inference, 2023 to 2028, and judge two forecasts of it."""
    if version:
        from scenarios.version import release

        print(f"undercut {release()}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command(short_help="Run scenarios and judge every claim.")
def run(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SCENARIO]...", help="Names (undercut scenario list) or TOML files; else baseline."
        ),
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            "--seeds",
            metavar="N|LIST",
            help="How many, as 32, or which, as 1,2,5-8 (7-7 is seed 7); else what the scenario says, or 32.",
        ),
    ] = None,
    grids: Annotated[
        list[str] | None,
        typer.Option(
            "--grid", metavar="NAME=A,B,C", help="Every value of a parameter; several are combined."
        ),
    ] = None,
    sampled: Annotated[
        str | None,
        typer.Option(
            "--sample",
            metavar="METHOD:N[:SEED]",
            help="N worlds over the ranges: lhs:256, sobol:256, random:256.",
        ),
    ] = None,
    over: Annotated[
        str,
        typer.Option(
            "--over", metavar="NAMES", help="What --sample varies, by comma; else all with a range."
        ),
    ] = "",
    keep: KeepOption = "sample:1",
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    out: OutOption = RUNS,
    assignments: SetOption = None,
    without: WithoutOption = None,
    enterprises: EnterprisesOption = None,
    compared: Annotated[
        int | None,
        typer.Option(
            "--counterfactual-seeds",
            min=0,
            metavar="N",
            help="How many seeds to run without each cause too: 8 for one world, 0 for several.",
        ),
    ] = None,
    no_counterfactuals: Annotated[
        bool, typer.Option("--no-counterfactuals", help="Compare no seed: claims about causes stay untested.")
    ] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run scenarios over seeds into a store, and judge every claim.

    \b
    Examples:
      undercut run baseline --seeds 32
      undercut run baseline consortium --seeds 1-8,20 --workers 2
      undercut run baseline --set alpha_mean=2.5 --without export-rules --no-counterfactuals
      undercut run my-world.toml --seeds 4 --json
      undercut run baseline --grid sigma2=0.7,0.8,0.9 --grid alpha_mean=1.5,2 --seeds 4
      undercut run baseline --sample lhs:256 --over alpha_mean,sigma2 --seeds 2 --keep headline

    The same command makes only the runs that the store lacks: after Ctrl-C or a crash, write it again.

    A claim about a cause is judged by running the same seed without it, one more run for each cause;
    --counterfactual-seeds says for how many of the seeds, --no-counterfactuals for none.
    """
    _one_thread()
    from scenarios.design import DesignError, grid, sample
    from scenarios.seeds import parse
    from undercut import batch
    from undercut.verdicts import print_outcome, print_verdicts

    if grids and sampled:
        raise DesignError("--grid and --sample do not go together; make two batches")
    if over and not sampled:
        raise DesignError("--over says what --sample varies; add --sample lhs:256, or the like")
    design = grid(grids or ())
    if sampled:
        design = sample(sampled, [name.strip() for name in over.split(",") if name.strip()])
    names = scenarios or ["baseline"]
    plan = batch.plan(
        names,
        parse(seeds or batch.seeds_of(names)),
        overrides=batch.overrides(assignments or (), without or (), enterprises),
        design=design,
        numbered=bool(sampled),
        compared=0 if no_counterfactuals else compared,
        keep=keep,
    )
    began = time.monotonic()
    made, by_chance = batch.carry_out(
        plan, out, workers=workers, scheduler=scheduler, progress=_progress(quiet)
    )
    if as_json:
        _print_json([row for label in made.labels for row in _labelled(made, label)])
    elif len(made.labels) == 1:
        print_verdicts(made, made.labels[0])
    else:
        print_outcome(made)
    if not quiet:
        _say(f"{time.monotonic() - began:.0f} s, stored in {out} as {made.name}")
    _report_failures(made, by_chance)


@app.command(short_help="Print a batch's verdicts again.")
def claims(
    batch: BatchArgument = "",
    scenario: ScenarioOption = None,
    store: StoreOption = RUNS,
    every: EveryOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print the verdicts of a stored batch again.

    \b
    Examples:
      undercut claims                         the newest batch
      undercut claims baseline --all
      undercut claims baseline+1 --scenario consortium --json
    """
    from undercut.verdicts import print_verdicts

    opened = _open(batch, store)
    label = scenario or opened.labels[0]
    if as_json:
        _print_json(_labelled(opened, label))
    else:
        print_verdicts(opened, label, every)


@app.command(short_help="Make one run again, alone.")
def replay(
    batch: Annotated[str, typer.Argument(metavar="BATCH", help="Name of the batch, or its folder.")],
    label: Annotated[
        str, typer.Option("--scenario", metavar="LABEL", help="The world, as the batch calls it.")
    ],
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The seed.")],
    store: StoreOption = RUNS,
) -> None:
    """Make one run of a batch again in this process, and let it fail where it fails.

    \b
    Example:
      undercut replay baseline-1a2b3c4d --scenario "baseline / export_rules" --seed 7
    """
    _one_thread()
    from scenarios.runner import simulate
    from scenarios.version import results_hash

    opened = _open(batch, store)
    if not results_hash().startswith(opened.manifest["code"]):
        _say("the code or a library has changed since this batch; the run may differ")
    tables = simulate(opened.setting(label), seed)
    _say(f"{label}, seed {seed}: ended well, {len(tables['quarters'])} quarters")


@app.command("ls", short_help="List the batches of a store.")
def list_batches(store: StoreOption = RUNS, as_json: JsonOption = False) -> None:
    """List the batches of a store, with how far each has come.

    \b
    Example:
      undercut ls --store runs
    """
    from undercut.stored import batches, print_batches

    rows = batches(store)
    if as_json:
        _print_json(rows)
    else:
        print_batches(rows, store)


@app.command("rm", short_help="Remove batches from a store.")
def remove(
    names: Annotated[
        list[str], typer.Argument(metavar="BATCH...", help="Full names, as undercut ls shows them.")
    ],
    store: StoreOption = RUNS,
) -> None:
    """Remove batches, and the runs that no other batch asked for.

    \b
    Example:
      undercut rm baseline-1a2b3c4d
    """
    from undercut.stored import removed

    for line in removed(names, store):
        _say(line)


@app.command(short_help="Find and drop damaged files of a store.")
def repair(store: StoreOption = RUNS) -> None:
    """Check every file of a store against its checksum, and drop what is damaged, so that it is made again.

    \b
    Example:
      undercut repair --store runs
    """
    from scenarios.store import Store

    packs, runs = Store(store).repair()
    again = "; run their batches again to make the lost runs" if packs else ""
    _say(f"{packs} damaged files dropped, and {runs} runs that they were part of{again}")


@app.command(short_help="Write a batch's tables as CSV or Parquet.")
def export(
    batch: BatchArgument = "",
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="A new or empty folder; by default the batch's name.")
    ] = Path(),
    tables: Annotated[
        str, typer.Option("--tables", metavar="NAMES", help="By comma, as quarters,claims; else all of them.")
    ] = "",
    form: Annotated[str, typer.Option("--format", metavar="FORM", help="csv or parquet.")] = "csv",
    store: StoreOption = RUNS,
    quiet: QuietOption = False,
) -> None:
    """Write the tables of a batch into a folder, a file a table, and its verdicts as claims.

    \b
    Examples:
      undercut export baseline --out results
      undercut export baseline --tables quarters,claims --format parquet
    """
    from undercut.stored import write

    opened = _open(batch, store)
    folder = out if out != Path() else Path(opened.name)
    for file, rows in write(opened, folder, tables, form):
        if not quiet:
            _say(f"{file}: {rows} rows")


@app.command(short_help="Show parameters, claims, metrics, ...")
def show(
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="One of parameters, claims, metrics, scenarios, schema.")
    ],
    wanted: Annotated[
        list[str] | None, typer.Argument(metavar="[WORDS]", help="Show only what mentions all of these.")
    ] = None,
    source: Annotated[
        str, typer.Option("--source", metavar="TEXT", help="Only what rests on this source.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Show parameters, claims, metrics, scenarios or the schema of the tables.

    \b
    Examples:
      undercut show scenarios
      undercut show parameters elasticity
      undercut show parameters alpha_mean          one of them, with its source
      undercut show parameters --source Reuters    what rests on a source
      undercut show claims nvidia
      undercut show schema quarters --json
    """
    from undercut.show import kind_of, present, select

    kind, words = kind_of(what), " ".join(wanted or ())
    rows = select(kind, words, source)
    if as_json:
        _print_json(rows)
    elif left_out := present(kind, rows, words or source):
        _say(left_out)


@app.command(short_help="Turn each cause off and compare.")
def ablate(
    scenario: ScenarioArgument = "baseline",
    seeds: SeedsOption = "8",
    workers: WorkersOption = None,
    assignments: SetOption = None,
    enterprises: EnterprisesOption = None,
    out: OutOption = RUNS,
    every: Annotated[bool, typer.Option("--all", help="Print also the outcomes that do not move.")] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Turn each cause off over the same seeds, and say how far each claimed outcome moves.

    \b
    Example:
      undercut ablate baseline --seeds 16
    """
    _one_thread()
    from scenarios.scenario import load
    from scenarios.seeds import parse
    from studies.ablation import ablate as study
    from undercut import batch
    from undercut.verdicts import print_effects

    setting = load(scenario, batch.overrides(assignments or (), (), enterprises))
    result = study(setting, parse(seeds), out, workers, _progress(quiet))
    if as_json:
        _print_json(result.rows())
    else:
        print_effects(result, every)
    _report_failures(result.batch, result.by_chance)


@app.command(short_help="Draw a stored world.")
def plot(
    batch: BatchArgument = "",
    scenario: ScenarioOption = None,
    store: StoreOption = RUNS,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="PNG, SVG or PDF, by its ending.")
    ] = Path("undercut.png"),
) -> None:
    """Draw a stored world: prices by region, NVIDIA's share in China, shares and market size, as fans.

    \b
    Example:
      undercut plot baseline --out prices.svg
    """
    from viz.chart import draw

    opened = _open(batch, store)
    draw(opened, scenario or opened.labels[0], out)
    _say(f"drew {out}")


app.command(short_help="Put scenarios side by side.")(compare)
app.command(short_help="Write an HTML report on a batch.")(report)
app.add_typer(scenario_commands, name="scenario", short_help="Write, check and compare scenario files.")


app.command(short_help="Compare owning, hosting and buying.")(figures.tco)
app.command(short_help="Show a training and an inference rack.")(figures.racks)
app.command(short_help="Show Chinese clouds' revenue by workload.")(figures.workloads)
app.command(short_help="Show the articles' tables beside a run.")(figures.tables)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit status: 0, 1 when a run failed, 2 for a wrong use, 130 for Ctrl-C."""
    try:
        status = get_command(app).main(arguments, prog_name="undercut", standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        _say(f"{PLACE}: {error.format_message()}")
        return WRONG_USE
    except BrokenPipeError:
        # The reader has gone, as `head` does; what is still in the buffer must not raise on exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ValueError as error:
        if not _is_users(error):
            raise
        _say(f"{PLACE}: {error}")
        return WRONG_USE
    except BaseException as error:
        if not _is_interruption(error):
            raise
        _say(f"{PLACE}: {error}")
        return INTERRUPTED
    if status == INTERRUPTED:
        _say(f"{PLACE}: interrupted")
    return status if isinstance(status, int) else 0


def _is_interruption(error: BaseException) -> bool:
    """Whether Ctrl-C ended a batch whose results so far are stored."""
    batch = sys.modules.get("scenarios.batch")
    return batch is not None and isinstance(error, batch.Interrupted)


def _is_users(error: ValueError) -> bool:
    """Whether an error is about what the user wrote, so that a sentence is all that it needs."""
    from model.parameters import ParameterError
    from scenarios.design import DesignError
    from scenarios.folder import StoreError
    from scenarios.plan import PlanError
    from scenarios.scenario import ScenarioError
    from scenarios.seeds import SeedsError

    kinds = (DesignError, ParameterError, PlanError, ScenarioError, SeedsError, StoreError, NothingFound)
    if isinstance(error, kinds):
        return True
    from viz.fan import ChartError

    return isinstance(error, ChartError)


def _one_thread() -> None:
    """Run BLAS on one thread in this process too, before NumPy is loaded, as workers do: sums must agree."""
    from scenarios.workers import THREAD_VARIABLES

    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))


def _progress(quiet: bool) -> Progress:
    from scenarios.progress import shown_on

    return shown_on(sys.stderr, quiet)


def _open(batch: str, store: Path) -> Batch:
    from scenarios.batch import Batch

    return Batch.open(batch or store, store)


def _labelled(batch: Batch, label: str) -> list[dict[str, object]]:
    from undercut.batch import verdicts

    return [{"scenario": label, **row} for row in verdicts(batch, label)]


def _report_failures(batch: Batch, by_chance: Sequence[Failure]) -> None:
    """Say which runs failed, and end with status 1 if any did."""
    from undercut.stored import failures

    lines = failures(batch, by_chance)
    for line in lines:
        _say(line)
    if lines:
        raise typer.Exit(1)


def _print_json(rows: list[dict[str, object]]) -> None:
    from scenarios.folder import to_json

    print(to_json(rows))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
