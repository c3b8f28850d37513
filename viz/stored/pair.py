"""What is compared: two worlds over the same seeds, as an address says it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from model.parameters import declared, parse_assignment
from model.quotation import quoted
from scenarios.design import refuse_overlap
from scenarios.plan import Member, Plan, PlanError, members_of
from scenarios.scenario import ScenarioError, library, load, nearest, resolve
from scenarios.seeds import parse
from studies.ensemble import job, overrides

MOST_SEEDS, MOST_ENTERPRISES, MOST_LETTERS = 256, 5_000, 500
"""What the page takes on; beyond that `undercut run` is the better place."""


@dataclass(frozen=True)
class Pair:
    """Two scenarios of the library, what is changed in each of them, and the ensemble that both get.

    ``reference_set`` and ``other_set`` hold parameters as ``name=value``, with commas or blanks between them;
    ``seeds`` says how many or which, ``enterprises`` how many.
    """

    reference: str = "baseline"
    other: str = "controls_lifted"
    reference_set: str = ""
    other_set: str = ""
    seeds: str = "8"
    enterprises: str = "300"

    def plan(self) -> Plan:
        """What `undercut run REFERENCE OTHER` would make; a changed parameter is a point of a design.

        Raises ScenarioError, ParameterError, DesignError, SeedsError or PlanError, each with a sentence.
        """
        seeds = parse(self.seeds)
        if len(seeds) > MOST_SEEDS:
            raise PlanError(f"{len(seeds)} seeds are more than the page takes on ({MOST_SEEDS}); {BEYOND}")
        if not self.enterprises.isdecimal() or not 0 < int(self.enterprises[:9]) <= MOST_ENTERPRISES:
            raise PlanError(
                f"{quoted(self.enterprises)} enterprises: write a whole number up to {MOST_ENTERPRISES:,}; "
                f"for more, {BEYOND}"
            )
        common = overrides((), (), int(self.enterprises))
        members: list[Member] = []
        for name, text in ((self.reference, self.reference_set), (self.other, self.other_set)):
            point = changes(text)
            refuse_overlap([point], common)
            of = known(name)
            members += members_of([(load(of, common), resolve(of).title)], [point])
        if members[0].label == members[1].label:
            raise PlanError(
                "the two worlds are the same; choose another scenario for one of them, or change a parameter in it"
            )
        return Plan(tuple(members), seeds, simulation=job().simulation)


BEYOND = "use `undercut run` on the command line, and the results will appear here"


def read(text: str) -> Pair:
    """The pair of an address's query; what is missing stands at its default, what is not of it is ignored."""
    names = {field.name for field in fields(Pair)}
    return from_form(
        {
            key: value
            for key, value in parse_qsl(text.removeprefix("?"), keep_blank_values=True)
            if key in names
        }
    )


def from_form(form: Mapping[str, Any]) -> Pair:
    """The pair of what was typed, shortened to what can be meant."""
    return Pair(**{str(key): str(value).strip()[:MOST_LETTERS] for key, value in form.items()})


def query(pair: Pair) -> str:
    """The query of a pair: scenarios, seeds and enterprises always, changes where there are any."""
    return urlencode({key: value for key, value in asdict(pair).items() if value})


def known(name: str) -> str:
    """A name of the library. Raises ScenarioError for any other, also for the path of a file."""
    if name not in scenarios():
        hint = nearest(name, scenarios()) or "choose one of the list"
        raise ScenarioError(f"there is no scenario called {quoted(name)} in the library; {hint}")
    return name


@cache
def scenarios() -> dict[str, str]:
    """The titles of the library's scenarios by name."""
    return {scenario.name: scenario.title for scenario in library()}


def changes(text: str) -> dict[str, float]:
    """Parameters from ``"name=value, name=value"``. Raises ParameterError for what the parameter table refuses."""
    found: dict[str, float] = {}
    # Blanks around the sign belong to an assignment, all others part two of them.
    for part in re.split(r"[,;\s]+", re.sub(r"\s*=\s*", "=", text.strip())):
        if part:
            name, value = parse_assignment(part)
            found[name] = declared(name).accept(value)
    return found
