"""Ownership: how much weight a firm's pricing puts on another firm's profit, from the equity edges.

``kappa_fk = sum_o gamma_of beta_ok / sum_o gamma_of beta_of`` with control ``gamma`` and cash-flow rights
``beta`` of the final owners o (O'Brien and Salop 2000; Azar, Schmalz and Tecu 2018). Stakes of firms in firms
are traced to final owners through ``(I - S)^-1`` for rights and ``(I - C)^-1`` for control.

    kappa(firms, stakes) -> (F, F)              stakes: (owner, owned, control, rights), or Stake
    ownership_matrix(kappa[F, F], seller[J]) -> (J, J)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

ROUNDING = 1e-9  # shares that add up to one in decimals may miss it by this in binary


class Stake(NamedTuple):
    """An equity edge; ``control`` and ``rights`` are shares between 0 and 1."""

    owner: str
    owned: str
    control: float
    rights: float


def kappa(firms: Sequence[str], stakes: Iterable[tuple[str, str, float, float]]) -> NDArray[np.float64]:
    """Profit weights, (F, F): entry [f, k] is what firm f's management gives a dollar of firm k's profit.

    ``firms`` are the names in the order of rows and columns. A stake's owner may be a firm (a
    cross-holding) or anyone else (an outside owner, who may hold several firms). What the listed stakes
    leave of a firm's control and rights belongs to outside owners of its own, who act as one. The diagonal
    is 1; without stakes it is the identity.

    Raises ValueError for a stake in an unknown firm or in itself, shares outside 0..1 or above 1 together,
    circular full ownership, and a firm controlled only by owners without rights in it (its objective is
    then not profit).
    """
    position = {name: f for f, name in enumerate(firms)}
    if len(position) != len(firms):
        twice = sorted({name for name in firms if firms.count(name) > 1})
        raise ValueError("firms are listed twice: " + ", ".join(twice))
    edges = [Stake(*stake) for stake in stakes]
    for stake in edges:
        _check(stake, position)
    others = dict.fromkeys(stake.owner for stake in edges if stake.owner not in position)
    outside = {name: o for o, name in enumerate(others)}
    # the first rows are the listed outside owners, the last the owners that each firm has of its own
    shape = (len(outside) + len(firms), len(firms))
    direct = {"control": np.zeros(shape), "rights": np.zeros(shape)}
    across = {"control": np.zeros((len(firms),) * 2), "rights": np.zeros((len(firms),) * 2)}
    for stake in edges:
        held, row = (across, position) if stake.owner in position else (direct, outside)
        held["control"][row[stake.owner], position[stake.owned]] += stake.control
        held["rights"][row[stake.owner], position[stake.owned]] += stake.rights
    final = {}
    for kind in ("control", "rights"):
        rest = 1.0 - direct[kind].sum(axis=0) - across[kind].sum(axis=0)
        for f, name in enumerate(firms):
            if rest[f] < -ROUNDING:
                raise ValueError(
                    f"the {kind} of {name} add up to {1.0 - rest[f]:.4g}: lower them to 1 or less"
                )
        direct[kind][len(outside) + np.arange(len(firms)), np.arange(len(firms))] = np.maximum(rest, 0.0)
        final[kind] = _trace(direct[kind], across[kind], kind)
    weights = final["control"].T @ final["rights"]
    own = np.diag(weights).copy()
    for f, name in enumerate(firms):
        if own[f] <= ROUNDING:
            raise ValueError(f"nobody who controls {name} has rights in it: give a controlling owner rights")
    result = weights / own[:, None]
    np.fill_diagonal(result, 1.0)
    return np.asarray(result, dtype=np.float64)


def _check(stake: Stake, position: dict[str, int]) -> None:
    if stake.owned not in position:
        raise ValueError(f"{stake.owner} owns {stake.owned!r}, which is not among the firms")
    if stake.owner == stake.owned:
        raise ValueError(f"{stake.owner} cannot own itself: drop the stake (treasury shares have no holder)")
    for name, value in (("control", stake.control), ("rights", stake.rights)):
        if not 0.0 <= value <= 1.0:
            who = f"{name} of {stake.owner} in {stake.owned}"
            raise ValueError(f"{who} is {value:g}: it must lie between 0 and 1")


def _trace(direct: NDArray[np.float64], across: NDArray[np.float64], kind: str) -> NDArray[np.float64]:
    """Final owners' shares: direct (I - across)^-1, as claims pass from owned firm to owning firm."""
    passing = np.eye(across.shape[0]) - across
    # a loop of full ownership leaves no final owner, and the matrix without an inverse
    if across.size and np.abs(np.linalg.eigvals(across)).max() >= 1.0 - ROUNDING:
        raise ValueError(f"firms hold all {kind} of each other in a circle: nobody outside owns them")
    return np.asarray(np.linalg.solve(passing.T, direct.T).T, dtype=np.float64)


def ownership_matrix(weights: NDArray[np.float64], seller: ArrayLike) -> NDArray[np.float64]:
    """The matrix K over offers, (J, J), from ``kappa`` (F, F) and each offer's ``seller`` (J,), its row."""
    rows = np.asarray(seller, np.int64)
    return np.asarray(weights[np.ix_(rows, rows)], dtype=np.float64)
