"""What the processes of faults are forked from: all that a command needs, with toys for the runs of the market.

Nothing else may load this: the toys would stand in for the market there, too.
"""

from __future__ import annotations

from scenarios import journal, runner
from scenarios.runner import Job
from scenarios.version import results_hash
from studies import ensemble
from tests.scenarios import toys


def job() -> Job:
    """Runs that cost next to nothing."""
    return Job(toys.moody, toys.every_claim)


# Before anything else takes it from there.
ensemble.job = job

import studies.breaks.breaks  # noqa: E402, F401
import undercut.__main__  # noqa: E402
import undercut.cli  # noqa: E402
import undercut.judged  # noqa: E402
import undercut.runs  # noqa: E402
import undercut.store  # noqa: E402
import undercut.study.app  # noqa: E402
import undercut.study.breaks  # noqa: E402, F401
import viz.study.report  # noqa: E402, F401

journal.PART_SECONDS = runner.REPORT_SECONDS = 0.1
results_hash()
