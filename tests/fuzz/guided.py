"""One test of the fuzzer, led by coverage: inputs that reach new lines are kept and changed further.

`python -m tests.fuzz.guided uploaded -max_total_time=60`: words of the test's name, then options of libFuzzer. An
input that fails is left in a file crash-...; handed over in place of options, it fails again.
"""

from __future__ import annotations

import importlib
import sys

PACKAGES = ["evidence", "model.parameters", "scenarios", "studies", "undercut", "viz"]
"""What is watched. Not the market: its kernels are compiled from bytecode, which watching changes."""


def main(arguments: list[str]) -> str:
    """Run until libFuzzer ends the process; what it returns is why it could not begin."""
    try:
        atheris = importlib.import_module("atheris")
    except ModuleNotFoundError:
        return (
            "atheris is missing and in no lock: `.venv/bin/uv pip install --python .venv/bin/python atheris`"
        )
    with atheris.instrument_imports(include=PACKAGES):
        tests = vars(importlib.import_module("tests.fuzz.test_fuzz"))
    wanted = [
        name for name in tests if arguments and arguments[0] in name and hasattr(tests[name], "hypothesis")
    ]
    if len(wanted) != 1:
        names = wanted or [name for name, test in tests.items() if hasattr(test, "hypothesis")]
        return "name one test, by some letters: " + ", ".join(names)
    atheris.Setup([sys.argv[0], *arguments[1:]], tests[wanted[0]].hypothesis.fuzz_one_input)
    atheris.Fuzz()
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
