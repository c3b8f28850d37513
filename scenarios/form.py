"""What one scenario file may hold, in pydantic, and how a file is held against it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import ErrorDetails

from model.parameters import table
from model.quotation import brief, quoted
from scenarios.document import Document
from scenarios.fault import Fault, unknown_key
from scenarios.lines import Keys

EXPECTED = {
    "string_type": "text in quotes",
    "string_too_short": "some text",
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "tuple_type": 'a list in brackets, as ["a", "b"]',
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "dataclass_type": "a table",
}
"""What a value should have been, by pydantic's name of the fault."""

PLURAL = {"shocks": "a table [[shocks]] for each shock", "drop": "a table [[drop]] for each shock to drop"}


class HorizonKeys(BaseModel):
    """The calendar of a run, in quarters."""

    model_config = ConfigDict(extra="forbid", strict=True)

    first: Annotated[str | SkipJsonSchema[None], Field(description="The first quarter of the burn-in.")] = (
        None
    )
    record_from: Annotated[str | SkipJsonSchema[None], Field(description="The first recorded quarter.")] = (
        None
    )
    last: Annotated[str | SkipJsonSchema[None], Field(description="The last quarter.")] = None


class ScenarioFile(BaseModel):
    """A scenario of Undercut: a world that differs from the baseline in parameters and dated shocks."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: Annotated[
        str | SkipJsonSchema[None],
        Field(min_length=1, description="What happens, in a line. Inherited when the file extends another."),
    ] = None
    notes: Annotated[
        str | SkipJsonSchema[None],
        Field(description="A paragraph: what the scenario asks, and what to look at."),
    ] = None
    extends: Annotated[
        str | SkipJsonSchema[None],
        Field(
            description="A scenario of the library, by name, or a .toml file in the same folder, to start from."
        ),
    ] = None
    seeds: Annotated[
        Annotated[int, Field(ge=1)] | str | SkipJsonSchema[None],
        Field(description="Seeds to run by default: how many, as 32, or which, as '1,2,5-8'."),
    ] = None
    horizon: Annotated[HorizonKeys, Field(default_factory=HorizonKeys)]
    parameters: Annotated[
        dict[str, bool | float | str],
        Field(
            default_factory=dict, description="Values of parameters by name; the others keep their defaults."
        ),
    ]
    drop: Annotated[
        list[dict[str, Any]],
        Field(
            default_factory=list, description="Inherited shocks to leave out: all that have the keys given."
        ),
    ]
    shocks: Annotated[
        list[dict[str, Any]],
        Field(default_factory=list, description="Dated changes, added to the inherited ones."),
    ]


def shape(document: Document) -> tuple[ScenarioFile, list[Fault]]:
    """The file as its form, with what does not fit left out, and the faults of that."""
    faults: list[Fault] = []
    content = copy.deepcopy(dict(document.content))
    while True:
        try:
            return ScenarioFile.model_validate(content), faults
        except ValidationError as error:
            found = error.errors(include_url=False)
        # A union reports each of its members: the first speaks for the value.
        ways = {way_to(document, fault["loc"]): fault for fault in reversed(found)}
        for way, fault in reversed(ways.items()):
            faults.append(document.fault(way, _unfit(way, fault, content)))
            _remove(content, way)


def way_to(document: Document, location: tuple[int | str, ...]) -> Keys:
    """The way to a value of the file from pydantic's, which ends in the names of types."""
    way: Keys = tuple(location)
    while way and way not in document.lines:
        way = way[:-1]
    return way


def _remove(content: dict[str, Any], way: Keys) -> None:
    """Take a key out; of a list, all of it, since the others would move. It may be out already, with what held it."""
    end = next((i for i, key in enumerate(way) if isinstance(key, int)), len(way))
    place: Any = content
    for key in way[: end - 1]:
        place = place.get(str(key)) if isinstance(place, dict) else None
    if isinstance(place, dict):
        place.pop(str(way[end - 1]), None)


def _unfit(way: Keys, fault: ErrorDetails, content: Mapping[str, Any]) -> str:
    """What to say of a value that the form does not take."""
    key = ".".join(str(part) for part in way)
    if fault["type"] == "extra_forbidden":
        allowed = HorizonKeys.model_fields if len(way) > 1 else ScenarioFile.model_fields
        moved = " (parameters stand under [parameters])" if len(way) == 1 and key in table() else ""
        return unknown_key(key, allowed) + moved
    if way[0] == "parameters" and len(way) > 1 and isinstance(fault["input"], dict):
        name = next(_dotted(str(way[1]), content["parameters"][way[1]]))
        return (
            f'[parameters]: {brief(key)} is a table; write the whole name in quotes, as "{brief(name)}" = ...'
        )
    return f"{brief(key)} = {quoted(fault['input'])}: expected {PLURAL.get(key) or expected(way, fault)}"


def _dotted(name: str, value: object) -> Iterator[str]:
    """The dotted names of the values in nested tables."""
    if not isinstance(value, dict) or not value:
        yield name
        return
    for key, inner in value.items():
        yield from _dotted(f"{name}.{key}", inner)


def expected(way: Keys, fault: ErrorDetails) -> str:
    """What a value should have been, in words."""
    if way == ("seeds",):
        return 'how many seeds, as 32, or which, as "1,2,5-8"'
    if way[0] == "parameters" and len(way) > 1:
        return "a number"
    if fault["type"] == "literal_error":
        return str(fault["ctx"]["expected"])
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])
    message = fault["msg"]
    return EXPECTED.get(fault["type"]) or f"{message[0].lower()}{message[1:]}"
