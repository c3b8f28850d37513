"""Mutation testing of the economics: change one operator or number at a time, and see whether a test notices.

    python -m tests.mutants [--mutants 100] [--seed 0] [FILE ...]        or: make mutants

Mutants are drawn at random from the modules below, or from the files that are named. Each is tried in a copy of the tree
against the tests that mirror its module and the golden results; one that passes them all *survives*, and is printed with
its line. Some survivors are equivalent (no test could tell); the others are tests that are missing. Compiled kernels are
left out: a changed one takes a minute to compile, and pyblp and the C reference check their arithmetic as it is. mutmut
and cosmic-ray run the whole suite, or need it to be told apart by coverage, for each mutant: hours here.
"""

from __future__ import annotations

import argparse
import ast
import copy
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("agents", "evidence", "model", "scenarios", "studies", "viz", "undercut", "tests", "benchmarks")
MODULES = (
    *("model/cost.py", "model/hosting.py", "model/ownership.py", "model/indices.py", "model/trend.py"),
    *("agents/seller.py", "agents/chipmaker.py", "agents/cloud.py", "agents/research.py", "agents/vendor.py"),
    *(
        "agents/outlook.py",
        "agents/policy.py",
        "agents/institution.py",
        "agents/software.py",
        "model/shares.py",
    ),
)
GOLDEN = "tests/golden"
SECONDS = 300
"""A mutant that makes its tests hang is noticed, too."""

SWAPS: dict[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


@dataclass(frozen=True)
class Mutant:
    """One change of a module: which node of its tree, by number, and what it says."""

    file: str
    node: int
    line: int
    said: str
    source: str


def places(tree: ast.Module) -> Iterator[tuple[int, ast.AST]]:
    """Nodes that can be changed, numbered as ``ast.walk`` meets them; nothing in annotations, decorators or messages."""
    silent = {id(inner) for node in ast.walk(tree) for inner in _silent(node)}
    for number, node in enumerate(ast.walk(tree)):
        if id(node) in silent:
            continue
        operator = isinstance(node, (ast.BinOp, ast.BoolOp)) and type(node.op) in SWAPS
        compared = isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in SWAPS
        amount = isinstance(node, ast.Constant) and isinstance(node.value, float)
        if operator or compared or amount:
            yield number, node


def _silent(node: ast.AST) -> Iterator[ast.AST]:
    """What no result hangs on: annotations, decorators, errors and what is only written in them."""
    parts: list[ast.AST | None] = []
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        parts += node.decorator_list
    if isinstance(node, ast.FunctionDef):
        parts.append(node.returns)
    if isinstance(node, (ast.arg, ast.AnnAssign)):
        parts.append(node.annotation)
    if isinstance(node, (ast.Raise, ast.JoinedStr)):
        parts.append(node)
    for part in parts:
        if part is not None:
            yield from ast.walk(part)


def mutants(file: str) -> Iterator[Mutant]:
    """Every mutant of a module."""
    text = (ROOT / file).read_text(encoding="utf-8")
    tree = ast.parse(text)
    for number, _ in places(tree):
        changed = copy.deepcopy(tree)
        node = next(each for count, each in enumerate(ast.walk(changed)) if count == number)
        before = ast.unparse(node)
        if isinstance(node, (ast.BinOp, ast.BoolOp)):
            node.op = SWAPS[type(node.op)]()
        elif isinstance(node, ast.Compare):
            node.ops = [SWAPS[type(node.ops[0])]()]
        elif isinstance(node, ast.Constant) and isinstance(node.value, float):
            node.value = node.value * 1.5 + 0.5
        yield Mutant(file, number, node.lineno, f"{before}  ->  {ast.unparse(node)}", ast.unparse(changed))  # type: ignore[attr-defined]


def tests_of(file: str) -> list[str]:
    """The tests that mirror a module, those of its folder that name it, and the golden results."""
    folder, name = Path(file).parts[0], Path(file).stem
    named = [
        test.relative_to(ROOT).as_posix()
        for test in sorted((ROOT / "tests" / folder).glob("test_*.py"))
        if test.stem == f"test_{name}" or f"from {folder}.{name} import" in test.read_text(encoding="utf-8")
    ]
    return [*named, GOLDEN]


def survives(mutant: Mutant, tree: Path) -> bool:
    """Whether all tests of a module pass with the mutant in its place."""
    target = tree / mutant.file
    whole = target.read_bytes()
    target.write_text(mutant.source, encoding="utf-8")
    try:
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider"]
        run = subprocess.run(
            [*command, *tests_of(mutant.file)], cwd=tree, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    finally:
        target.write_bytes(whole)
    return run.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutants",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="*", help="modules to change; else the economics")
    parser.add_argument("--mutants", type=int, default=100, help="how many, drawn at random (default 100)")
    parser.add_argument("--seed", type=int, default=0, help="of the draw (default 0)")
    asked = parser.parse_args()
    every = [mutant for file in asked.files or MODULES if (ROOT / file).is_file() for mutant in mutants(file)]
    drawn = random.Random(asked.seed).sample(every, min(asked.mutants, len(every)))  # no secret
    alive = []
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for name in FOLDERS:
            shutil.copytree(ROOT / name, tree / name)
        shutil.copy(ROOT / "pyproject.toml", tree)
        for count, mutant in enumerate(drawn, start=1):
            if survives(mutant, tree):
                alive.append(mutant)
                print(f"survived: {mutant.file}:{mutant.line}: {mutant.said}", flush=True)
            print(
                f"{count}/{len(drawn)} of {len(every)} mutants, {len(alive)} survived",
                file=sys.stderr,
                flush=True,
            )
    print(f"{len(drawn) - len(alive)} of {len(drawn)} mutants were noticed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
