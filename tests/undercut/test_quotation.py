"""A sentence quotes how a long value begins, wherever it was written: it stays a sentence."""

from __future__ import annotations

import pytest

from model import calendar
from model.quotation import MOST_LETTERS, brief, quoted
from scenarios.scenario import ScenarioError, resolve_text
from undercut.cli import WRONG_USE, main

LONG = "x" * 5000
DIGITS = "9" * 5000
A_SENTENCE = 600
"""Letters; some sentences also list what could have been written."""


def test_a_short_value_is_quoted_whole_and_a_long_one_as_it_begins():
    assert quoted("a") == "'a'"
    assert brief("x" * MOST_LETTERS) == "x" * MOST_LETTERS
    assert brief(LONG) == "x" * MOST_LETTERS + "..."


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", LONG],
        ["run", f"--set=alpha_mean={DIGITS}"],
        ["run", f"--set=alpha_mean={LONG}"],
        ["run", f"--set={LONG}=1"],
        ["run", f"--set={LONG}"],
        ["run", "--set=alpha_mean=1", f"--set=alpha_mean={LONG}"],
        ["run", f"--set={LONG}=1", f"--set={LONG}=2"],
        ["run", f"--grid={LONG}=1"],
        ["run", f"--grid=alpha_mean={LONG}"],
        ["run", "--grid=alpha_mean=" + "," * 5000],
        ["run", f"--set=alpha_mean={LONG}", "--grid=alpha_mean=2,3"],
        ["run", f"--sample={LONG}"],
        ["run", "--sample=lhs:4", f"--over={LONG}"],
        ["run", f"--seeds={LONG}"],
        ["run", f"--keep={LONG}"],
        ["run", f"--without={LONG}"],
        ["scenario", "new", "!" * 5000],
        ["show", LONG],
        ["show", "claims", LONG],
        ["study", "sobol", f"--by={LONG}"],
        ["study", "sobol", f"--outcome={LONG}"],
        ["study", "discovery", "--outcome=p1-nvidia-2027", f"--where={LONG}"],
        ["study", "calibration", f"--leave-out={LONG}"],
    ],
    ids=lambda arguments: " ".join(word[:12] for word in arguments),
)
def test_a_command_quotes_the_beginning_of_what_is_too_long(arguments, capsys):
    assert main(arguments) == WRONG_USE
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "..." in said
    assert len(said) < A_SENTENCE


@pytest.mark.parametrize(
    "text",
    [
        f'title = "A"\nextends = "{LONG}"',
        f'title = "A"\n{LONG} = 1',
        f'title = "A"\nseeds = "{LONG}"',
        f'title = "A"\n[parameters]\nalpha_mean = "{LONG}"',
        f'title = "A"\n[parameters]\n{LONG} = 1',
        f'title = "A"\n[parameters.{LONG}]\na = 1',
        f'title = "A"\n[horizon]\nlast = "{LONG}"',
        f'title = "A"\n[[shocks]]\nkind = "{LONG}"\nquarter = "2024Q1"',
        f'title = "A"\n[[shocks]]\nkind = "set"\nquarter = "{LONG}"\nname = "alpha_mean"\nvalue = 2',
        f'title = "A"\n[[shocks]]\nkind = "set"\nquarter = "2024Q1"\nname = "{LONG}"\nvalue = 2',
    ],
    ids=["extends", "key", "seeds", "value", "name", "table", "horizon", "kind", "quarter", "shock"],
)
def test_a_file_quotes_the_beginning_of_what_is_too_long_and_its_line(text):
    with pytest.raises(ScenarioError) as refused:
        resolve_text("mine.toml", text)
    for said in refused.value.args:
        assert len(said) < A_SENTENCE
    assert any("..." in said for said in refused.value.args)


def test_a_quarter_that_is_none_is_quoted_as_it_begins():
    with pytest.raises(ValueError, match=r"'x+\.\.\. is not a quarter"):
        calendar.index(LONG)
