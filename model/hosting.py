"""What serving costs on a fleet: the cost of its hours, and of a million tokens of a model on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from model.calendar import HOURS_PER_YEAR, QUARTERS_PER_YEAR
from model.catalogue import Catalogue, Model
from model.cost import (
    Amount,
    Installation,
    Site,
    avoidable_cost_per_hour,
    full_cost_per_hour,
    power_kw,
    shadow_rental,
    standing_cost_per_hour,
    user_cost_per_hour,
)
from model.fleet import Fleet, Fleets
from model.parameters import Parameters
from model.place import DENSE, PURPOSES, SPARSE

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class HourCosts:
    """USD of a working chip hour on each fleet, by chip, shape (fleets, chips), and the shadow rental by purpose.

    ``avoidable`` cost and the rental (``user`` cost times ``rental_factor``, (fleets, purposes)) make prices,
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

    def of(self, fleet: Fleet) -> HourCosts:
        """Those of one fleet, shapes (chips,) and (purposes,)."""
        return HourCosts(*(getattr(self, part.name)[fleet.number] for part in fields(self)))


@dataclass(frozen=True)
class TokenCosts:
    """A million tokens of each model on each fleet, shape (fleets, models): chip hours, USD for prices and accounts.

    ``resource``, the cost for prices, is avoidable cost and shadow rental. Infinite where no chip can serve.
    """

    hours: FloatArray
    resource: FloatArray
    full: FloatArray


def life_hours(p: Parameters) -> float:
    """Hours that a chip works in its life."""
    return HOURS_PER_YEAR * p.chip_life_years * p.target_utilisation


def with_surroundings(cost: Amount, p: Parameters) -> Amount:
    """A chip's cost, USD, with that of its network and its cooling, before a choice of either."""
    return cost + p.network_usd_per_chip + p.cooling_usd_per_chip


def hour_costs(fleets: Fleets, catalogue: Catalogue, chip_price: FloatArray, p: Parameters) -> HourCosts:
    """Costs of hours at this quarter's replacement prices of chips, (fleets, chips), and the fleets' last use."""
    interest = fleets.cost_of_capital[:, None]
    installation = Installation(
        chip_price_usd=chip_price,
        server_share=p.server_share,
        network_usd=p.network_usd_per_chip,
        cooling_usd=p.cooling_usd_per_chip,
        power_kw=power_kw(catalogue.column("tdp_w"), p.server_power_share),
        idle_power_share=p.idle_power_share,
    )
    site = Site(
        fleets.power_usd_per_kwh[:, None],
        fleets.pue[:, None],
        p.network_usd_per_hour,
        p.fixed_staff_usd_per_hour,
        p.variable_staff_usd_per_hour,
    )
    user = user_cost_per_hour(
        installation.capital_usd,
        interest,
        p.physical_depreciation,
        p.hardware_price_decline,
        p.target_utilisation,
    )
    kwh = (fleets.pue * fleets.power_usd_per_kwh)[:, None]
    # An idle chip can change its work, and other work gives way at what it pays, the user cost: an hour is worth
    # what the whole fleet's use says up to its target, and more only where its own pool is short.
    use = np.maximum(fleets.use, np.minimum(fleets.mean_use(), p.target_utilisation)[:, None])
    # No use counts for more than brings the rental to its ceiling: a pool without a chip has none that is finite.
    use = np.minimum(use, p.target_utilisation * p.rental_ceiling ** (1.0 / p.rental_convexity))
    factor = shadow_rental(use, np.ones(len(PURPOSES)), p.target_utilisation, p.rental_convexity)
    return HourCosts(
        avoidable=np.asarray(avoidable_cost_per_hour(installation, site)),
        standing=np.asarray(standing_cost_per_hour(installation, site)),
        working_power=np.asarray(installation.power_kw * (1.0 - p.idle_power_share) * kwh),
        idle_power=np.asarray(installation.power_kw * p.idle_power_share * kwh),
        full=np.asarray(
            full_cost_per_hour(installation, site, interest, p.chip_life_years, p.target_utilisation)
        ),
        user=np.asarray(user),
        # A shortage cannot raise the rental without end within a quarter: queues do the rest.
        rental_factor=np.minimum(factor, p.rental_ceiling),
    )


def purpose_of(model: Model) -> int:
    """The pool that serves a model."""
    return SPARSE if model.architecture.sparse else DENSE


def delivered_rates(models: Sequence[Model], catalogue: Catalogue, maturity: FloatArray) -> FloatArray:
    """Blended Mtok a chip hour of each model on each chip as software delivers it, shape (models, chips).

    ``maturity`` is the share of the physics that software delivers, shape (chips, purposes).
    """
    purposes = [purpose_of(model) for model in models]
    return np.asarray(catalogue.mtok_per_hour(models) * maturity[:, purposes].T)


def token_costs(units: FloatArray, costs: HourCosts, models: Sequence[Model], rate: FloatArray) -> TokenCosts:
    """What a million tokens of each model take on ``units`` of chips, (fleets, chips), that can serve it.

    Chips bought for dense and for sparse inference serve both, and work is spread over time evenly on all
    that can do it: what an hour of all of them costs, over what they make in it. ``rate`` (models, chips) is
    that of :func:`delivered_rates`. One fleet alone is as good: shapes then lack the first axis.
    """
    serves, made = (rate > 0.0).astype(np.float64).T, units @ rate.T

    def over_made(hour: FloatArray) -> FloatArray:
        return np.asarray(np.divide(hour, made, out=np.full(made.shape, np.inf), where=made > 0.0))

    # The rental is that of the pool, whose shortage sets it.
    rental = costs.rental_factor[..., [purpose_of(model) for model in models]]
    return TokenCosts(
        hours=over_made(units @ serves),
        resource=over_made((units * costs.avoidable) @ serves + (units * costs.user) @ serves * rental),
        full=over_made((units * costs.full) @ serves),
    )


def replacement_prices(catalogue: Catalogue, quarter: int, decline: float) -> FloatArray:
    """What each chip would cost to replace now, USD, shape (chips,).

    The price asked while on sale; afterwards the last price, declining as equal hardware does.
    """
    chips = catalogue.chips
    years = np.maximum(quarter - chips.until, 0.0) / QUARTERS_PER_YEAR
    return np.asarray(chips.price * (1.0 - decline) ** years)
