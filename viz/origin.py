"""Where a batch comes from, as sections of a page: what was asked, what failed, the methods, and the manifest."""

from __future__ import annotations

import itertools
import json
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element

from evidence.judge import terms
from scenarios.plan import short
from scenarios.seeds import parse, words
from viz.number import number
from viz.page import Cell, Section, details, element, listing, paragraph, spans, table

if TYPE_CHECKING:
    from scenarios.batch import Batch

WORLDS_SHOWN, FAILURES_SHOWN = 12, 20
ASKED_WIDTHS = {"set": 0.25, "span": 0.1}
LETTERS = 400
"""How much of a failure's reason is shown."""

World = Mapping[str, Any]


def asked(batch: Batch) -> Section:
    """The scenarios with titles and notes, what was changed in them, the horizon and the seeds."""
    worlds = _worlds(batch)
    by_scenario: dict[str, list[World]] = {}
    for world in worlds:
        by_scenario.setdefault(world["scenario"], []).append(world)
    headings = {
        "scenario": "Scenario",
        "asks": "What it is",
        "set": "Set besides the defaults",
        "span": "Recorded",
    }
    manifest = batch.manifest["asked"]
    done, planned = len(batch.done()), len(batch.planned())
    several = f"{len(worlds)} worlds" if len(worlds) > 1 else "One world"
    state = (
        "" if done == planned else f" {done} of {planned} runs are stored by now; the rest is missing here."
    )
    counter = manifest["counterfactual_seeds"]
    causes = (
        f"The first {counter} seeds were also run without each cause that a claim names."
        if counter
        else "No world was run without its causes, so claims about causes are not judged."
    )
    content = [
        paragraph(
            f"{several}, each with the seeds {words(batch.seeds)} ({len(batch.seeds)}).{state} {causes}"
        ),
        table(headings, map(_scenario, by_scenario.values()), widths=ASKED_WIDTHS),
        *_points(worlds),
    ]
    return Section("asked", "What was asked", content, flows=True)


def failures(batch: Batch) -> Section:
    """The runs that failed, with their reasons."""
    found = batch.failures()
    if not len(found):
        content = [paragraph("Every run that was made came to its end.")]
        return Section("failures", "Runs that failed", content, flows=True)
    rows: list[dict[str, Cell]] = [
        {"world": str(world), "seed": str(seed), "reason": str(reason)[:LETTERS]}
        for world, seed, reason in zip(found["scenario"], found["seed"], found["reason"], strict=True)
    ]
    again = ["undercut", "replay", batch.name, "--scenario", str(found["scenario"].iloc[0])]
    again += ["--seed", str(found["seed"].iloc[0])]
    content = [
        paragraph(
            f"{len(found)} of {len(batch.planned())} runs failed; they are in no figure of this report."
        ),
        table({"world": "World", "seed": "Seed", "reason": "Why"}, rows[:FAILURES_SHOWN]),
        paragraph("The first of them again, alone: ", element("code", shlex.join(again))),
    ]
    if len(rows) > FAILURES_SHOWN:
        export = f"undercut export {batch.name} --tables failures"
        content.append(paragraph(f"{len(rows) - FAILURES_SHOWN} more: ", element("code", export)))
    return Section("failures", "Runs that failed", content, flows=True)


def methods() -> Section:
    """What the figures mean and what they do not say."""
    scale = "; ".join(
        f"{term.word} {100 * term.low:.0f} to {100 * term.high:.0f} %"
        for term in sorted(terms(), key=lambda term: (term.low, term.high))
    )
    points = [
        "The market is simulated quarter by quarter: firms decide on prices, chips, models and hosting, and "
        "enterprises on what to buy. The model with its equations: docs/odd.md.",
        "A probability is the share of a world's seeds in which a claim holds, with Wilson's interval. It is over "
        "the chance within the model (tastes, luck in research, the business cycle) under the parameters as they "
        "stand. It says nothing on doubts about the parameters, nor on what the model leaves out.",
        f"Words are the IPCC's ({scale}). A word is given where the whole interval of the probability warrants "
        "it; with few seeds most claims stay undetermined, and the word in brackets is where the point lies.",
        "A seed in which a claim's metric is undefined counts as one in which the claim does not hold.",
        "The same seed gives the same luck in every world, so that worlds are compared pair by pair.",
        "The model is calibrated by hand to observations up to the end of 2024, and to nothing later; no claim is "
        "an input. It misses some observations by more than a factor of two: docs/calibration.md has every one.",
        "What is simplified, and what that may bias: the last chapter of docs/odd.md. Where the facts come from: "
        "docs/evidence.md.",
    ]
    return Section("methods", "How to read this", [listing(points)], flows=True)


def manifest(batch: Batch) -> Section:
    """Code, libraries and processor that made the runs, and the command that makes them again."""
    made = batch.made_with
    code = made["code"]
    commit = code.get("commit") or "none: the sources were in no repository"
    if code.get("changed"):
        commit += ", with changes that were not committed"
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(made["libraries"].items()))
    facts = {
        "Batch": batch.name,
        "Undercut": made["undercut"],
        "Commit": commit,
        "Sources, SHA-256": code["sha256"],
        "Python": made["python"],
        "Libraries": libraries,
        "Processor": made["processor"],
        "System": made["system"],
        "Full tables kept": batch.manifest["asked"]["keep"],
    }
    rows: list[dict[str, Cell]] = [{"what": what, "value": str(value)} for what, value in facts.items()]
    content = [table({"what": "What", "value": "Made with"}, rows)]
    content += again(batch)
    return Section("manifest", "Where it comes from", content, flows=True)


def again(batch: Batch) -> list[Element]:
    """The command that repeats a batch, and what it cannot say."""
    worlds, asked_for = _worlds(batch), batch.manifest["asked"]
    parts = ["undercut", "run", *asked_for["scenarios"], "--seeds", _seeds(asked_for["seeds"])]
    axes = {} if asked_for["design"] else grid(worlds)
    parts += asked_for["design"].split()
    for name, values in axes.items():
        parts += ["--grid", f"{name}={','.join(map(short, values))}"]
    for name, value in _common(worlds).items():
        parts += ["--set", f"{name}={value if isinstance(value, str) else short(value)}"]
    parts += ["--counterfactual-seeds", str(asked_for["counterfactual_seeds"]), "--keep", asked_for["keep"]]
    content = [paragraph("The same code, libraries and processor give the same numbers with:")]
    content.append(element("pre", shlex.join(parts)))
    if any(world["varied"] for world in worlds) and not (axes or asked_for["design"]):
        content.append(
            paragraph(
                "The worlds lie at points of their own, which this command does not make; the table worlds of "
                "undercut export has every point."
            )
        )
    own = [name for name in asked_for["scenarios"] if name not in _library()]
    if own:
        content.append(
            paragraph(f"Give the path of the file for what is no scenario of the library: {', '.join(own)}.")
        )
    return content


def grid(worlds: Sequence[World]) -> dict[str, list[float]]:
    """The axes of the grid that some worlds are; empty when they are none."""
    points = [world["varied"] for world in worlds]
    names = list(points[0]) if points else []
    if not names or any(list(point) != names for point in points):
        return {}
    axes = {name: list(dict.fromkeys(point[name] for point in points)) for name in names}
    wanted = {tuple(point) for point in itertools.product(*axes.values())}
    return axes if len(names) and {tuple(point.values()) for point in points} == wanted else {}


def _worlds(batch: Batch) -> list[World]:
    frame = batch.worlds()
    return [
        {str(key): value for key, value in row.items()} for row in frame[frame["of"] == ""].to_dict("records")
    ]


def _points(worlds: Sequence[World]) -> list[Element]:
    """The worlds of a grid or a sample: a row each, a column for each parameter that varies."""
    varied = dict.fromkeys(name for world in worlds for name in world["varied"])
    if not varied:
        return []
    rows: list[dict[str, Cell]] = [
        {"world": world["label"], **{name: _value(value) for name, value in world["varied"].items()}}
        for world in worlds
    ]
    headings, right = {"world": "World"} | {name: name for name in varied}, " ".join(varied)
    content = [table(headings, rows[:WORLDS_SHOWN], "What varies between worlds", right)]
    if len(rows) > WORLDS_SHOWN:
        rest = table(headings, rows[WORLDS_SHOWN:], numbers=right)
        content.append(details(f"{len(rows) - WORLDS_SHOWN} more worlds", rest))
    return content


def _scenario(worlds: Sequence[World]) -> dict[str, Cell]:
    """What all worlds of a scenario have in common."""
    world = worlds[0]
    asks: list[str | Element] = []
    if world["title"]:
        asks.append(element("strong", *spans(world["title"])))
    if world["notes"]:
        asks.append(element("small", *spans(" ".join(str(world["notes"]).split()))))
    fixed = {key: value for key, value in world["overrides"].items() if key not in world["varied"]}
    changed = [f"{key} = {_value(value)}" for key, value in sorted(fixed.items())]
    shocks = [_shock(shock) for shock in world["shocks"]]
    sets: list[str | Element] = [listing([*changed, *shocks])] if changed or shocks else ["nothing"]
    span = f"{world['record_from']} to {world['last']}"
    return {"scenario": world["scenario"], "asks": asks, "set": sets, "span": span}


def _shock(shock: Mapping[str, Any]) -> str:
    arguments = ", ".join(f"{key} {_value(value)}" for key, value in shock.items() if key != "kind" and value)
    return f"shock {shock['kind']}: {arguments}"


def _value(value: object) -> str:
    if isinstance(value, float):
        return number(value, 6)
    if isinstance(value, list):
        return " and ".join(map(_value, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _common(worlds: Sequence[World]) -> dict[str, float | str]:
    """Values that every world was given besides what its scenario's file in the library says."""
    library = _library()
    given = []
    for world in worlds:
        own = library.get(world["scenario"], {})
        given.append(
            {k: v for k, v in world["overrides"].items() if k not in world["varied"] and own.get(k) != v}
        )
    return {key: value for key, value in given[0].items() if all(g.get(key) == value for g in given)}


def _library() -> dict[str, Mapping[str, Any]]:
    """What the files of the library set, by scenario."""
    from scenarios.scenario import library, load

    return {file.name: load(file.name).parameters.overridden for file in library()}


def _seeds(text: str) -> str:
    """Seeds as the option reads them: a range from 1 is a count."""
    found = parse(text)
    return str(len(found)) if found == tuple(range(1, len(found) + 1)) else text
