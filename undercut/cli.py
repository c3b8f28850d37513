"""The command line. Nothing heavy is imported before a command that needs it runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.main import get_command

from scenarios.seeds import COMPARED
from undercut.show import NothingFound

if TYPE_CHECKING:
    from scenarios.progress import Progress

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
RunArgument = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a finished run.")]


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


@app.command(short_help="Run a scenario and judge every claim.")
def run(
    scenario: ScenarioArgument = "baseline",
    seeds: SeedsOption = "32",
    workers: WorkersOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="New folder for the results; by default under ./runs."),
    ] = None,
    assignments: SetOption = None,
    without: WithoutOption = None,
    enterprises: EnterprisesOption = None,
    compared: Annotated[
        int,
        typer.Option(
            "--counterfactual-seeds", min=0, metavar="N", help="How many seeds to run without each cause too."
        ),
    ] = COMPARED,
    no_counterfactuals: Annotated[
        bool, typer.Option("--no-counterfactuals", help="Compare no seed: claims about causes stay untested.")
    ] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run a scenario over seeds, store the tables, and judge every claim.

    \b
    Examples:
      undercut run baseline --seeds 32
      undercut run consortium --seeds 1-8,20 --workers 2 --out runs/backed
      undercut run baseline --set alpha_mean=2.5 --without export-rules --no-counterfactuals
      undercut run my-world.toml --seeds 4 --json

    A claim about a cause is judged by running the same seed without it, one more run for each cause;
    --counterfactual-seeds says for how many of the seeds, --no-counterfactuals for none.
    """
    _one_thread()
    from scenarios.seeds import parse
    from undercut import batch
    from undercut.verdicts import print_verdicts

    stored = batch.run(
        scenario,
        parse(seeds),
        workers=workers,
        out=out,
        overrides=batch.overrides(assignments or (), without or (), enterprises),
        compared=0 if no_counterfactuals else compared,
        progress=_progress(quiet),
    )
    failures = stored.failures()
    if as_json:
        _print_json(stored.claims())
    elif stored.seeds:
        print_verdicts(stored)
    if not quiet:
        duration = stored.manifest["duration_seconds"]
        done = f"{len(stored.seeds)} of {len(stored.manifest['seeds'])} seeds"
        _say(f"{done} in {duration:.0f} s, stored in {stored.path}")
    if failures:
        first = failures[0]
        _say(f"{len(failures)} runs failed ({stored.path / 'failures.json'}); the first: {first['reason']}")
        _say(f"replay it alone with: {first['replay']}")
        raise typer.Exit(1)


@app.command(short_help="Print a run's verdicts again.")
def claims(folder: RunArgument, every: EveryOption = False, as_json: JsonOption = False) -> None:
    """Print the verdicts of a stored run again.

    \b
    Examples:
      undercut claims runs/baseline-001
      undercut claims runs/baseline-001 --json
    """
    from scenarios.rundir import StoredRun
    from undercut.verdicts import print_verdicts

    stored = StoredRun.open(folder)
    if as_json:
        _print_json(stored.claims())
    else:
        print_verdicts(stored, every)


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
    result = study(setting, parse(seeds), workers, _progress(quiet))
    if as_json:
        _print_json(result.rows())
    else:
        print_effects(result, every)
    if result.failures:
        first = result.failures[0]
        world = f" without {first.world}" if first.world else ""
        _say(f"{len(result.failures)} runs failed; the first, seed {first.seed}{world}: {first.reason}")
        raise typer.Exit(1)


@app.command(short_help="Draw a run.")
def plot(
    folder: RunArgument,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="PNG, SVG or PDF, by its ending.")
    ] = Path("undercut.png"),
) -> None:
    """Draw a stored run: prices by region, NVIDIA's share in China, shares and market size, as fans.

    \b
    Example:
      undercut plot runs/baseline-001 --out prices.svg
    """
    from scenarios.rundir import StoredRun
    from viz.chart import draw

    draw(StoredRun.open(folder), out)
    _say(f"drew {out}")


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
    if status == INTERRUPTED:
        _say(f"{PLACE}: interrupted; nothing was stored")
    return status if isinstance(status, int) else 0


def _is_users(error: ValueError) -> bool:
    """Whether an error is about what the user wrote, so that a sentence is all that it needs."""
    from model.parameters import ParameterError
    from scenarios.rundir import RunFolderError
    from scenarios.scenario import ScenarioError
    from scenarios.seeds import SeedsError

    kinds = (ParameterError, RunFolderError, ScenarioError, SeedsError, NothingFound)
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


def _print_json(rows: list[dict[str, object]]) -> None:
    from scenarios.rundir import to_json

    print(to_json(rows))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
