"""Many sessions on one server for minutes: none may see another's state, none may die, memory must return.

    python -m benchmarks.soak [--minutes 10] [--sessions 20]        or: make soak

Each session is a tab of its own in Chromium, with a seed of its own, that plays, steps back, changes a parameter, fires
a shock and resets, at random. What goes wrong is printed, and the exit status is then 1.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.step_to_paint import FLAGS, chromium, serving

ENTERPRISES = 60
PAGE_BYTES = 4096
BYTES_PER_MB = 1e6
PATIENCE_MS = 240_000
CLICKS, CLICK_MS = 6, 30_000
LEAVE_SECONDS = 60.0
"""How long closed sessions may take to leave the server."""

MINUTE = 60.0


@dataclass
class Report:
    """What happened: acts of all sessions, what went wrong, and the server's memory and sessions at the end."""

    sessions: int
    acts: int = 0
    quarters: int = 0
    wrong: list[str] = field(default_factory=list)
    different: int = 0
    memory_before_mb: float = 0.0
    memory_most_mb: float = 0.0
    memory_after_mb: float = 0.0
    left: int = -1


def memory(pid: int) -> float:
    """Resident memory of a process and all below it, MB."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    total, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        waiting += children.get(one, [])
        try:
            total += int(Path(f"/proc/{one}/statm").read_text().split()[1]) * PAGE_BYTES
        except OSError:
            continue
    return total / BYTES_PER_MB


def sessions_of(address: str) -> int:
    """How many sessions the server holds."""
    with urllib.request.urlopen(f"{address}/resourcez", timeout=10) as answer:
        return int(json.load(answer)["kernels"]["total"])


async def soak(
    address: str, pid: int, sessions: int, minutes: float, steps: int, quiet: bool = False
) -> Report:
    """Let sessions play until the minutes are over, or for a number of quarters each where ``minutes`` is 0."""
    from playwright.async_api import async_playwright

    report = Report(sessions)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        window = await browser.new_context(viewport={"width": 1000, "height": 700})
        await (await _open(window, address, 0, report)).close()
        report.memory_before_mb = memory(pid)
        pages = await asyncio.gather(
            *(_open(window, address, seed, report) for seed in range(1, sessions + 1))
        )
        until = time.monotonic() + minutes * MINUTE
        played = [
            asyncio.create_task(_play(page, seed, until, steps if minutes == 0 else 0, report))
            for seed, page in enumerate(pages, start=1)
        ]
        while not all(task.done() for task in played):
            await asyncio.wait(played, timeout=MINUTE)
            report.memory_most_mb = max(report.memory_most_mb, memory(pid))
            if not quiet:
                said = f"{report.acts} acts, {report.quarters} quarters, {len(report.wrong)} wrong"
                print(f"{said}, server {memory(pid):.0f} MB", flush=True)
        await asyncio.gather(*played)
        shown = [" ".join(await page.locator("[data-panel=tiles] b").all_text_contents()) for page in pages]
        report.different = len(set(shown))
        await asyncio.gather(*(page.close() for page in pages))
        gone = time.monotonic() + LEAVE_SECONDS
        while sessions_of(address) and time.monotonic() < gone:
            await asyncio.sleep(1.0)
        report.left = sessions_of(address)
        await browser.close()
    report.memory_after_mb = memory(pid)
    return report


async def _open(window: Any, address: str, seed: int, report: Report) -> Any:
    page = await window.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on(
        "console",
        lambda said: report.wrong.append(f"{seed}: {said.text[:200]}") if said.type == "error" else None,
    )
    page.on("pageerror", lambda error: report.wrong.append(f"{seed}: {str(error)[:200]}"))
    await page.goto(f"{address}/?seed={seed}&value=enterprises:{ENTERPRISES}")
    await page.wait_for_selector("[data-panel=chips][data-shown='2023Q1']")
    return page


async def _play(page: Any, seed: int, until: float, steps: int, report: Report) -> None:
    chance = random.Random(seed)
    try:
        if steps:
            for _ in range(steps):
                await _step(page, report)
        while not steps and time.monotonic() < until:
            await _act(page, chance, report)
        # The page is still this session's: its seed in the field, in the address, and no sentence of an error.
        field_says = await page.input_value("[data-do=seed]")
        if field_says != str(seed) or f"seed={seed}&" not in page.url:
            report.wrong.append(f"{seed}: shows seed {field_says} at {page.url}")
        if await page.locator("[role=alert]").count():
            report.wrong.append(f"{seed}: {await page.text_content('[role=alert]')}")
    except Exception as error:  # noqa: BLE001  whatever a session dies of is the result
        report.wrong.append(f"{seed}: {str(error)[:300]}")


async def _act(page: Any, chance: random.Random, report: Report) -> None:
    report.acts += 1
    draw = chance.random()
    if draw < 0.75 and not await page.is_disabled("[data-do=step]"):
        await _step(page, report)
    elif draw < 0.80 and not await page.is_disabled("[data-fire=Shortage]"):
        await page.click("[data-fire=Shortage]")
    elif draw < 0.85:
        await page.fill("[data-do=search]", "eta")
        box = page.locator("[data-parameter=eta] input[type=number]")
        await box.fill(f"{chance.uniform(0.3, 1.2):.2f}")
        await box.press("Enter")
    elif draw < 0.90 and not await page.is_disabled("[data-do=back]"):
        await page.click("[data-do=back]")
    elif draw < 0.92 or await page.text_content("[data-shown=quarter]") == "2028Q4":
        await page.click("[data-do=reset]")
        await page.wait_for_selector("[data-panel=chips][data-shown='2023Q1']")
    await asyncio.sleep(chance.uniform(0.05, 0.5))


async def _step(page: Any, report: Report) -> None:
    """One quarter; a click into a start that is under way is ignored, as for anybody, and made again."""
    from playwright.async_api import TimeoutError as PlaywrightTimeout

    before = await page.text_content("[data-shown=quarter]")
    for _ in range(CLICKS):
        await page.click("[data-do=step]")
        try:
            await page.wait_for_function(
                "was => document.querySelector('[data-shown=quarter]').textContent !== was",
                arg=before,
                timeout=CLICK_MS,
            )
        except PlaywrightTimeout:
            continue
        report.quarters += 1
        return
    raise RuntimeError(f"no step from {before} after {CLICKS} clicks")


def main() -> int:
    """Run it, print the report as JSON; 1 when anything went wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--steps", type=int, default=0, help="quarters of each session instead of minutes")
    chosen = parser.parse_args()
    minutes = 0.0 if chosen.steps else chosen.minutes
    started: list[int] = []
    with ExitStack() as stack:
        command = [sys.executable, "-m", "undercut", "ui", "--no-browser"]
        address = stack.enter_context(serving(command, started))
        report = asyncio.run(
            soak(address, started[0], chosen.sessions, minutes, chosen.steps, bool(chosen.steps))
        )
    print(json.dumps(asdict(report), indent=1))
    wrong = report.wrong or report.left or report.different < chosen.sessions
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
