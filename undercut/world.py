"""The market by the name of a scenario, for notebooks and scripts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from model import market
from model.setting import Setting
from scenarios.scenario import load


class Market(market.Market):
    """One world, from the name of a scenario (or the path of its file, or a setting) and a seed.

    >>> from undercut import Market
    >>> world = Market("baseline", seed=1, overrides={"enterprises": 200})
    >>> world.step()
    >>> world.clouds["Alibaba"].cash
    >>> tables = world.run()

    ``run`` steps to the last quarter and returns the recorded tables as DataFrames by name; ``step``, the
    firms, ``graph`` and ``shock`` are those of :class:`model.market.Market`. Raises ScenarioError for a
    scenario that does not exist and ParameterError for an override that the parameter table refuses.
    """

    def __init__(
        self,
        scenario: str | Path | Setting = "baseline",
        seed: int = 1,
        overrides: Mapping[str, float | str] | None = None,
    ) -> None:
        if isinstance(scenario, Setting):
            if overrides:
                raise ValueError("overrides go with the name of a scenario; a setting is resolved already")
            setting = scenario
        else:
            setting = load(scenario, overrides)
        super().__init__(setting, seed)
