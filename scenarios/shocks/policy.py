"""Shocks by a state at home: a mandate on orders of chips, a minimum price of tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from model.place import REGION_INDEX
from model.shock import Shock
from scenarios.shocks.registry import kind
from scenarios.shocks.roster import STATES, check_regions, check_state

if TYPE_CHECKING:
    from model.market import Market


@kind("chip_quota")
@dataclass(frozen=True)
class ChipQuota:
    """A state makes the clouds at home take a share of their orders of accelerators from its own makers.

    The ``share`` holds for each cloud over all its work, counted ``by`` units or value, in what it orders and in what
    makers accept. With a ``waiver`` an order that domestic makers refuse may go abroad. Venues of buyers' own chips
    are free. A later quota of the state replaces an earlier one.
    """

    quarter: str
    share: float
    state: str = "China"
    by: Literal["units", "value"] = "units"
    waiver: bool = False

    def check(self) -> None:
        """Raise ValueError for a state that makes no rules here, or a share outside 0 to 1."""
        check_state(self.state)
        if not 0.0 < self.share <= 1.0:
            raise ValueError(
                f"share = {self.share:g}: a quota is above 0 and at most 1; leave the shock out for none"
            )

    def contradicts(self, other: Shock) -> str | None:
        """One quota at a time."""
        if isinstance(other, ChipQuota) and other.state == self.state and other != self:
            return f"{self.state} sets two quotas; write the one that holds"
        return None

    def apply(self, market: Market) -> str:
        """Put the mandate into force."""
        from agents.mandate import Mandate

        region, origin = market.states[self.state].region, STATES[self.state]
        rules = market.interventions
        before = [mandate for mandate in rules.mandates if mandate.region == region]
        rules.mandates = [mandate for mandate in rules.mandates if mandate.region != region]
        new = Mandate(region, origin, self.share, self.by == "value", self.waiver)
        if before:
            new.shadow = dict(before[-1].shadow)
        rules.mandates.append(new)
        return f"{self.share:.0%} of the {self.by} of chips that clouds in {region} order are domestic"


@kind("price_floor")
@dataclass(frozen=True)
class PriceFloor:
    """A regulator sets a minimum price of tokens sold in a region, blended; one's own chips are not a sale.

    A later minimum for the region replaces an earlier one. A seller with one price for several regions keeps to the
    minimum in all of them.
    """

    quarter: str
    usd_per_mtok: float
    region: str = "China"

    def check(self) -> None:
        """Raise ValueError for a price that is not positive, or a region that the market lacks."""
        check_regions((self.region,))
        if not 0.0 < self.usd_per_mtok < float("inf"):
            raise ValueError(
                f"usd_per_mtok = {self.usd_per_mtok:g}: a minimum price is above 0; leave the shock out for none"
            )

    def apply(self, market: Market) -> str:
        """Put the rule on posted prices into force."""
        from agents.price_rule import Minimum

        rules, region = market.interventions, REGION_INDEX[self.region]
        rules.price_rules = [
            rule for rule in rules.price_rules if not (isinstance(rule, Minimum) and rule.region == region)
        ]
        rules.price_rules.append(Minimum(region, self.usd_per_mtok))
        return f"tokens cost {self.usd_per_mtok:g} USD a million at least in {self.region}"
