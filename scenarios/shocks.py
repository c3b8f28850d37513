"""The kinds of shock that a scenario file can name: dated changes that act through methods of the market."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, TypeVar

from model.parameters import Parameters
from model.shock import Shock

if TYPE_CHECKING:
    from model.market import Market

CONTROL = 0.5
"""A firm controls another with more than half of the votes."""

KINDS: dict[str, type[Shock]] = {}
"""Every kind of shock by the name that scenario files use."""

AnyShock = TypeVar("AnyShock", bound=type[Shock])


def kind(name: str) -> Callable[[AnyShock], AnyShock]:
    """Register a shock under the name that scenario files use.

    The class is a frozen dataclass: its fields are the keys that ``[[shocks]]`` may give, their types and
    defaults are what the file is checked against, and its docstring is its documentation. A method ``check``,
    where there is one, raises ValueError for values that the types allow and the market does not.
    """

    def register(shock: AnyShock) -> AnyShock:
        if name in KINDS:
            raise ValueError(f"two shocks are called {name!r}")
        KINDS[name] = shock
        return shock

    return register


def _firms(kind: str) -> list[str]:
    """Names of the firms of a kind at the start, from ``evidence/firms.csv``."""
    text = resources.files("evidence").joinpath("firms.csv").read_text(encoding="utf-8")
    return [row["firm"] for row in csv.DictReader(io.StringIO(text)) if row["kind"] == kind]


def _check_firms(target: str, backers: tuple[str, ...]) -> None:
    vendors, clouds = _firms("vendor"), _firms("cloud")
    if target not in vendors:
        raise ValueError(f"target = {target!r} makes no models; write one of {', '.join(vendors)}")
    for backer in backers:
        if backer not in clouds:
            raise ValueError(f"{backer!r} is no cloud; write one of {', '.join(clouds)}")


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
        _check_firms(self.target, self.members)
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
        _check_firms(self.target, (self.backer,))
        if not CONTROL < self.stake <= 1.0:
            raise ValueError(f"stake = {self.stake:g}: control takes more than {CONTROL:g} and at most 1")

    def apply(self, market: Market) -> str:
        """Shrink the other owners' equity edges to what is left, and draw the backer's."""
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


@kind("confine")
@dataclass(frozen=True)
class Confine:
    """Export rules reach a vendor's models: nobody abroad may sell or host them any more."""

    quarter: str
    target: str = "DeepSeek"

    def check(self) -> None:
        """Raise ValueError for a vendor that the market lacks."""
        _check_firms(self.target, ())

    def apply(self, market: Market) -> str:
        """Take the vendor's models off every price list but those of its home."""
        return market.confine(self.target)


@kind("set")
@dataclass(frozen=True)
class SetParameter:
    """A parameter takes another value from a quarter on: a price, a rate or a switch of the table."""

    quarter: str
    name: str
    value: float

    def check(self) -> None:
        """Raise ParameterError for a parameter that does not exist or cannot take the value."""
        Parameters.resolve({self.name: self.value})

    def apply(self, market: Market) -> str:
        """Replace the value for the rest of the run."""
        market.set_parameter(self.name, self.value)
        return f"{self.name} = {self.value:g}"
