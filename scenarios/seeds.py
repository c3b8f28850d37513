"""How a user writes which seeds to run: a count, or a list of numbers and ranges."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from model.quotation import quoted

_PART = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?", re.ASCII)
_COUNT = re.compile(r"\d{1,18}", re.ASCII)
LARGEST = 10**18 - 1
"""No seed is larger: stores keep seeds as 64-bit integers."""

COMPARED = 8
"""How many seeds are run in the counterfactual worlds too, unless the user says otherwise."""

MOST = 1_000_000
"""More seeds than this are a slip of the keyboard."""


class SeedsError(ValueError):
    """Seeds that cannot be read."""


def parse(text: str) -> tuple[int, ...]:
    """The seeds of ``"32"`` (1 to 32), of ``"1,2,5-8"``, or of ``"7-7"`` (seed 7 alone), sorted, each once.

    Raises SeedsError when it is none of these.
    """
    body = text.replace(" ", "")
    if _COUNT.fullmatch(body):
        return _checked(range(1, int(body) + 1), text)
    seeds: set[int] = set()
    for part in body.removesuffix(",").split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise SeedsError(
                f"seeds {quoted(text)}: {quoted(part)} is neither a number nor a range; "
                "write 32, or 1,2,5-8, of at most 18 digits"
            )
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise SeedsError(f"seeds {quoted(text)}: the range {part} runs backwards; write {last}-{first}")
        seeds.update(_checked(range(first, last + 1), text))
    return _checked(sorted(seeds), text)


def words(seeds: Iterable[int]) -> str:
    """Seeds in the notation that :func:`parse` reads, as short as can be: ``"1-4,9-9"``."""
    ranges: list[list[int]] = []
    for seed in sorted(seeds):
        if ranges and seed == ranges[-1][1] + 1:
            ranges[-1][1] = seed
        else:
            ranges.append([seed, seed])
    return ",".join(f"{first}-{last}" for first, last in ranges)


def _checked(seeds: Sequence[int], text: str) -> tuple[int, ...]:
    if not seeds:
        raise SeedsError(f"seeds {quoted(text)} name none; write how many, as 32, or which, as 1,2,5-8")
    if len(seeds) > MOST:
        raise SeedsError(f"seeds {quoted(text)} are more than {MOST:,}")
    return tuple(seeds)
