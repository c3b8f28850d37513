"""What serving costs on a fleet: the cost of its hours, and of a million tokens of a model on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.catalogue import Catalogue, Model
from model.cost import (
    Installation,
    Site,
    avoidable_cost_per_hour,
    full_cost_per_hour,
    power_kw,
    shadow_rental,
    standing_cost_per_hour,
    user_cost_per_hour,
)
from model.fleet import Fleet
from model.parameters import Parameters
from model.place import DENSE, PURPOSES, SPARSE

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class HourCosts:
    """USD of a working chip hour on one fleet, by chip, shape (chips,), and the shadow rental by purpose.

    ``avoidable`` cost and the rental (``user`` cost times ``rental_factor`` by purpose, (purposes,)) make prices,
    ``full`` makes accounts (``model/cost.py``). ``standing`` is paid for every hour a chip exists; the power
    bills are in both: ``working_power`` in the avoidable cost, ``idle_power`` in the standing cost.
    """

    avoidable: FloatArray
    standing: FloatArray
    working_power: FloatArray
    idle_power: FloatArray
    full: FloatArray
    user: FloatArray
    rental_factor: FloatArray


@dataclass(frozen=True)
class TokenCost:
    """A million tokens of one model on one fleet: chip hours and USD; infinite where it cannot be served."""

    hours: float
    avoidable: float
    rental: float
    full: float

    @property
    def resource(self) -> float:
        """The cost for prices: avoidable cost and shadow rental."""
        return self.avoidable + self.rental


NOWHERE = TokenCost(np.inf, np.inf, np.inf, np.inf)


def hour_costs(fleet: Fleet, catalogue: Catalogue, chip_price: FloatArray, p: Parameters) -> HourCosts:
    """Costs of the fleet's hours at this quarter's replacement prices of chips, shape (chips,), and its last use."""
    installation = Installation(
        chip_price_usd=chip_price,  # type: ignore[arg-type]  # the formulas are elementwise
        server_share=p.server_share,
        network_usd=p.network_usd_per_chip,
        cooling_usd=p.cooling_usd_per_chip,
        power_kw=power_kw(catalogue.column("tdp_w"), p.server_power_share),  # type: ignore[arg-type]
        idle_power_share=p.idle_power_share,
    )
    site = Site(
        fleet.power_usd_per_kwh,
        fleet.pue,
        p.network_usd_per_hour,
        p.fixed_staff_usd_per_hour,
        p.variable_staff_usd_per_hour,
    )
    user = user_cost_per_hour(
        installation.capital_usd,
        fleet.cost_of_capital,
        p.physical_depreciation,
        p.hardware_price_decline,
        p.target_utilisation,
    )
    kwh = fleet.pue * fleet.power_usd_per_kwh
    # Spare chips can change their work: an hour is worth what the whole fleet's use says, or its own pool's if short.
    use = np.maximum(fleet.use, fleet.mean_use())
    factor = shadow_rental(use, np.ones(len(PURPOSES)), p.target_utilisation, p.rental_convexity)
    return HourCosts(
        avoidable=np.asarray(avoidable_cost_per_hour(installation, site)),
        standing=np.asarray(standing_cost_per_hour(installation, site)),
        working_power=np.asarray(installation.power_kw * (1.0 - p.idle_power_share) * kwh),
        idle_power=np.asarray(installation.power_kw * p.idle_power_share * kwh),
        full=np.asarray(
            full_cost_per_hour(installation, site, fleet.cost_of_capital, p.chip_life_years, p.target_utilisation)
        ),
        user=np.asarray(user),
        # A shortage cannot raise the rental without end within a quarter: queues do the rest.
        rental_factor=np.minimum(factor, p.rental_ceiling),
    )


def purpose_of(model: Model) -> int:
    """The pool that serves a model."""
    return SPARSE if model.architecture.sparse else DENSE


def hours_per_mtok(units: FloatArray, catalogue: Catalogue, model: Model, maturity: FloatArray) -> float:
    """Chip hours of a million tokens on the ``units`` that can serve the model; on any chip's behalf if none can.

    A pool without a chip for the model borrows one: the hours are those of the best chip in the catalogue.
    """
    rate = catalogue.mtok_per_hour(model) * maturity[:, purpose_of(model)]
    useful = units * (rate > 0.0)
    total = useful.sum()
    return float(total / (useful @ rate)) if total > 0.0 else float(1.0 / rate.max())


def token_cost(
    units: FloatArray, costs: HourCosts, catalogue: Catalogue, model: Model, maturity: FloatArray
) -> TokenCost:
    """What a million tokens of ``model`` take on ``units`` of chips, shape (chips,), that can serve it.

    Chips bought for dense and for sparse inference serve both, and work is spread over time evenly on all that
    can do it. ``maturity`` is the share of the physics that software delivers, shape (chips, purposes).
    """
    purpose = purpose_of(model)
    rate = catalogue.mtok_per_hour(model) * maturity[:, purpose]
    useful = units * (rate > 0.0)
    total = useful.sum()
    if total <= 0.0:
        return NOWHERE
    hours = float(total / (useful @ rate))
    weight = useful / total
    return TokenCost(
        hours=hours,
        avoidable=hours * float(weight @ costs.avoidable),
        rental=hours * float(weight @ costs.user) * float(costs.rental_factor[purpose]),
        full=hours * float(weight @ costs.full),
    )


def replacement_prices(catalogue: Catalogue, quarter: int, decline: float) -> FloatArray:
    """What each chip would cost to replace now, USD, shape (chips,).

    The price asked while on sale; afterwards the last price, declining as equal hardware does.
    """
    result = np.array([chip.price for chip in catalogue.chips])
    for chip in catalogue.chips:
        if chip.until is not None and quarter > chip.until:
            result[chip.index] *= (1.0 - decline) ** ((quarter - chip.until) / 4.0)
    return result
