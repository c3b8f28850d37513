"""Institutions that firms decide to make: a consortium around an open model, its foundation, regional copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agents.cloud import decide_consortium
from agents.research import growth_of_funding
from agents.vendor import Vendor
from model.ledger import Kind
from model.place import REGION_INDEX

if TYPE_CHECKING:
    from model.market import Market


SHARES = ("rights", "control")


@dataclass
class Consortium:
    """Clouds that fund one vendor's open model together; ``since`` is the quarter of its founding."""

    target: str
    members: tuple[str, ...]
    since: int
    foundation: bool = False


@dataclass
class Institutions:
    """What has been formed so far."""

    consortia: list[Consortium] = field(default_factory=list)
    copies: dict[str, int] = field(default_factory=dict)

    def of_target(self, vendor: str) -> Consortium | None:
        """The consortium behind a vendor."""
        return next((c for c in self.consortia if c.target == vendor), None)

    def of_member(self, cloud: str) -> Consortium | None:
        """The consortium that a cloud belongs to."""
        return next((c for c in self.consortia if cloud in c.members), None)

    def affinity(self, market: Market, cloud: str, vendor: str) -> float:
        """Utility to a cloud of hosting a vendor's model beside its margin.

        Its own and its consortium's models serve it twice; a rival's strengthen the rival, unless a
        foundation keeps the model neutral.
        """
        p = market.parameters
        joint = self.of_target(vendor)
        parent = market.parent_of(vendor)
        if parent == cloud or (joint is not None and cloud in joint.members):
            return p.affiliate_taste
        rival = (parent != vendor and parent in market.clouds) or (joint is not None and not joint.foundation)
        return -p.rivalry_distaste if rival else 0.0


def form(market: Market, target: str, members: tuple[str, ...], rights: float) -> str:
    """Give each member a stake in the target, with control in proportion; returns a line for the log."""
    unknown = [name for name in (*members, target) if name not in market.firms]
    if unknown:
        raise ValueError(f"no firm is called {unknown[0]!r}: write one of {', '.join(market.firms)}")
    if not market.parameters.cloud_ownership:
        return f"nobody backs {target}: clouds own no model vendors here"
    joint = market.institutions.of_target(target)
    newcomers = tuple(name for name in members if joint is None or name not in joint.members)
    owners = _owners(market, target)
    # Who holds more already keeps it, and nobody can buy more than the others have left.
    buying = [name for name in newcomers if name not in owners or owners[name]["rights"] < rights]
    left = min(_left(market, target, share, buying) for share in SHARES)
    rights = min(rights, left / max(len(buying), 1))
    for member in buying:
        market.graph.permit(member, target, "equity", rights=rights, control=rights)
    if joint is None:
        market.institutions.consortia.append(Consortium(target, members, market.t))
    else:
        joint.members += newcomers
    line = f"{', '.join(members)} back {target} with {rights:.0%} each"
    market.event("consortium", target, ", ".join(members), rights, line)
    return line


def _owners(market: Market, target: str) -> dict[str, dict[str, float]]:
    """The terms on which each owner holds a firm."""
    return {
        owner: market.graph.terms(owner, target, "equity") for owner in market.graph.sources(target, "equity")
    }


def _left(market: Market, target: str, share: str, buying: Sequence[str]) -> float:
    """How much of a firm's rights or control is left to those who are buying."""
    held = sum(terms[share] for owner, terms in _owners(market, target).items() if owner not in buying)
    return max(1.0 - held, 0.0)


def pooled_funding(market: Market) -> None:
    """Members pay the shared model what they divert from their own, each quarter."""
    p = market.parameters
    for joint in market.institutions.consortia:
        if not market.vendors[joint.target].active:
            continue
        for member in joint.members:
            own = sum(v.support for v in market.vendors.values() if market.parent_of(v.name) == member)
            amount = p.consortium_diversion * own * growth_of_funding(market)
            market.ledger.pay(member, joint.target, Kind.POOLED_FUNDING, amount)


def support_left(market: Market, vendor: Vendor) -> float:
    """Share of an owner's support that its own vendor still gets once the owner backs another."""
    if not market.institutions.consortia:
        return 1.0
    joint = market.institutions.of_member(market.parent_of(vendor.name))
    diverted = joint is not None and joint.target != vendor.name
    return 1.0 - market.parameters.consortium_diversion * diverted


def decide(market: Market) -> None:
    """The institutions' part of the eighth event, from the end of the given facts on."""
    if market.t <= market.facts_end:
        return
    _consortia(market)
    _foundations(market)
    _copies(market)


def _own_vendors(market: Market) -> dict[str, Vendor]:
    """The first vendor that each cloud controls."""
    found: dict[str, Vendor] = {}
    for vendor in market.vendors.values():
        found.setdefault(market.parent_of(vendor.name), vendor)
    return found


def _consortia(market: Market) -> None:
    """Clouds of a region share an open model when, on their own forecasts, it beats paying for their own."""
    p = market.parameters
    for region in REGION_INDEX:
        free = [
            c
            for c in market.clouds.values()
            if c.region == region and not c.venue and market.institutions.of_member(c.name) is None
        ]
        for target in market.vendors.values():
            if target.region != region or target.owned or market.institutions.of_target(target.name):
                continue
            if target.name in market.interventions.apart:
                continue
            newest = target.latest("flagship")
            if not target.active or newest is None or not newest.open_weights:
                continue
            own_vendors = _own_vendors(market)
            willing = []
            for cloud in free:
                own = own_vendors.get(cloud.name)
                if own is None:
                    continue
                net = own.support * growth_of_funding(market) - own.margin
                shared = target.research / max(len(free), 1)
                gain = target.best - own.best
                worth = p.beta_mean * max(cloud.token_margin + own.token_margin, 0.0)
                price = p.independence_value * own.support * growth_of_funding(market)
                if decide_consortium(p.consortium_diversion * net, shared + price, gain, worth):
                    willing.append(cloud.name)
            if len(willing) >= int(p.consortium_least_members):
                form(market, target.name, tuple(willing), p.consortium_stake)
                break


def decide_foundation(backers: int, neutrality_gain: float, control_value: float) -> bool:
    """Whether backers hand the model to a foundation: several of them, and neutral hosts matter more."""
    return backers > 1 and neutrality_gain > control_value


def _foundations(market: Market) -> None:
    p = market.parameters
    for joint in market.institutions.consortia:
        if joint.foundation or market.t - joint.since < p.foundation_delay_quarters:
            continue
        served = {
            c.name: _tokens_of(market, c.name, joint.target) for c in market.clouds.values() if not c.venue
        }
        total = sum(served.values())
        if total <= 0.0:
            continue
        inside = [served[name] / total for name in joint.members if name in served]
        # Hosts outside hold back from a rival's model; the backer with most of the traffic likes control.
        neutrality = p.neutrality_value * (1.0 - sum(inside))
        control = p.control_value * max(inside, default=0.0)
        if decide_foundation(len(joint.members), neutrality, control):
            joint.foundation = True
            market.vendors[joint.target].foundation = True
            market.event(
                "foundation", joint.target, ", ".join(joint.members), float("nan"), "neutral governance"
            )


def _tokens_of(market: Market, cloud: str, vendor: str) -> float:
    return sum(o.served for o in market.offers if o.seller == cloud and o.model.vendor == vendor)


def decide_copy(margin: float, taste_gain: float, cost: float) -> bool:
    """Whether local champions band together around an open model: more of the region's margin than it costs."""
    return margin * taste_gain > cost


def _copies(market: Market) -> None:
    """A consortium elsewhere is an example: champions of other regions may follow it with open weights."""
    p = market.parameters
    if not market.institutions.consortia or not market.research.open_models:
        return
    for cloud in market.clouds.values():
        if not cloud.champion or cloud.region in market.institutions.copies:
            continue
        if decide_copy(cloud.token_margin, p.copy_taste, p.copy_cost_usd_per_quarter):
            market.institutions.copies[cloud.region] = market.t
            market.event(
                "copy", cloud.name, cloud.region, float("nan"), "local champions share an open model"
            )


def open_edges(market: Market) -> None:
    """Access to regions, partnerships and stakes of the facts, in the quarter in which they begin or end."""
    for kind, source, target, terms in market.edges_to_come.pop(market.t, []):
        if kind == "equity":
            # What a scenario has sold before is not there any more.
            terms = {share: min(terms[share], _left(market, target, share, [source])) for share in SHARES}
        market.graph.permit(source, target, kind, **terms)
    for kind, source, target in market.edges_to_end.pop(market.t, []):
        market.graph.forbid(source, target, kind)
