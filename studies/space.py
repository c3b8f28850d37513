"""The parameters that a study varies, as axes of the unit cube."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from model.groups import GROUPS, grouped
from model.parameters import Parameter, table
from scenarios.design import Point, at_quantiles, varied

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Space:
    """Parameters in the order of the table, an axis each; a point of the unit cube holds a quantile of each."""

    parameters: tuple[Parameter, ...]

    @classmethod
    def over(cls, names: Sequence[str] = (), settled: Collection[str] = ()) -> Space:
        """The space of some parameters, by default of all that have a range and no value yet.

        Raises DesignError or ParameterError as :func:`scenarios.design.sample` does.
        """
        return cls(tuple(varied(names, settled)))

    def __len__(self) -> int:
        return len(self.parameters)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in order."""
        return tuple(p.name for p in self.parameters)

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The subject of each parameter (:data:`model.groups.GROUPS`), in order."""
        subjects = grouped(list(table()), GROUPS)
        of = {name: title for title, names in subjects.items() for name in names}
        return tuple(of[name] for name in self.names)

    def values(self, unit: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values at quantiles of the parameters' distributions, both of shape (points, parameters)."""
        columns = [at_quantiles(p, unit[:, i]) for i, p in enumerate(self.parameters)]
        return np.column_stack(columns) if columns else np.empty(unit.shape)

    def points(self, unit: NDArray[np.float64]) -> list[Point]:
        """Points of a design, shape (points, parameters), as values by name."""
        return [dict(zip(self.names, row, strict=True)) for row in self.values(unit).tolist()]

    def unit(self, values: Mapping[str, float]) -> NDArray[np.float64]:
        """Where values by name lie in their ranges: 0 at the low end, 1 at the high end, linear between them.

        The measure of distance in a study, which is not the quantile: shape (parameters,).
        """
        return np.array([(values[p.name] - p.low) / (p.high - p.low) for p in self.parameters])
