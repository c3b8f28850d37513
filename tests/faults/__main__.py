"""Faults at random moments of batches and studies: whatever happens, the same command ends with the same bytes.

    python -m tests.faults [--share 1.0] [--first 1] [--only WORDS]        or: make faults

Prints a line a fault: trials, and losses among them. A loss is a store whose bytes are others after the same command, a
command that ends in a traceback or hangs, or a worker that outlives it; each is said, and the exit status is then 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.faults.kinds import FAULTS, Impossible
from tests.faults.series import MEMORY, Series


def main() -> int:
    """Make the trials; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--share", type=float, default=1.0, help="of the trials of each fault, at least one is made"
    )
    parser.add_argument("--first", type=int, default=1, help="the seed of the first trial of each fault")
    parser.add_argument("--only", default="", help="faults whose name contains this")
    given = parser.parse_args()
    lost = 0
    with tempfile.TemporaryDirectory(prefix="undercut faults – é ", dir=MEMORY) as folder:
        series = Series(Path(folder))
        print(f"{'fault':<28}{'trials':>7}{'losses':>7}", flush=True)
        for name, (_, _, count) in FAULTS.items():
            if given.only not in name:
                continue
            trials = max(1, round(count * given.share))
            try:
                found = [series.loss(name, given.first + i) for i in range(trials)]
            except Impossible as reason:
                print(f"{name:<28}  left out: {reason}", flush=True)
                continue
            losses = [(i, said) for i, said in enumerate(found, given.first) if said]
            lost += len(losses)
            print(f"{name:<28}{trials:>7}{len(losses):>7}", flush=True)
            for i, said in losses:
                print(f"  trial {i}: {said}", file=sys.stderr, flush=True)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
