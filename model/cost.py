"""The two costs of a chip hour, never to be mixed: full cost for accounts, avoidable and rental for prices.

Every amount may be a float or an array over chips; formulas are elementwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.calendar import HOURS_PER_YEAR

WATTS_PER_KW = 1000.0

Amount: TypeAlias = float | NDArray[np.float64]


@dataclass(frozen=True)
class Installation:
    """One chip in a rack: its price, what surrounds it, and the power it draws.

    ``server_share`` is the cost of the host server as a share of the chips in it, ``network_usd`` and
    ``cooling_usd`` are per chip, ``power_kw`` is IT power of a busy chip with its share of the server, and
    ``idle_power_share`` what it draws when idle as a share of that.
    """

    chip_price_usd: Amount
    server_share: Amount
    network_usd: Amount
    cooling_usd: Amount
    power_kw: Amount
    idle_power_share: Amount

    @property
    def capital_usd(self) -> Amount:
        """Capital of one installed chip in USD."""
        return self.chip_price_usd * (1.0 + self.server_share) + self.network_usd + self.cooling_usd


@dataclass(frozen=True)
class Site:
    """What running a chip costs in a region: power in USD/kWh, PUE, traffic and staff in USD a chip hour.

    ``fixed_staff_usd_per_hour`` is paid for every hour the chip exists, ``variable_staff_usd_per_hour`` and
    ``network_usd_per_hour`` only for the hours it works.
    """

    power_price_usd_per_kwh: Amount
    pue: Amount
    network_usd_per_hour: Amount
    fixed_staff_usd_per_hour: Amount
    variable_staff_usd_per_hour: Amount


def power_kw(tdp_w: Amount, server_power_share: float) -> Amount:
    """IT power of a busy chip with its share of the host, in kW, from its rated power in W."""
    return tdp_w * (1.0 + server_power_share) / WATTS_PER_KW


def capital_recovery(cost_of_capital: Amount, life_years: float) -> Amount:
    """Yearly payment that repays one dollar over its life: r / (1 - (1+r)^-n), per year; 1/n at r = 0.

    Raises ValueError for a life that is not positive or a rate at or below -1.
    """
    if life_years <= 0.0:
        raise ValueError(f"life_years must be positive, got {life_years}")
    rate = np.asarray(cost_of_capital, dtype=np.float64)
    if (rate <= -1.0).any():
        raise ValueError(f"cost_of_capital must exceed -1, got {cost_of_capital}")
    # expm1 keeps the digits when the rate is close to zero.
    repaid = -np.expm1(-life_years * np.log1p(rate))
    share = np.divide(rate, repaid, out=np.full_like(rate, 1.0 / life_years), where=rate != 0.0)
    return float(share) if share.ndim == 0 else share


def avoidable_cost_per_hour(installation: Installation, site: Site) -> Amount:
    """USD of one more hour of work: power above idle, network traffic, variable staff. For prices."""
    working_kw = installation.power_kw * (1.0 - installation.idle_power_share)
    return (
        working_kw * site.pue * site.power_price_usd_per_kwh
        + site.network_usd_per_hour
        + site.variable_staff_usd_per_hour
    )


def standing_cost_per_hour(installation: Installation, site: Site) -> Amount:
    """USD an hour that the chip exists, working or not: idle power and fixed staff, without capital."""
    idle_kw = installation.power_kw * installation.idle_power_share
    return idle_kw * site.pue * site.power_price_usd_per_kwh + site.fixed_staff_usd_per_hour


def capital_cost_per_hour(installation: Installation, cost_of_capital: Amount, life_years: float) -> Amount:
    """USD of amortised capital for every hour the chip exists, working or not."""
    return installation.capital_usd * capital_recovery(cost_of_capital, life_years) / HOURS_PER_YEAR


def full_cost_per_hour(
    installation: Installation, site: Site, cost_of_capital: Amount, life_years: float, utilisation: Amount
) -> Amount:
    """USD of one hour of work: capital and standing cost over use, plus avoidable cost. For accounts.

    ``utilisation`` is the share of hours worked, in (0, 1]; raises ValueError outside.
    """
    _require_share(utilisation)
    standing = capital_cost_per_hour(installation, cost_of_capital, life_years)
    standing += standing_cost_per_hour(installation, site)
    return standing / utilisation + avoidable_cost_per_hour(installation, site)


def user_cost_per_hour(
    capital_usd: Amount,
    cost_of_capital: Amount,
    depreciation: float,
    expected_decline: Amount,
    utilisation: Amount,
    standing_usd_per_hour: Amount = 0.0,
) -> Amount:
    """USD that an hour of work must earn above its avoidable cost for the chip to be worth holding a year.

    Jorgenson (1963) in discrete time: buy at q, earn c at the end of the year, sell what is left at the new
    price: c = q [(1+r) - (1-delta)(1-d)], with yearly ``depreciation`` delta (wear, failure) and
    ``expected_decline`` d of the price of equal hardware. Standing cost is added, and both are spread over
    the share of hours worked. Raises ValueError for a utilisation outside (0, 1].
    """
    _require_share(utilisation)
    yearly = (1.0 + cost_of_capital) - (1.0 - depreciation) * (1.0 - expected_decline)
    return (capital_usd * yearly / HOURS_PER_YEAR + standing_usd_per_hour) / utilisation


def shadow_rental(
    utilisation: ArrayLike, user_cost: ArrayLike, target_utilisation: float, convexity: float
) -> NDArray[np.float64]:
    """USD rental of a working hour at expected use: user_cost x (u / target)^convexity, elementwise.

    Zero when idle, the user cost at target, finite at the ceiling of use and beyond, where demand is more
    than the fleet can serve. ``convexity`` is the inverse elasticity of supply of hours and must be at least
    1. Peak-load pricing (Boiteux 1960; Williamson 1966) smoothed over the hours of a quarter.
    Raises ValueError for a target outside (0, 1] or a convexity below 1.
    """
    _require_share(target_utilisation)
    if convexity < 1.0:
        raise ValueError(f"convexity must be at least 1, got {convexity}")
    use = np.maximum(np.asarray(utilisation, dtype=np.float64), 0.0)
    return np.asarray(user_cost, dtype=np.float64) * (use / target_utilisation) ** convexity


def _require_share(utilisation: Amount) -> None:
    if not np.all((np.asarray(utilisation) > 0.0) & (np.asarray(utilisation) <= 1.0)):
        raise ValueError(f"utilisation must lie in (0, 1], got {utilisation}")
