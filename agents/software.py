"""The software of chipmakers: what share of a chip's physics it delivers, and how it matures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from model.parameters import Parameters
from model.place import PURPOSES, TRAINING

if TYPE_CHECKING:
    from agents.chipmaker import Chipmaker

FloatArray = NDArray[np.float64]

_STARTS = {
    "NVIDIA": "software_maturity_nvidia",
    "AMD": "software_maturity_amd",
    "Huawei Ascend": "software_maturity_huawei_ascend",
    "Cambricon": "software_maturity_cambricon",
    "Hygon": "software_maturity_hygon",
}
"""Parameters of the makers that sell to all; those who make for an owner share one."""


def starting_maturity(p: Parameters, maker: str) -> float:
    """Share of a chip's physics that a maker's software delivered at the start of 2022."""
    return p[_STARTS.get(maker, "software_maturity_captive")]


def of_makers(makers: Iterable[Chipmaker], p: Parameters) -> FloatArray:
    """Share of a chip's physics that each maker's software delivers now, shape (makers, purposes)."""
    known = [(starting_maturity(p, maker.name), maker.learns(p) * maker.installed) for maker in makers]
    start, learned_from = np.array(known).T
    return maturity(start, learned_from, p)


def maturity(start: FloatArray, learned_from: FloatArray, p: Parameters) -> FloatArray:
    """Share of a chip's physics that makers' software delivers, shape (makers, purposes).

    It begins at ``start``, (makers,), and closes the gap to one as the installed base that it has ``learned_from``
    grows, (makers,) (learning by using; Rosenberg 1982). Training asks more of the software than inference does.
    """
    level = 1.0 - (1.0 - start) * np.exp(-learned_from / p.software_scale_units)
    result = np.repeat(level[:, None], len(PURPOSES), axis=1)
    result[:, TRAINING] **= p.training_software_exponent
    return result
