"""Export rules: which chips may be sold along which edges, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from model.chip import ANYBODY
from model.kernel import kernel

ROUNDING = 1e-9
"""Relative: by how much a chip may miss its cap."""

# What belongs together is passed as tuples: ``chip`` = (given, made_for_rules, chinese, bf16_tflops,
# interconnect_gbs) of ``model/chip.py``, ``terms`` = (max_tflops, max_interconnect_gbs, banned, lifted) of
# ``agents/policy.py ExportTerms``.


@kernel
def may_ship(
    chip: Any, window: Any, terms: Any, restricted: Any, rules: Any
) -> Any:  # pragma: no cover - compiled
    """Whether a chip may be sold along an edge with these terms.

    ``restricted`` says that the buyer is in the region that the ``rules`` are about. A chip of the facts may go there
    in its own ``window``; later ones must fit the terms in force. Chips that exist only because of the rules are sold
    nowhere else, and are not made without them.
    """
    given, made_for_rules, chinese, tflops, links = chip
    max_tflops, max_links, banned, lifted = terms
    if banned:
        return False
    fits = window if given else (tflops <= max_tflops * (1.0 + ROUNDING) and links <= max_links)
    bound = restricted and rules
    if made_for_rules:
        return bound and (lifted or fits)
    return not bound or lifted or chinese or fits


@kernel
def may_ship_all(
    chips: Any, window: Any, maker: Any, captive: Any, terms: Any, permitted: Any, restricted: Any, rules: Any
) -> Any:  # pragma: no cover - compiled
    """Whether each owner may buy each chip of its ``maker``, shape (owners, chips).

    ``chips`` and ``window`` as in :func:`may_ship`, ``maker`` and the owner for whom a chip is made, ``captive``, are by
    chip, (chips,); ``terms`` and where there is an edge, ``permitted``, (owners, makers); ``restricted`` (owners,).
    """
    given, made_for_rules, chinese, tflops, links = chips
    max_tflops, max_links, banned, lifted = terms
    result = np.zeros((len(permitted), len(maker)), np.bool_)
    for b in range(len(permitted)):
        for j in range(len(maker)):
            m = maker[j]
            if permitted[b, m] and (captive[j] == ANYBODY or captive[j] == b):
                chip = given[j], made_for_rules[j], chinese[j], tflops[j], links[j]
                rule = max_tflops[b, m], max_links[b, m], banned[b, m], lifted[b, m]
                result[b, j] = may_ship(chip, window[j], rule, restricted[b], rules)
    return result
