"""Shocks to who owns and backs a model maker: a consortium, its end, its capture, a foundation, copies, funding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from model.place import REGIONS
from model.shock import Shock
from scenarios.shocks.registry import kind
from scenarios.shocks.roster import (
    check_clouds,
    check_named_once,
    check_regions,
    check_share,
    check_vendor,
)

if TYPE_CHECKING:
    from model.market import Market

CONTROL = 0.5
"""A firm controls another with more than half of the votes."""


@kind("consortium")
@dataclass(frozen=True)
class Consortium:
    """Clouds take stakes in one model maker, pool its funding and host its models as shared infrastructure.

    ``stake_each`` is the share of cash-flow rights that each member buys; without it every member buys the
    market's own stake for a consortium (parameter ``consortium_stake``).
    """

    quarter: str
    target: str = "DeepSeek"
    members: tuple[str, ...] = ("Huawei", "Tencent", "Alibaba")
    stake_each: float | None = None

    def check(self) -> None:
        """Raise ValueError for firms that the market lacks, a member twice, or stakes above the whole."""
        check_vendor(self.target)
        check_clouds(self.members)
        if not self.members or len(set(self.members)) < len(self.members):
            raise ValueError(f"members = {list(self.members)}: name each member once")
        if self.stake_each is not None and not 0.0 < self.stake_each * len(self.members) <= 1.0:
            stakes = f"stake_each = {self.stake_each:g}: {len(self.members)} stakes"
            raise ValueError(f"{stakes} must lie above 0 and add up to at most 1")

    def apply(self, market: Market) -> str:
        """Draw the equity edges from the members to the target."""
        stake = market.parameters["consortium_stake"] if self.stake_each is None else self.stake_each
        return market.form_consortium(self.target, self.members, stake)


@kind("capture")
@dataclass(frozen=True)
class Capture:
    """One cloud buys a stake in a model maker that gives it control; other owners sell in proportion."""

    quarter: str
    target: str
    backer: str
    stake: float

    def check(self) -> None:
        """Raise ValueError for firms that the market lacks, or a stake that does not control."""
        check_vendor(self.target)
        check_clouds((self.backer,))
        if not CONTROL < self.stake <= 1.0:
            raise ValueError(f"stake = {self.stake:g}: control takes more than {CONTROL:g} and at most 1")

    def contradicts(self, other: Shock) -> str | None:
        """Two firms cannot both control one."""
        if isinstance(other, Capture) and other.target == self.target and other.backer != self.backer:
            return f"{self.backer} and {other.backer} cannot both control {self.target}; name one of them"
        return None

    def apply(self, market: Market) -> str:
        """Shrink the other owners' equity edges to what is left, and draw the backer's."""
        if not market.parameters["cloud_ownership"]:
            return f"nobody takes {self.target}: clouds own no model vendors here"
        graph = market.graph
        stakes = {
            owner: graph.terms(owner, self.target, "equity")
            for owner in graph.sources(self.target, "equity")
            if owner != self.backer
        }
        for right in ("rights", "control"):
            held = sum(terms[right] for terms in stakes.values())
            left = min(1.0, (1.0 - self.stake) / held) if held > 0.0 else 1.0
            for owner, terms in stakes.items():
                graph.permit(owner, self.target, "equity", **{right: left * terms[right]})
        graph.permit(self.backer, self.target, "equity", rights=self.stake, control=self.stake)
        return f"{self.backer} takes {self.stake:.0%} of {self.target}"


@kind("breakup")
@dataclass(frozen=True)
class Breakup:
    """The members of a consortium give up their stakes and stop paying, and none forms around its model maker again.

    Founders get back what the members held. A foundation that has been made stays one.
    """

    quarter: str
    target: str = "DeepSeek"

    def check(self) -> None:
        """Raise ValueError for a vendor that the market lacks."""
        check_vendor(self.target)

    def contradicts(self, other: Shock) -> str | None:
        """A consortium that ends in the quarter in which it begins is none."""
        if isinstance(other, Consortium) and other.target == self.target:
            return f"the consortium around {self.target} both forms and breaks up; let the breakup come later"
        return None

    def apply(self, market: Market) -> str:
        """Take the members' equity edges away and strike the consortium off."""
        institutions = market.institutions
        joint = institutions.of_target(self.target)
        market.interventions.apart.add(self.target)
        if joint is None:
            return f"no consortium around {self.target} to break up, and none may form"
        for member in joint.members:
            market.graph.forbid(member, self.target, "equity")
        institutions.consortia.remove(joint)
        return f"{', '.join(joint.members)} give up {self.target}"


@kind("foundation")
@dataclass(frozen=True)
class Foundation:
    """A model maker becomes a foundation: it sells its tokens at cost, and hosts see it as neutral among its backers."""

    quarter: str
    target: str = "DeepSeek"

    def check(self) -> None:
        """Raise ValueError for a vendor that the market lacks."""
        check_vendor(self.target)

    def contradicts(self, other: Shock) -> str | None:
        """A foundation has no controlling owner."""
        if isinstance(other, Capture) and other.target == self.target:
            return f"{self.target} cannot be a foundation and {other.backer}'s; write one of the two"
        return None

    def apply(self, market: Market) -> str:
        """Change the rule by which the vendor prices, and how clouds look at its models."""
        market.vendors[self.target].foundation = True
        joint = market.institutions.of_target(self.target)
        backers = "nobody" if joint is None else ", ".join(joint.members)
        if joint is not None:
            joint.foundation = True
        market.event("foundation", self.target, backers, float("nan"), "neutral governance")
        return f"{self.target} becomes a foundation, backed by {backers}"


@kind("copies")
@dataclass(frozen=True)
class Copies:
    """Champions of other regions share an open model as a regional service, which buyers of their region prefer."""

    quarter: str
    regions: tuple[str, ...] = ("Asia-Pacific", "Europe and rest")

    def check(self) -> None:
        """Raise ValueError for regions that have no champions."""
        check_regions(self.regions)
        check_named_once("regions", self.regions)
        for region in self.regions:
            if region in (REGIONS[0], REGIONS[2]):
                raise ValueError(
                    f"{region} has clouds of its own and no champions; write Asia-Pacific or Europe and rest"
                )

    def apply(self, market: Market) -> str:
        """Give the regions' champions the standing of a shared service."""
        for cloud in market.clouds.values():
            new = cloud.region in self.regions and cloud.region not in market.institutions.copies
            if cloud.champion and new:
                market.institutions.copies[cloud.region] = market.t
                market.event(
                    "copy", cloud.name, cloud.region, float("nan"), "local champions share an open model"
                )
        return f"copies in {', '.join(self.regions)}"


@kind("funding_cut")
@dataclass(frozen=True)
class FundingCut:
    """Investors withdraw a share of what they committed to model makers that no firm of the market controls.

    Fresh rounds are another matter: parameter ``venture_appetite``. ``vendors`` names those hit; without it all are.
    """

    quarter: str
    share: float
    vendors: tuple[str, ...] = ()

    def check(self) -> None:
        """Raise ValueError for a share outside 0 to 1 or vendors that the market lacks."""
        check_share("share", self.share)
        for name in self.vendors:
            check_vendor(name)

    def apply(self, market: Market) -> str:
        """Shrink the support that each of them may draw."""
        hit = [
            vendor
            for vendor in market.vendors.values()
            if not vendor.owned and (not self.vendors or vendor.name in self.vendors)
        ]
        for vendor in hit:
            vendor.support *= 1.0 - self.share
        return (
            f"{', '.join(vendor.name for vendor in hit) or 'nobody'} lose {self.share:.0%} of their funding"
        )
