"""Tests of model/serving.py: physics by hand, published throughputs, who gains from which architecture."""

import math
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest

from model.serving import (
    Architecture,
    CaptiveWork,
    ChipSpec,
    ServingTechnology,
    TrainingTechnology,
    captive_throughput,
    footprint_gb,
    model_width_times_depth,
    serving_table,
    training_throughput,
)


def chip(name, bf16, int8, memory, bandwidth, interconnect, tdp=400.0):
    rates = (bf16, int8, memory, bandwidth, interconnect, tdp)
    return ChipSpec(name, "maker", "US", "2023Q1", *rates)


H100 = chip("H100", 989.0, 1979.0, 80.0, 3.35, 900.0, 700.0)
H800 = replace(H100, name="H800", interconnect_gbs=400.0)
H20 = chip("H20", 148.0, 296.0, 96.0, 4.0, 900.0)
L40S = chip("L40S", 366.0, 733.0, 48.0, 0.864, 64.0, 350.0)
L2 = chip("L2", 96.5, 193.0, 24.0, 0.3, 64.0)
CHIPS = (H100, H800, H20, L40S, L2)

LLAMA = Architecture(70.0, 70.0, 327680.0)
DEEPSEEK_V2 = Architecture(21.0, 236.0, 69120.0, shared_share=0.6)
DENSE_200 = Architecture(200.0, 200.0, 490000.0)
SPARSE_200 = Architecture(20.0, 200.0, 490000.0, shared_share=0.5)
MODELS = (LLAMA, DEEPSEEK_V2, DENSE_200, SPARSE_200)

TECHNOLOGY = ServingTechnology(
    weight_bytes=1.0,
    activation_bytes=2.0,
    compute_efficiency=0.48,
    bandwidth_efficiency=0.65,
    interconnect_efficiency=0.4,
    sparse_efficiency=0.5,
    pipeline_efficiency=0.85,
    memory_usable_share=0.9,
    latency_target_s=0.2,
    input_per_output=3.0,
    context_tokens=1500.0,
    node_chips=8,
    max_chips=64,
    transfer_latency_us=10.0,
    width_over_depth=102.0,
    cache_bytes=1.0,
)
OFFLINE = replace(TECHNOLOGY, latency_target_s=math.inf)


class Pair(NamedTuple):
    """One chip on one model."""

    tokens_per_second_per_chip: float
    chips_per_replica: float
    batch: float
    prefill_share: float


def serving(spec, model, technology):
    """What the table says of one chip and one model."""
    table = serving_table([spec], [model], technology)
    return Pair(*(float(getattr(table, name)[0, 0]) for name in Pair._fields))


def test_a_decode_step_of_one_chip_is_the_roofline_of_the_textbook():
    model = Architecture(7.0, 7.0, 131072.0)
    work = replace(OFFLINE, input_per_output=0.0, node_chips=1, max_chips=1)
    context = 131072.0 / 2.0 * 1500.0
    batch = (80e9 * 0.9 - 7e9) / context
    reading = (7e9 + batch * context) / (3.35e12 * 0.65)
    computing = batch * 2.0 * 7e9 / (1979e12 * 0.48)
    found = serving(H100, model, work)
    assert found.batch == pytest.approx(batch)
    assert found.tokens_per_second_per_chip == pytest.approx(batch / max(reading, computing))
    assert found.prefill_share == 0.0


def test_prefill_takes_two_floating_point_operations_a_weight_and_token():
    model = Architecture(7.0, 7.0, 131072.0)
    only_input = replace(OFFLINE, input_per_output=1e6, node_chips=1, max_chips=1)
    found = serving(H100, model, only_input)
    assert found.tokens_per_second_per_chip == pytest.approx(1979e12 * 0.48 / (2.0 * 7e9), rel=1e-3)
    assert found.prefill_share == pytest.approx(1.0, abs=1e-3)


def test_a_batch_reads_the_experts_that_it_touches():
    # One stream touches k of E experts, a large batch nearly all; bandwidth alone binds on this chip.
    slow_memory = chip("slow memory", 1e5, 1e5, 400.0, 1.0, 0.0)
    work = replace(TECHNOLOGY, input_per_output=0.0, sparse_efficiency=1.0, max_chips=1)
    model = Architecture(20.0, 200.0, 100.0, shared_share=0.5)
    ratio = 10.0 / 190.0
    assert model.expert_ratio == pytest.approx(ratio)
    for latency in (0.05, 0.1, 0.2):
        found = serving(slow_memory, model, replace(work, latency_target_s=latency))
        read = 10e9 + 190e9 * (1.0 - (1.0 - ratio) ** found.batch) + found.batch * 50.0 * 1500.0
        assert read / (1e12 * 0.65) == pytest.approx(latency, rel=1e-4)


def test_llama_2_70b_offline_on_h100_gives_what_mlperf_measured():
    # MLPerf Inference 4.1, 8 H100, FP8: 84.2 samples/s of about 291 output tokens are 3,070 output tokens
    # a second a GPU. Prompts of Open Orca are about as long as the answers.
    work = replace(OFFLINE, input_per_output=1.0, context_tokens=450.0)
    found = serving(H100, LLAMA, work)
    output_tokens = found.tokens_per_second_per_chip / 2.0
    assert output_tokens == pytest.approx(3070.0, rel=0.15)


def test_deepseek_v2_on_one_node_gives_about_what_its_makers_measured():
    # DeepSeek-AI (2024), section 3.2.3: 8 H800, above 50,000 tokens/s generated and 100,000 read.
    node = replace(OFFLINE, max_chips=8, cache_bytes=0.75)
    generated = serving(H800, DEEPSEEK_V2, replace(node, input_per_output=0.0)).tokens_per_second_per_chip * 8
    read = serving(H800, DEEPSEEK_V2, replace(node, input_per_output=1e6)).tokens_per_second_per_chip * 8
    assert 35e3 < generated < 75e3
    assert 70e3 < read < 140e3


@pytest.mark.parametrize(("params_b", "weight_bytes"), [(140.0, 2.0), (280.0, 1.0)])
def test_a_dense_gpt_4_class_replica_needs_the_280_gb_of_the_first_article(params_b, weight_bytes):
    model = Architecture(params_b, params_b, 400000.0)
    found = footprint_gb(model, replace(TECHNOLOGY, weight_bytes=weight_bytes))
    assert found == pytest.approx(280.0, rel=0.01)


def test_total_not_active_parameters_set_the_footprint_and_the_chips_of_a_replica():
    # The article's 80 to 100 GB for DeepSeek-V2 would take less than four bits a weight.
    assert footprint_gb(DEEPSEEK_V2, TECHNOLOGY) == pytest.approx(236.0, rel=0.01)
    assert footprint_gb(DEEPSEEK_V2, replace(TECHNOLOGY, weight_bytes=0.4)) < 100.0
    assert footprint_gb(SPARSE_200, TECHNOLOGY) == pytest.approx(footprint_gb(DENSE_200, TECHNOLOGY))
    needed = footprint_gb(DEEPSEEK_V2, TECHNOLOGY)
    for spec in CHIPS:
        found = serving(spec, DEEPSEEK_V2, TECHNOLOGY)
        assert found.chips_per_replica * spec.memory_gb * TECHNOLOGY.memory_usable_share >= needed


def test_a_sparse_model_serves_far_more_tokens_than_a_dense_one_of_equal_size():
    for spec in (H100, H20, L40S):
        sparse, dense = serving(spec, SPARSE_200, TECHNOLOGY), serving(spec, DENSE_200, TECHNOLOGY)
        assert 2.0 < sparse.tokens_per_second_per_chip / dense.tokens_per_second_per_chip < 10.0


def test_sparse_models_gain_most_where_compute_is_scarce():
    # Sparsity saves compute and keeps the footprint: it closes part of the gap of a slow chip of much memory.
    def against_h100(model):
        work = replace(TECHNOLOGY, latency_target_s=0.05)
        slow, fast = serving(H20, model, work), serving(H100, model, work)
        return slow.tokens_per_second_per_chip / fast.tokens_per_second_per_chip

    assert against_h100(SPARSE_200) > against_h100(DENSE_200)


def test_long_contexts_favour_the_bandwidth_of_h20_and_short_ones_the_compute_of_h100():
    decode = replace(TECHNOLOGY, input_per_output=0.0, latency_target_s=0.05)
    for model in (LLAMA, DEEPSEEK_V2, DENSE_200):
        long, short = replace(decode, context_tokens=32000.0), replace(decode, context_tokens=1500.0)
        ahead = serving(H20, model, long).tokens_per_second_per_chip
        assert ahead > serving(H100, model, long).tokens_per_second_per_chip
        behind = serving(H20, model, short).tokens_per_second_per_chip
        assert behind < 0.5 * serving(H100, model, short).tokens_per_second_per_chip


def test_splitting_costs_more_where_the_interconnect_is_poor():
    alone, split = Architecture(7.0, 7.0, 131072.0), DENSE_200
    poor = replace(H100, interconnect_gbs=64.0)

    def kept(model):
        with_poor, with_good = serving(poor, model, TECHNOLOGY), serving(H100, model, TECHNOLOGY)
        return with_poor.tokens_per_second_per_chip / with_good.tokens_per_second_per_chip

    assert kept(alone) == pytest.approx(1.0)
    assert kept(split) < 0.85


def test_a_chip_without_interconnect_still_serves_in_a_pipeline():
    lonely = replace(H100, interconnect_gbs=0.0)
    found = serving(lonely, LLAMA, TECHNOLOGY)
    assert (
        0.0 < found.tokens_per_second_per_chip < serving(H100, LLAMA, TECHNOLOGY).tokens_per_second_per_chip
    )


def test_a_tighter_latency_target_never_gives_more_tokens():
    targets = (0.005, 0.02, 0.05, 0.1, 0.2, math.inf)
    for spec in CHIPS:
        for model in MODELS:
            rates = [
                serving(spec, model, replace(TECHNOLOGY, latency_target_s=t)).tokens_per_second_per_chip
                for t in targets
            ]
            assert all(a <= b * (1.0 + 1e-5) for a, b in pairwise(rates)), (spec.name, rates)


def test_a_chip_that_cannot_meet_the_latency_target_serves_nothing():
    found = serving(L2, DENSE_200, replace(TECHNOLOGY, latency_target_s=0.01))
    assert found.tokens_per_second_per_chip == 0.0
    assert found.chips_per_replica == 0


@pytest.mark.parametrize(
    "field", ["bf16_tflops", "int8_tops", "memory_gb", "bandwidth_tbs", "interconnect_gbs"]
)
def test_a_better_chip_never_serves_fewer_tokens(field):
    for spec in CHIPS:
        better = replace(spec, **{field: 1.5 * getattr(spec, field)})
        for model in MODELS:
            before = serving(spec, model, TECHNOLOGY).tokens_per_second_per_chip
            assert serving(better, model, TECHNOLOGY).tokens_per_second_per_chip >= before * (1.0 - 1e-5)


def test_sixteen_bit_weights_use_the_sixteen_bit_units_and_twice_the_memory():
    wide = replace(OFFLINE, weight_bytes=2.0, cache_bytes=2.0)
    sixteen, eight = serving(H100, LLAMA, wide), serving(H100, LLAMA, OFFLINE)
    assert footprint_gb(LLAMA, wide) == pytest.approx(2.0 * footprint_gb(LLAMA, OFFLINE))
    assert 0.35 < sixteen.tokens_per_second_per_chip / eight.tokens_per_second_per_chip < 0.55


def test_an_old_chip_computes_eight_bits_no_slower_than_sixteen():
    v100 = chip("V100", 125.0, 62.0, 32.0, 0.9, 300.0)
    assert v100.eight_bit_tops == 125.0
    assert H100.eight_bit_tops == 1979.0


def test_the_table_of_many_pairs_equals_the_pairs_one_by_one():
    table = serving_table(CHIPS, MODELS, TECHNOLOGY)
    for i, model in enumerate(MODELS):
        for j, spec in enumerate(CHIPS):
            one = serving(spec, model, TECHNOLOGY)
            assert table.tokens_per_second_per_chip[i, j] == one.tokens_per_second_per_chip
            assert table.chips_per_replica[i, j] == one.chips_per_replica
            assert table.batch[i, j] == one.batch
            assert table.prefill_share[i, j] == one.prefill_share
    assert np.all(table.prefill_share[table.tokens_per_second_per_chip > 0.0] < 1.0)


def test_batch_and_cache_fit_into_the_memory_of_the_replica():
    for spec in CHIPS:
        for model in MODELS:
            found = serving(spec, model, TECHNOLOGY)
            if found.tokens_per_second_per_chip > 0.0:
                cache = found.batch * model.kv_bytes_per_token / 2.0 * TECHNOLOGY.context_tokens
                room = found.chips_per_replica * spec.memory_gb * 1e9 * TECHNOLOGY.memory_usable_share
                assert model.total_params_b * 1e9 + cache <= room * (1.0 + 1e-9)


def test_an_architecture_that_contradicts_itself_is_refused():
    with pytest.raises(ValueError, match="at most"):
        Architecture(30.0, 20.0, 1e5)
    with pytest.raises(ValueError, match="kv_bytes_per_token"):
        Architecture(20.0, 20.0, 0.0)
    with pytest.raises(ValueError, match="shared_share"):
        Architecture(20.0, 30.0, 1e5, shared_share=1.2)


def test_deepseek_v2_activates_six_of_160_experts_at_its_shared_share():
    assert DEEPSEEK_V2.expert_ratio == pytest.approx(6.0 / 160.0, rel=0.02)
    assert not LLAMA.sparse
    assert LLAMA.expert_ratio == 1.0


def test_typical_proportions_give_the_width_and_depth_of_llama_2_70b():
    # 80 layers of width 8,192.
    assert model_width_times_depth(70.0, 102.0) == pytest.approx(80 * 8192, rel=0.07)


def test_training_rewards_compute_and_penalises_a_slow_interconnect():
    training = TrainingTechnology(0.4, bytes_per_flop=1.5e-4, interconnect_efficiency=0.4)
    h100 = training_throughput(H100, training)
    computing = 989e12 * 0.4
    assert h100 == pytest.approx(computing / (1.0 + computing * 1.5e-4 / (900e9 * 0.4)) / 1e15)
    assert training_throughput(H800, training) < h100
    share_of_peak = [training_throughput(c, training) / c.bf16_tflops for c in (H20, H100, L40S)]
    assert share_of_peak == sorted(share_of_peak, reverse=True)
    assert training_throughput(replace(L40S, interconnect_gbs=0.0), training) == 0.0


CAPTIVE = CaptiveWork(
    params_b=0.11,
    tokens_per_query=128.0,
    batch=64.0,
    lookup_mb=0.1,
    compute_efficiency=0.4,
    bandwidth_efficiency=0.65,
)


def test_captive_work_is_a_roofline_of_eight_bit_operations():
    assert captive_throughput(H100, CAPTIVE) == pytest.approx(1979e12 * 0.4 / (2.0 * 0.11e9 * 128.0))
    starved = replace(H100, bandwidth_tbs=0.001)
    assert captive_throughput(starved, CAPTIVE) == pytest.approx(0.001e12 * 0.65 / (0.11e9 / 64.0 + 1e5))
    assert captive_throughput(replace(H100, memory_gb=0.1), CAPTIVE) == 0.0


def test_mid_range_cards_are_competitive_in_captive_work_and_not_in_large_models():
    price = np.array([8000.0, 34600.0])
    captive = np.array([captive_throughput(c, CAPTIVE) for c in (L40S, H100)]) / price
    rates = serving_table((L40S, H100), [DENSE_200], TECHNOLOGY).tokens_per_second_per_chip[0]
    large = rates / price
    assert captive[0] > captive[1]
    assert large[0] < large[1]
