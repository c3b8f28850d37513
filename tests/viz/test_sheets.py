"""Tables for the browser: no nan, searchable, filtered."""

import json
import math

import pandas as pd

from evidence.judge import judge
from viz.stored import dossier, table
from viz.stored.sheet import Column, Filter, cell, row, sheet


def test_a_row_is_searched_by_everything_in_it():
    made = row("id-1", ["Text", cell("Figure", "Small")], "More", reading="headline")
    assert all(word in made["search"] for word in ("id-1", "text", "figure", "small", "more"))
    assert made["keys"] == {"reading": "headline"}


def test_what_is_no_number_sorts_by_nothing():
    assert [cell("–", by=value)["by"] for value in (math.nan, math.inf, None, 2.0)] == [None, None, None, 2.0]


def test_a_sheet_is_plain_json():
    made = sheet(
        [Column("A", True)], [row("x", [cell("1", by=math.nan)])], [Filter("k", "K", {"a": "b"}, "a")]
    )
    back = json.loads(json.dumps(made, allow_nan=False))
    assert back["columns"] == [{"title": "A", "numeric": True}]
    assert back["filters"] == [{"key": "k", "title": "K", "options": [["a", "b"]], "chosen": "a"}]


def test_the_verdict_table_takes_claims_that_are_undefined_or_untested():
    values = {"p1-nvidia-2027": [0.4, 0.6, math.nan], "p2-asia": [math.nan, math.nan]}
    made = table.verdicts(judge(values))
    json.dumps(made, allow_nan=False)
    rows = {each["name"]: each for each in made["rows"]}
    assert rows["p1-nvidia-2027"]["cells"][3]["text"] == "0.33"
    assert rows["p2-asia"]["cells"][4]["text"].endswith("undefined")
    assert rows["p2-asia"]["keys"]["standing"] == "untested"
    assert rows["p1-nvidia-2027"]["keys"]["reading"] == "headline"
    assert {each["key"] for each in made["filters"]} == {"reading", "article", "kind", "standing"}


def test_no_failures_are_an_empty_table():
    assert table.failures(pd.DataFrame())["rows"] == []


def test_a_claim_has_its_definition_source_contradictions_readings_and_verdict():
    verdicts = {verdict.id: verdict for verdict in judge({"v2-ratio-blended": [0.06, 0.5]})}
    about = dossier.about(dossier.claim("v2-ratio-blended"), verdicts)
    json.dumps(about, allow_nan=False)
    assert about["definition"]
    assert "contradicts itself" in about["contradictions"]
    assert about["source"].startswith("first article")
    assert {each["id"] for each in about["readings"]} >= {"v2-ratio-blended", "v2-ratio-input"}
    assert about["verdict"]["facts"][0][1].startswith("0.50")
    assert dossier.about(dossier.claim("v2-ratio-blended"), {})["verdict"] is None


def test_every_claim_and_every_table_of_evidence_is_there():
    from evidence.claims import claims, unjudged

    assert [each["name"] for each in dossier.claim_list({})["rows"]] == [claim.id for claim in claims()]
    assert len(dossier.beyond()["rows"]) == len(unjudged())
    found = dossier.evidence()
    json.dumps(found, allow_nan=False)
    assert {each["name"] for each in found} >= {"prices", "observations", "chips"}
    assert all(len(row) == len(each["columns"]) for each in found for row in each["rows"])
