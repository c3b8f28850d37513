"""Mutation testing of the economics: change one operator or number at a time, and see whether a test notices.

    python -m tests.mutants [--mutants 150] [--kernels] [--seed 0] [--workers 2] [FILE ...]        or: make mutants

Mutants are drawn at random from the modules below, or from the files that are named. Each is tried in a copy of the tree:
first against the tests of behaviour that mirror or import its module, then, if these pass, those of the whole market and of
shocks, at last against the golden results. One that only the golden results notice is pinned but not explained; one that
passes all *survives*. Both are printed with their line. Some survivors are equivalent (no test could tell); the others are
tests that are missing. Compiled kernels are left out unless they are asked for, instead of the rest: each then costs a
minute of compiling. mutmut and cosmic-ray run the whole suite, or need it to be told apart by coverage, for each mutant:
hours here.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from model.kernel import KNOWN_BY

ROOT = Path(__file__).parents[1]
FOLDERS = ("agents", "evidence", "model", "scenarios", "studies", "viz", "undercut", "tests", "benchmarks")
MODULES = (
    *("capability", "chip", "contracts", "cost", "demand", "export", "fleet", "hosting", "indices", "order"),
    *(
        "ownership",
        "portfolio",
        "pricing",
        "procurement",
        "serving",
        "settlement",
        "traffic",
        "trend",
        "work",
    ),
)
WHOLE = ("tests/model/test_market*.py", "tests/model/test_extremes.py", "tests/scenarios/test_shocks*.py")
GOLDEN = "tests/golden"
SECONDS = 300
"""A mutant that makes its tests hang is noticed, too."""
STAMP = "def stamp() -> str:\n    return 'mutants'\n"
"""Kernels stay as they are where what is around them changes, so that those of a tree are compiled once."""

NOTICED, PINNED, SURVIVED = "noticed by a test", "only the golden results notice", "survived"

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
    """One change of a module; no line of it moves, since a kernel is known by its line."""

    file: str
    line: int
    said: str
    source: str
    kernel: bool


def mutants(file: str, kernels: bool = False) -> Iterator[Mutant]:
    """Every mutant of a module's kernels, or of all else in it."""
    text = (ROOT / file).read_text(encoding="utf-8")
    tree = ast.parse(text)
    compiled = _nodes(each for each in tree.body if KNOWN_BY.decode() in text and _of_kernels(each))
    silent = _nodes(inner for node in ast.walk(tree) for inner in _silent(node))
    for node in ast.walk(tree):
        if id(node) in silent or (id(node) in compiled) != kernels:
            continue
        before = ast.unparse(node)
        if not _changed(node):
            continue
        after = ast.unparse(node)
        said = f"{before}  ->  {after}"
        yield Mutant(file, node.lineno, said, _replaced(text, node, after), kernels)  # type: ignore[attr-defined]
        _changed(node, back=True)


def _nodes(parts: Iterable[ast.AST]) -> set[int]:
    return {id(inner) for part in parts for inner in ast.walk(part)}


def _of_kernels(statement: ast.stmt) -> bool:
    """Whether a statement of a module with kernels is one, or a constant, which may be theirs."""
    return isinstance(statement, ast.Assign) or (
        isinstance(statement, ast.FunctionDef) and bool(statement.decorator_list)
    )


def _changed(node: ast.AST, back: bool = False) -> bool:
    """Change a node in place, or undo that; whether it is of a kind that can be changed."""
    if isinstance(node, (ast.BinOp, ast.BoolOp)) and type(node.op) in SWAPS:
        node.op = SWAPS[type(node.op)]()
    elif isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in SWAPS:
        node.ops = [SWAPS[type(node.ops[0])]()]
    elif isinstance(node, ast.Constant) and isinstance(node.value, float):
        node.value = (node.value - 0.5) / 1.5 if back else node.value * 1.5 + 0.5
    else:
        return False
    return True


def _replaced(text: str, node: ast.AST, after: str) -> str:
    """A module with other words for a node, on as many lines as before."""
    lines = text.encode().splitlines(keepends=True)
    first, last = node.lineno - 1, node.end_lineno - 1  # type: ignore[attr-defined]
    start, end = node.col_offset, node.end_col_offset  # type: ignore[attr-defined]
    head, tail = lines[first][:start], lines[last][end:]
    breaks = b"\\\n" * (last - first)
    return b"".join(
        [*lines[:first], head, b"(", after.encode(), b" ", breaks, b")", tail, *lines[last + 1 :]]
    ).decode()


def _silent(node: ast.AST) -> Iterator[ast.AST]:
    """What no result hangs on: annotations, decorators, errors and what is only written in them."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield from node.decorator_list
    if isinstance(node, ast.FunctionDef) and node.returns is not None:
        yield node.returns
    if isinstance(node, (ast.arg, ast.AnnAssign)) and node.annotation is not None:
        yield node.annotation
    if isinstance(node, (ast.Raise, ast.JoinedStr)):
        yield node


def tests_of(file: str) -> list[str]:
    """The tests that mirror a module, and those of its folder that name it."""
    folder, name = Path(file).parts[0], Path(file).stem
    return [
        test.relative_to(ROOT).as_posix()
        for test in sorted((ROOT / "tests" / folder).glob("test_*.py"))
        if test.stem == f"test_{name}"
        or test.stem.startswith(f"test_{name}_")
        or f"from {folder}.{name} import" in (text := test.read_text(encoding="utf-8"))
        or f"from {folder} import {name}\n" in text
    ]


def whole(tree: Path) -> list[str]:
    """The tests of the whole market and of shocks."""
    return [file.relative_to(tree).as_posix() for pattern in WHOLE for file in sorted(tree.glob(pattern))]


def passes(tests: list[str], tree: Path, **variables: str) -> bool:
    """Whether tests pass in a tree."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", *tests]
    surroundings = {
        **os.environ,
        "PYTHONPATH": str(tree),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",
        **variables,
    }
    try:
        run = subprocess.run(
            command, cwd=tree, env=surroundings, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return run.returncode == 0


def tried(mutant: Mutant, tree: Path) -> str:
    """What becomes of a mutant in a tree, which is as it was afterwards."""
    target, tests = tree / mutant.file, tests_of(mutant.file)
    before = target.read_bytes()
    target.write_text(mutant.source, encoding="utf-8")
    with tempfile.TemporaryDirectory() as kernels:
        own = {"NUMBA_CACHE_DIR": kernels} if mutant.kernel else {}
        try:
            if not all(passes(stage, tree, **own) for stage in (tests, whole(tree)) if stage):
                return NOTICED
            return SURVIVED if passes([GOLDEN], tree, **own) else PINNED
        finally:
            target.write_bytes(before)


def copied(tree: Path) -> Path:
    """A copy of what tests need, with its kernels known by a stamp that does not change."""
    for name in FOLDERS:
        shutil.copytree(ROOT / name, tree / name)
    shutil.copy(ROOT / "pyproject.toml", tree)
    kernel = tree / "model" / "kernel.py"
    kernel.write_text(f"{kernel.read_text(encoding='utf-8')}\n\n{STAMP}", encoding="utf-8")
    return tree


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutants",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="*", help="modules to change; else the economics")
    parser.add_argument("--mutants", type=int, default=150, help="how many, drawn at random (default 150)")
    parser.add_argument("--kernels", action="store_true", help="of compiled kernels, instead of all else")
    parser.add_argument("--seed", type=int, default=0, help="of the draw (default 0)")
    parser.add_argument("--workers", type=int, default=2, help="how many at once (default 2)")
    asked = parser.parse_args()
    agents = [file.relative_to(ROOT).as_posix() for file in sorted((ROOT / "agents").glob("[a-z]*.py"))]
    files = asked.files or [*agents, *(f"model/{name}.py" for name in MODULES)]
    every = [mutant for file in files for mutant in mutants(file, asked.kernels)]
    drawn = random.Random(asked.seed).sample(every, min(asked.mutants, len(every)))  # no secret
    count: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(asked.workers) as pool:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(asked.workers):
            trees.put(copied(Path(folder) / str(number)))
        for tree in [trees.get() for _ in range(asked.workers)]:
            # A test that fails by itself would notice everything; and kernels are compiled now.
            if not passes(
                [*dict.fromkeys(test for file in files for test in tests_of(file)), *whole(tree), GOLDEN],
                tree,
            ):
                sys.exit("the tests fail as the tree is: mend that first")
            trees.put(tree)

        def attempt(mutant: Mutant) -> tuple[Mutant, str]:
            tree = trees.get()
            try:
                return mutant, tried(mutant, tree)
            finally:
                trees.put(tree)

        for mutant, fate in pool.map(attempt, drawn):
            count[fate] += 1
            if fate != NOTICED:
                print(f"{fate}: {mutant.file}:{mutant.line}: {mutant.said}", flush=True)
            print(f"{count.total()}/{len(drawn)} of {len(every)} mutants", file=sys.stderr, flush=True)
    print("; ".join(f"{fate}: {count[fate]}" for fate in (NOTICED, PINNED, SURVIVED)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
