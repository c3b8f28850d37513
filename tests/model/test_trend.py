"""Growth whose rate fades."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.trend import faded_growth

rates, fades, spans = st.floats(0.0, 5.0), st.floats(0.01, 5.0), st.floats(0.0, 20.0)


@given(rates, fades, spans)
def test_it_is_the_integral_of_the_fading_rate(rate, fade, years):
    moments = (np.arange(2000) + 0.5) / 2000 * years
    assert faded_growth(rate, fade, years) == pytest.approx(
        float((rate * np.exp(-fade * moments)).mean() * years), rel=1e-3
    )


@given(rates, fades, spans)
def test_it_never_passes_growth_at_the_first_rate_nor_what_a_fading_rate_can_reach(rate, fade, years):
    grown = faded_growth(rate, fade, years)
    assert 0.0 <= grown <= min(rate * years, rate / fade) * (1.0 + 1e-9) + 1e-12
