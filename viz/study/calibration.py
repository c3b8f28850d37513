"""The report of a calibration: what the observations allow, what they tell of each parameter, and how far to trust it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from evidence.facts import constants
from studies.calibration.posterior import LITTLE, WELL, levels
from studies.calibration.ranks import uniformity
from viz.inline import inline
from viz.number import number
from viz.page import Cell, Section, details, element, paragraph, picture, table
from viz.study.calibrated import checks, contractions, marginals, predictions

if TYPE_CHECKING:
    import pandas as pd

    from studies.study import Study

SUSPECT = 0.01
"""A p-value of ranks below this is named: of some twenty parameters one is below it by chance in five studies."""

NAMED = 5


def sections(study: Study) -> Sequence[Section]:
    """The answer, parameters, observations, what was held out, verdicts, and the checks of the method."""
    made = [_overview(study), _parameters(study), _observations(study), _held_out(study)]
    if "verdicts" in study.tables:
        made.append(_verdicts(study.tables["verdicts"]))
    made.append(_trust(study))
    return made


def _overview(study: Study) -> Section:
    fitted, seen, held = (study.tables[name] for name in ("parameters", "observables", "held_out"))
    wave, (low, _, high) = study.tables["waves"].iloc[-1], levels()
    told = {
        kind: list(fitted["parameter"][fitted["informed"] == kind]) for kind in ("well", "a little", "not")
    }
    missed = [str(r.statement) for r in seen.itertuples() if not low <= float(r.share_below) <= high]  # type: ignore[arg-type]
    inside = int(held["inside"].sum())
    answer = (
        f"Of {len(fitted)} parameters the observations to the end of 2024 inform {len(told['well'])} well, "
        f"{len(told['a little'])} a little and {len(told['not'])} not. "
        + (f"Best known: {', '.join(told['well'][:NAMED])}. " if told["well"] else "")
        + f"They rule out {_percent(1.0 - float(wave['allowed']))} of the prior."
    )
    misses = (
        f"No parameters of the ranges bring the model to: {'; '.join(missed)}. There it lacks a mechanism, "
        "or the stated "
        "discrepancy is too small."
        if missed
        else "The posterior meets every observation within its stated errors."
    )
    content = [
        paragraph(element("b", answer)),
        paragraph(misses),
        paragraph(
            f"Held out in turn, {inside} of {len(held)} observations lie in the {_level()} interval that all "
            "others predict. A "
            "posterior is no better than its errors: what is stated there as a judgement can be read below, "
            "and changed."
        ),
    ]
    return Section("overview", "What the evidence says", content, flows=True)


def _parameters(study: Study) -> Section:
    frame = study.tables["parameters"]
    rows: list[dict[str, Cell]] = [
        {
            "parameter": [str(r["parameter"]), element("small", f"{r['group']} ({r['unit']})")],
            "informed": str(r["informed"]),
            "contraction": [
                _percent(r["contraction"]),
                element("small", f"{_percent(r['contraction_low'])} to {_percent(r['contraction_high'])}"),
            ],
            "divergence": number(r["divergence"], 2),
            "prior": _span(r, "prior"),
            "hand": number(r["default"]),
            "posterior": _span(r, "posterior"),
            "at": f"{float(r['default_at']):.2f}",
        }
        for _, r in frame.iterrows()
    ]
    headings = {
        "parameter": "Parameter",
        "informed": "Informed",
        "contraction": "Contraction",
        "divergence": "Bits",
        "prior": f"Prior, median ({_level()})",
        "hand": "By hand",
        "posterior": f"Posterior, median ({_level()})",
        "at": "Hand at",
    }
    content = [
        paragraph(
            "Contraction is how much smaller the variance of a parameter is after the evidence than before, in "
            "quantiles of "
            f"its prior: 100 % is known exactly, 0 % is as doubtful as before. Well informed is {_percent(WELL)} or "
            "more, a little "
            f"{_percent(LITTLE)} or more, both at the lower end of the interval. Bits are the divergence of Kullback "
            "and Leibler, "
            "which also sees a shift. “Hand at” is the share of the posterior below the hand calibration: near "
            "0 or 1 the "
            "evidence speaks against it."
        ),
        picture(inline(contractions(frame), "contraction", "Contraction of each parameter")),
        picture(
            inline(
                marginals(study.tables["quantiles"], frame),
                "marginals",
                "Prior and posterior of each parameter",
            ),
            "Each panel: density over quantiles of the prior. The dashed line is the prior, the bar the hand "
            "calibration.",
        ),
        details("The table", table(headings, rows, numbers="contraction divergence hand at")),
    ]
    return Section("parameters", "What the evidence informs, and what it does not", content)


def _observations(study: Study) -> Section:
    frame = study.tables["observables"]
    rows: list[dict[str, Cell]] = [
        {
            "observable": [str(r["statement"]), element("small", str(r["observable"]))],
            "error": [number(r["error"], 2), element("small", str(r["error_source"]))],
            "discrepancy": [number(r["discrepancy"], 2), element("small", str(r["discrepancy_source"]))],
            "others": number(r["others"], 2),
            "chance": number(r["chance"], 2),
            "emulator": number(r["emulator"], 2),
            "below": f"{float(r['share_below']):.2f}",
        }
        for _, r in frame.iterrows()
    ]
    headings = {
        "observable": "Observation",
        "error": "Error of observation",
        "discrepancy": "Discrepancy of the model",
        "others": "Others",
        "chance": "Chance",
        "emulator": "Emulator",
        "below": "Share below",
    }
    content = [
        paragraph(
            "Each observable is a mean of the model's deviations from observations: 0 meets them, +0.69 is "
            "twice as much and "
            f"-0.69 half as much; shares are differences. Bars are {_level()} intervals. The band around 0 is "
            "what error and "
            "stated discrepancy allow."
        ),
        picture(
            inline(
                predictions(frame),
                "predictions",
                "Model against observations under prior, hand and posterior",
            )
        ),
        details(
            "Errors, one by one, as standard deviations, with their sources",
            paragraph(
                "Others: what parameters that are not fitted could add. Chance: between seeds. Share below: of "
                "observations that the posterior would make, those below what was seen; near 0 or 1 the model "
                "misses it."
            ),
            table(headings, rows, numbers="others chance emulator below"),
        ),
    ]
    return Section("observations", "Does the posterior predict what was observed?", content)


def _held_out(study: Study) -> Section:
    frame, share = study.tables["held_out"], constants()["interval_level"]
    wrong = [str(r["statement"]) for _, r in frame.iterrows() if not r["inside"]]
    said = (
        f"Not predicted by the others: {'; '.join(wrong)}."
        if wrong
        else f"Each observation lies in the {_level()} interval that all others predict."
    )
    rows: list[dict[str, Cell]] = [
        {
            "observable": str(r["statement"]),
            "predicted": f"{number(r['predicted_median'], 2)} ({number(r['predicted_low'], 2)} to "
            f"{number(r['predicted_high'], 2)})",
            "observed": number(r["observed"], 2) or "0",
            "below": f"{float(r['share_below']):.2f}",
            "inside": "yes" if r["inside"] else "NO",
        }
        for _, r in frame.iterrows()
    ]
    headings = {
        "observable": "Held out",
        "predicted": f"Predicted, median ({_level()})",
        "observed": "Observed",
        "below": "Share below",
        "inside": "Inside",
    }
    content = [
        paragraph(said),
        paragraph(
            f"Of {len(frame)} intervals of {_level()} one expects about {(1.0 - share) * len(frame):.0f} to "
            "miss. Far fewer says that errors are "
            "stated too large, far more too small."
        ),
        table(headings, rows, numbers="observed below"),
    ]
    return Section("held-out", "Observations held out in turn", content, flows=True)


def _verdicts(frame: pd.DataFrame) -> Section:
    names = ("prior", "hand", "posterior")
    rows: list[dict[str, Cell]] = []
    for _, r in frame.iterrows():
        row: dict[str, Cell] = {
            "claim": [str(r["statement"]), element("small", f"{r['claim']}, {r['kind']}")]
        }
        for name in names:
            row[name] = [str(r[f"{name}_word"])]
            chance = r[f"{name}_probability"]
            if chance is not None and not math.isnan(float(chance)):
                said = (
                    f"{float(chance):.2f} ({float(r[f'{name}_low']):.2f} to {float(r[f'{name}_high']):.2f})"
                )
                row[name] = [str(r[f"{name}_word"]), element("small", said)]
        rows.append(row)
    predictions_ = frame[frame["kind"] == "prediction"]
    turned = [
        str(r["claim"])
        for _, r in predictions_.iterrows()
        if _side(r["hand_probability"]) * _side(r["posterior_probability"]) < 0
    ]
    said = (
        f"Of {len(predictions_)} predictions {len(turned)} stand on another side of one half under the "
        "posterior than under the "
        f"hand calibration{': ' + ', '.join(turned) if turned else ''}."
    )
    headings = {"claim": "Claim", "prior": "Prior", "hand": "Hand calibration", "posterior": "Posterior"}
    content = [
        paragraph(element("b", said)),
        paragraph(
            "Under prior and posterior a probability holds doubt about the fitted parameters and chance, under "
            "the hand "
            "calibration chance alone. Other parameters are at their defaults throughout."
        ),
        table(headings, rows),
    ]
    return Section("verdicts", "Verdicts under prior, hand calibration and posterior", content)


def _side(probability: object) -> int:
    value = math.nan if probability is None else float(probability)  # type: ignore[arg-type]
    return 0 if math.isnan(value) or value == 0.5 else 1 if value > 0.5 else -1


def _trust(study: Study) -> Section:
    seen, waves = study.tables["observables"], study.tables["waves"]
    content: list[Element] = [
        paragraph(
            f"Emulators explain {_percent(seen['emulator_explains'].min())} to "
            f"{_percent(seen['emulator_explains'].max())} of "
            "the variance of observables at points left out, and their intervals of "
            f"{_level()} hold "
            f"{_percent(seen['emulator_covers'].mean())} of them. “Allowed” is the share of the prior in which "
            "no observable is "
            "more than three standard deviations away; “nearest” the smallest such largest distance."
        ),
        table(
            {
                "wave": "Wave",
                "points": "Points",
                "seeds": "Seeds",
                "failed": "Failed runs",
                "explained": "Explained",
                "allowed": "Allowed",
                "nearest": "Nearest",
            },
            [
                {
                    "wave": str(int(r["wave"])),
                    "points": str(int(r["points"])),
                    "seeds": str(int(r["seeds"])),
                    "failed": str(int(r["failed"])),
                    "explained": _percent(r["explained"]),
                    "allowed": _percent(r["allowed"]),
                    "nearest": number(r["nearest"], 2),
                }
                for _, r in waves.iterrows()
            ],
            numbers="points seeds failed explained allowed nearest",
        ),
    ]
    if "ranks" in study.tables and len(study.tables["ranks"]):
        content += _ranks(study.tables["ranks"])
    if "shortlist" in study.tables:
        content.append(_shortlist(study.tables["shortlist"]))
    return Section("trust", "How far to trust it", content)


def _ranks(frame: pd.DataFrame) -> list[Element]:
    tested = uniformity(frame)
    bad = list(tested["parameter"][tested["p_value"] < SUSPECT])
    said = (
        f"Ranks are not uniform for {', '.join(bad)}: their posteriors are shifted, too narrow or too wide."
        if bad
        else f"Over {int(tested['truths'].max())} truths no parameter's ranks are refused as uniform, at {SUSPECT:g}."
    )
    return [
        paragraph(
            "Simulation-based calibration: runs of the market at known parameters, with seeds that the "
            "emulators never saw, "
            "take the place of the observations. If the method is right, the rank of the known value among "
            "draws from its "
            f"posterior is uniform. {said} The 50 % intervals cover {_percent(tested['covered_50'].mean())} of "
            "known values, "
            f"the 90 % intervals {_percent(tested['covered_90'].mean())}."
        ),
        picture(inline(checks(frame), "ranks", "Ranks of known parameters among draws of their posteriors")),
    ]


def _shortlist(frame: pd.DataFrame) -> Element:
    rows: list[dict[str, Cell]] = [
        {
            "parameter": str(r["parameter"]),
            "influence": number(r["influence"], 2),
            "most": f"{r['most_moved']} ({float(r['effect']):+.1f})",
        }
        for _, r in frame.iterrows()
    ]
    headings = {"parameter": "Parameter", "influence": "Influence", "most": "Moves most"}
    return details(
        "How the parameters were chosen: each moved alone, in standard deviations of errors",
        table(headings, rows, numbers="influence"),
    )


def _level() -> str:
    return _percent(constants()["interval_level"])


def _span(row: pd.Series, name: str) -> str:
    return f"{number(row[f'{name}_median'])} ({number(row[f'{name}_low'])} to {number(row[f'{name}_high'])})"


def _percent(value: object) -> str:
    return f"{100.0 * float(value):.0f} %"  # type: ignore[arg-type]
