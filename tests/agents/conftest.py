"""Small markets, for the tests of agents in the market."""

from collections.abc import Callable

import pytest

from model.market import Market
from model.parameters import Parameters
from model.setting import Setting
from model.shock import Shock


@pytest.fixture(scope="session")
def small() -> Callable[..., Market]:
    """Makes a market of few enterprises before its first quarter, with other parameters where given."""

    def make(*shocks: Shock, last: str = "2028Q4", **overrides: float) -> Market:
        parameters = Parameters.resolve({"enterprises": 60, **overrides})
        return Market(Setting("small", parameters, shocks, last=last), seed=1)

    return make


@pytest.fixture(scope="module")
def market(request: pytest.FixtureRequest, small: Callable[..., Market]) -> Market:
    """A small market after the quarter that the module of tests calls LAST. Tests leave it as they find it."""
    market = small(last=request.module.LAST)
    market.run()
    return market
