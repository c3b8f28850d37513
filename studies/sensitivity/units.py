"""What screening and decompositions of variance share: what is asked about, blocks of a design, SALib's guards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from evidence.claims import by_id
from evidence.facts import constants
from model.quotation import quoted
from scenarios.plan import PlanError
from studies.holding import outcome_of
from studies.scale import LEVEL, on_scale, scale_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from model.setting import Setting
    from scenarios.progress import Progress
    from studies.evaluation import Evaluation
    from studies.space import Space

    Display = Callable[[], Progress]

PARAMETER, GROUP = "parameter", "group"
WAYS = (PARAMETER, GROUP)
"""Whether a study asks about each parameter alone, or about the parameters of one subject together."""

RESAMPLES = 300
"""Bootstrap resamples: the standard deviation of an estimate is then known to some four per cent."""

ROUNDING = 1e-12
"""An outcome whose values differ by less than this, relative to the largest of them, is constant."""

NAMED = 6
"""How many names a sentence gives before it counts the others."""


@dataclass(frozen=True)
class Units:
    """What a study asks about: the parameters of a space one by one, or by subject as one."""

    space: Space
    by: str

    def __post_init__(self) -> None:
        if self.by not in WAYS:
            raise PlanError(f"--by {quoted(self.by)}: write {' or '.join(WAYS)}")

    @cached_property
    def of(self) -> tuple[str, ...]:
        """The unit that each parameter belongs to, in order of the space."""
        return self.space.names if self.by == PARAMETER else self.space.groups

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The units, each once, in order."""
        return tuple(dict.fromkeys(self.of))

    def __len__(self) -> int:
        return len(self.names)

    def members(self, unit: str) -> tuple[str, ...]:
        """The parameters of a unit."""
        return tuple(name for name, of in zip(self.space.names, self.of, strict=True) if of == unit)

    def problem(self) -> dict[str, Any]:
        """What SALib calls a problem: the axes of the unit cube, since distributions are the space's matter."""
        given: dict[str, Any] = {
            "num_vars": len(self.space),
            "names": list(self.space.names),
            "bounds": [[0.0, 1.0]] * len(self.space),
        }
        return given | ({"groups": list(self.of)} if self.by == GROUP else {})


@contextmanager
def apart() -> Iterator[None]:
    """SALib's functions, while NumPy's global generator, which some of them seed or draw from, stays as it was.

    Raises PlanError when SALib is missing.
    """
    try:
        import SALib  # noqa: F401
    except ImportError:
        raise PlanError(
            "this study needs SALib: write `make install`, or install Undercut with its extra `study`"
        ) from None
    state = np.random.get_state()  # noqa: NPY002  # the generator that SALib uses
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002


def derived(seed: int, purpose: int) -> int:
    """A seed for one purpose of a study; never 0, which SALib takes for none."""
    return max(int(np.random.SeedSequence([seed, purpose]).generate_state(1)[0]), 1)


def values_of(found: Evaluation, outcome: str) -> NDArray[np.float64]:
    """An outcome in every run (:func:`studies.holding.outcome_of`), shape (points, seeds): nan where it is not finite."""
    values = outcome_of(found, outcome)
    return np.where(np.isfinite(values), values, np.nan)


def explained(found: Evaluation, outcome: str) -> NDArray[np.float64]:
    """The same on the scale on which parameters explain it (:mod:`studies.scale`): nan, too, where a log has no value."""
    return on_scale(values_of(found, outcome), scale_of(outcome))


def whole(values: NDArray[np.float64], size: int) -> NDArray[np.bool_]:
    """Which blocks of a design are whole, shape (blocks,): all values of all seeds of ``size`` points in a row."""
    return np.asarray(np.isfinite(values).reshape(-1, size * values.shape[1]).all(axis=1))


def kept(values: NDArray[np.float64], blocks: NDArray[np.bool_], size: int) -> NDArray[np.float64]:
    """The rows of some blocks of ``size`` rows, in order."""
    return values[np.repeat(blocks, size)]


def constant(values: NDArray[np.float64]) -> bool:
    """Whether values are the same but for rounding: no share of their variance means anything then."""
    return values.size == 0 or float(np.ptp(values)) <= ROUNDING * float(np.abs(values).max())


def level() -> float:
    """The level of intervals, between 0 and 1."""
    return constants()["interval_level"]


def half_widths() -> float:
    """How many standard deviations the half of an interval is, were estimates normal."""
    from scipy.stats import norm

    return float(norm.ppf(0.5 + level() / 2.0))


def seeds_note(seeds: Sequence[int], what: str) -> str:
    """The sentence on common random numbers, and on what is explained."""
    of = f"the one seed {seeds[0]}" if len(seeds) == 1 else f"the same {len(seeds)} seeds"
    return f"Every point was run with {of} (common random numbers); {what}."


def lost_note(what: str, lost: Mapping[str, tuple[int, int]], failed: int, runs: int) -> list[str]:
    """Sentences on runs that failed and on blocks that are left out for them, or for undefined outcomes.

    Args:
        what: the name of a block, as "trajectories".
        lost: blocks left out and planned, by outcome.
        failed: runs that failed, of all runs.
        runs: of the design.
    """
    said = [f"{failed} of {runs} runs failed."] if failed else []
    some = {name: of for name, of in lost.items() if of[0]}
    if some:
        worst = max(some, key=lambda name: some[name][0])
        said.append(
            f"An outcome's {what} with a run that failed or left it undefined are left out whole, so that what is said "
            f"holds where it is defined. That touches {len(some)} of {len(lost)} outcomes, most of all {worst}: "
            f"{some[worst][0]} of {some[worst][1]} {what}."
        )
    return said


def silent_note(undefined: Sequence[str], flat: Sequence[str], what: str, least: int) -> list[str]:
    """Sentences on outcomes of which nothing can be said."""
    said = []
    if undefined:
        said.append(f"Fewer than {least} whole {what} are left for {some_of(undefined)}: no estimate.")
    if flat:
        said.append(f"The same value everywhere, so that no share of variance exists: {some_of(flat)}.")
    return said


def some_of(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def refuse_empty(
    undefined: Sequence[str], outcomes: Sequence[str], what: str, least: int, failed: float
) -> None:
    """Raise PlanError when too few blocks are left for every outcome, with the cause and the mend."""
    if len(undefined) < len(outcomes):
        return
    cause = (
        f"{100.0 * failed:.0f} % of the runs failed"
        if failed
        else "the outcomes are undefined in too many runs"
    )
    raise PlanError(
        f"fewer than {least} whole {what} are left for every outcome, since {cause}; vary fewer parameters with "
        "--over, choose other outcomes, or take a larger sample"
    )


def labels(outcomes: Sequence[str], *, scaled: bool) -> list[dict[str, str]]:
    """What outcomes are, in words: a row each with ``outcome``, ``statement`` and ``unit``.

    ``scaled`` where the study explains them on their scale (:func:`explained`).
    """
    rows = []
    for name in outcomes:
        kind, _, claim = name.rpartition(":")
        known = by_id()[claim]
        unit = "holds (1) or not (0)" if kind else known.unit
        if scaled and scale_of(name) != LEVEL:
            unit = scale_of(name)
        rows.append({"outcome": name, "statement": known.statement, "unit": unit})
    return rows


def about(setting: Setting, units: Units, seeds: Sequence[int], outcomes: Sequence[str]) -> dict[str, Any]:
    """What studies of sensitivity are asked, as plain data."""
    from scenarios.seeds import words

    return {
        "scenario": setting.name,
        "values": setting.parameters.overridden,
        "over": list(units.space.names),
        "by": units.by,
        "seeds": words(seeds),
        "outcomes": list(outcomes),
        "interval_level": level(),
    }
