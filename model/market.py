"""The market as a Mesa model: the quarter, in nine events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mesa
import numpy as np
from numpy.typing import NDArray

from agents import (
    chipmaker,
    cloud,
    enterprise,
    institution,
    listing,
    procurement,
    research,
    seller,
    taste,
    vendor,
)
from agents.captive import Captive
from agents.chipmaker import Chipmaker
from agents.cloud import Cloud
from agents.enterprise import Enterprises, Population
from agents.facts import chip_of, given_chips, given_models
from agents.firm import Firm
from agents.fortune import Business, Luck
from agents.founding import catalogue, found_firms
from agents.intervention import Interventions
from agents.outlook import Outlook
from agents.policy import ChipTrade, State
from agents.vendor import Vendor
from model import calendar, recording, settlement
from model.chance import Chance
from model.chip import Chip
from model.fleet import Fleets
from model.graph import SupplyGraph
from model.hosting import HourCosts
from model.ledger import Ledger
from model.memo import Memo
from model.offer import OfferBook
from model.ownership import kappa
from model.place import REGIONS
from model.records import Recorder, Tables
from model.setting import Setting
from model.traffic import Traffic

if TYPE_CHECKING:
    import pandas

    from model.shock import Shock

FloatArray = NDArray[np.float64]


class Market(mesa.Model):
    """One world, from a resolved scenario and a seed.

    Step it with :meth:`step`, or :meth:`run` it to its last quarter; look at ``market.clouds["Alibaba"]``,
    ``market.vendors``, ``market.chipmakers``, ``market.enterprises[i]`` and ``market.graph``; bend it with
    :meth:`shock`. The same setting and seed give the same bytes.
    """

    def __init__(self, setting: Setting, seed: int = 0) -> None:
        super().__init__(rng=seed)
        self.setting = setting
        self.seed = seed
        self.parameters = setting.parameters
        self.chance = Chance(seed)
        self.t = calendar.index(setting.first)
        self.record_from = calendar.index(setting.record_from)
        self.last = calendar.index(setting.last)
        self.facts_end = calendar.index(FACTS_END)
        self.shocks: list[Shock] = list(setting.shocks)

        self.graph = SupplyGraph()
        self._parents: Memo[dict[str, str]] = Memo()
        self._kappa: Memo[FloatArray] = Memo()
        self.ledger = Ledger([], [], quarter=setting.first)
        self.recorder = Recorder()
        self.catalogue = catalogue(self.parameters)
        self.chip_index: dict[str, int] = {}
        self.anchor_price: dict[str, float] = {}
        self.clouds: dict[str, Cloud] = {}
        self.chips_to_come = given_chips(self.parameters)
        self.models_to_come = given_models(self.parameters)
        self.fleets = Fleets((), 0)
        for row in self.chips_to_come.pop(0, []):
            self.add_chip(chip_of(row, len(self.catalogue.chips), self.parameters))
        self.captive = Captive(self)

        self.population = Population(
            self.parameters, int(self.parameters.enterprises), self.chance.stream("traits")
        )
        self._lay_out_segments()
        self.enterprises = Enterprises(self)
        self.types = self.population.types(int(self.parameters.consumer_groups))
        self.states: dict[str, State] = {}
        self.chipmakers: dict[str, Chipmaker] = {}
        self.vendors: dict[str, Vendor] = {}
        self.edges_to_come: dict[int, list[tuple[str, str, str, dict[str, Any]]]] = {}
        self.edges_to_end: dict[int, list[tuple[str, str, str]]] = {}
        found_firms(self)
        self.firms: dict[str, Firm] = {**self.chipmakers, **self.clouds, **self.vendors}
        self.firm_number = {name: i for i, name in enumerate(self.firms)}
        self.firm_names = list(self.firms)
        self.owners = cloud.Owners(len(self.clouds), len(self.chipmakers))
        self.chip_trade = ChipTrade(self)
        self.offers = OfferBook(self.firm_number, {fleet.owner: fleet.number for fleet in self.fleets})
        for maker in self.chipmakers.values():
            maker.chips = [c for c in self.catalogue.chips if c.spec.maker == maker.name]
        self.tastes = taste.Tastes(self)
        self.listing = listing.Listing(self)
        self.research = research.Frontier()
        self.demand = enterprise.Demand.empty(self)
        self.institutions = institution.Institutions()
        self.traffic = Traffic(self)
        self.settlement = settlement.Settlement(self)
        self.luck = Luck(list(self.vendors), self.parameters, self.chance.stream("demand"))
        self.business = Business(self.parameters, self.chance.stream("supply"))
        self.confined: set[str] = set()
        self.interventions = Interventions()
        self.research_luck: dict[str, float] = {}
        self.hour_costs: HourCosts
        self.service_customers = np.zeros((len(self.firms), len(self.nodes)))
        self.service_value = np.zeros(len(REGIONS))
        self.look_around()
        self.recording = recording.Recording(self)

    # ------------------------------------------------------------------------------------------ the quarter

    def step(self) -> None:
        """One quarter, in the order of DESIGN section 3.

        Raises:
            RuntimeError: after the last quarter.
        """
        if self.finished:
            raise RuntimeError(f"{calendar.name(self.last)} was the last quarter: make a new market to go on")
        self.open_quarter()
        self.apply_policy()  # 1. shocks and rules take effect on the graph and on costs
        research.carry_out(self)  # 2. money is spent, capability advances, generations launch, weights open
        chipmaker.advance(self)  # 3. makers launch, reprice, add capacity
        procurement.procure(self)  # 4. forecasts, orders, rationing, deliveries, retirement
        seller.post(self)  # 5. sellers learn their costs and post prices
        enterprise.consume(self)  # 6. enterprises adopt, allocate, consume; short fleets ration
        settlement.settle(self)  # 7. everything is paid through the ledger, and the identities are checked
        self.learn()  # 8. expectations, maturity, learning curves, cash
        recording.record(self)  # 9. one typed record of the quarter
        self.close_quarter()

    def open_quarter(self) -> None:
        """Begin with empty flows and this quarter's luck."""
        self.graph.reset_flows()
        self.luck.draw()
        self.business.draw()

    def apply_policy(self) -> None:
        """Rules of the facts, access to regions, stakes, and this quarter's shocks."""
        for state in self.states.values():
            state.decree(self.t)
        institution.open_edges(self)
        institution.pooled_funding(self)
        for shock in self.shocks:
            if calendar.index(shock.quarter) == self.t:
                self.event("shock", "", type(shock).__name__, float("nan"), shock.apply(self))

    def learn(self) -> None:
        """What the quarter taught: buyers' forecasts, makers' software, vendors' money, institutions."""
        cloud.learn(self)
        chipmaker.learn(self)
        vendor.learn(self)
        institution.decide(self)

    def _lay_out_segments(self) -> None:
        """Nodes of the segments (region and sector), and which cells of the population they hold."""
        cells = self.population.cells
        self.node_places = list(dict.fromkeys((c.region, c.sector) for c in cells))
        self.nodes = [f"{REGIONS[region]}/{sector}" for region, sector in self.node_places]
        self.node_number = {name: n for n, name in enumerate(self.nodes)}
        number = {place: n for n, place in enumerate(self.node_places)}
        self.region_of_node = np.zeros((len(REGIONS), len(self.nodes)))
        for n, (region, _) in enumerate(self.node_places):
            self.region_of_node[region, n] = 1.0
        self.node_of_cell = np.zeros((len(self.nodes), len(cells)))
        self.region_of_cell = np.zeros((len(REGIONS), len(cells)))
        for s, c in enumerate(cells):
            self.node_of_cell[number[c.region, c.sector], s] = 1.0
            self.region_of_cell[c.region, s] = 1.0

    def look_around(self) -> None:
        """See chips and software as they are now."""
        self.outlook = Outlook.of(self)

    def close_quarter(self) -> None:
        """Check the identities of money and go on to the next quarter."""
        self.ledger.close()
        self.t += 1

    def run(self) -> dict[str, pandas.DataFrame]:
        """Step to the last quarter and return the recorded tables."""
        while not self.finished:
            self.step()
        return self.frames()

    def release(self) -> None:
        """Let Mesa forget the market, once no agent will be made in it any more.

        Mesa to 3.3, which Python 3.11 takes, counts the agents of every model in a dictionary of the class, which keeps
        each model alive (its issue 3179): an ensemble would fill the memory. Later ones count in the model.
        """
        getattr(mesa.Agent, "_ids", {}).pop(self, None)

    # ------------------------------------------------------------------------------------------ looking at it

    @property
    def finished(self) -> bool:
        """Whether the last quarter has been recorded."""
        return self.t > self.last

    @property
    def years(self) -> float:
        """Years since the record's first quarter, negative before it."""
        return (self.t - self.record_from) / calendar.QUARTERS_PER_YEAR

    @property
    def quarter(self) -> str:
        """The quarter that the next step will simulate, as ``2024Q1``."""
        return calendar.name(self.t)

    def frames(self) -> dict[str, pandas.DataFrame]:
        """The tables recorded so far, as declared in ``model/schema.csv``."""
        return dict(self.tables())

    def tables(self) -> Tables:
        """The same, each worked out when it is asked for, as DataFrame or as arrays; they do not hold the market."""
        return self.recording.tables(self)

    def event(self, kind: str, firm: str, subject: str, value: float, note: str) -> None:
        """Write one line into the log of events, from the first recorded quarter on."""
        if self.t >= self.record_from:
            self.recorder.log("events", self.quarter, kind, firm, subject, value, note)

    def parent_of(self, name: str) -> str:
        """The firm that controls another, or the firm itself."""
        return self._parents.of(self._find_parents, self.graph.compiled("equity").version).get(name, name)

    def _find_parents(self) -> dict[str, str]:
        return {stake.owned: stake.owner for stake in self.graph.stakes() if stake.control > HALF}

    def kappa(self) -> FloatArray:
        """Profit weights of firms on firms from the equity edges, numbered by :attr:`firm_number`."""
        return self._kappa.of(
            lambda: kappa(
                list(self.firms), [(s.owner, s.owned, s.control, s.rights) for s in self.graph.stakes()]
            ),
            self.graph.compiled("equity").version,
        )

    # ------------------------------------------------------------------------------------------ bending it

    def shock(self, shock: Shock) -> None:
        """Add a shock; one dated to a quarter that has passed takes effect at once.

        Raises:
            ValueError: if it makes no sense in this market, or comes after the last quarter.
        """
        check = getattr(shock, "check", None)
        if check is not None:
            check()
        if calendar.index(shock.quarter) > self.last:
            last = calendar.name(self.last)
            raise ValueError(
                f"a shock in {shock.quarter} comes after the last quarter: write {last} or earlier"
            )
        if calendar.index(shock.quarter) < self.t:
            self.event("shock", "", type(shock).__name__, float("nan"), shock.apply(self))
        else:
            self.shocks.append(shock)

    def set_parameter(self, name: str, value: float) -> None:
        """Change a parameter from now on."""
        self.parameters = self.parameters.changed({name: value})

    def confine(self, vendor: str) -> str:
        """Let export rules reach a vendor's models: abroad nobody may sell or host them; returns a log line."""
        self.confined.add(vendor)
        return f"{vendor}'s models may be sold and hosted at home only"

    def form_consortium(self, target: str, members: tuple[str, ...], rights: float) -> str:
        """Give each member a stake in a vendor, to fund it together; returns a line for the log."""
        return institution.form(self, target, tuple(members), rights)

    # ------------------------------------------------------------------------------------------ things that enter

    def applications(self) -> FloatArray:
        """Deployed applications by cell of the population."""
        return enterprise.applications(self)

    def support_left(self, firm: Vendor) -> float:
        """Share of its owner's support that a vendor still gets."""
        return institution.support_left(self, firm)

    def add_chip(self, chip: Chip) -> None:
        """Enter a chip into the catalogue; fleets make room for it before anybody orders it (``chipmaker.advance``)."""
        self.chip_index[chip.name] = chip.index
        self.catalogue.add_chip(chip)
        self.anchor_price[chip.name] = chip.price


FACTS_END = "2024Q4"
"""The last quarter of the given launches, chips and rules."""

HALF = 0.5
