"""Figures of a calibration: contraction, marginal densities, predictions against observations, ranks."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from evidence.facts import constants
from studies.calibration.ranks import bins_of
from viz.chart import BLUE, GREY, ORANGE, VERMILION
from viz.number import number

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

COLUMNS = 4
"""Panels beside each other."""

BINS = 12
WIDTH_INCHES, PANEL_INCHES, LINE_INCHES, MARGIN_INCHES = 11.0, 1.75, 0.3, 1.2
SHADES = {"well": BLUE, "a little": ORANGE, "not": GREY}
ENSEMBLES = (("prior", "prior", GREY, "o", 0.27), ("hand", "hand calibration", ORANGE, "D", 0.0))
POSTERIOR = ("model", "posterior", BLUE, "s", -0.27)
REACH = 4.0
"""The axis of predictions ends here: further out is told by an arrow's place, not by its length."""


def contractions(frame: pd.DataFrame) -> Figure:
    """A bar a parameter with its interval; colour and word say how well it is informed."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(WIDTH_INCHES, MARGIN_INCHES + LINE_INCHES * len(frame)), layout="constrained")
    axes = drawn.subplots()
    place = np.arange(len(frame))[::-1]
    value = frame["contraction"].to_numpy()
    sides = np.abs(np.stack([value - frame["contraction_low"], frame["contraction_high"] - value]))
    colours = [SHADES[str(kind)] for kind in frame["informed"]]
    axes.barh(
        place, 100.0 * value, xerr=100.0 * sides, color=colours, height=0.65, error_kw={"elinewidth": 1.2}
    )
    labels = [f"{name}  ({kind})" for name, kind in zip(frame["parameter"], frame["informed"], strict=True)]
    axes.set_yticks(place, labels)
    axes.axvline(0.0, color="black", linewidth=0.8)
    axes.set_xlim(min(-10.0, 100.0 * float(frame["contraction_low"].min()) - 5.0), 100.0)
    axes.set_xlabel("Contraction of the variance from prior to posterior, %")
    axes.grid(axis="y", visible=False)
    return drawn


def marginals(quantiles: pd.DataFrame, frame: pd.DataFrame) -> Figure:
    """A panel a parameter: how draws of the posterior lie in quantiles of the prior."""
    from matplotlib.figure import Figure

    from model.parameters import table
    from scenarios.design import at_quantiles

    names = [str(name) for name in frame["parameter"]]
    rows = -(-len(names) // COLUMNS)
    drawn = Figure(figsize=(WIDTH_INCHES, MARGIN_INCHES + PANEL_INCHES * rows), layout="constrained")
    panels = np.atleast_1d(drawn.subplots(rows, COLUMNS, squeeze=False)).ravel()
    fine = np.linspace(0.0, 1.0, 1001)
    for panel, name in zip(panels, names, strict=False):
        panel.hist(quantiles[name], bins=BINS, range=(0.0, 1.0), density=True, color=BLUE, alpha=0.75)
        panel.axhline(1.0, color=GREY, linestyle="--", linewidth=1.2)
        parameter = table()[name]
        values = at_quantiles(parameter, fine)
        at = float(fine[np.abs(values - parameter.default).argmin()])
        panel.axvline(at, color=VERMILION, linewidth=2.0)
        ticks = (0.0, 0.5, 1.0)
        panel.set_xticks(ticks, [number(v) for v in at_quantiles(parameter, np.array(ticks))])
        panel.set_yticks([])
        panel.set_title(name, fontsize=8.5, fontweight="normal")
        panel.tick_params(labelsize=8)
        panel.grid(visible=False)
    for panel in panels[len(names) :]:
        panel.set_visible(False)
    return drawn


def predictions(frame: pd.DataFrame) -> Figure:
    """A line an observable: its deviation under prior, hand calibration and posterior, over what errors allow."""
    from matplotlib.figure import Figure

    drawn = Figure(
        figsize=(WIDTH_INCHES, MARGIN_INCHES + 2.0 * LINE_INCHES * len(frame)), layout="constrained"
    )
    axes = drawn.subplots()
    place = np.arange(len(frame), dtype=float)[::-1]
    width = NormalDist().inv_cdf((1.0 + constants()["interval_level"]) / 2.0)
    allowed = width * np.hypot(frame["error"], frame["discrepancy"])
    axes.barh(
        place, 2.0 * allowed, left=-allowed, height=0.86, color="#dddddd", label="error and discrepancy"
    )
    for name, label, colour, marker, shift in (*ENSEMBLES, POSTERIOR):
        middle, low, high = (frame[f"{name}_{part}"].to_numpy() for part in ("median", "low", "high"))
        axes.hlines(
            place + shift, low.clip(-REACH, REACH), high.clip(-REACH, REACH), color=colour, linewidth=2.4
        )
        axes.plot(
            middle.clip(-REACH, REACH),
            place + shift,
            marker,
            color=colour,
            markersize=6,
            label=label,
            linestyle="",
        )
    axes.axvline(0.0, color="black", linewidth=1.2, label="observed")
    axes.set_yticks(place, [str(text) for text in frame["statement"]])
    axes.set_xlim(-REACH, REACH)
    axes.margins(y=0.01)
    axes.set_xlabel("Model less observation, in logs or shares; cut at the edges")
    axes.grid(axis="y", visible=False)
    drawn.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=5)
    return drawn


def checks(frame: pd.DataFrame) -> Figure:
    """A panel a parameter: ranks of known values among draws, and the band that uniform ranks keep to."""
    from matplotlib.figure import Figure
    from scipy.stats import binom

    names = list(dict.fromkeys(str(name) for name in frame["parameter"]))
    rows = -(-len(names) // COLUMNS)
    drawn = Figure(figsize=(WIDTH_INCHES, MARGIN_INCHES + PANEL_INCHES * rows), layout="constrained")
    panels = np.atleast_1d(drawn.subplots(rows, COLUMNS, squeeze=False)).ravel()
    for panel, name in zip(panels, names, strict=False):
        of = frame[frame["parameter"] == name]
        places = (of["rank"].to_numpy() + 0.5) / (of["draws"].to_numpy() + 1)
        bins = bins_of(len(of), int(of["draws"].iloc[0]))
        low, high = binom.interval(constants()["interval_level"], len(of), 1.0 / bins)
        panel.axhspan(low, high, color="#dddddd")
        panel.hist(places, bins=bins, range=(0.0, 1.0), color=BLUE, alpha=0.75)
        panel.set_xticks((0.0, 1.0), ("lowest", "highest"))
        panel.set_title(name, fontsize=8.5, fontweight="normal")
        panel.tick_params(labelsize=8)
        panel.grid(visible=False)
    for panel in panels[len(names) :]:
        panel.set_visible(False)
    return drawn
