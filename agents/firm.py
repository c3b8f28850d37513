"""What all firms share: a name, a place and a balance sheet kept by the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mesa

if TYPE_CHECKING:
    from model.market import Market


def decide_service_effort(effort: float, token_margin: float, service_margin: float, speed: float) -> float:
    """Share of product effort on the service layer: moves towards the share of the margin earned there."""
    tokens, services = max(token_margin, 0.0), max(service_margin, 0.0)
    if tokens + services <= 0.0:
        return effort
    return effort + speed * (services / (tokens + services) - effort)


class Firm(mesa.Agent):
    """A Mesa agent with an account.

    ``region`` is where it is at home, ``origin`` the jurisdiction (CN, US or EU) whose rules bind it. Of the last
    quarter, USD: ``token_margin`` and ``service_margin`` of its own lines and ``owners_margin`` that its open
    models brought its owner.
    """

    model: Market

    def __init__(self, market: Market, name: str, region: str, origin: str) -> None:
        super().__init__(market)
        self.name = name
        self.region = region
        self.origin = origin
        self.active = True
        self.service_effort = float("nan")
        self.token_margin = 0.0
        self.service_margin = 0.0
        self.owners_margin = 0.0

    @property
    def cash(self) -> float:
        """Cash in USD."""
        return self.model.ledger.balance(self.name)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"
