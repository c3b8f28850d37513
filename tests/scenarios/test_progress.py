"""Progress is a line now and then, or a bar on a terminal, and says each failure at once."""

import io

from scenarios.progress import Bar, Lines, Silent, shown_on


class Terminal(io.StringIO):
    def isatty(self):
        return True


def watched(progress, runs, failing=(), stored=0):
    with progress:
        progress.start(runs, stored)
        progress.ready()
        for run in range(1, runs + 1):
            progress.advance(1, [("w", run, "ArithmeticError: no")] if run in failing else [])


def test_lines_count_runs_and_say_each_failure_at_once():
    stream = io.StringIO()
    watched(shown_on(stream), 4, failing={2}, stored=3)
    lines = stream.getvalue().splitlines()
    assert lines[0].startswith("4 runs (3 more are stored already)")
    assert lines[1].startswith("1/4 runs")
    assert lines[2] == "world w, seed 2 failed: ArithmeticError: no"
    assert lines[-1].startswith("4/4 runs")
    assert lines[-1].endswith("0 s left, 1 failed")


def test_a_batch_that_is_stored_already_says_so():
    stream = io.StringIO()
    watched(Lines(stream), 0, stored=8)
    assert stream.getvalue() == "all 8 runs are stored already\n"


def test_a_long_batch_takes_few_lines_even_when_every_run_fails():
    stream = io.StringIO()
    watched(Lines(stream), 10_000, failing=range(1, 10_001))
    assert len(stream.getvalue().splitlines()) < 40
    assert "10000 failed" in stream.getvalue()


def test_a_terminal_gets_a_bar_with_failures_above_it():
    stream = Terminal()
    shown = shown_on(stream)
    assert isinstance(shown, Bar)
    watched(shown, 3, failing={3}, stored=2)
    assert "world w, seed 3 failed: ArithmeticError: no" in stream.getvalue()
    assert "2 of 5 runs are stored already" in stream.getvalue()
    assert "3/3" in stream.getvalue()


def test_quiet_is_silent():
    stream = Terminal()
    shown = shown_on(stream, quiet=True)
    assert isinstance(shown, Silent)
    watched(shown, 3, failing={1})
    assert stream.getvalue() == ""
