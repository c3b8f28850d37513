"""A server of the pages and a real browser, one of each for all tests of a process."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from viz.live import world

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
    "--renderer-process-limit=1", "--disable-features=SpareRendererForSitePerProcess",
]  # fmt: skip
"""The last two: pages one after the other need no processes of their own, which would compile all scripts again."""

START_SECONDS = 120.0
UNTIL_SECONDS = 60.0
QUARTERS_MS = 60_000
"""How long a test waits for the page: kernels may have to be compiled first."""


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of the server, empty at first."""
    return tmp_path_factory.mktemp("ui") / "runs"


@pytest.fixture(scope="session")
def server(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of the pages, as `undercut ui` starts it."""
    needs_browser()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # On a fresh machine kernels compile for a minute or two: a user waits for that once, the limits of the tests do not.
    world.warm()
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "undercut",
                "ui",
                "--port",
                str(port),
                "--no-browser",
                "--workers",
                "1",
                "--store",
                str(store),
            ],
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + START_SECONDS
        while not _answers(address):
            if process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"the server did not start: {log.read_text()[-2000:]}")
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """What starts Debian's Chromium."""
    path = needs_browser()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium
        options: dict[str, Any] = {"executable_path": path, "args": FLAGS}
        yield SimpleNamespace(
            launch=partial(found.launch, **options),
            keeping=partial(found.launch_persistent_context, **options),
        )


@pytest.fixture(scope="session")
def window(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A window whose pages share what they loaded, compiled; each is a session of its own all the same.

    A window in private, as browsers open for a test, would compile all scripts for every page.
    """
    context = chromium.keeping(
        tmp_path_factory.mktemp("profile"), viewport={"width": 1280, "height": 900}, accept_downloads=True
    )
    yield context
    context.close()


@pytest.fixture
def stranger(chromium: Any) -> Iterator[Any]:
    """A page of another browser, which has loaded nothing and has no cookies."""
    browser = chromium.launch()
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(QUARTERS_MS)
    yield opened
    browser.close()


@pytest.fixture
def page(window: Any) -> Iterator[Any]:
    """A page that fails the test for an error in the console, and for a request that fails or leaves the machine."""
    opened = window.new_page()
    opened.set_default_timeout(QUARTERS_MS)
    wrong = watch(opened)
    yield opened
    opened.close()
    assert wrong == []


def watch(page: Any) -> list[str]:
    """What goes wrong on a page from now on."""
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(f"console: {said.text}") if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    # A page that is left gives up what it was loading, and that is no failure.
    page.on(
        "requestfailed",
        lambda request: (
            None if "ERR_ABORTED" in (request.failure or "") else wrong.append(f"failed: {request.url}")
        ),
    )
    page.on(
        "response",
        lambda answer: wrong.append(f"{answer.status}: {answer.url}") if answer.status >= 400 else None,
    )
    page.on(
        "request", lambda request: None if _local(request.url) else wrong.append(f"external: {request.url}")
    )
    return wrong


def until(true: Callable[[], bool]) -> None:
    """Wait for something that no page shows."""
    end = time.monotonic() + UNTIL_SECONDS
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def needs_browser() -> str:
    """The path of Chromium. Skips the test without one, or fails where it must not be missing."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        said = "no Chromium for the browser tests; install it with: apt-get install chromium"
        if os.environ.get("UNDERCUT_REQUIRE_BROWSER") == "1":
            pytest.fail(said)
        pytest.skip(said)
    return path


def _local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
