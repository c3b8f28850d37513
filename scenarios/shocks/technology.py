"""Shocks to what firms can make and know: lost capacity, software that stalls, a breakthrough, opened or closed weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from model.shock import Shock
from scenarios.shocks.registry import kind
from scenarios.shocks.roster import check_makers, check_named_once, check_share, check_vendor, firms

if TYPE_CHECKING:
    from model.market import Market


@kind("capacity_loss")
@dataclass(frozen=True)
class CapacityLoss:
    """Chipmakers lose a share of what their foundries can make; from there they expand as their order books fill.

    ``makers`` are the Chinese ones unless named. What the facts say of later capacity shrinks by the same share.
    """

    quarter: str
    share: float
    makers: tuple[str, ...] = firms("chipmaker", "CN")

    def check(self) -> None:
        """Raise ValueError for makers that the market lacks, or a share outside 0 to 1."""
        check_named_once("makers", self.makers)
        check_makers(self.makers)
        check_share("share", self.share)

    def apply(self, market: Market) -> str:
        """Shrink the makers' capacity in each grade."""
        for name in self.makers:
            maker = market.chipmakers[name]
            maker.capacity = {grade: units * (1.0 - self.share) for grade, units in maker.capacity.items()}
            for quarter, given in maker.given_capacity.items():
                if quarter >= market.t:
                    maker.given_capacity[quarter] = {
                        grade: units * (1.0 - self.share) for grade, units in given.items()
                    }
        return f"{', '.join(self.makers)} lose {self.share:.0%} of their capacity"


@kind("software_stall")
@dataclass(frozen=True)
class SoftwareStall:
    """Makers' software stops maturing: what more chips in use would have taught is not learned.

    ``makers`` are the Chinese ones unless named. Unit costs go on falling with output.
    """

    quarter: str
    makers: tuple[str, ...] = firms("chipmaker", "CN")

    def check(self) -> None:
        """Raise ValueError for makers that the market lacks."""
        check_named_once("makers", self.makers)
        check_makers(self.makers)

    def apply(self, market: Market) -> str:
        """Stop the makers' learning from their installed base."""
        market.interventions.stalled.update(self.makers)
        return f"the software of {', '.join(self.makers)} stays as it is"


@kind("breakthrough")
@dataclass(frozen=True)
class Breakthrough:
    """One vendor discovers how to train far better: its algorithmic efficiency jumps, and shows with its next launch.

    ``gain`` is in log10 of effective compute for equal FLOP: 1 is tenfold. Others learn of it as they do of any method.
    """

    quarter: str
    target: str
    gain: float

    def check(self) -> None:
        """Raise ValueError for a vendor that the market lacks, or a gain that is none."""
        check_vendor(self.target)
        if not 0.0 < self.gain <= LARGEST_GAIN:
            raise ValueError(
                f"gain = {self.gain:g}: write log10 of the factor, above 0 and at most {LARGEST_GAIN:g}"
            )

    def apply(self, market: Market) -> str:
        """Raise the efficiency of the vendor's programme."""
        market.vendors[self.target].programme.efficiency += self.gain
        return f"{self.target} needs {10.0**-self.gain:.0%} of the compute for equal capability"


LARGEST_GAIN = 3.0
"""A thousandfold: more than all algorithmic progress of a decade (Ho et al. 2024)."""


@kind("openness")
@dataclass(frozen=True)
class Openness:
    """A vendor opens or closes the weights of what it launches from now on, whatever would pay.

    With ``existing`` the weights of what it sells now are opened too; published weights cannot be taken back.
    """

    quarter: str
    target: str
    weights: Literal["open", "closed"]
    existing: bool = False

    def check(self) -> None:
        """Raise ValueError for a vendor that the market lacks, or weights that would have to be recalled."""
        check_vendor(self.target)
        if self.existing and self.weights == "closed":
            raise ValueError(
                "existing = true: published weights cannot be closed; leave it out, or forbid their use by weights_ban"
            )

    def contradicts(self, other: Shock) -> str | None:
        """A vendor has one stance."""
        if isinstance(other, Openness) and other.target == self.target and other.weights != self.weights:
            return f"{self.target}'s weights are both opened and closed; write one of the two"
        return None

    def apply(self, market: Market) -> str:
        """Bind the vendor's decision on openness; hand models that open to their hosts."""
        market.interventions.publishes[self.target] = self.weights == "open"
        opened = []
        if self.existing:
            opened = [model for model in market.vendors[self.target].models if not model.open_weights]
        for model in opened:
            model.open_weights = True
            market.event("weights opened", self.target, model.name, model.capability, "open weights")
            market.offers.open_weights_of(model)
        return f"{self.target}'s weights are {self.weights}" + (
            f": {len(opened)} opened at once" if opened else ""
        )
