"""Where texts of users enter, and what must hold of those that are taken; each says whether an input was."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

from model.parameters import Parameters, table
from scenarios import draws, seeds
from scenarios.design import grid, sample
from scenarios.scenario import resolve_text
from scenarios.toml import to_toml
from studies.ensemble import overrides
from tests.fuzz.judge import Wrong, judged
from viz.live import address


def check_seeds(text: str) -> bool:
    """Seeds are whole numbers from 0 in order, and come back from their own notation."""
    found, _ = judged(lambda: seeds.parse(text))
    if found is None:
        return False
    if list(found) != sorted(set(found)) or found[0] < 0 or found[-1] > seeds.LARGEST:
        raise Wrong(f"seeds {text!r} gave {found[:5]}")
    if len(found) < 1000 and seeds.parse(seeds.words(found)) != found:
        raise Wrong(f"seeds {text!r} do not come back")
    return True


def check_assignments(given: list[str]) -> bool:
    """A value that is taken is the one that was written, finite, and every other stays at its default."""
    found, _ = judged(lambda: Parameters.resolve(overrides(given)))
    if found is None:
        return False
    wanted = {text.partition("=")[0].strip(): text.partition("=")[2].strip() for text in given}
    for name, value in found.overridden.items():
        if not math.isfinite(value) or value != float(wanted[name]):
            raise Wrong(f"{given} gave {name} = {value}")
    for name in wanted:
        if found[name] != float(wanted[name]):
            raise Wrong(f"{given}: {name} was not taken")
    return True


def check_grid(given: list[str]) -> bool:
    """A grid has a world a combination, none twice."""
    found, _ = judged(lambda: grid(given))
    if found is None:
        return False
    if not found or len({tuple(point.items()) for point in found}) != len(found):
        raise Wrong(f"{given} gave {len(found)} points")
    judged(lambda: [Parameters.resolve(point) for point in found[:10]])
    return True


def check_sample(given: tuple[str, list[str]]) -> bool:
    """A sample stays within the ranges."""
    found, _ = judged(lambda: sample(*given))
    if found is None:
        return False
    known = table()
    for point in found[:100]:
        if not all(known[name].low <= value <= known[name].high for name, value in point.items()):
            raise Wrong(f"{given} left a range: {point}")
    return bool(found)


def check_scenario(text: str) -> bool:
    """A file that is taken says the same when it is written out in full."""
    found, _ = judged(lambda: resolve_text("mine.toml", text))
    if found is None:
        return False
    again = resolve_text("mine.toml", to_toml(found))
    if again.setting != found.setting or again.seeds != found.seeds:
        raise Wrong("a scenario changes when it is written out")
    if found.seeds is not None:
        seeds.parse(found.seeds)
    return True


def check_draws(content: bytes) -> bool:
    """Draws are the numbers of the file, each column once."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "mine.toml")
        file.write_text('title = "Mine"\n', encoding="utf-8")
        file.with_suffix(".csv").write_bytes(content)
        found, _ = judged(lambda: draws.read(file))
    if found is None:
        return False
    lines = [line for line in content.decode("utf-8-sig").splitlines() if line and not line.startswith("#")]
    if lines[0].count(",") + 1 != len(found.points[0]) and '"' not in lines[0]:
        raise Wrong("a column of the draws was lost")
    judged(found.stale)
    return True


def check_address(text: str) -> bool:
    """A link that is taken comes back from the page's own link."""
    found, _ = judged(lambda: address.read(text))
    if found is None:
        return False
    if address.linked(found[0]) and address.read(address.query(*found)) != found:
        raise Wrong("a link changes when the page writes it")
    return True
