"""Whoever follows the pages for newcomers word by word gets what they show."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from docs import transcript
from docs.transcript import HOWTOS, TUTORIAL, Block, PageError, alike, blocks, edit, excerpt, renewed
from viz.live import world

OUT_OF_DATE = "run `make docs`, and look at what changed in {}"


def check(page: Path, printed: list[str]) -> None:
    """Compare what a page shows with what was printed."""
    shown = [block.body for block in blocks(page.read_text(encoding="utf-8")) if block.kind == "text"]
    assert shown
    for text, real in zip(shown, printed, strict=True):
        assert alike(text, real), (
            OUT_OF_DATE.format(page) + f":\n{text}\nwas printed as:\n{excerpt(text, real)}"
        )


@pytest.fixture(scope="module")
def kernels() -> None:
    """The kernels, compiled: a copy takes them along."""
    world.warm()


def test_the_tutorial_can_be_followed_and_the_notebook_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernels: None
) -> None:
    check(TUTORIAL, transcript.follow(TUTORIAL.read_text(encoding="utf-8"), tmp_path))
    monkeypatch.setenv("MPLBACKEND", "agg")
    session = transcript.Session()
    with transcript.reading(tmp_path):
        # The runs are those of the tutorial.
        shown = [session.run(Block("python", "".join(cell["source"]), 0)) for cell in code_cells()]
    assert all(shown)
    lines = session.names["axes"].get_lines()
    assert [line.get_label() for line in lines] == ["baseline", "consortium"]
    assert all(line.get_ydata().max() > 0.0 for line in lines)
    assert session.names["change"].loc["deepseek-share-2026", "mean"] != 0.0
    assert set(session.names["verdicts"]) == {"baseline", "consortium"}


def code_cells() -> list[dict[str, Any]]:
    notebook = json.loads((transcript.DOCS / "example.ipynb").read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def test_the_notebook_is_one_and_stores_no_output() -> None:
    notebook = json.loads((transcript.DOCS / "example.ipynb").read_text(encoding="utf-8"))
    cells = notebook["cells"]
    assert (notebook["nbformat"], len({cell["id"] for cell in cells})) == (4, len(cells))
    assert {cell["cell_type"] for cell in cells} == {"markdown", "code"}
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code_cells())


def test_pages_on_additions_can_be_followed_and_each_addition_shows_in_a_run(
    tmp_path: Path, kernels: None
) -> None:
    # All in one copy and one process: what is slow, and looks at each alone, stands below.
    printed = transcript.follow_in_copy(HOWTOS, transcript.copied(tmp_path))
    for page in HOWTOS:
        check(page, printed[page.name])


def test_there_is_a_page_on_each_kind_of_addition() -> None:
    assert {page.stem for page in HOWTOS} == {"chipmaker", "claim", "rule", "shock"}


def apart(page: Path) -> list[str]:
    """The commands of a page that are not followed with the others."""
    lines = (line for block in blocks(page.read_text(encoding="utf-8")) for line in block.body.splitlines())
    return [line for line in lines if line.startswith(transcript.APART)]


@pytest.mark.slow  # each page in a copy of its own, with the tests that it names
@pytest.mark.parametrize("page", HOWTOS, ids=lambda page: page.stem)
def test_after_an_addition_alone_the_documents_are_written_and_the_tests_pass(
    page: Path, tmp_path: Path, kernels: None
) -> None:
    check(page, transcript.follow_in_copy([page], transcript.copied(tmp_path))[page.name])
    assert apart(page)
    for line in apart(page):
        command = line.replace("make docs", "python docs/generate.py").replace("python", sys.executable, 1)
        done = subprocess.run(
            command,
            shell=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, f"{line}:\n{done.stdout[-4000:]}{done.stderr[-2000:]}"


@pytest.mark.slow  # a server takes seconds to start; the tests of the pages run one of their own
def test_the_live_page_of_the_tutorial_answers(tmp_path: Path) -> None:
    (command,) = apart(TUTORIAL)
    assert command == "undercut ui"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    server = subprocess.Popen(
        [sys.executable, "-m", *command.split(), "--no-browser", "--port", port],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(transcript.ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stderr is not None
        address = re.search(r"http://\S+(?=;)", server.stderr.readline())
        assert address
        page = ""
        while "<title>" not in page and server.poll() is None:
            try:
                page = urllib.request.urlopen(address[0], timeout=60).read().decode()
            except OSError:
                continue
        # The page fills itself in the browser, as the tests of the pages see.
        assert "solaraInit" in page
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(60)


PAGE = """\
Write `a.txt`:

```text
one
two
```

Change `a.txt` now:

```diff
 one
-two
+three
```

```python
print("1 apple"); print("2 pears"); print("3 plums"); print(Path_of)
```
"""


def test_blocks_know_the_file_that_they_are_for() -> None:
    found = blocks(PAGE)
    assert [(block.kind, block.verb, block.file) for block in found] == [
        ("text", "Write", "a.txt"),
        ("diff", "Change", "a.txt"),
        ("python", "", ""),
    ]
    assert found[0].body == "one\ntwo\n"


def test_an_edit_changes_what_stands_there_once_and_nothing_else(tmp_path: Path) -> None:
    write, change, _ = blocks(PAGE)
    edit(write, tmp_path)
    edit(change, tmp_path)
    assert (tmp_path / "a.txt").read_text() == "one\nthree\n"
    with pytest.raises(PageError, match="0 times, not once"):
        edit(change, tmp_path)
    edit(Block("text", "four\n", 0, "Append to", "a.txt"), tmp_path)
    assert (tmp_path / "a.txt").read_text() == "one\nthree\nfour\n"


@pytest.mark.parametrize(
    "code",
    ["```sh\nrm -rf runs\n```\n", "```sh\nundercut run no-such-world\n```\n", "```toml\ntitle = 1\n```\n"],
)
def test_a_page_that_cannot_be_followed_is_refused(code: str, tmp_path: Path) -> None:
    with pytest.raises(PageError):
        transcript.follow(code, tmp_path)


def test_an_excerpt_keeps_the_first_and_the_last_lines() -> None:
    assert excerpt("x\n...\nx\nx\n", "a  \nb\nc\nd\n") == "a\n...\nc\nd\n"
    assert excerpt("x\n", "a\nb\n") == "a\nb\n"
    assert excerpt("x\n...\nx\n", "a\nb\n") == "a\nb\n"


def test_numbers_may_move_and_words_may_not() -> None:
    assert alike("price 0.25 in baseline-1a2b3c4d\n", "price  13 in baseline-0a0b0c0d\n")
    assert not alike("price 0.25\n", "cost 0.25\n")
    assert not alike("price 0.25\n", "price 0.25\nand more\n")


def test_a_page_is_renewed_where_it_shows_what_is_printed_and_nowhere_else(tmp_path: Path) -> None:
    page = "Say:\n\n```python\n1 + 1\n```\n\n```text\n3\n```\n\nAnd so on.\n"
    shown = transcript.follow(page, tmp_path)
    assert renewed(page, shown) == page.replace("3", "2")
    named = page.replace("3", "stored as baseline-1a2b3c4d")
    assert renewed(named, ["stored as baseline-0a0b0c0d"]) == named
