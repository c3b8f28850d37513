"""The published schema is that of the code, takes every file that Undercut takes, and refuses what is misshapen."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from dataclasses import dataclass
from typing import Any

import pytest

from model.parameters import table
from scenarios import schema
from scenarios.document import library_files
from scenarios.scenario import library
from scenarios.shocks import KINDS
from scenarios.starter import text as starter
from scenarios.toml import to_toml

# It comes with the notebook tools of the lock; nothing but this test needs it.
jsonschema = pytest.importorskip("jsonschema")


def valid(text: str) -> bool:
    return bool(VALIDATOR.is_valid(tomllib.loads(text)))


VALIDATOR = jsonschema.Draft202012Validator(schema.schema())


def test_the_published_file_is_what_the_code_says() -> None:
    assert schema.published() == schema.text(), "out of date: run `make docs`"
    assert json.loads(schema.text()) == schema.schema()


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema.schema())
    assert schema.schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("file", library_files(), ids=lambda file: file.name)
def test_every_scenario_of_the_library_satisfies_it(file: Any) -> None:
    assert list(map(str, VALIDATOR.iter_errors(tomllib.loads(file.read_text(encoding="utf-8"))))) == []


@pytest.mark.parametrize("scenario", library(), ids=lambda scenario: scenario.name)
def test_every_scenario_written_out_satisfies_it(scenario: Any) -> None:
    assert list(map(str, VALIDATOR.iter_errors(tomllib.loads(to_toml(scenario))))) == []


def test_a_new_file_satisfies_it() -> None:
    assert valid(starter("mine", "mine.toml", "baseline"))


SET = 'title = "t"\n[[shocks]]\nkind = "set"\nquarter = "2026Q1"\nname = "sigma1"\nvalue = 0.2\n'


@pytest.mark.parametrize(
    "text",
    [
        "",
        'titel = "t"',
        "title = 3",
        'title = ""',
        'title = "t"\nextends = "../x.toml"',
        'title = "t"\nextends = "/x.toml"',
        'title = "t"\nseeds = 0',
        'title = "t"\nseeds = true',
        'title = "t"\n[horizon]\nlast = "2026-04"',
        'title = "t"\n[horizon]\nlst = "2026Q1"',
        'title = "t"\n[parameters]\nalpha_men = 2',
        'title = "t"\n[parameters]\nalpha_mean = 99',
        'title = "t"\n[parameters]\nalpha_mean = "2"',
        'title = "t"\n[parameters]\nenterprises = 56.5',
        'title = "t"\n[parameters]\nopen_weights = 2',
        'title = "t"\n[[drop]]\nkind = "set"',
        SET.replace('"set"', '"st"'),
        SET.replace("quarter =", "quater ="),
        SET.replace("value = 0.2", ""),
        SET.replace("0.2", '"0.2"'),
        SET.replace("2026Q1", "2026"),
        SET + "other = 1",
    ],
)
def test_a_misshapen_file_is_refused_by_the_schema_as_by_undercut(text: str, tmp_path: Any) -> None:
    from scenarios.scenario import ScenarioError, resolve

    assert valid(SET)
    assert not valid(text)
    (tmp_path / "world.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError):
        resolve(tmp_path / "world.toml")


def test_a_switch_may_be_a_word_a_number_or_a_truth() -> None:
    for word in ("true", "0", "1", '"off"'):
        assert valid(f'title = "t"\n[parameters]\nopen_weights = {word}')


def test_every_parameter_has_its_range_and_unit() -> None:
    parameters = schema.schema()["properties"]["parameters"]["properties"]
    assert parameters.keys() == table().keys()
    memory = parameters["chips.H100.memory_gb"]
    known = table()["chips.H100.memory_gb"]
    assert (memory["minimum"], memory["maximum"], memory["default"]) == (known.low, known.high, known.default)
    assert "[GB]" in memory["description"]


def test_every_kind_of_shock_has_its_keys_and_its_documentation(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Flood:
        """Water stops some fabs."""

        quarter: str
        fabs: tuple[str, ...]
        depth: float | None = None

    monkeypatch.setitem(KINDS, "flood", Flood)
    made = schema.schema()
    assert {"$ref": "#/$defs/shock.flood"} in made["properties"]["shocks"]["items"]["oneOf"]
    flood = made["$defs"]["shock.flood"]
    assert flood["description"] == "Water stops some fabs."
    assert flood["properties"]["kind"] == {"const": "flood"}
    assert flood["properties"]["depth"] == {"type": "number"}
    assert flood["required"] == ["kind", "quarter", "fabs"]
    for kind, shock in KINDS.items():
        keys = {field.name for field in dataclasses.fields(shock)}  # type: ignore[arg-type]
        assert made["$defs"][f"shock.{kind}"]["properties"].keys() == {"kind", *keys}
