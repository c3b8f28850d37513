"""From a click on step to the painted quarter: the live page beside the same charts in Mesa's SolaraViz.

Both pages are open in one Chromium and are stepped by turns, so that both see the same machine. A step counts from the
click to the frame that the browser paints after the last of its charts has changed. Between two clicks there is a
pause, in which we simulate ahead; without it a step is simulated after its click. The ratio is SolaraViz's time over
that of the row.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import Any

from benchmarks.table import Line, Row

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
ENTERPRISES = 1000
STEPS, QUICK_STEPS = 20, 5
"""Of each page; the horizon has 24."""
OURS_IS, PRESSED, THEIRS_IS = "Undercut", "Undercut, without a pause", "SolaraViz, Matplotlib"
PANELS = 8
"""Panels of the live page that must show the quarter: five charts, tiles, claims and events."""

FIGURES = 5
START_SECONDS = 120.0
SETTLE_MS = 4000
PAUSE_MS = 300
"""Between two clicks, so that no step waits for what the one before left to do."""

# Waiting by an observer costs the page nothing; looking every millisecond cost it twenty.
STEP = """async () => {
  const was = BEFORE;
  const changed = () => {
    const now = AFTER;
    return now.length >= LEAST && now.every((each) => each && !was.includes(each));
  };
  const start = performance.now();
  BUTTON.click();
  await new Promise((done) => {
    const look = () => changed() && (observer.disconnect(), done());
    const observer = new MutationObserver(look);
    const what = { subtree: true, childList: true, attributes: true, attributeFilter: ['data-shown', 'src'] };
    observer.observe(document.body, what);
    document.body.addEventListener('load', look, true);
  });
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
  return performance.now() - start;
}"""
PANEL = "[...document.querySelectorAll('[data-panel]')].map((each) => each.dataset.shown)"
IMAGE = "[...document.querySelectorAll('.v-application img')].map((each) => COMPLETE each.src)"
OURS = (
    STEP.replace("BEFORE", PANEL)
    .replace("AFTER", PANEL)
    .replace("LEAST", str(PANELS))
    .replace("BUTTON", "document.querySelector('[data-do=step]')")
)
THEIRS = (
    # An image of a page in the background may still be loading: it is an old one all the same.
    STEP.replace("BEFORE", IMAGE.replace("COMPLETE", ""))
    .replace("AFTER", IMAGE.replace("COMPLETE", "each.complete &&"))
    .replace("LEAST", str(FIGURES))
    .replace(
        "BUTTON",
        "[...document.querySelectorAll('button')].find((each) => each.textContent.trim() === 'Step')",
    )
)


@contextmanager
def serving(command: list[str], started: list[int] | None = None, **environment: str) -> Iterator[str]:
    """A server started by a command that gets ``--port``; yields its address, and puts its process id into a list."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        env={**os.environ, "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "False", **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    if started is not None:
        started.append(process.pid)
    try:
        until = time.monotonic() + START_SECONDS
        while not _answers(address):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{' '.join(command[1:4])} did not start")
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait()


def paint(steps: int, enterprises: int) -> dict[str, list[float]]:
    """Milliseconds of each step, by page."""
    from playwright.sync_api import sync_playwright

    python = sys.executable
    with ExitStack() as stack:
        live = stack.enter_context(serving([python, "-m", "undercut", "ui", "--no-browser"]))
        mesa = stack.enter_context(
            serving(
                [
                    python,
                    "-m",
                    "solara",
                    "run",
                    "benchmarks/solaraviz_page.py",
                    "--host",
                    "127.0.0.1",
                    "--production",
                ],
                UNDERCUT_BENCH_ENTERPRISES=str(enterprises),
                PYTHONPATH=".",
            )
        )
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        ours = _open(browser, f"{live}/?value=enterprises:{enterprises}")
        ours.wait_for_selector("[data-panel=size][data-shown='2023Q1']")
        theirs = _open(browser, mesa)
        theirs.wait_for_function(f"document.querySelectorAll('.v-application img').length === {FIGURES}")
        # SolaraViz draws once more some time after its first images.
        theirs.wait_for_timeout(SETTLE_MS)
        found: dict[str, list[float]] = {OURS_IS: [], THEIRS_IS: []}
        for _ in range(steps):
            for name, page, script in zip(found, (ours, theirs), (OURS, THEIRS), strict=True):
                page.bring_to_front()
                page.wait_for_timeout(PAUSE_MS)
                found[name].append(float(page.evaluate(script)))
        ours.click("[data-do=reset]")
        ours.wait_for_selector("[data-panel=size][data-shown='2023Q1']")
        found[PRESSED] = [float(ours.evaluate(OURS)) for _ in range(steps)]
        browser.close()
    return found


def chromium() -> str:
    """The path of Chromium. Raises RuntimeError without one."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        raise RuntimeError("no Chromium; install it with: apt-get install chromium")
    return path


def _open(browser: Any, address: str) -> Any:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(120_000)
    page.goto(address)
    return page


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def measure(quick: bool) -> Iterator[Line]:
    """A row for each page, and ours when it is pressed without a pause."""
    try:
        chromium()
    except RuntimeError as error:
        yield f"Left out: {error}."
        return
    found = paint(QUICK_STEPS if quick else STEPS, ENTERPRISES)
    reference = median(found[THEIRS_IS])
    for name, taken in found.items():
        size = f"{ENTERPRISES:,} enterprises"
        yield Row(name, size, "ms from click to paint", tuple(taken), reference / median(taken))
