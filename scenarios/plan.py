"""The plan of a batch: its worlds, the seeds that each of them runs with, and what is kept of a run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from model.quotation import quoted
from model.setting import Setting
from scenarios.counterfactual import worlds
from scenarios.seeds import words
from scenarios.world import at, describe, digest, identify

KEEP_DEFAULT = "sample:1"
NAME_DIGITS, NAME_LETTERS = 8, 100
"""Of a batch's name: digits of the hash, and letters before it, since file systems take some 250 in all."""
_KEEP = re.compile(r"all|headline|sample:(\d{1,18})", re.ASCII)


class PlanError(ValueError):
    """A batch that makes no sense; the message says what to change."""


DRAWS = "--draws"
"""How the design of a batch begins whose worlds are draws of a scenario."""


@dataclass(frozen=True)
class Member:
    """One world of a batch under the name that reports use.

    ``label`` is the scenario's name, with the values that a grid or a sample gives it; ``varied`` holds those
    by parameter. A counterfactual belongs to the world labelled ``of``, with ``cause`` turned off or added.
    """

    label: str
    scenario: str
    base: Setting
    title: str = ""
    varied: Mapping[str, float] = field(default_factory=dict, compare=False)
    of: str = ""
    cause: str = ""

    @property
    def setting(self) -> Setting:
        """The setting at the member's point, made anew each time: thousands of them would fill the memory."""
        return at(self.base, self.varied)


@dataclass(frozen=True)
class Plan:
    """What a batch runs: every asked world with every seed, counterfactuals with the first ``compared``.

    ``keep`` says of which runs all tables are stored and not only the headline: ``"all"``, ``"headline"`` (of
    none) or ``"sample:N"`` (of the first N seeds of every asked world). ``simulation`` is
    :attr:`scenarios.runner.Job.simulation`. ``design`` says in words how the worlds were chosen. ``study`` is whether a
    study asks and no user: such a batch comes last where a name could mean several.
    """

    members: tuple[Member, ...]
    seeds: tuple[int, ...]
    compared: int = 0
    keep: str = KEEP_DEFAULT
    simulation: str = "scenarios.runner.simulate"
    design: str = ""
    study: bool = False

    def __post_init__(self) -> None:
        labels = Counter(member.label for member in self.members)
        if labels and (twice := labels.most_common(1)[0])[1] > 1:
            raise PlanError(f"{twice[0]} is asked for twice; name each scenario once")
        kept_seeds(self.keep, len(self.seeds))

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The names of the members' worlds, in order."""
        return tuple(identify(member.setting, self.simulation) for member in self.members)

    @cached_property
    def name(self) -> str:
        """The name of the batch: what it is about and a hash of all that it runs."""
        asked = [member.scenario for member in self.members if not member.of]
        first = re.sub(r"[^A-Za-z0-9_.]+", "-", asked[0])[:NAME_LETTERS].strip("-.") or "batch"
        others = len(dict.fromkeys(asked)) - 1
        content = [
            [[m.label, m.of, m.cause, world] for m, world in zip(self.members, self.ids, strict=True)],
            list(self.seeds),
            self.compared,
            self.keep,
            self.design,
        ]
        return f"{first}{f'+{others}' if others else ''}-{digest(content)[:NAME_DIGITS]}"

    def runs(self) -> Iterator[tuple[int, str, int, bool]]:
        """Every run once: the place of its member, its world, its seed and whether all tables are kept."""
        full = kept_seeds(self.keep, len(self.seeds))
        wanted: dict[tuple[str, int], tuple[int, bool]] = {}
        for place, (member, world) in enumerate(zip(self.members, self.ids, strict=True)):
            for i, seed in enumerate(self.seeds[: self.compared] if member.of else self.seeds):
                kept = not member.of and i < full
                before = wanted.get((world, seed))
                wanted[world, seed] = (place, kept) if before is None else (before[0], before[1] or kept)
        for (world, seed), (place, kept) in wanted.items():
            yield place, world, seed, kept

    def rows(self) -> list[dict[str, Any]]:
        """A row a member, as plain data: what the stored table of a batch's worlds holds."""
        return [
            {"label": m.label, "scenario": m.scenario, "of": m.of, "cause": m.cause, "world": world}
            | {"title": m.title, "varied": dict(m.varied), **describe(m.setting)}
            for m, world in zip(self.members, self.ids, strict=True)
        ]

    def asked(self) -> dict[str, Any]:
        """What was asked for, as plain data."""
        return {
            "scenarios": list(dict.fromkeys(m.scenario for m in self.members if not m.of)),
            "worlds": sum(not m.of for m in self.members),
            "seeds": words(self.seeds),
            "counterfactual_seeds": self.compared,
            "keep": self.keep,
            "design": self.design,
            "study": self.study,
        }


def kept_seeds(keep: str, seeds: int) -> int:
    """Of how many of the first seeds all tables are kept. Raises PlanError when ``keep`` cannot be read."""
    match = _KEEP.fullmatch(keep)
    if match is None:
        raise PlanError(
            f"--keep {quoted(keep)}: write all, headline, or sample:N for the first N seeds of each world"
        )
    return seeds if keep == "all" else int(match[1] or 0)


def members_of(
    scenarios: Sequence[tuple[Setting, str]],
    points: Sequence[Mapping[str, float]] = ({},),
    causes: Sequence[str] = (),
    numbered: bool = False,
) -> tuple[Member, ...]:
    """Every scenario (a setting with its title) at every point of a design, then their counterfactual worlds.

    Args:
        scenarios: settings with their titles.
        points: values of parameters that vary, on top of each setting.
        causes: the causes and what-ifs that worlds are compared without or with.
        numbered: label points by number, where their values are too many to write.
    """
    asked = [
        _at(setting, title, point, number if numbered else None)
        for setting, title in scenarios
        for number, point in enumerate(points, start=1)
    ]
    others = [
        Member(f"{m.label} / {cause}", m.scenario, setting, m.title, of=m.label, cause=cause)
        for m in asked
        for cause, setting in worlds(m.setting, causes)
    ]
    return (*asked, *others)


def _at(setting: Setting, title: str, point: Mapping[str, float], number: int | None) -> Member:
    if not point:
        return Member(setting.name, setting.name, setting, title)
    words = (
        f"#{number}"
        if number is not None
        else " ".join(f"{name}={short(value)}" for name, value in point.items())
    )
    return Member(f"{setting.name} {words}", setting.name, setting, title, point)


def short(value: float) -> str:
    """A number as labels and commands have it: short, but never so short that it is another one."""
    text = f"{value:g}"
    return text if float(text) == value else repr(value)
