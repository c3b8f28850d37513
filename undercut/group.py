"""Groups of commands that load a command's module when it is asked for, so that help and short commands start fast."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_command

if TYPE_CHECKING:
    from typer._click import Command, Context, HelpFormatter


class Place(NamedTuple):
    """Where a command is: a function, or a Typer of further ones; and what the list of commands says of it."""

    module: str
    name: str
    short: str


class _Commands(MutableMapping[str, "Command"]):
    """Commands by name, each loaded when it is first looked at."""

    def __init__(self, places: Mapping[str, Place]) -> None:
        self._places = places
        self._loaded: dict[str, Command] = {}

    def __getitem__(self, name: str) -> Command:
        if name not in self._loaded:
            self._loaded[name] = _load(name, self._places[name])
        return self._loaded[name]

    def __setitem__(self, name: str, command: Command) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._loaded or name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter({**self._places, **self._loaded})

    def __len__(self) -> int:
        return len({**self._places, **self._loaded})


def _load(name: str, place: Place) -> Command:
    found = getattr(import_module(place.module), place.name)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
        alone.command(name, short_help=place.short)(found)
        return get_command(alone)
    command = get_command(found)
    command.name = name
    return command


class Group(TyperGroup):
    """A group of commands; ``places`` are those that it loads itself."""

    places: Mapping[str, Place] = {}

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        if self.places:
            own, self.commands = self.commands, _Commands(self.places)
            self.commands.update(own)

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        """List the commands without loading them."""
        if not self.places:
            return super().format_commands(ctx, formatter)
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.short) for name, place in self.places.items()])
        return None

    def get_help_option(self, ctx: Context) -> Any:
        """Help that is not asked for is False: Typer would load Pydantic to make None a boolean."""
        option = super().get_help_option(ctx)
        if option is not None and option.default is None:
            option.default = False
        return option
