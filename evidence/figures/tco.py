"""Total cost of a workload over years: a proprietary API, open weights hosted by clouds, and one's own chips."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evidence.claims import claims
from evidence.facts import constants, knows
from evidence.facts import rows as facts
from evidence.figures.machine import Machine, WorkloadError, architecture, machines
from evidence.hosting import MANAGED
from evidence.metrics import evaluate
from evidence.period import Moment
from evidence.products import FLAGSHIP, INPUT, OUTPUT, list_price
from evidence.record import Record, Rows, ratio
from model import calendar
from model.calendar import DAYS_PER_YEAR, HOURS_PER_YEAR, QUARTERS_PER_YEAR
from model.catalogue import TOKENS_PER_MTOK
from model.cost import Installation, Site, capital_recovery, power_kw
from model.parameters import Parameters
from model.place import REGIONS

if TYPE_CHECKING:
    from pandas import DataFrame

    from evidence.figures.spread import Tables

FloatArray = NDArray[np.float64]

API, HOSTED, SELF = "proprietary API", "hosted open weights", "self-hosting"
OPTIONS = (API, HOSTED, SELF)
COMPONENTS = ("fees", "depreciation", "power", "cooling", "network", "staff")
"""Fees are those of an API or a host; depreciation is that of chips and servers, with interest."""

TOTAL = "total"
FOLLOWED, HELD = "followed", "held"
ON_PREMISES = "on-premises"
CLAIM_GROUP = "self-hosting"
NAMED = "GPT-4 Turbo"
"""The product that the first article compares prices with."""


@dataclass(frozen=True)
class Workload:
    """What a firm wants served, and how it would buy it.

    ``tokens_per_query`` counts input and output; ``input_per_output`` splits them, by default as posted prices
    are blended. ``params_b`` and ``active_b`` are billions of parameters of the open model (dense by default).
    ``api`` is a product of the metrics of list prices, ``prices`` follow the run or stay at those of ``start``.
    Raises WorkloadError for what makes no sense in any run.
    """

    queries_per_day: float = 10e6
    tokens_per_query: float = 800.0
    region: str = "China"
    params_b: float = 70.0
    active_b: float | None = None
    start: str = "2024Q2"
    years: int = 3
    input_per_output: float | None = None
    api: str = "OpenAI flagship"
    chip: str = ""
    prices: str = FOLLOWED

    def __post_init__(self) -> None:
        positive = {
            "--queries-per-day": self.queries_per_day,
            "--tokens-per-query": self.tokens_per_query,
            "--params-b": self.params_b,
            "--active-b": self.params_b if self.active_b is None else self.active_b,
            "--input-per-output": 1.0 if self.input_per_output is None else self.input_per_output,
            "--years": self.years,
        }
        for option, value in positive.items():
            if not (value > 0.0 and math.isfinite(value)):
                raise WorkloadError(f"{option} = {value:g} is impossible: write a number above 0")
        chips = ["", *(row["chip"] for row in facts("chips"))]
        for name, word, known in (
            ("region", self.region, REGIONS),
            ("way of prices", self.prices, (FOLLOWED, HELD)),
            ("chip", self.chip, chips),
        ):
            if word not in known:
                raise WorkloadError(
                    f"there is no {name} {word!r}: write one of {', '.join(filter(None, known))}"
                )
        if not (knows("model", self.api) or knows("vendor", self.api.removesuffix(FLAGSHIP))):
            raise WorkloadError(
                f"no product is called {self.api!r}: write a model of evidence/names.csv, as {NAMED!r}, "
                f"or a vendor's newest, as {Workload.api!r}"
            )
        try:
            calendar.index(self.start)
        except ValueError as error:
            raise WorkloadError(str(error)) from None

    @property
    def mtok_per_year(self) -> float:
        """Tokens a year, in millions."""
        return self.queries_per_day * self.tokens_per_query * DAYS_PER_YEAR / TOKENS_PER_MTOK

    @property
    def quarters(self) -> tuple[str, ...]:
        """The quarters of its years."""
        first = calendar.index(self.start)
        return tuple(calendar.name(first + q) for q in range(self.years * QUARTERS_PER_YEAR))

    def mix(self, p: Parameters) -> float:
        """Input tokens for each output token."""
        return p.input_per_output if self.input_per_output is None else self.input_per_output


@dataclass(frozen=True)
class Plant:
    """One's own chips for a workload: what a year of ``replicas`` costs, by component, USD.

    ``fixed`` is for every replica and year, ``moving`` for every Mtok, each by component as in COMPONENTS;
    ``capacity`` in Mtok a year and replica at the target use, ``outlay`` USD a replica bought. A firm keeps
    one engineer at least (``staff_floor`` USD a year).
    """

    machine: Machine
    fixed: FloatArray
    moving: FloatArray
    capacity: float
    outlay: float
    staff_floor: float

    def replicas(self, mtok_per_year: float) -> int:
        """Replicas that serve so many Mtok a year; at least one."""
        # What a division leaves by rounding is no reason to buy another one.
        return max(1, math.ceil(mtok_per_year / self.capacity * (1.0 - constants()["rounding"])))

    def yearly(self, mtok_per_year: float) -> FloatArray:
        """USD a year by component."""
        cost = self.fixed * self.replicas(mtok_per_year) + self.moving * mtok_per_year
        staff = COMPONENTS.index("staff")
        cost[staff] = max(cost[staff], self.staff_floor)
        return np.asarray(cost)


def check(workload: Workload, record: Record) -> None:
    """Raises WorkloadError when the workload's years are not on record."""
    on_record = record.quarters
    missing = [quarter for quarter in workload.quarters if quarter not in on_record]
    if missing:
        raise WorkloadError(
            f"{workload.years} years from {workload.start} need {missing[0]}, and the run has "
            f"{on_record[0]} to {on_record[-1]}: start elsewhere, or count fewer years"
        )


def paid(rows: Rows, mix: float) -> float:
    """Price of a token of that mix, USD/Mtok, weighted by tokens; nan without rows."""
    prices = [rows.weighted(column, "tokens_mtok") for column in (INPUT, OUTPUT)]
    return (prices[0] * mix + prices[1]) / (mix + 1.0)


def api_price(record: Record, workload: Workload, mix: float, quarter: str) -> float:
    """Posted price of the API in a quarter, USD/Mtok of the workload's mix; nan when not on sale."""
    moment = Moment(quarter, (quarter,))
    prices = [list_price(record, moment, workload.api, column) for column in (INPUT, OUTPUT)]
    return (prices[0] * mix + prices[1]) / (mix + 1.0)


def comparable(record: Record, workload: Workload, quarter: str) -> Rows:
    """Open models that clouds host in the region at a price, of a size within ``similar_size_factor``.

    Where none is, those nearest in total parameters.
    """
    rows = record.rows("offers", (quarter,)).where(channel=MANAGED, open_weights=True, region=workload.region)
    priced = rows.keep(rows["price_usd_per_mtok"] > 0.0)
    distance = np.abs(np.log(priced["total_params_b"]) - math.log(workload.params_b))
    near = distance <= math.log(constants()["similar_size_factor"])
    return priced.keep(near if near.any() else distance == distance.min(initial=math.inf))


def price_path(record: Record, p: Parameters, workload: Workload, option: str) -> FloatArray:
    """Prices of an API or a host over the quarters of the workload, USD/Mtok of its mix, shape (quarters,).

    A quarter without an offer keeps the price before it. Raises WorkloadError when there is none to begin with.
    """
    mix, prices = workload.mix(p), list[float]()
    for quarter in workload.quarters:
        held = workload.prices == HELD and bool(prices)
        found = math.nan
        if not held and option == API:
            found = api_price(record, workload, mix, quarter)
        elif not held:
            found = paid(comparable(record, workload, quarter), mix)
        prices.append(prices[-1] if math.isnan(found) and prices else found)
    if math.isnan(prices[0]):
        what = workload.api if option == API else f"a hosted open model in {workload.region}"
        raise WorkloadError(f"{what} is not on sale in {workload.start}: start later")
    return np.array(prices)


def site(p: Parameters, region: str) -> tuple[Site, float]:
    """A firm's own hall in a region (``evidence/firms.csv``), and its cost of capital a year.

    Regions without a row of their own have the Western one.
    """
    halls = [row for row in p.facts("firms") if row["kind"] == "venue" and row["channel"] == ON_PREMISES]
    western = [row for row in halls if row["region"] != "China"]
    row = next((hall for hall in halls if hall["region"] == region), western[0])
    power, pue, cost_of_capital = (float(row[c]) for c in ("power_usd_per_kwh", "pue", "cost_of_capital"))
    return (
        Site(power, pue, p.network_usd_per_hour, p.fixed_staff_usd_per_hour, p.variable_staff_usd_per_hour),
        cost_of_capital,
    )


def plant(machine: Machine, p: Parameters, hall: Site, cost_of_capital: float) -> Plant:
    """What serving on one's own chips costs, split as the full cost of an hour in ``model/cost.py`` is.

    Capital is an annuity over the chips' accounting life; power is what servers draw, cooling the rest of
    PUE with the cooling equipment.
    """
    installation = Installation(
        chip_price_usd=machine.price_usd,
        server_share=p.server_share,
        network_usd=p.network_usd_per_chip,
        cooling_usd=p.cooling_usd_per_chip,
        power_kw=power_kw(machine.spec.tdp_w, p.server_power_share),
        idle_power_share=p.idle_power_share,
    )
    annuity = capital_recovery(cost_of_capital, p.chip_life_years)
    servers = installation.chip_price_usd * (1.0 + installation.server_share)
    idle_kwh = installation.power_kw * installation.idle_power_share * HOURS_PER_YEAR
    working_kwh = installation.power_kw * (1.0 - installation.idle_power_share) / machine.mtok_per_hour
    bill, overhead = hall.power_price_usd_per_kwh, hall.power_price_usd_per_kwh * (hall.pue - 1.0)
    fixed = {
        "depreciation": servers * annuity,
        "power": idle_kwh * bill,
        "cooling": idle_kwh * overhead + installation.cooling_usd * annuity,
        "network": installation.network_usd * annuity,
        "staff": hall.fixed_staff_usd_per_hour * HOURS_PER_YEAR,
    }
    moving = {
        "power": working_kwh * bill,
        "cooling": working_kwh * overhead,
        "network": hall.network_usd_per_hour / machine.mtok_per_hour,
        "staff": hall.variable_staff_usd_per_hour / machine.mtok_per_hour,
    }
    return Plant(
        machine=machine,
        fixed=np.array([fixed.get(c, 0.0) for c in COMPONENTS]) * machine.chips,
        moving=np.array([moving.get(c, 0.0) for c in COMPONENTS]),
        capacity=machine.mtok_per_hour * machine.chips * HOURS_PER_YEAR * p.target_utilisation,
        outlay=float(installation.capital_usd) * machine.chips,
        staff_floor=constants()["least_engineers"] * constants()["engineer_usd_per_year"],
    )


def cheapest(record: Record, p: Parameters, workload: Workload) -> Plant:
    """The plant that serves the workload at the lowest cost, of the chips on sale or the one pinned."""
    model = architecture(p, workload.params_b, workload.active_b)
    found = machines(record, p, model, workload.mix(p), workload.region, workload.start, workload.chip)
    hall, cost_of_capital = site(p, workload.region)
    plants = [plant(machine, p, hall, cost_of_capital) for machine in found]
    return min(plants, key=lambda one: float(one.yearly(workload.mtok_per_year).sum()))


def yearly_costs(record: Record, p: Parameters, workload: Workload) -> dict[str, FloatArray]:
    """USD of each option by year and component, shape (years, components)."""
    costs: dict[str, FloatArray] = {}
    for option in (API, HOSTED):
        prices = price_path(record, p, workload, option).reshape(workload.years, QUARTERS_PER_YEAR)
        costs[option] = np.zeros((workload.years, len(COMPONENTS)))
        costs[option][:, COMPONENTS.index("fees")] = prices.mean(axis=1) * workload.mtok_per_year
    own = cheapest(record, p, workload).yearly(workload.mtok_per_year)
    costs[SELF] = np.tile(own, (workload.years, 1))
    return costs


def cost(p: Parameters, tables: Tables, workload: Workload) -> DataFrame:
    """Cost of ownership by option, year and component, each option with a component ``total``.

    Columns: ``option``, ``year`` (1 is the first), ``component``, ``usd`` in the year, ``cumulative_usd``.
    Raises WorkloadError.
    """
    record = Record(tables)
    check(workload, record)
    rows = []
    for option, by_year in yearly_costs(record, p, workload).items():
        with_total = np.column_stack([by_year, by_year.sum(axis=1)])
        running = with_total.cumsum(axis=0)
        for year in range(workload.years):
            for c, component in enumerate((*COMPONENTS, TOTAL)):
                rows.append((option, year + 1, component, with_total[year, c], running[year, c]))
    return pd.DataFrame(rows, columns=["option", "year", "component", "usd", "cumulative_usd"])


def break_even(own: Plant, price: float, workload: Workload) -> float:
    """Queries a day from which one's own chips cost no more than paying ``price`` USD/Mtok; infinite if never.

    The least volume of all: the next replica may cost more again for a stretch.
    """
    margin = price - float(own.moving.sum())
    if margin * own.capacity <= own.fixed.sum():
        return math.inf
    staff = COMPONENTS.index("staff")
    # Staff is the larger of the floor and what the chips need, so the cost is the larger of two lines: the second
    # pays with any number of replicas, the first only from the number that can carry the floor.
    saved = margin + own.moving[staff]
    hardware = float(own.fixed.sum() - own.fixed[staff])
    replicas = max(1, math.ceil(own.staff_floor / (saved * own.capacity - hardware)))
    by_floor = (hardware * replicas + own.staff_floor) / saved
    by_chips = own.fixed.sum() * replicas / margin
    needed = max(by_floor, by_chips, own.capacity * (replicas - 1))
    return float(needed / workload.mtok_per_year * workload.queries_per_day)


def plan(p: Parameters, tables: Tables, workload: Workload) -> DataFrame:
    """One row on how the workload would be served: prices, the chip, how many, and from what volume it pays.

    ``api_usd_per_mtok`` and ``hosted_usd_per_mtok`` are means over the years, ``own_usd_per_mtok`` the cost of
    self-hosting, ``outlay_usd`` what is bought on the first day. Raises WorkloadError.
    """
    record = Record(tables)
    check(workload, record)
    own = cheapest(record, p, workload)
    api, hosted = (float(price_path(record, p, workload, option).mean()) for option in (API, HOSTED))
    volume, replicas = workload.mtok_per_year, own.replicas(workload.mtok_per_year)
    machine = own.machine
    return pd.DataFrame(
        [
            {
                "chip": machine.spec.name,
                "chip_priced": machine.priced_in,
                "chip_usd": machine.price_usd,
                "software_maturity_share": machine.maturity,
                "mtok_per_chip_hour": machine.mtok_per_hour,
                "chips": float(replicas * machine.chips),
                "use_share": volume / (own.capacity * replicas) * p.target_utilisation,
                "outlay_usd": own.outlay * replicas,
                "mtok_per_year": volume,
                "api_usd_per_mtok": api,
                "hosted_usd_per_mtok": hosted,
                "own_usd_per_mtok": float(own.yearly(volume).sum()) / volume,
                "break_even_api_queries_per_day": break_even(own, api, workload),
                "break_even_hosted_queries_per_day": break_even(own, hosted, workload),
            }
        ]
    )


def savings(p: Parameters, tables: Tables, workload: Workload) -> DataFrame:
    """What is saved over the years against the API, beside what the first article says of self-hosting.

    Columns: ``quantity``, ``claimed`` (text), ``model_share``, ``note``. This workload with prices followed and
    held, against its API and the one that the article names; then the registry's readings of the claim, the
    metric ``self_hosting_saving``: the run's own halls, whatever chips they hold. Raises WorkloadError.
    """
    asked = [claim for claim in claims() if claim.claim_group == CLAIM_GROUP]
    figure = f"{100 * asked[0].claimed_low:.0f} to {100 * asked[0].claimed_high:.0f} %"
    record = Record(tables)
    readings = [workload, *(replace(workload, prices=prices) for prices in (FOLLOWED, HELD))]
    if not math.isnan(api_price(record, replace(workload, api=NAMED), workload.mix(p), workload.start)):
        readings.append(replace(workload, api=NAMED, prices=HELD))
    rows = []
    for reading in dict.fromkeys(readings):
        totals = cost(p, tables, reading).query("component == @TOTAL and year == @reading.years")
        spent = dict(zip(totals["option"], totals["cumulative_usd"], strict=True))
        for option, shown in ((SELF, figure), (HOSTED, "")):
            what = f"{option} against {reading.api}, prices {reading.prices}"
            rows.append((what, shown, 1.0 - ratio(spent[option], spent[API]), ""))
    judged = evaluate(tables, asked=asked)
    rows += [
        (f"{SELF}, claim on halls of the run, {c.reading}", figure, judged[c.id], c.notes) for c in asked
    ]
    return pd.DataFrame(rows, columns=["quantity", "claimed", "model_share", "note"])
