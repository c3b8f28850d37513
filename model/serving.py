"""Roofline of a chip at work: language-model serving, training and captive work, without prices or owners."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.roofline import serve_table

FloatArray = NDArray[np.float64]

TERA = 1e12
GIGA = 1e9
MEGA = 1e6
MICRO = 1e-6
FLOP_PER_WEIGHT = 2.0  # a multiply and an add
WEIGHTS_PER_LAYER = 12.0  # attention 4 d^2 and feed-forward 8 d^2 (Kaplan et al. 2020, section 2.1)
PUBLISHED_CACHE_BYTES = 2.0  # cache sizes are published in 16-bit numbers


@dataclass(frozen=True)
class ChipSpec:
    """One accelerator as its maker publishes it, from ``evidence/chips.csv``.

    ``interconnect_gbs`` is the chip-to-chip bandwidth in GB/s, both directions added up; rates are dense
    (without structured sparsity).
    """

    name: str
    maker: str
    origin: str
    release: str
    bf16_tflops: float
    int8_tops: float
    memory_gb: float
    bandwidth_tbs: float
    interconnect_gbs: float
    tdp_w: float

    @property
    def eight_bit_tops(self) -> float:
        """Rate in TOPS on eight-bit numbers: old chips compute them no faster than 16-bit ones."""
        return max(self.int8_tops, self.bf16_tflops)

    @property
    def bytes_per_flop(self) -> float:
        """Memory bandwidth over 16-bit rate: the physical rule of what is made for inference."""
        return self.bandwidth_tbs / self.bf16_tflops


@dataclass(frozen=True)
class Architecture:
    """What of a model matters for serving it.

    ``active_params_b`` and ``total_params_b`` in billions, ``kv_bytes_per_token`` the cache in bytes a token
    of context at 16-bit precision, ``shared_share`` the part of the active parameters that every token uses
    (attention, embeddings, shared experts). A dense model has ``total == active``; the share is then without
    effect. Raises ValueError for sizes that contradict each other.
    """

    active_params_b: float
    total_params_b: float
    kv_bytes_per_token: float
    shared_share: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 < self.active_params_b <= self.total_params_b:
            raise ValueError(
                f"active parameters ({self.active_params_b} billion) must be positive and at most "
                f"the total ({self.total_params_b} billion)"
            )
        if self.kv_bytes_per_token <= 0.0:
            raise ValueError(f"kv_bytes_per_token must be positive, got {self.kv_bytes_per_token}")
        if not 0.0 <= self.shared_share <= 1.0:
            raise ValueError(f"shared_share must lie in [0, 1], got {self.shared_share}")

    @property
    def sparse(self) -> bool:
        """Whether a token uses only part of the weights (mixture of experts)."""
        return self.total_params_b > self.active_params_b

    @property
    def shared_params_b(self) -> float:
        """Parameters in billions that every token reads."""
        return self.shared_share * self.active_params_b if self.sparse else self.active_params_b

    @property
    def routed_params_b(self) -> float:
        """Parameters in billions that lie in routed experts."""
        return self.total_params_b - self.shared_params_b

    @property
    def expert_ratio(self) -> float:
        """k/E, the part of the routed experts that one token uses; 1 for a dense model."""
        if not self.sparse:
            return 1.0
        return (self.active_params_b - self.shared_params_b) / self.routed_params_b


@dataclass(frozen=True)
class ServingTechnology:
    """How models are served: precision, achieved efficiencies, service level and shape of the work.

    ``weight_bytes``, ``cache_bytes`` and ``activation_bytes`` are bytes a number. Efficiencies are achieved
    over published rates; ``sparse_efficiency`` is what uneven and small experts leave of it, and
    ``pipeline_efficiency`` what bubbles leave. ``latency_target_s`` is the longest time between two
    output tokens of a stream, with prefill of other requests in between (continuous batching); ``inf`` is
    offline work. ``context_tokens`` is the mean context held in the cache. ``node_chips`` is the widest
    tensor-parallel group, ``max_chips`` the largest replica.
    """

    weight_bytes: float
    activation_bytes: float
    compute_efficiency: float
    bandwidth_efficiency: float
    interconnect_efficiency: float
    sparse_efficiency: float
    pipeline_efficiency: float
    memory_usable_share: float
    latency_target_s: float
    input_per_output: float
    context_tokens: float
    node_chips: int
    max_chips: int
    transfer_latency_us: float
    width_over_depth: float
    cache_bytes: float = PUBLISHED_CACHE_BYTES


@dataclass(frozen=True)
class ServingTable:
    """What one chip yields on each model, before the software maturity of its maker: shape (models, chips).

    ``tokens_per_second_per_chip`` counts input and output tokens in the mix of the technology and is 0
    where the chip cannot serve the model within the latency target. ``batch`` is the number of streams on a
    replica, ``prefill_share`` the part of the time spent on input.
    """

    tokens_per_second_per_chip: FloatArray
    chips_per_replica: NDArray[np.int64]
    batch: NDArray[np.float64]
    prefill_share: NDArray[np.float64]


def model_width_times_depth(active_params_b: float, width_over_depth: float) -> float:
    """Residual width times layers of a transformer with so many active parameters.

    From N = 12 n_layer d^2 and d = ``width_over_depth`` * n_layer (Kaplan et al. 2020). 70 billion at a ratio
    of 102 give 0.69 million, Llama-2-70B has 0.66.
    """
    width = float(np.cbrt(width_over_depth * active_params_b * GIGA / WEIGHTS_PER_LAYER))
    return width * width / width_over_depth


def footprint_gb(architecture: Architecture, technology: ServingTechnology) -> float:
    """Memory in GB that a replica needs at least: all weights and the cache of one context."""
    weights = architecture.total_params_b * GIGA * technology.weight_bytes
    return (weights + _context_bytes(architecture, technology)) / GIGA


def _context_bytes(architecture: Architecture, technology: ServingTechnology) -> float:
    precision = technology.cache_bytes / PUBLISHED_CACHE_BYTES
    return architecture.kv_bytes_per_token * precision * technology.context_tokens


def chip_rows(chips: Sequence[ChipSpec], technology: ServingTechnology) -> FloatArray:
    """What chips achieve of what their makers publish, shape (chips, 4).

    Operations, bytes of memory traffic and of interconnect a second, and usable bytes of memory.
    """
    rows = [
        (
            # Weights of up to eight bits use the eight-bit units, wider ones the 16-bit units.
            (chip.eight_bit_tops if technology.weight_bytes <= 1.0 else chip.bf16_tflops)
            * TERA
            * technology.compute_efficiency,
            chip.bandwidth_tbs * TERA * technology.bandwidth_efficiency,
            chip.interconnect_gbs * GIGA * technology.interconnect_efficiency,
            chip.memory_gb * GIGA * technology.memory_usable_share,
        )
        for chip in chips
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, 4)


def model_rows(architectures: Sequence[Architecture], technology: ServingTechnology) -> FloatArray:
    """What serving models takes, shape (models, 7).

    FLOPs a token, bytes of weights that every token reads and of routed experts, bytes of cache a stream, width
    times depth, depth, and the log of the share of the experts that a stream leaves untouched.
    """
    return np.array([_model_row(a, technology) for a in architectures], dtype=np.float64).reshape(-1, 7)


def _model_row(architecture: Architecture, technology: ServingTechnology) -> tuple[float, ...]:
    # Routing leaves experts unevenly loaded and their matrices small: the same work takes longer.
    slowdown = technology.sparse_efficiency if architecture.sparse else 1.0
    breadth = model_width_times_depth(architecture.active_params_b, technology.width_over_depth)
    return (
        FLOP_PER_WEIGHT * architecture.active_params_b * GIGA / slowdown,
        architecture.shared_params_b * GIGA * technology.weight_bytes,
        architecture.routed_params_b * GIGA * technology.weight_bytes,
        _context_bytes(architecture, technology),
        breadth,
        math.sqrt(breadth / technology.width_over_depth),
        math.log1p(-architecture.expert_ratio) if architecture.sparse else 0.0,
    )


def work_row(technology: ServingTechnology) -> FloatArray:
    """The work and its service level, shape (7,): seconds, bytes and counts."""
    return np.array(
        (
            technology.latency_target_s,
            technology.input_per_output,
            technology.activation_bytes,
            technology.node_chips,
            technology.max_chips,
            technology.transfer_latency_us * MICRO,
            technology.pipeline_efficiency,
        ),
        dtype=np.float64,
    )


def serving_table(
    chips: Sequence[ChipSpec], architectures: Sequence[Architecture], technology: ServingTechnology
) -> ServingTable:
    """What each chip yields on each model: a roofline over compute, bandwidth, memory and interconnect.

    Every split into tensor-parallel groups of 1, 2, 4... chips within a node and 1, 2, 4... pipeline stages
    is tried with the largest batch that memory and the latency target allow; the split with the most tokens a
    second a chip is returned. Prefill takes 2 x active parameters FLOPs a token; a decode step reads
    shared + routed [1 - (1 - k/E)^B] + B x cache x context bytes, or computes if that takes longer. Sources:
    Williams, Waterman and Patterson (2009); Pope et al. (2022); Shoeybi et al. (2019) for the transfers of
    tensor parallelism, 4 (n-1)/n bytes of activations a layer and token. Rate 0 if nothing is feasible.
    """
    found = serve_table(
        chip_rows(chips, technology), model_rows(architectures, technology), work_row(technology)
    )
    return ServingTable(
        tokens_per_second_per_chip=found[:, :, 0],
        chips_per_replica=found[:, :, 1].astype(np.int64),
        batch=found[:, :, 2],
        prefill_share=found[:, :, 3],
    )


@dataclass(frozen=True)
class TrainingTechnology:
    """How well chips train: model-FLOP utilisation of a chip and bytes exchanged a FLOP in a cluster."""

    model_flop_utilisation: float
    bytes_per_flop: float
    interconnect_efficiency: float


def training_throughput(chip: ChipSpec, technology: TrainingTechnology) -> float:
    """Effective PFLOP/s of one chip in a training cluster.

    The chip computes at bf16 peak x utilisation and then exchanges ``bytes_per_flop`` bytes a FLOP over its
    interconnect, without overlap, so that a fast chip on a slow interconnect gains least (Narayanan et al.
    2021, section 3.2: tensor parallelism exchanges about 0.22 n/d bytes a FLOP, n chips, width d).
    """
    if chip.bf16_tflops <= 0.0 or chip.interconnect_gbs <= 0.0:
        return 0.0
    computing = chip.bf16_tflops * TERA * technology.model_flop_utilisation
    exchanged = chip.interconnect_gbs * GIGA * technology.interconnect_efficiency
    return computing / (1.0 + computing * technology.bytes_per_flop / exchanged) / (TERA * 1000.0)


@dataclass(frozen=True)
class CaptiveWork:
    """The reference captive model (search, advertising, recommendation): a small dense ranker in eight bits.

    ``lookup_mb`` is embedding-table traffic in MB a query; ``batch`` queries share a read of the weights.
    """

    params_b: float
    tokens_per_query: float
    batch: float
    lookup_mb: float
    compute_efficiency: float
    bandwidth_efficiency: float


def captive_throughput(chip: ChipSpec, work: CaptiveWork) -> float:
    """Queries a second of one chip on the reference captive model: roofline of compute and bandwidth.

    The model needs one chip and no interconnect, so price per eight-bit operation decides; 0 where it does
    not fit into memory. Williams, Waterman and Patterson (2009); Naumov et al. (2019) for the split into
    dense layers and table look-ups.
    """
    if work.params_b > chip.memory_gb:
        return 0.0
    operations = FLOP_PER_WEIGHT * work.params_b * GIGA * work.tokens_per_query
    moved = work.params_b * GIGA / work.batch + work.lookup_mb * MEGA
    computing = operations / (chip.eight_bit_tops * TERA * work.compute_efficiency)
    reading = moved / (chip.bandwidth_tbs * TERA * work.bandwidth_efficiency)
    return 1.0 / max(computing, reading)
