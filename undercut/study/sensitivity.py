"""What the commands of screening and of variance share: their options, and how they run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from undercut.options import (
    RUNS,
    EnterprisesOption,
    JsonOption,
    OutOption,
    QuietOption,
    SeedsOption,
    SetOption,
    WithoutOption,
    WorkersOption,
)
from undercut.runs import ScenarioArgument
from undercut.study.options import HtmlOption, OutcomeOption, OverOption
from undercut.terminal import one_thread

if TYPE_CHECKING:
    from studies.evaluation import Evaluation
    from studies.study import Study

    Made = tuple[Study, tuple[Evaluation, ...]]

ByOption = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="WHAT",
        help="Ask about each parameter, or each group (a subject of the table); else parameter where --over or "
        "--from names some, and group for all.",
    ),
]
FromOption = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="STUDY", help="Vary the most influential parameters or groups of an earlier study."
    ),
]
TopOption = Annotated[int, typer.Option("--top", min=1, metavar="N", help="How many of them --from takes.")]
DesignOption = Annotated[
    int, typer.Option("--design-seed", min=0, metavar="N", help="Seed of the sample and of the bootstrap.")
]


@dataclass(frozen=True)
class Shared:
    """The options that every such command takes, in the order of its help."""

    scenario: ScenarioArgument = "baseline"
    over: OverOption = ""
    outcome: OutcomeOption = None
    seeds: SeedsOption = "1"
    source: FromOption = None
    top: TopOption = 20
    design_seed: DesignOption = 0
    assignments: SetOption = None
    without: WithoutOption = None
    enterprises: EnterprisesOption = None
    workers: WorkersOption = None
    out: OutOption = RUNS
    html: HtmlOption = None
    as_json: JsonOption = False
    quiet: QuietOption = False

    def run(self, study: Callable[..., Made], **own: Any) -> None:
        """Make a study over what the options say varies, store it, and write its report.

        Args:
            study: a function of ``studies.sensitivity``.
            own: options of the study alone.

        Raises what :func:`chosen`, :func:`undercut.study.options.asked` and the study do.
        """
        from scenarios.seeds import parse
        from undercut.study.duration import analysed, displays
        from undercut.study.options import asked, end, outcomes

        names = outcomes(self.outcome)
        over = chosen(self.over, self.source, self.top, self.outcome or (), self.out)
        world = asked(self.scenario, over, self.assignments, self.without, self.enterprises)
        made, parts = study(
            world.setting,
            world.space,
            names,
            parse(self.seeds),
            self.out,
            seed=self.design_seed,
            workers=self.workers,
            progress=lambda: displays(self.quiet),
            told=analysed(self.quiet),
            **own,
        )
        lost = [failure for part in parts for failure in part.by_chance]
        end(made, self.out, self.html, self.as_json, parts[0].batch, lost)


def sharing(seeds: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a command of a function of :class:`Shared` and options of its own: it takes both, its own before --seeds.

    Args:
        seeds: what --seeds is by default.
    """

    def made(own: Callable[..., None]) -> Callable[..., None]:
        def command(**options: Any) -> None:
            one_thread()
            own(Shared(**{name: options.pop(name) for name in shared}), **options)

        shared = dict(inspect.signature(Shared, eval_str=True).parameters)
        shared["seeds"] = shared["seeds"].replace(default=seeds)
        _, *options = inspect.signature(own, eval_str=True).parameters.values()
        common = list(shared.values())
        first = list(shared).index("seeds")
        taken = [*common[:first], *options, *common[first:]]
        taken = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in taken]
        # Typer reads the signature, and the annotations for what it says of types.
        command.__signature__ = inspect.Signature(taken)  # type: ignore[attr-defined]
        command.__annotations__ = {each.name: each.annotation for each in taken}
        command.__name__, command.__doc__ = own.__name__, own.__doc__
        return command

    return made


def chosen(over: str, source: str | None, top: int, outcomes: Sequence[str], store: Path) -> str:
    """What --over holds, or what an earlier study found most influential, in the same notation.

    Raises PlanError where both are given or the study ranks nothing, StoreError where there is no such study.
    """
    if source is None:
        return over
    from scenarios.plan import PlanError
    from scenarios.store import Store
    from studies.sensitivity.ranking import most
    from studies.study import Study

    if over:
        raise PlanError("--over and --from both say what varies; leave one of them out")
    return ",".join(most(Study.open(source, Store(store)), top, outcomes))


def way(by: str | None, shared: Shared) -> str:
    """What --by says, or parameters where some are named and groups for all of them."""
    from studies.sensitivity.units import GROUP, PARAMETER

    return by or (PARAMETER if shared.over or shared.source is not None else GROUP)
