"""The shock that changes a number of the parameter table from a quarter on, and the numbers that it cannot change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from model.parameters import declared, scalars
from scenarios.shocks.registry import kind

if TYPE_CHECKING:
    from model.market import Market

FOUNDING = frozenset(
    [
        "enterprises", "consumer_groups", "alpha_floor", "taste_spread", "taste_ratio_most", "nuisance_spread",
        "workload_scale", "workload_spread", "luck_persistence", "luck_spread", "business_spread",
        "standing_abroad", "smallest_standing", "initial_price_flagship", "initial_price_small",
        "initial_inference_share", "online_efficiency", "training_interconnect_least_gbs", "weight_bytes",
        "cache_bytes", "activation_bytes", "compute_efficiency", "bandwidth_efficiency",
        "interconnect_efficiency", "sparse_efficiency", "pipeline_efficiency", "memory_usable_share",
        "latency_target_s", "context_tokens", "node_chips", "max_chips", "transfer_latency_us",
        "width_over_depth", "model_flop_utilisation", "training_bytes_per_flop",
        "training_interconnect_efficiency", "captive_params_b", "captive_tokens_per_query", "captive_batch",
        "captive_lookup_mb", "captive_compute_efficiency", "captive_bandwidth_efficiency",
        "reference_dense_params_b", "reference_dense_cache_bytes", "reference_sparse_active_b",
        "reference_sparse_total_b", "reference_sparse_cache_bytes", "mmlu_margin",
    ]
)  # fmt: skip
"""Parameters that make the world at the start and are not read again: a later change would do nothing."""

HALFWAY = frozenset(
    [
        "alpha_mean", "beta_mean", "nuisance_usd_per_mtok", "business_persistence", "service_effort_start",
        "mmlu_floor", "mmlu_ceiling", "mmlu_slope", "mmlu_midpoint", "cloud_ownership",
    ]
)  # fmt: skip
"""Parameters that are built into the world at the start and read again later: after a change some would go by the old
value and some by the new one, as buyers who keep their tastes while sellers believe in others."""


@kind("set")
@dataclass(frozen=True)
class SetParameter:
    """A parameter takes another value from a quarter on: a price, a rate or a switch of the table.

    What is there already stays: a switch of architectures is about models launched from then on. Numbers that are
    built into the world at the start cannot be set: tastes, the physics of serving, facts of firms and chips.
    """

    quarter: str
    name: str
    value: float

    def check(self) -> None:
        """Raise ValueError for a parameter that does not exist, cannot take the value, or is not read anew."""
        declared(self.name).accept(self.value)
        if self.name in FOUNDING or self.name in HALFWAY or self.name not in scalars():
            raise ValueError(
                f"{self.name} is built into the world at the start, so a later change would not reach it: "
                "write it under [parameters], where it holds for the whole run"
            )

    def apply(self, market: Market) -> str:
        """Replace the value for the rest of the run."""
        market.set_parameter(self.name, self.value)
        return f"{self.name} = {self.value:g}"
