"""Tests of model/roofline.py: the compiled best split equals a plain search over all splits."""

import math

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from model.roofline import fill_rates, serve_table

PRECISION = 1.0 + 1e-6


def plain_rate(chip, model, work):
    """Tokens a second and chip of the best split: each split's largest batch is found by bisection."""
    flops, bandwidth, interconnect, memory = chip
    flop_per_token, shared, routed, cache, breadth, depth, decline = model
    latency, input_per_output, activation_bytes, node, most_chips, transfer_latency, pipeline = work
    best, width = 0.0, 1
    while width <= min(node if interconnect > 0.0 else 1, most_chips):
        computing = flop_per_token / (flops * width)
        moved = 4.0 * (width - 1) / width * breadth * activation_bytes
        transfer = moved / interconnect if width > 1 else 0.0
        fixed = 2.0 * depth * transfer_latency if width > 1 else 0.0
        other = transfer + input_per_output * (computing + transfer)

        def seconds(batch, width=width, computing=computing, other=other, fixed=fixed):
            read = shared + routed * (1.0 - math.exp(decline * batch)) + batch * cache
            return max(read / (width * bandwidth), batch * computing) + batch * other + fixed

        stages = 1
        while width * stages <= most_chips:
            kept = pipeline if stages > 1 else 1.0
            low, high = 1.0, (width * stages * memory - shared - routed) / (cache * stages)
            if high >= 1.0 and seconds(1.0) <= latency * kept:
                if seconds(high) <= latency * kept:
                    low = high
                while high > low * PRECISION:
                    middle = math.sqrt(low * high)
                    low, high = (low, middle) if seconds(middle) > latency * kept else (middle, high)
                best = max(best, kept * (1.0 + input_per_output) / width * low / seconds(low))
            stages *= 2
        width *= 2
    return best


def log_uniform(low, high):
    return st.floats(math.log(low), math.log(high)).map(math.exp)


chips = st.tuples(
    log_uniform(2e13, 5e15),
    log_uniform(1e11, 2e13),
    st.one_of(st.just(0.0), log_uniform(1e10, 1e12)),
    log_uniform(1e10, 4e11),
)
models = st.tuples(
    log_uniform(2e9, 2e12),
    log_uniform(1e9, 5e11),
    st.one_of(st.just(0.0), log_uniform(1e9, 2e12)),
    log_uniform(1e6, 1e10),
    log_uniform(1e4, 2e6),
    log_uniform(10.0, 150.0),
    log_uniform(1e-3, 1.0).map(lambda x: -x),
).map(lambda row: row if row[2] > 0.0 else (*row[:6], 0.0))
works = st.tuples(
    st.one_of(st.just(math.inf), log_uniform(0.005, 1.0)),
    st.floats(0.0, 20.0),
    st.just(2.0),
    st.sampled_from([1, 4, 8, 16]),
    st.sampled_from([1, 16, 48, 64]),
    st.just(1e-5),
    st.floats(0.5, 1.0),
)
H100 = (9.5e14, 2.2e12, 3.6e11, 7.2e10)
DENSE = (1.4e11, 7e10, 0.0, 2.5e8, 6.7e5, 81.0, 0.0)
SPARSE = (8.4e10, 1.3e10, 2.2e11, 5e7, 3e5, 54.0, -0.038)
ONLINE = (0.2, 3.0, 2.0, 8, 64, 1e-5, 0.85)


@given(chips, models, works)
@example(H100, DENSE, ONLINE)
@example(H100, SPARSE, ONLINE)
@example(H100, SPARSE, (math.inf, *ONLINE[1:]))
@example((*H100[:2], 0.0, H100[3]), DENSE, ONLINE)
def test_the_best_split_is_that_of_a_plain_search_over_all(chip, model, work):
    rate, count, batch, prefill = serve_table(
        np.array([chip]), np.array([model]), np.array(work, dtype=float)
    )[0, 0]
    plain = plain_rate(chip, model, work)
    # The plain search may stop a step elsewhere where what is allowed lies on the edge of a step.
    np.testing.assert_allclose(rate, plain, rtol=2e-6 if work[0] < math.inf else 1e-9)
    assert (count == 0.0) == (rate == 0.0)
    assert count <= work[4] and 0.0 <= prefill <= 1.0 and (batch >= 1.0 or rate == 0.0)


def test_where_latency_binds_the_closed_form_stops_where_the_search_stops():
    rng = np.random.default_rng(0)
    near = []
    for _ in range(200):
        chip = np.array(H100) * rng.uniform(0.3, 3.0, 4)
        model = np.array(SPARSE) * rng.uniform(0.5, 2.0, 7)
        work = np.array(ONLINE, dtype=float)
        rate = serve_table(chip[None], model[None], work)[0, 0, 0]
        near.append(abs(rate / plain_rate(chip, model, ONLINE) - 1.0))
    assert np.quantile(near, 0.99) < 1e-12


def test_a_table_of_rates_is_filled_only_where_it_lacks_some():
    chips, models = np.array([H100, H100, H100]), np.array([DENSE, SPARSE])
    work = np.array(ONLINE, dtype=float)
    rates = np.full((2, 3), np.nan)
    rates[1, 0] = 5.0
    fill_rates(rates, chips, models, work, np.array([1]), 2, 10.0)
    assert rates[1, 0] == 5.0
    assert rates[1, 1] == 10.0 * serve_table(chips, models, work)[1, 1, 0]
    assert np.isnan(rates[0]).all() and np.isnan(rates[1, 2])
