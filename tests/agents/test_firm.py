"""What all firms share: an account, and effort that follows the margin."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.firm import decide_service_effort

shares = st.floats(0.0, 1.0)
margins = st.floats(-1e12, 1e12)


@given(shares, margins, margins, shares)
def test_effort_stays_a_share(effort, tokens, services, speed):
    assert -1e-12 <= decide_service_effort(effort, tokens, services, speed) <= 1.0 + 1e-12


@given(shares, st.floats(1.0, 1e9), st.floats(1.0, 1e9), st.floats(0.01, 1.0))
def test_effort_moves_to_where_the_margin_is_earned(effort, tokens, services, speed):
    goal = services / (tokens + services)
    after = decide_service_effort(effort, tokens, services, speed)
    assert abs(after - goal) <= abs(effort - goal) + 1e-12
    # A price war in tokens sends effort to services.
    assert decide_service_effort(effort, tokens / 10.0, services, speed) >= after


def test_a_firm_that_loses_on_tokens_turns_to_services_and_one_without_any_margin_stays():
    assert decide_service_effort(0.2, -5.0, 1.0, 0.5) == pytest.approx(0.6)
    assert decide_service_effort(0.2, 5.0, -1.0, 0.5) == pytest.approx(0.1)
    assert decide_service_effort(0.2, -5.0, -1.0, 0.5) == 0.2
