"""`undercut scenario`: write, check, show and compare scenario files. Imports nothing heavy before it needs it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from undercut.group import Group
from undercut.terminal import print_json, say
from undercut.text import Field, console, number, print_table

if TYPE_CHECKING:
    from scenarios.difference import Difference
    from scenarios.scenario import Scenario

WRONG_USE = 2

app = typer.Typer(
    cls=Group,
    rich_markup_mode=None,
    add_completion=False,
    invoke_without_command=True,
    help="Write, check, show and compare scenario files.",
    epilog="Start with: undercut scenario new my-world    then: undercut scenario check my-world.toml",
)

ScenarioArgument = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="Name of a scenario of the library, or a TOML file.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

PARAMETERS = (
    Field("parameter", "parameter", 4),
    Field("value", "value", number=True),
    Field("default", "default", number=True),
    Field("unit", "unit"),
    Field("description", "what it is", 5, wide=True, brief=True),
)
SHOCKS = (Field("quarter", "quarter"), Field("kind", "shock"), Field("arguments", "with", 1))
LIBRARY = (Field("name", "scenario"), Field("title", "title", 1), Field("extends", "extends", wide=True))


@app.callback()
def root(context: typer.Context) -> None:
    """Write, check, show and compare scenario files."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command("list", short_help="List the library with titles.")
def list_them(as_json: JsonOption = False) -> None:
    """List the scenarios that come with Undercut.

    \b
    Examples:
      undercut scenario list
      undercut scenario list --json
    """
    from scenarios.scenario import library

    if as_json:
        print_json([scenario.model_dump() for scenario in library()])
    else:
        print_table((scenario.model_dump() for scenario in library()), LIBRARY)


@app.command(short_help="Start a scenario file.")
def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Its name: letters, digits, hyphens, underscores.")
    ],
    extends: Annotated[
        str,
        typer.Option(
            "--extends", metavar="SCENARIO", help="Of the library, or a .toml file in the same folder."
        ),
    ] = "baseline",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="By default NAME.toml in this folder.")
    ] = None,
) -> None:
    """Write a new scenario file with a comment on every key. It never overwrites a file.

    \b
    Examples:
      undercut scenario new my-world
      undercut scenario new my-world --extends consortium --out worlds/my-world.toml
    """
    from scenarios.starter import write

    path = write(name, extends, out)
    say(f"wrote {path}; next: undercut scenario check {path}")


@app.command(short_help="Check scenario files.")
def check(
    scenarios: Annotated[
        list[str], typer.Argument(metavar="SCENARIO...", help="TOML files, or names of the library.")
    ],
) -> None:
    """Check scenario files: print ok, or every fault with its line, and end with status 2 if there is any.

    \b
    Examples:
      undercut scenario check my-world.toml
      undercut scenario check worlds/*.toml
    """
    from scenarios.scenario import ScenarioError, resolve

    faulty = False
    for scenario in scenarios:
        try:
            resolve(scenario)
        except ScenarioError as error:
            faulty = True
            print(f"{scenario}: {_count(len(error.args), 'fault')}")
            for fault in error.args:
                print(f"  {fault}")
        else:
            print(f"{scenario}: ok")
    if faulty:
        raise typer.Exit(WRONG_USE)


@app.command(short_help="Show a scenario, resolved.")
def show(
    scenario: ScenarioArgument,
    as_json: JsonOption = False,
    as_toml: Annotated[
        bool, typer.Option("--toml", help="Print a file that says it all and extends nothing.")
    ] = False,
) -> None:
    """Show a scenario as a run takes it, with all that it inherits.

    \b
    Examples:
      undercut scenario show consortium
      undercut scenario show my-world.toml --json
      undercut scenario show my-world.toml --toml > alone.toml
    """
    from scenarios.scenario import resolve
    from scenarios.toml import to_toml

    if as_json and as_toml:
        raise typer.BadParameter("write --json or --toml, not both")
    resolved = resolve(scenario)
    if as_json:
        print_json({**resolved.model_dump(), "parameters": _parameters(resolved)})
    elif as_toml:
        print(to_toml(resolved), end="")
    else:
        _print_scenario(resolved)


@app.command(short_help="Say how two scenarios differ.")
def diff(
    first: Annotated[str, typer.Argument(metavar="A", help="Name of a scenario, or a TOML file.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Another.")],
    as_json: JsonOption = False,
) -> None:
    """Say how two scenarios differ once they are resolved: parameters, shocks, calendar, seeds.

    \b
    Examples:
      undercut scenario diff baseline consortium
      undercut scenario diff consortium my-world.toml --json
    """
    from scenarios.difference import difference
    from scenarios.scenario import resolve

    found = difference(resolve(first), resolve(second))
    if as_json:
        print_json(dataclasses.asdict(found))
    elif found:
        files = Path(first).name, Path(second).name
        _print_difference(*(files if files[0] != files[1] else (first, second)), found)
    else:
        print(f"{first} and {second} are the same world")


@app.command(short_help="Print the JSON Schema of scenario files.")
def schema() -> None:
    """Print the JSON Schema (draft 2020-12) of scenario files, by which editors complete and check them.

    \b
    Example:
      undercut scenario schema > scenario.schema.json
    """
    from scenarios.schema import text

    print(text(), end="")


def _print_scenario(scenario: Scenario) -> None:
    from scenarios.fault import printable

    out = console()
    out.print(printable(f"{scenario.name}: {scenario.title}"), style="bold")
    if scenario.extends:
        out.print(f"extends {' -> '.join(scenario.extends)}")
    if scenario.notes:
        out.print(f"\n{printable(' '.join(scenario.notes.split()))}")
    horizon = scenario.horizon
    out.print(
        f"\nhorizon  {horizon['first']} to {horizon['last']}, recorded from {horizon['record_from']}\n"
        f"seeds    {scenario.seeds or 'as the command says'}\n"
    )
    rows = _parameters(scenario)
    if rows:
        print_table(map(_numbers, rows), PARAMETERS, "Parameters that differ from their defaults")
    else:
        out.print("Every parameter has its default.")
    if scenario.shocks:
        print_table(map(_shock, scenario.shocks), SHOCKS, "Shocks")
    else:
        out.print("There is no shock.")


def _print_difference(first: str, second: str, found: Difference) -> None:
    fields = (Field("first", first, number=True), Field("second", second, number=True))
    if found.parameters:
        columns = (
            Field("parameter", "parameter", 1),
            *fields,
            Field("default", "default", number=True),
            Field("unit", "unit"),
        )
        print_table(map(_numbers, found.parameters), columns, "Parameters")
    if found.calendar:
        rows = ({**row, **{k: row[k] or "not given" for k in ("first", "second")}} for row in found.calendar)
        print_table(rows, (Field("key", "key"), *fields), "Calendar and seeds")
    for name, shocks in ((first, found.only_first), (second, found.only_second)):
        if shocks:
            print_table(map(_shock, shocks), SHOCKS, f"Shocks in {name} only")


def _parameters(scenario: Scenario) -> list[dict[str, Any]]:
    """The parameters that a scenario changes, with what the table knows of them."""
    from model.parameters import table

    known = table()
    return [
        {
            "parameter": name,
            "value": value,
            "default": known[name].default,
            "unit": known[name].unit,
            "description": known[name].description,
        }
        for name, value in scenario.parameters.items()
    ]


def _numbers(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its numbers as people write them, but for those that would then look alike."""
    amounts = {key: value for key, value in row.items() if isinstance(value, float)}
    texts = {key: number(value) for key, value in amounts.items()}
    if len(set(texts.values())) < len(set(amounts.values())):
        texts = {key: f"{value:,.15g}" for key, value in amounts.items()}
    return {**row, **texts}


def _shock(keys: dict[str, Any]) -> dict[str, str]:
    arguments = {key: value for key, value in keys.items() if key not in ("kind", "quarter")}
    return {
        "quarter": keys["quarter"],
        "kind": keys["kind"],
        "arguments": ", ".join(f"{key} = {_text(value)}" for key, value in arguments.items()),
    }


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return " + ".join(map(_text, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _count(amount: int, what: str) -> str:
    return f"{amount} {what}{'' if amount == 1 else 's'}"
