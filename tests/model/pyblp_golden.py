"""Writes pyblp_golden.json: Nash-Bertrand prices of random markets as pyblp 1.3 computes them.

pyblp (Conlon and Gortmaker 2020) is not a dependency. Run this in an environment of its own that has it:
python tests/model/pyblp_golden.py. It knows one level of nests, so each market has either one nest a model
(sigma1 = 0) or one nest for all offers (sigma1 = sigma2). Each is solved with utility in the log of price, and linear in
price.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np

TYPES, OFFERS, MODELS, SELLERS = 6, 12, 5, 4


def market(seed: int, one_nest: bool, linear: bool) -> dict[str, Any]:
    """Draw a market, solve it with pyblp, and return inputs and solution as plain lists."""
    pyblp = importlib.import_module("pyblp")
    pyblp.options.verbose = False
    rng = np.random.default_rng(seed)
    sigma2 = float(rng.uniform(0.2, 0.6))
    alpha = 2.0 + rng.gamma(2.0, 0.5, TYPES)
    beta = rng.lognormal(0.0, 0.3, TYPES)
    weights = rng.dirichlet(np.full(TYPES, 5.0))
    capability, home = rng.normal(0.0, 0.7, OFFERS), rng.normal(0.5, 0.5, OFFERS)
    model = rng.integers(0, MODELS, OFFERS)
    seller = rng.integers(0, SELLERS, OFFERS)
    cost = rng.lognormal(0.0, 0.3, OFFERS)
    kappa = np.eye(SELLERS)
    kappa[0, 1], kappa[2, 3], kappa[3, 2] = 0.3, 0.15, 0.4
    ownership = kappa[np.ix_(seller, seller)]
    utility = "0 + prices + x" if linear else "0 + log(prices) + x"
    simulation = pyblp.Simulation(
        (pyblp.Formulation(utility), pyblp.Formulation(utility)),
        product_data={
            "market_ids": np.zeros(OFFERS),
            "firm_ids": seller,
            "nesting_ids": np.zeros(OFFERS) if one_nest else model,
            "x": capability,
            "ownership": ownership,
        },
        agent_data={"market_ids": np.zeros(TYPES), "weights": weights, "nodes": np.c_[-alpha, beta]},
        beta=[0.0, 0.0],
        sigma=np.eye(2),
        rho=sigma2,
        xi=home,
    )
    iteration = pyblp.Iteration("simple", {"atol": 1e-14, "max_evaluations": 100_000})
    solved = simulation.replace_endogenous(costs=cost, iteration=iteration)
    return {
        "seed": seed, "linear": linear, "sigma1": sigma2 if one_nest else 0.0, "sigma2": sigma2,
        "alpha": alpha.tolist(), "beta": beta.tolist(), "weights": weights.tolist(),
        "capability": capability.tolist(), "home": home.tolist(), "model": model.tolist(),
        "cost": cost.tolist(), "ownership": ownership.tolist(),
        "prices": solved.product_data.prices.ravel().tolist(),
        "shares": solved.product_data.shares.ravel().tolist(),
    }  # fmt: skip


if __name__ == "__main__":
    markets = [
        market(seed, one_nest, linear)
        for linear in (False, True)
        for seed in range(1, 5)
        for one_nest in (False, True)
    ]
    Path(__file__).with_suffix(".json").write_text(json.dumps(markets, indent=1) + "\n")
