"""CART, classification and regression trees, by scikit-learn: its leaves as boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scenarios.plan import PlanError
from studies.discovery.box import Box
from studies.discovery.peeling import LEAST_MASS

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDS = 10
"""Of the cross-validation that prunes a tree (Breiman et al. 1984)."""

MAJORITY = 0.5
"""A leaf with more cases than this is one of them."""


def leaves(x: NDArray[np.float64], y: NDArray[np.bool_], seed: int) -> list[Box]:
    """The leaves, as boxes, in which most worlds are cases; empty where the pruned tree has none.

    The tree is grown by Gini's index with leaves no smaller than PRIM's boxes, and pruned to the simplest one whose
    cross-validated error is within a standard error of the least (Breiman, Friedman, Olshen and Stone, Classification
    and Regression Trees, 1984, sections 3.4 and 8.5). EMA Workbench's CART wraps the same tree, but takes no seed,
    so that ties between parameters fall out differently each time, and does not prune.

    Args:
        x: parameters, shape (worlds, parameters).
        y: cases, shape (worlds,), at least two of each kind.
        seed: of the folds and of ties.

    Raises:
        PlanError: scikit-learn is missing.
    """
    try:
        from sklearn.tree import DecisionTreeClassifier
    except ImportError:
        raise PlanError(
            "this study needs scikit-learn: write `make install`, or install Undercut with its extra `study`"
        ) from None

    def grown(pruning: float, some: NDArray[np.intp]) -> Any:
        least = max(int(LEAST_MASS * len(some)), 1)
        tree = DecisionTreeClassifier(min_samples_leaf=least, ccp_alpha=pruning, random_state=seed)
        return tree.fit(x[some], y[some])

    every = np.arange(len(y))
    path = grown(0.0, every).cost_complexity_pruning_path(x, y)
    found = grown(_pruning(grown, path.ccp_alphas, x, y, seed), every).tree_
    return [box for node, box in _boxes(found, x.shape[1]) if _cases(found, node) > MAJORITY]


def _pruning(
    grown: Any, alphas: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.bool_], seed: int
) -> float:
    """The strongest pruning whose cross-validated error is within a standard error of the least."""
    from sklearn.model_selection import StratifiedKFold

    folds = StratifiedKFold(min(FOLDS, int(y.sum()), int((~y).sum())), shuffle=True, random_state=seed)
    # Between two neighbours of the path the tree is the same: their geometric mean stands for both.
    tried = np.sqrt(
        np.maximum(alphas, 0.0) * np.append(np.maximum(alphas[1:], 0.0), 2.0 * max(alphas[-1], 0.0))
    )
    wrong = np.array(
        [
            [float((grown(alpha, train).predict(x[test]) != y[test]).mean()) for alpha in tried]
            for train, test in folds.split(x, y)
        ]
    )
    mean = wrong.mean(axis=0)
    best = int(mean.argmin())
    margin = mean[best] + wrong[:, best].std(ddof=1) / np.sqrt(len(wrong))
    return float(tried[np.flatnonzero(mean <= margin)[-1]])


def _cases(tree: Any, node: int) -> float:
    """The share of cases in a node, whether the tree counts them or has shares."""
    other, cases = tree.value[node][0]
    return float(cases / (other + cases))


def _boxes(tree: Any, dimensions: int) -> list[tuple[int, Box]]:
    """Every leaf with its box, from left to right."""
    found, open_ = [], [(0, Box.whole(dimensions))]
    while open_:
        node, box = open_.pop()
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left < 0:
            found.append((node, box))
            continue
        column, at = int(tree.feature[node]), float(tree.threshold[node])
        high, low = box.high.copy(), box.low.copy()
        high[column], low[column] = at, np.nextafter(at, np.inf)
        open_ += [(right, Box(low, box.high)), (left, Box(box.low, high))]
    return found
