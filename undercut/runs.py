"""The commands that make runs: `run`, `replay` and `ablate`."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from scenarios.seeds import LARGEST
from undercut.options import (
    RUNS,
    EnterprisesOption,
    JsonOption,
    OutOption,
    OwnSeedsOption,
    QuietOption,
    SeedsOption,
    SetOption,
    StoreOption,
    WithoutOption,
    WorkersOption,
)
from undercut.terminal import end_with_failures, one_thread, open_batch, print_json, progress, say

ScenarioArgument = Annotated[
    str,
    typer.Argument(metavar="SCENARIO", help="Name of a scenario (undercut scenario list), or a TOML file."),
]
KeepOption = Annotated[
    str,
    typer.Option(
        "--keep",
        metavar="WHAT",
        help="Runs whose full tables are stored: all, headline (none), or sample:N, the first N seeds of a world.",
    ),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="URL", help="Run on a Dask cluster, as tcp://host:8786."),
]


def run(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SCENARIO]...", help="Names (undercut scenario list) or TOML files; else baseline."
        ),
    ] = None,
    seeds: OwnSeedsOption = None,
    grids: Annotated[
        list[str] | None,
        typer.Option(
            "--grid", metavar="NAME=A,B,C", help="Every value of a parameter; several are combined."
        ),
    ] = None,
    sampled: Annotated[
        str | None,
        typer.Option(
            "--sample",
            metavar="METHOD:N[:SEED]",
            help="N worlds over the ranges: lhs:256, sobol:256, random:256.",
        ),
    ] = None,
    over: Annotated[
        str,
        typer.Option(
            "--over",
            metavar="NAMES",
            help="What --sample varies, by comma; else all with a range that nothing sets.",
        ),
    ] = "",
    draws: Annotated[
        int | None,
        typer.Option(
            "--draws",
            min=1,
            metavar="N",
            help="N of the draws that come with a scenario, as with posterior; verdicts are pooled over them.",
        ),
    ] = None,
    keep: KeepOption = "sample:1",
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    out: OutOption = RUNS,
    assignments: SetOption = None,
    without: WithoutOption = None,
    enterprises: EnterprisesOption = None,
    compared: Annotated[
        int | None,
        typer.Option(
            "--counterfactual-seeds",
            min=0,
            metavar="N",
            help="How many seeds to run without each cause too: 8 for one world, 0 for several.",
        ),
    ] = None,
    no_counterfactuals: Annotated[
        bool, typer.Option("--no-counterfactuals", help="Compare no seed: claims about causes stay untested.")
    ] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run scenarios over seeds into a store, and judge every claim.

    \b
    Examples:
      undercut run baseline --seeds 32
      undercut run baseline consortium --seeds 1-8,20 --workers 2
      undercut run baseline --set alpha_mean=2.5 --without export-rules --no-counterfactuals
      undercut run my-world.toml --seeds 4 --json
      undercut run baseline --grid sigma2=0.7,0.8,0.9 --grid alpha_mean=1.5,2 --seeds 4
      undercut run baseline --sample lhs:256 --over alpha_mean,sigma2 --seeds 2 --keep headline
      undercut run posterior --draws 200 --seeds 2 --keep headline

    The same command makes only the runs that the store lacks: after Ctrl-C or a crash, write it again.

    A claim about a cause is judged by running the same seed without it, one more run for each cause;
    --counterfactual-seeds says for how many of the seeds, --no-counterfactuals for none.
    """
    one_thread()
    from scenarios.design import DesignError, grid, sample
    from scenarios.plan import DRAWS
    from scenarios.seeds import parse
    from undercut import batch
    from undercut.judged import print_outcome, print_pooled, print_verdicts

    if sum(bool(each) for each in (grids, sampled, draws)) > 1:
        raise DesignError("--grid, --sample and --draws do not go together; make two batches")
    if over and not sampled:
        raise DesignError("--over says what --sample varies; add --sample lhs:256, or the like")
    names = scenarios or ["baseline"]
    values = batch.overrides(assignments or (), without or (), enterprises)
    design, said = grid(grids or ()), ""
    if sampled:
        varied = [name.strip() for name in over.split(",") if name.strip()]
        design = sample(sampled, varied, batch.settled(names, values))
        said = " ".join(["--sample", sampled, *(["--over", over] if over else [])])
    elif draws:
        design, stale = batch.drawn(names, draws)
        said = f"{DRAWS} {draws}"
        if stale:
            say(f"{names[0]}: {stale}")
    plan = batch.plan(
        names,
        parse(seeds or batch.seeds_of(names)),
        overrides=values,
        design=design,
        sampled=said,
        compared=0 if no_counterfactuals else compared,
        keep=keep,
    )
    began = time.monotonic()
    made, by_chance = batch.carry_out(
        plan, out, workers=workers, scheduler=scheduler, progress=progress(quiet)
    )
    if as_json:
        print_json(batch.pooled_rows(made) if draws else batch.verdict_rows(made))
    elif draws:
        print_pooled(made)
    elif len(made.labels) == 1:
        print_verdicts(made, made.labels[0])
    else:
        print_outcome(made)
    if not quiet:
        say(f"{time.monotonic() - began:.0f} s, stored in {out} as {made.name}")
    end_with_failures(made, by_chance)


def replay(
    batch: Annotated[str, typer.Argument(metavar="BATCH", help="Name of the batch, or its folder.")],
    label: Annotated[
        str, typer.Option("--scenario", metavar="LABEL", help="The world, as the batch calls it.")
    ],
    seed: Annotated[int, typer.Option("--seed", min=0, max=LARGEST, metavar="N", help="The seed.")],
    store: StoreOption = RUNS,
) -> None:
    """Make one run of a batch again in this process, and let it fail where it fails.

    \b
    Example:
      undercut replay baseline-1a2b3c4d --scenario "baseline / export_rules" --seed 7
    """
    one_thread()
    from scenarios import runner
    from scenarios.version import results_hash
    from undercut.batch import job

    opened = open_batch(batch, store)
    if not results_hash().startswith(opened.manifest["code"]):
        say("the code or a library has changed since this batch; the run may differ")
    task = runner.Task(0, opened.world(label), opened.setting(label), seed, full=True)
    frames = runner.replay(job(), task).frames
    say(f"{label}, seed {seed}: ended well, {len(frames['quarters'])} quarters")


def ablate(
    scenario: ScenarioArgument = "baseline",
    seeds: SeedsOption = "8",
    workers: WorkersOption = None,
    assignments: SetOption = None,
    enterprises: EnterprisesOption = None,
    out: OutOption = RUNS,
    every: Annotated[bool, typer.Option("--all", help="Print also the outcomes that do not move.")] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Turn each cause off over the same seeds, and say how far each claimed outcome moves.

    \b
    Example:
      undercut ablate baseline --seeds 16
    """
    one_thread()
    from scenarios.scenario import load
    from scenarios.seeds import parse
    from studies.ablation import ablate as study
    from undercut import batch
    from undercut.judged import print_effects

    setting = load(scenario, batch.overrides(assignments or (), (), enterprises))
    result = study(setting, parse(seeds), out, workers, progress(quiet))
    if as_json:
        print_json(result.rows())
    else:
        print_effects(result, every)
    end_with_failures(result.batch, result.by_chance)
