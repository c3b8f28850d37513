"""Games with known Shapley values, as simulations that read the switches of causes."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from model.setting import Setting
from scenarios.runner import Job
from tests.studies.functions import measure, tables_of

ADDED = {"open_weights": 0.25, "sparse_architectures": -0.5, "export_rules": 2.0, "domestic_learning": 0.0}


def additive(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """Each cause adds its own, and the seed adds noise to what export rules add."""
    noise = float(np.random.default_rng(seed).normal(0.0, 0.1))
    on = {cause: setting.parameters[cause] for cause in ADDED}
    return tables_of(sum(value * on[cause] for cause, value in ADDED.items()) + noise * on["export_rules"])


def glove(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """One left glove (export rules) and two right ones: a pair is worth 1. Values 2/3, 1/6, 1/6."""
    p = setting.parameters
    return tables_of(float(p["export_rules"] and (p["open_weights"] or p["sparse_architectures"])))


def breaks_without_rules(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """The additive game, in which a seed fails where export rules are off."""
    if seed == 2 and not setting.parameters["export_rules"]:
        raise ArithmeticError("tokens sold are not tokens bought")
    return additive(setting, seed)


def needs_open_weights(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """The additive game, whose outcome does not exist without open weights."""
    return additive(setting, seed) if setting.parameters["open_weights"] else tables_of(math.nan)


def undefined_somewhere(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """The additive game, which has no value in one coalition of the first seed."""
    off = not (setting.parameters["export_rules"] or setting.parameters["open_weights"])
    return tables_of(math.nan) if seed == 1 and off else additive(setting, seed)


GAMES = {
    each.__name__: Job(each, measure)
    for each in (additive, glove, breaks_without_rules, needs_open_weights, undefined_somewhere)
}
