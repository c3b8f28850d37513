"""The published JSON Schema of scenario files, for editors and for other programs."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from pydantic import TypeAdapter

from model.parameters import SWITCH_WORDS, Parameter, table
from scenarios.form import ScenarioFile
from scenarios.shocks import KINDS

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FILE = "scenario.schema.json"
QUARTER = "^[0-9]{4}Q[1-4]$"
NO_PATH = r"^[^./\\:][^/\\:]*$"
DEFINITIONS = "#/$defs/{model}"
PLACEHOLDER = "<parameters>"


def schema() -> Schema:
    """The JSON Schema (draft 2020-12) of scenario files, from the form, the shocks and the parameter table.

    It knows the shape of a file, the kinds of shock with their keys, and the names and ranges of parameters.
    It cannot know what takes other files or firms to tell, such as shocks outside the run: for that,
    ``undercut scenario check``.
    """
    form = _plain(ScenarioFile.model_json_schema(ref_template=DEFINITIONS))
    definitions: Schema = form.pop("$defs")
    properties = form["properties"]
    for quarter in definitions["HorizonKeys"]["properties"].values():
        quarter["pattern"] = QUARTER
    properties["extends"]["pattern"] = NO_PATH
    properties["horizon"] = {"$ref": "#/$defs/horizon"}
    properties["parameters"] |= {
        "properties": {name: _parameter(parameter) for name, parameter in table().items()},
        "additionalProperties": False,
    }
    shocks = {f"shock.{kind}": _shock(kind) for kind in KINDS}
    properties["shocks"]["items"] = {
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in shocks],
        "discriminator": {
            "propertyName": "kind",
            "mapping": {kind: f"#/$defs/shock.{kind}" for kind in KINDS},
        },
    }
    properties["drop"]["items"] = {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": list(KINDS)}},
    }
    inner = {name: each for shock in shocks.values() for name, each in shock.pop("$defs", {}).items()}
    return {
        "$schema": DIALECT,
        "title": "Undercut scenario",
        **form,
        "anyOf": [{"required": ["title"]}, {"required": ["extends"]}],
        "dependentRequired": {"drop": ["extends"]},
        "$defs": {"horizon": definitions.pop("HorizonKeys"), **definitions, **shocks, **inner},
    }


def text() -> str:
    """The schema as the published file has it, a parameter a line."""
    whole = schema()
    parameters = whole["properties"]["parameters"]["properties"]
    whole["properties"]["parameters"]["properties"] = PLACEHOLDER
    lines = ",\n".join(f"        {_json(name)}: {_json(each)}" for name, each in parameters.items())
    frame = json.dumps(whole, indent=2, ensure_ascii=False)
    return frame.replace(_json(PLACEHOLDER), f"{{\n{lines}\n      }}") + "\n"


def published() -> str:
    """The file in the package. Raises FileNotFoundError where it was not packed."""
    return resources.files("scenarios").joinpath(FILE).read_text(encoding="utf-8")


def _json(thing: object) -> str:
    return json.dumps(thing, ensure_ascii=False)


def _parameter(parameter: Parameter) -> Schema:
    """What a parameter may be, with its unit."""
    unit = f" [{parameter.unit}]" if parameter.unit not in ("", "1") else ""
    about = {"description": f"{parameter.description}{unit}", "default": parameter.default}
    if parameter.distribution == "switch":
        return {"enum": [0, 1, False, True, *SWITCH_WORDS], **about}
    kind = "integer" if parameter.distribution == "integer" else "number"
    return {"type": kind, "minimum": parameter.low, "maximum": parameter.high, **about}


def _shock(kind: str) -> Schema:
    """The table of one kind of shock, from its dataclass and its docstring."""
    made = _plain(TypeAdapter(KINDS[kind]).json_schema(ref_template=DEFINITIONS))
    properties = made.pop("properties")
    properties["quarter"] |= {
        "pattern": QUARTER,
        "description": "The quarter in which it happens, as 2026Q2.",
    }
    made.pop("description", None)
    return {
        "description": inspect.getdoc(KINDS[kind]) or "",
        **made,
        "properties": {"kind": {"const": kind}, **properties},
        "required": ["kind", *made.get("required", [])],
        "additionalProperties": False,
    }


def _plain(node: Any) -> Any:
    """A schema without what TOML cannot say, which is null, and without the titles that pydantic makes up."""
    if isinstance(node, list):
        return [_plain(each) for each in node]
    if not isinstance(node, Mapping):
        return node
    made = {}
    for key, each in node.items():
        if (key == "default" and each is None) or (key == "title" and isinstance(each, str)):
            continue
        made[key] = _plain(each)
    choices = made.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        left = [choice for choice in choices if choice != {"type": "null"}]
        del made["anyOf"]
        made |= left[0] if len(left) == 1 else {"anyOf": left}
    return made
