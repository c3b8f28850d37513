"""Progress is a line now and then, or a bar on a terminal, and says each failure at once."""

import io

from scenarios.progress import Bar, Lines, Silent, shown_on


class Terminal(io.StringIO):
    def isatty(self):
        return True


def watched(progress, seeds, runs_each=1, failing=()):
    with progress:
        progress.start(seeds, seeds * runs_each)
        progress.ready()
        for seed in range(1, seeds + 1):
            progress.advance(seed, runs_each, ["ArithmeticError: no"] if seed in failing else [])


def test_lines_count_runs_and_say_each_failure_at_once():
    stream = io.StringIO()
    watched(shown_on(stream), 4, runs_each=7, failing={2})
    lines = stream.getvalue().splitlines()
    assert lines[0].startswith("4 seeds, 28 runs")
    assert lines[1].startswith("7/28 runs")
    assert lines[2] == "seed 2 failed: ArithmeticError: no"
    assert lines[-1].startswith("28/28 runs")
    assert lines[-1].endswith("0 s left, 1 failed")


def test_a_long_batch_takes_few_lines():
    stream = io.StringIO()
    watched(Lines(stream), 10_000)
    assert len(stream.getvalue().splitlines()) < 30


def test_a_terminal_gets_a_bar_with_failures_above_it():
    stream = Terminal()
    shown = shown_on(stream)
    assert isinstance(shown, Bar)
    watched(shown, 3, failing={3})
    assert "seed 3 failed: ArithmeticError: no" in stream.getvalue()
    assert "3/3" in stream.getvalue()


def test_quiet_is_silent():
    stream = Terminal()
    shown = shown_on(stream, quiet=True)
    assert isinstance(shown, Silent)
    watched(shown, 3, failing={1})
    assert stream.getvalue() == ""
