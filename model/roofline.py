"""The roofline of serving, compiled: the best split of each model over each chip; ``model/serving.py`` is the door.

A chip is a row of four numbers: operations, bytes of memory traffic and bytes of interconnect a second, and bytes
of memory; a model one of seven and the work another of seven, as ``model/serving.py`` lays them out. Where latency
binds, the batch is defined by a search that halves the range up to what memory holds; where it ends is worked out
without going there.

``step``, what a round of decoding takes on a group of chips, is a row of eight: bytes of weights that every token reads
and of routed experts, bytes of cache a stream, bytes read a second; seconds of computing a stream, and of its transfers
and of the prefill that it brings; seconds that a round takes whatever the batch (latency of transfers); and the log of
the share of the experts that a stream leaves untouched, 0 or less. Computing and reading overlap, the others do not.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from model.kernel import kernel

TRANSFERS_PER_LAYER = 4.0  # two all-reduces, each a reduce-scatter and an all-gather (Shoeybi et al. 2019)
ALL_REDUCES_PER_LAYER = 2.0  # after attention and after the feed-forward part
HALVED_SPAN = math.log(1.0 + 1e-6)  # width in logarithms at which the search for the largest batch stops
ROOT_PRECISION = 1e-8  # relative step at which Newton's method stops: what is left is about its square


@kernel
def _round_seconds(batch: float, step: tuple[float, ...]) -> float:
    """Seconds in which each of ``batch`` streams gets its next token, with the prefill between."""
    shared, routed, cache, bytes_per_second, computing, other, fixed, decline = step
    touched = 1.0 - math.exp(decline * batch)
    reading = (shared + routed * touched + batch * cache) / bytes_per_second
    return float(max(reading, batch * computing) + batch * other + fixed)


@kernel
def _bounds(most: float, allowed_seconds: float, step: tuple[float, ...]) -> tuple[float, float]:
    """Without searching: no batch up to ``most`` that is allowed is larger, and none so large is faster."""
    shared, routed, cache, bytes_per_second, computing, other, fixed, decline = step
    left = allowed_seconds - fixed
    each = cache + other * bytes_per_second
    # 1 - e^-x is at least x / (1 + x): a quadratic equation in the batch.
    spare = min(left * bytes_per_second - shared, routed + each * most)
    slope = each + (spare - routed) * decline
    reads = 2.0 * spare / (slope + math.sqrt(max(slope * slope - 4.0 * each * decline * spare, 0.0)))
    batch = min(most, left / (computing + other), reads)
    touched = 1.0 - 1.0 / (1.0 - decline * batch)
    reading = (shared + routed * touched + batch * cache) / bytes_per_second
    return batch, max(reading, batch * computing) + batch * other + fixed


@kernel
def _allowed_batch(allowed_seconds: float, step: tuple[float, ...]) -> float:
    """Batch whose round takes as long as allowed: of computing in closed form, of reading by Newton's method."""
    shared, routed, cache, bytes_per_second, computing, other, fixed, decline = step
    left = allowed_seconds - fixed
    computes = left / (computing + other)
    spare, experts = left - shared / bytes_per_second, routed / bytes_per_second
    each = cache / bytes_per_second + other
    # Time is concave in the batch, so that steps from below, where all experts are read, never go too far.
    reads = max((spare - experts) / each, 1.0)
    while reads < computes:
        untouched = math.exp(decline * reads)
        further = (spare - experts * (1.0 - untouched) - each * reads) / (
            each - experts * untouched * decline
        )
        reads += further
        if further <= reads * ROOT_PRECISION:
            break
    return min(reads, computes)


@kernel
def _shortfall(log_batch: float, most: float) -> float:
    """By how much, in logarithms, a search stops below a batch: one that halves the logarithms from 1 to ``most``."""
    span = math.log(most)
    part = span / 2.0 ** max(math.ceil(math.log2(span / HALVED_SPAN)), 0.0)
    return float(log_batch - part * math.floor(log_batch / part))


@kernel
def _room(chips: float, stages: float, memory: float, model: tuple[float, ...]) -> float:
    """Streams of a stage whose cache fits into so many chips beside the weights."""
    _, shared, routed, cache, _, _, _ = model
    return float((chips * memory - shared - routed) / (cache * stages))


@kernel
def _largest_batch(
    width: float, fewest: float, stages: float, allowed: float, memory: float, model: tuple[float, ...]
) -> tuple[float, float]:
    """Batch up to ``allowed`` that a search finds, and in how many stages: up to ``stages``, which have room.

    Fewer stages hold the same batch, as long as there is room for it, but the search among less room stops
    elsewhere.
    """
    log_allowed, short, found = math.log(allowed), math.inf, stages
    while stages >= fewest:
        room = _room(width * stages, stages, memory, model)
        if room <= allowed:
            if math.log(max(room, 1.0)) > log_allowed - short:
                return room, stages
            break
        missed = _shortfall(log_allowed, room)
        if missed < short:
            short, found = missed, stages
        stages /= 2.0
    return math.exp(log_allowed - short), found


@kernel
def _serve(
    chip: tuple[float, ...], model: tuple[float, ...], work: tuple[float, ...]
) -> tuple[float, float, float, float]:
    """Best split of one model over one chip: (tokens/s/chip, chips, batch, prefill share)."""
    flops, bandwidth, interconnect, memory = chip
    flop_per_token, shared, routed, cache, breadth, depth, decline = model
    latency, input_per_output, activation_bytes, node, most_chips, transfer_latency, pipeline = work
    best = (0.0, 0.0, 0.0, 0.0)
    width = 1.0
    while interconnect > 0.0 and 2.0 * width <= min(node, most_chips):
        width *= 2.0
    # The widest group first, as it most often is the best: what cannot beat it is not searched.
    while width >= 1.0:
        computing = flop_per_token / (flops * width)
        transfer, fixed = 0.0, 0.0
        if width > 1.0:
            # A ring moves (n-1)/n of the activations in each half of an all-reduce.
            moved = TRANSFERS_PER_LAYER * (width - 1.0) / width * breadth * activation_bytes
            transfer = moved / interconnect
            fixed = ALL_REDUCES_PER_LAYER * depth * transfer_latency
        prefill = input_per_output * (computing + transfer)
        step = (shared, routed, cache, width * bandwidth, computing, transfer + prefill, fixed, decline)
        deepest = 1.0
        while 2.0 * width * deepest <= most_chips:
            deepest *= 2.0
        for fewest, stages, kept in ((1.0, 1.0, 1.0), (2.0, deepest, pipeline)):
            if stages < fewest:
                continue
            # Every stage works on a batch of its own, so the replica holds as many batches as stages, and
            # more stages have more room for each: larger batches yield more.
            worth = kept * (1.0 + input_per_output) / width
            room = _room(width * stages, stages, memory, model)
            if not room >= 1.0:
                continue
            bound, seconds = _bounds(room, latency * kept, step)
            if bound < 1.0 or worth * bound <= best[0] * seconds:
                continue
            allowed = _allowed_batch(latency * kept, step)
            batch = min(room, allowed)
            seconds = _round_seconds(batch, step)
            if batch < 1.0 or worth * batch <= best[0] * seconds:
                continue
            if room > allowed:
                batch, stages = _largest_batch(width, fewest, stages, allowed, memory, model)
                seconds = _round_seconds(batch, step)
            rate = worth * batch / seconds
            if rate > best[0]:
                best = (rate, width * stages, batch * stages, batch * prefill / seconds)
        width /= 2.0
    return best


@kernel
def serve_table(
    chips: NDArray[np.float64], models: NDArray[np.float64], work: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(models, chips, 4) of what ``_serve`` returns."""
    found = np.empty((models.shape[0], chips.shape[0], 4))
    technology = (work[0], work[1], work[2], work[3], work[4], work[5], work[6])
    for i in range(models.shape[0]):
        m = models[i]
        model = (m[0], m[1], m[2], m[3], m[4], m[5], m[6])
        for j in range(chips.shape[0]):
            c = chips[j]
            rate, count, batch, share = _serve((c[0], c[1], c[2], c[3]), model, technology)
            found[i, j, 0], found[i, j, 1], found[i, j, 2], found[i, j, 3] = rate, count, batch, share
    return found


@kernel
def fill_rates(
    rates: NDArray[np.float64],
    chips: NDArray[np.float64],
    models: NDArray[np.float64],
    work: NDArray[np.float64],
    wanted: NDArray[np.int64],
    first: int,
    unit: float,
) -> None:
    """Work out what is still nan in the rows ``wanted`` of ``rates`` (models, chips), on the ``first`` chips.

    Rates are tokens a second and chip times ``unit``.
    """
    technology = (work[0], work[1], work[2], work[3], work[4], work[5], work[6])
    for i in wanted:
        m = models[i]
        model = (m[0], m[1], m[2], m[3], m[4], m[5], m[6])
        for j in range(first):
            if math.isnan(rates[i, j]):
                c = chips[j]
                rates[i, j] = _serve((c[0], c[1], c[2], c[3]), model, technology)[0] * unit
