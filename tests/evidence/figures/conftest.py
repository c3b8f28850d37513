"""One small market, run once for all tests of the articles' figures."""

import pytest

from model.parameters import Parameters
from undercut import Market


@pytest.fixture(scope="session")
def small_run():
    """Parameters and tables of the baseline with few enterprises."""
    market = Market("baseline", seed=1, overrides={"enterprises": 100})
    tables = market.run()
    assert isinstance(market.parameters, Parameters)
    return market.parameters, tables
