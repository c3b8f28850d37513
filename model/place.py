"""Regions, origins and the other closed lists of names that tables and code share."""

from __future__ import annotations

REGIONS = ("China", "Asia-Pacific", "North America", "Europe and rest")
"""Buyers' regions; Asia-Pacific is without China."""

REGION_INDEX = {name: i for i, name in enumerate(REGIONS)}

CHINA, ASIA_PACIFIC, NORTH_AMERICA, EUROPE = range(len(REGIONS))

SIZES = ("large", "small")

HOME_OF_ORIGIN = {"CN": "China", "US": "North America", "EU": "Europe and rest"}

PURPOSES = ("training", "dense", "sparse", "captive")
"""The work that a chip is bought for: training, dense and sparse inference, and the owner's other business."""

TRAINING, DENSE, SPARSE, CAPTIVE = range(len(PURPOSES))

VENUES = ("colocation", "on-premises")
"""Channels in which buyers run their own chips."""

CAUSES = (
    "open_weights",
    "sparse_architectures",
    "export_rules",
    "domestic_learning",
    "domestic_capacity_growth",
    "demand_elasticity",
    "cloud_ownership",
    "algorithmic_progress",
)
"""Parameters that are switches: each turns one cause of the forecasts off."""

FORMS = ("forward_prices", "nested_logit", "log_price", "adaptive_expectations")
"""Parameters that are switches: each puts the alternative that a referee would ask for in place of a mechanism."""
