"""Chance: one seed a run, and a stream of random numbers of its own for each purpose."""

from __future__ import annotations

import hashlib
from operator import index as as_integer

import numpy as np

PURPOSES = ("traits", "research", "demand", "supply")
"""What chance decides. A new purpose may be added anywhere: it leaves the other streams as they were."""

_WORD_BITS = 32
_WORDS = 4


class Chance:
    """The random numbers of one run.

    Each purpose draws from a child of one ``SeedSequence``, whose spawn key comes from the purpose's name
    and not from its place in the list. So a stream depends on the seed and its name alone: two scenarios with
    one seed share their luck, whatever each of them draws, and in whatever order.
    """

    def __init__(self, seed: int) -> None:
        """``seed`` is a whole number of at least 0; anything else raises ValueError or TypeError."""
        self.seed = as_integer(seed)
        if self.seed < 0:
            raise ValueError(f"{seed} is not a seed: write a whole number of at least 0.")
        self._streams: dict[str, np.random.Generator] = {}

    def stream(self, purpose: str) -> np.random.Generator:
        """The generator of one of ``PURPOSES``; asked again, the same one, wherever it has got to.

        Raises:
            ValueError: if there is no such purpose.
        """
        if purpose not in self._streams:
            if purpose not in PURPOSES:
                raise ValueError(f"There is no chance for {purpose!r}: write one of {', '.join(PURPOSES)}.")
            sequence = np.random.SeedSequence(self.seed, spawn_key=spawn_key(purpose))
            # The bit generator is named, because numpy may one day change its default.
            self._streams[purpose] = np.random.Generator(np.random.PCG64DXSM(sequence))
        return self._streams[purpose]


def spawn_key(purpose: str) -> tuple[int, ...]:
    """Four 32-bit words from the name of a purpose, the same in every process and version of Python."""
    width = _WORD_BITS // 8
    digest = hashlib.sha256(purpose.encode()).digest()
    return tuple(int.from_bytes(digest[width * i : width * (i + 1)], "big") for i in range(_WORDS))
