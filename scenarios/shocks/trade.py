"""Shocks to trade in chips and models across borders: export bans and their end, kept weights, data blocs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from model.place import REGIONS
from model.shock import Shock
from scenarios.shocks.registry import kind
from scenarios.shocks.roster import STATES, check_named_once, check_regions, check_state, check_vendor

if TYPE_CHECKING:
    from model.market import Market


@kind("chip_ban")
@dataclass(frozen=True)
class ChipBan:
    """The United States forbid the sale of every accelerator of their makers to China, ordered ones included."""

    quarter: str

    def contradicts(self, other: Shock) -> str | None:
        """Rules cannot be tightened and lifted at once."""
        if isinstance(other, ChipRelief):
            return "sales of chips to China are both banned and freed; write one of the two"
        return None

    def apply(self, market: Market) -> str:
        """Put a ban on every chips edge from American makers to Chinese buyers."""
        from agents.policy import BANNED

        market.states["United States"].restrict(BANNED)
        return "no American accelerator may be sold to China"


@kind("chip_relief")
@dataclass(frozen=True)
class ChipRelief:
    """The United States lift their export rules on accelerators: every chip may be sold to China again.

    Buyers on the entity list stay barred unless ``listed`` says that they are free too. Chips that exist only because
    of the rules get no successors.
    """

    quarter: str
    listed: bool = False

    def apply(self, market: Market) -> str:
        """Take the rules off the chips edges, and draw those that the entity list kept away."""
        from agents.policy import LIFTED, RESTRICTED

        state = market.states["United States"]
        if self.listed:
            for maker in market.chipmakers.values():
                for_sale = not all(chip.captive_owner for chip in maker.chips)
                if maker.region == state.region and for_sale:
                    for cloud in market.clouds.values():
                        if cloud.region == RESTRICTED:
                            market.graph.permit(maker.name, cloud.name, "chips", export=LIFTED)
        state.restrict(LIFTED)
        return "American accelerators may be sold to China again"


@kind("confine")
@dataclass(frozen=True)
class Confine:
    """Export rules reach a vendor's models: nobody abroad may sell or host them any more."""

    quarter: str
    target: str = "DeepSeek"

    def check(self) -> None:
        """Raise ValueError for a vendor that the market lacks."""
        check_vendor(self.target)

    def apply(self, market: Market) -> str:
        """Take the vendor's models off every price list but those of its home."""
        return market.confine(self.target)


@kind("weights_ban")
@dataclass(frozen=True)
class WeightsBan:
    """A state forbids the export of open weights: firms abroad may not host them, nor build on them.

    It covers models launched from the quarter on, and older ones too if they can be ``recalled`` (what has been
    downloaded cannot; a law may still forbid its use). Their makers and clouds of the state may go on selling tokens
    of them abroad, and published methods still spread.
    """

    quarter: str
    state: str = "China"
    recalled: bool = False

    def check(self) -> None:
        """Raise ValueError for a state that makes no rules here."""
        check_state(self.state)

    def apply(self, market: Market) -> str:
        """Change the rule by which hosts abroad may take up open weights."""
        market.interventions.weights_kept[STATES[self.state]] = 0 if self.recalled else market.t
        which = "all" if self.recalled else "new"
        return f"{which} open weights from {self.state} may not be hosted abroad"


@kind("sovereignty")
@dataclass(frozen=True)
class Sovereignty:
    """Data must stay in their bloc of regions: tokens and services are bought only from sellers at home in it.

    Each region that ``blocs`` does not name is a bloc of its own. Chips of one's own are at home everywhere, and open
    weights may cross borders where the sellers of their tokens may not.
    """

    quarter: str
    blocs: tuple[tuple[str, ...], ...] = ()

    def check(self) -> None:
        """Raise ValueError for regions that the market lacks or that stand in two blocs."""
        named = tuple(region for bloc in self.blocs for region in bloc)
        check_regions(named)
        if named:
            check_named_once("blocs", named)

    def apply(self, market: Market) -> str:
        """Take the tokens edges away that lead from one bloc to another, now and those that facts would add."""
        bloc = {region: number for number, region in enumerate(REGIONS)}
        for number, regions in enumerate(self.blocs):
            bloc.update(dict.fromkeys(regions, -1 - number))
        graph, cut = market.graph, 0

        def crosses(seller: str, node: str) -> bool:
            firm = market.firms[seller]
            own = seller in market.clouds and market.clouds[seller].venue
            return not own and bloc[firm.region] != bloc[graph.node(node).region]

        for seller in market.firms:
            for relation in ("tokens", "services"):
                for node in graph.targets(seller, relation):
                    if crosses(seller, node):
                        graph.forbid(seller, node, relation)
                        cut += relation == "tokens"
        for quarter, edges in market.edges_to_come.items():
            market.edges_to_come[quarter] = [
                edge for edge in edges if edge[0] != "tokens" or not crosses(edge[1], edge[2])
            ]
        # What a seller could no longer reach is no customer of its services either.
        for seller, share in zip(market.firms, market.service_customers, strict=True):
            for n, node in enumerate(market.nodes):
                if crosses(seller, node):
                    share[n] = 0.0
        return f"data stay at home: {cut} relations cut"
