"""Writes the table of misses in calibration.md from a stored run: python docs/calibrate.py BATCH_FOLDER."""

from __future__ import annotations

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
if str(DOCS.parent) not in sys.path:
    sys.path.insert(0, str(DOCS.parent))

HEADING = "## How far the model is from every observation\n"


def table(folder: str) -> str:
    """The comparison with every dated observation as Markdown; medians over the run's seeds."""
    from evidence.fit import compare, not_compared, root_mean_square
    from scenarios.batch import Batch

    by_seed = dict(Batch.open(folder).frames("baseline"))
    rows = compare(by_seed.values())
    lines = [
        f"Medians and 5 to 95 % of {len(by_seed)} seeds of the baseline. The error is the log of model over observation",
        "(0.69 is a factor of two), or the difference where the observation is a share or zero. Written by",
        "`python docs/calibrate.py runs` after `undercut run baseline --keep all`.",
        "",
        "| observation | period | observed | model | 5 to 95 % | unit | error |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        observed = f"{row.observed_low:,.4g}"
        if row.observed_high is not None and row.observed_high != row.observed_low:
            observed += f" to {row.observed_high:,.4g}"
        lines.append(
            f"| {row.id} | {row.period} | {observed} | {row.median:,.4g} | {row.low:,.4g} to {row.high:,.4g} "
            f"| {row.unit} | {row.error:+.2f}{'' if row.scale == 'log' else ' (difference)'} |"
        )
    lines += ["", f"Root mean square log error of the list prices: {root_mean_square(rows):.2f}.", ""]
    lines += ["Observations that no recorded metric can meet:", ""]
    lines += [f"- {name}: {why}" for name, why in not_compared()]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Replace what stands behind the heading."""
    if len(arguments) != 1:
        print("usage: python docs/calibrate.py STORE_OR_BATCH_FOLDER", file=sys.stderr)
        return 2
    document = DOCS / "calibration.md"
    before, heading, _ = document.read_text(encoding="utf-8").partition(HEADING)
    document.write_text(before + heading + "\n" + table(arguments[0]), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
