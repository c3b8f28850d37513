"""Charts of a calibration: what the evidence informs, predictions beside observations, and one parameter's posterior."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from evidence.facts import constants
from model.parameters import table
from scenarios.design import at_quantiles
from viz.chart import BLUE, ORANGE
from viz.number import number
from viz.option import span
from viz.option.palette import GHOST, Option, base
from viz.option.panel import Panel
from viz.option.span import Span
from viz.panel.sensitivity import Choices
from viz.study.calibrated import BINS, ENSEMBLES, POSTERIOR, REACH, SHADES
from viz.study.rows import records

if TYPE_CHECKING:
    import pandas as pd

    from studies.study import Study


def choices(study: Study) -> Choices:
    """The parameters."""
    return [
        (row["parameter"], f"{row['parameter']} ({row['informed']} informed)") for row in _parameters(study)
    ]


def panels(study: Study, parameter: str) -> list[Panel]:
    """How far the evidence informs, what it predicts, and the posterior of one parameter."""
    return [
        _contraction(_parameters(study)),
        _posterior(study.tables["quantiles"], parameter),
        _predictions(study.tables["observables"]),
    ]


def _parameters(study: Study) -> list[dict[str, Any]]:
    return records(study.tables["parameters"])


def _contraction(rows: list[dict[str, Any]]) -> Panel:
    series = [
        span.spans(
            f"{kind} informed",
            colour,
            [
                Span(
                    place,
                    0.0,
                    row["contraction"],
                    row["contraction_low"],
                    row["contraction_high"],
                    [
                        f"{row['parameter']}: {kind} informed",
                        f"contraction {number(row['contraction'])} "
                        f"({number(row['contraction_low'])} to {number(row['contraction_high'])})",
                    ],
                    hollow=kind == "not",
                )
                for place, row in enumerate(rows)
                if row["informed"] == kind
            ],
        )
        for kind, colour in SHADES.items()
    ]
    return Panel(
        "contraction",
        "What the evidence informs",
        "contraction of the variance from prior to posterior",
        span.option([str(row["parameter"]) for row in rows], "contraction", series, form="=share"),
        span.height(len(rows)),
    )


def _posterior(quantiles: pd.DataFrame, name: str) -> Panel:
    """How draws of the posterior lie in quantiles of the prior; as flat as the dashed line, nothing was learnt."""
    parameter = table()[name]
    density, edges = np.histogram(quantiles[name].to_numpy(float), bins=BINS, range=(0.0, 1.0), density=True)
    ends = at_quantiles(parameter, edges)
    fine = np.linspace(0.0, 1.0, 1001)
    default = float(fine[np.abs(at_quantiles(parameter, fine) - parameter.default).argmin()])
    middle = int(np.clip(default * BINS, 0, BINS - 1))
    series: Option = {
        "id": "posterior",
        "name": "posterior",
        "type": "bar",
        "barCategoryGap": "4%",
        "itemStyle": {"color": BLUE, "opacity": 0.8},
        "data": [
            {
                "value": round(float(height), 4),
                "lines": [
                    f"{number(low)} to {number(high)} {parameter.unit}".strip(),
                    f"{height:.2f} times as likely as before",
                    *(["the default lies here"] if place == middle else []),
                ],
                **({"itemStyle": {"borderColor": ORANGE, "borderWidth": 3}} if place == middle else {}),
            }
            for place, (height, low, high) in enumerate(zip(density, ends[:-1], ends[1:], strict=True))
        ],
        "markLine": {
            "silent": True,
            "symbol": "none",
            "label": {"formatter": "prior", "position": "insideEndTop", "fontSize": 10},
            "lineStyle": {"color": GHOST, "type": "dashed"},
            "data": [{"yAxis": 1.0}],
        },
    }
    axis = {
        "type": "category",
        "data": [number(low) for low in ends[:-1]],
        "name": f"{name} from, {parameter.unit}",
    }
    look = {"nameLocation": "middle", "nameGap": 24, "nameTextStyle": {"fontSize": 11}}
    return Panel(
        "posterior",
        f"Posterior of {name}",
        "density over the prior\u2019s, in bins that were equally likely; framed: the default",
        base(
            tooltip={"trigger": "item", "confine": True, "formatter": "=node", "textStyle": {"fontSize": 11}},
            grid={"left": 12, "right": 22, "top": 14, "bottom": 26, "containLabel": True},
            xAxis={**axis, **look, "axisLabel": {"fontSize": 10, "hideOverlap": True}},
            yAxis={"type": "value", "min": 0, "axisLabel": {"fontSize": 10}},
            series=[series],
        ),
    )


def _predictions(frame: pd.DataFrame) -> Panel:
    rows = records(frame)
    width = NormalDist().inv_cdf((1.0 + constants()["interval_level"]) / 2.0)
    allowed = [float(width * np.hypot(row["error"], row["discrepancy"])) for row in rows]
    series = [
        span.spans(
            "error and discrepancy",
            "#dddddd",
            [
                Span(
                    place,
                    -reach,
                    reach,
                    None,
                    None,
                    [str(row["statement"]), f"errors allow {number(reach)} either way"],
                )
                for place, (row, reach) in enumerate(zip(rows, allowed, strict=True))
            ],
            thick=0.86,
        )
    ]
    for name, label, colour, _, shift in (*ENSEMBLES, POSTERIOR):
        series.append(
            span.spans(
                label, colour, [_deviation(place, row, name, label) for place, row in enumerate(rows)],
                shift=-shift, dot=True,
            )
        )  # fmt: skip
    return Panel(
        "predictions",
        "Predictions beside observations",
        "model less observation, in logs or shares, with intervals; what lies beyond the edges is cut",
        span.option(
            [str(row["statement"]) for row in rows],
            "model less observation",
            [*series, span.rule(0.0, "observed", dash="solid")],
            room=span.WIDE_NAME_PIXELS,
            min=-REACH,
            max=REACH,
        ),
        span.height(2 * len(rows)),
        wide=True,
    )


def _deviation(place: int, row: dict[str, Any], name: str, label: str) -> Span:
    middle, low, high = (float(row[f"{name}_{part}"]) for part in ("median", "low", "high"))
    at, start, end = (min(max(each, -REACH), REACH) for each in (middle, low, high))
    said = f"{label}: {number(middle)} ({number(low)} to {number(high)})"
    return Span(place, None, at, start, end, [str(row["statement"]), said])
