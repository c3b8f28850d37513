"""The command line. Nothing heavy is imported before a command that needs it runs."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from typer.main import get_command

from undercut.group import Group, Place
from undercut.options import JsonOption
from undercut.terminal import print_anything, print_json, say

PLACE = "undercut"
WRONG_USE = 2
INTERRUPTED = 130
READER_GONE = 141
"""As of a program that SIGPIPE ended."""

COMMANDS = {
    "show": Place("undercut.cli", "show", "Show parameters, claims, metrics, ..."),
    "run": Place("undercut.runs", "run", "Run scenarios and judge every claim."),
    "claims": Place("undercut.store", "claims", "Print a batch's verdicts again."),
    "compare": Place("undercut.compare", "compare", "Put scenarios side by side."),
    "report": Place("undercut.report", "report", "Write an HTML report on a batch."),
    "plot": Place("undercut.store", "plot", "Draw a stored world."),
    "ablate": Place("undercut.runs", "ablate", "Turn each cause off and compare."),
    "tco": Place("undercut.figures", "tco", "Compare owning, hosting and buying."),
    "racks": Place("undercut.figures", "racks", "Show a training and an inference rack."),
    "workloads": Place("undercut.figures", "workloads", "Show Chinese clouds' revenue by workload."),
    "tables": Place("undercut.figures", "tables", "Show the articles' tables beside a run."),
    "ls": Place("undercut.store", "list_batches", "List the batches of a store."),
    "export": Place("undercut.store", "export", "Write a batch's tables as CSV or Parquet."),
    "rm": Place("undercut.store", "remove", "Remove batches from a store."),
    "repair": Place("undercut.store", "repair", "Find and drop damaged files of a store."),
    "replay": Place("undercut.runs", "replay", "Make one run again, alone."),
    "ui": Place("undercut.ui", "ui", "Watch the market in a browser."),
    "doctor": Place("undercut.doctor", "doctor", "Say what is wrong with an installation."),
    "scenario": Place("undercut.scenario", "app", "Write, check and compare scenario files."),
    "study": Place("undercut.study.app", "app", "Study which assumptions carry the result."),
}
"""The commands in the order of the help."""


class Commands(Group):
    """The commands of ``undercut``."""

    places = COMMANDS


app = typer.Typer(
    name="undercut",
    cls=Commands,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Simulate the market for LLM inference, 2023 to 2028, and judge two forecasts of it.",
    epilog="Start with: undercut run baseline --seeds 8    then: undercut show claims",
)


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
        print_json(rows)
    elif left_out := present(kind, rows, words or source):
        say(left_out)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit status.

    That is 0, 1 when a run failed, 2 for a wrong use, 130 for Ctrl-C, and 141 when whoever reads has left.
    """
    print_anything()
    try:
        status = get_command(app).main(arguments, prog_name="undercut", standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        said, context = error.format_message().removesuffix("."), getattr(error, "ctx", None)
        if context is not None and not said.endswith("?"):
            said += f"; see `{context.command_path} --help`"
        say(f"{PLACE}: {said}")
        return WRONG_USE
    except BrokenPipeError:
        # The reader has gone, as `head` does; what is still in the buffer must not raise on exit.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())
        return READER_GONE
    except ModuleNotFoundError as error:
        from undercut.health import FOLDERS

        if (error.name or "").partition(".")[0] in FOLDERS:
            raise
        say(f"{PLACE}: {error.name} is not installed; `undercut doctor` says what is wrong")
        return WRONG_USE
    except ValueError as error:
        if not _is_users(error):
            raise
        from scenarios.fault import printable

        say(f"{PLACE}: {printable(str(error))}")  # one line, also where it quotes several
        return WRONG_USE
    except BaseException as error:
        if not _is_interruption(error):
            raise
        say(f"{PLACE}: {error}")
        return INTERRUPTED
    if status == INTERRUPTED:
        say(f"{PLACE}: interrupted")
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
    from undercut.show import NothingFound

    kinds = (DesignError, ParameterError, PlanError, ScenarioError, SeedsError, StoreError, NothingFound)
    if isinstance(error, kinds):
        return True
    from viz.fan import ChartError

    return isinstance(error, ChartError)
