"""Follows pages that a reader follows, and keeps the output that they show real.

    python docs/transcript.py            follow every page, and write what was printed into it
    python docs/transcript.py --check    write nothing; say which pages show something else, and end with status 1

A page is a sequence of code blocks. ``sh`` holds commands and ``python`` lines of one session. After the words "Write
`file`:" a block is that file, after "Append to `file`:" it goes to the end of it, and a ``diff`` after "Change `file`:"
replaces the lines marked - by those marked +, which must stand there once. A block ``text`` is what the block before it
prints; a line ``...`` in it stands for all that is left out.

The tutorial is followed in an empty folder; pages of ``howto/``, which change the code, in a copy of it.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
TUTORIAL = DOCS / "tutorial.md"
HOWTOS = sorted((DOCS / "howto").glob("*.md"))
CODE = ("agents", "docs", "evidence", "model", "scenarios", "studies", "tests", "undercut", "viz")

BLOCK = re.compile(r"(?P<before>(?:(?!```)[^\n]+\n)*)\n*^```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.M | re.S)
FILE = re.compile(r"(?P<verb>Write|Append to|Change) `(?P<file>[^`]+)`[^`]*:$")
PROGRESS = re.compile(r"^([\d,]+/[\d,]+ runs|(all )?[\d,]+ runs|\d+ s, stored).*\n", re.M)
"""What commands say of how far they have come and how long they took: never the same twice."""
NUMBER = re.compile(r"[-+]?\d[\d.,]*(e[-+]?\d+)?|\b(nan|inf)\b")
BATCH = re.compile(r"\b([\w+-]+)-[0-9a-f]{8}\b")
WIDTH = 100
LEFT_OUT = "..."
APART = ("undercut ui", "python -m pytest", "make ")
"""How commands begin that do not end by themselves, or take long: a test of their own runs them."""


class PageError(RuntimeError):
    """A page that cannot be followed: what it says does not work."""


@dataclass(frozen=True)
class Block:
    """A code block: its kind, what stands in it, where that begins in the page, and the file it speaks of, if any."""

    kind: str
    body: str
    start: int
    verb: str = ""
    file: str = ""


def blocks(text: str) -> list[Block]:
    """The code blocks of a page in their order."""
    found = []
    for match in BLOCK.finditer(text):
        about = FILE.search(" ".join(match["before"].split()))
        verb, file = (about["verb"], about["file"]) if about else ("", "")
        found.append(Block(match["kind"], match["body"], match.start("body"), verb, file))
    return found


def edit(block: Block, folder: Path) -> None:
    """Do to a file what a block says. Raises PageError where the lines to change are not there, or not once."""
    path = folder / block.file
    if block.verb == "Write":
        path.write_text(block.body, encoding="utf-8")
        return
    there = path.read_text(encoding="utf-8")
    if block.verb == "Append to":
        # Definitions stand two lines apart.
        gap = "\n\n\n" if path.suffix == ".py" else "\n"
        path.write_text(there.rstrip("\n") + gap + block.body.lstrip("\n"), encoding="utf-8")
        return
    lines = block.body.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if line[0] != "+")
    new = "".join(line[1:] for line in lines if line[0] != "-")
    if there.count(old) != 1:
        raise PageError(f"{block.file} has these lines {there.count(old)} times, not once:\n{old}")
    path.write_text(there.replace(old, new), encoding="utf-8")


class Session:
    """Commands and lines of Python, run one after the other in this process, in the folder where it stands."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"__name__": "__main__"}

    def run(self, block: Block) -> str:
        """Run a block; returns what it prints, without progress and times. Raises PageError when a command fails."""
        printed, said = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(said):
            if block.kind == "python":
                self._execute(block.body)
            else:
                for line in block.body.splitlines():
                    self._command(line, said)
        return printed.getvalue() + PROGRESS.sub("", said.getvalue())

    def _command(self, line: str, said: io.StringIO) -> None:
        from undercut.cli import main

        words = shlex.split(line, comments=True)
        if not words or line.startswith(APART):
            return
        if words[0] != "undercut":
            raise PageError(f"only commands of undercut are followed, not {line!r}")
        status = main(words[1:])
        if status:
            raise PageError(f"{line!r} ended with status {status}: {said.getvalue()}")

    def _execute(self, source: str) -> None:
        """Run lines of Python; like a notebook, show the value of the last one."""
        tree = ast.parse(source)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "<page>", "exec"), self.names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "<page>", "eval"), self.names)
            if value is not None:
                print(value)


@contextlib.contextmanager
def reading(folder: Path) -> Iterator[None]:
    """The surroundings in which a page is followed: its folder, the width of its lines, and one process."""
    # Runs of a page are few: workers would take longer to start than to make them, and the bytes are the same.
    alone = patch("os.cpu_count", return_value=1)
    with contextlib.chdir(folder), patch.dict(os.environ, COLUMNS=str(WIDTH)), alone:
        yield


def follow(text: str, folder: Path) -> list[str]:
    """Do in a folder what a page says; returns what each of its blocks ``text`` should show.

    Raises PageError for what does not work.
    """
    session, printed, shown = Session(), "", []
    with reading(folder):
        for block in blocks(text):
            if block.kind == "text":
                shown.append(printed)
            elif block.verb:
                edit(block, folder)
            elif block.kind in ("sh", "python"):
                printed = session.run(block)
            else:
                raise PageError(f"a block {block.kind!r} without a file that it is for")
    return shown


def excerpt(shown: str, printed: str) -> str:
    """As much of what was printed as a block shows of it: from the top, and, after ``...``, from the end."""
    lines = [line.rstrip() for line in printed.strip("\n").splitlines()]
    head, left_out, tail = shown.partition(f"{LEFT_OUT}\n")
    above, below = len(head.splitlines()), len(tail.splitlines())
    if left_out and above + below < len(lines):
        lines = [*lines[:above], LEFT_OUT, *lines[len(lines) - below :]]
    return "\n".join(lines) + "\n"


def alike(shown: str, printed: str) -> bool:
    """Whether a block shows what was printed, numbers aside: these move with every change of the model."""
    return _shape(shown) == _shape(excerpt(shown, printed))


def _shape(text: str) -> list[str]:
    return [" ".join(NUMBER.sub("#", BATCH.sub(r"\1-#", line)).split()) for line in text.splitlines()]


def renewed(text: str, shown: Sequence[str]) -> str:
    """A page with what was printed in its blocks ``text``; one that differs in names of batches alone stays."""
    places = [block for block in blocks(text) if block.kind == "text"]
    for block, printed in reversed(list(zip(places, shown, strict=True))):
        new = excerpt(block.body, printed)
        # The names hold a hash of the code.
        if BATCH.sub(r"\1", new) != BATCH.sub(r"\1", block.body):
            text = text[: block.start] + new + text[block.start + len(block.body) :]
    return text


def copied(folder: Path) -> Path:
    """Copy the code, for pages that change it, with its compiled kernels, into a folder; returns that."""
    for name in CODE:
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def follow_in_copy(pages: Sequence[Path], copy: Path) -> dict[str, list[str]]:
    """Follow pages that change the code, in a copy of it and a process of its own.

    What all pages change is changed before any of them runs anything. Returns what their blocks ``text`` should show by
    the name of the page. Raises PageError.
    """
    for page in pages:
        for block in blocks(page.read_text(encoding="utf-8")):
            if block.verb:
                edit(block, copy)
    command = [sys.executable, "-m", "docs.transcript", "--printed", *(page.name for page in pages)]
    surroundings = {**os.environ, "PYTHONPATH": str(copy)}
    done = subprocess.run(command, cwd=copy, env=surroundings, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PageError(done.stderr)
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def printed_here(names: Sequence[str]) -> dict[str, list[str]]:
    """What pages of ``howto/`` print in this copy of the code, in which their files are changed already."""
    found = {}
    for name in names:
        session, printed, shown = Session(), "", []
        with reading(ROOT):
            for block in blocks((DOCS / "howto" / name).read_text(encoding="utf-8")):
                if block.kind == "text":
                    shown.append(printed)
                elif not block.verb:
                    printed = session.run(block)
        found[name] = shown
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages anew, or check them; returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["--printed"]:
        print(json.dumps(printed_here(given[1:])))
        return 0
    if given not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    stale = []
    for page in (TUTORIAL, *HOWTOS):
        text = page.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            if page == TUTORIAL:
                shown = follow(text, Path(folder))
            else:
                shown = follow_in_copy([page], copied(Path(folder)))[page.name]
        new = renewed(text, shown)
        if new != text:
            stale.append(page)
            if not given:
                page.write_text(new, encoding="utf-8")
    for page in stale:
        print(f"{page.relative_to(ROOT)}: {'out of date' if given else 'written anew'}", file=sys.stderr)
    return 1 if given and stale else 0


if __name__ == "__main__":
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    sys.exit(main())
