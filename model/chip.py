"""Chips on the market: what each is, and the numbers of all of them in columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from model.serving import ChipSpec

GRADES = ("ai", "mid-range")
"""What capacity is counted by: AI-class accelerators are built in another process than mid-range cards."""

ANYBODY, NOBODY = -1, -2
"""Numbers of the owner for whom a chip is made, where it is made for all, or for one who is not in the market."""

ROOM = 64
"""Chips for which a book has room at first; it doubles when they are more."""


class _Live:
    """A field of a chip that lives in its column of the book."""

    def __set_name__(self, _: type, name: str) -> None:
        self._name = name

    def __get__(self, chip: Chip, _: type) -> float:
        return float(chip._columns[self._name][chip._at])

    def __set__(self, chip: Chip, value: float) -> None:
        chip._columns[self._name][chip._at] = value


class _Column:
    """One field of all chips, shape (chips,)."""

    def __init__(self, kind: type) -> None:
        self.kind = kind

    def __set_name__(self, _: type, name: str) -> None:
        self._name = name

    def __get__(self, book: ChipBook, _: type) -> NDArray[Any]:
        return book._columns[self._name][: book._count]


class Chip:
    """A chip: its specification, and what its maker asks for it; a view of its place in the book once it is on it.

    ``price``, ``unit_cost`` and ``until``, the first quarter in which it can no longer be ordered (infinite while it has
    no successor), change. ``given`` marks chips of the facts; later ones are decisions of their makers. ``window_from``
    and ``window_until`` are the quarters in which a chip of the facts may be sold to China (infinite: never, and
    without end). ``made_for_rules`` marks chips that exist only because of export rules.
    """

    price = _Live()
    unit_cost = _Live()
    until = _Live()

    def __init__(
        self,
        spec: ChipSpec,
        index: int,
        launched: int,
        line: str,
        grade: str,
        inference_listed: bool,
        captive_owner: str,
        price: float,
        unit_cost: float,
        given: bool,
        window_from: float = np.inf,
        window_until: float = np.inf,
        made_for_rules: bool = False,
        trains: bool = True,
        until: float = np.inf,
        first_cost: float = 0.0,
    ) -> None:
        self.spec = spec
        self.index = index
        self.launched = launched
        self.line = line
        self.grade = grade
        self.inference_listed = inference_listed
        self.captive_owner = captive_owner
        self.given = given
        self.window_from = window_from
        self.window_until = window_until
        self.made_for_rules = made_for_rules
        self.trains = trains
        self.first_cost = first_cost
        self._columns = {
            name: np.array([value])
            for name, value in (("price", price), ("unit_cost", unit_cost), ("until", until))
        }
        self._at = 0

    @property
    def name(self) -> str:
        """Its name in tables."""
        return self.spec.name

    def inference_physical(self, bytes_per_flop: float) -> bool:
        """Inference-optimised by the physical rule: memory bandwidth per dense BF16 FLOP at or above a bound."""
        return self.spec.bytes_per_flop >= bytes_per_flop

    def __repr__(self) -> str:
        return f"Chip({self.name!r})"


class ChipBook(Sequence[Chip]):
    """All chips in order of launch, with their numbers in columns: ``book.price`` is (chips,), and live.

    Prices and costs are in USD a chip. ``maker`` numbers the makers, ``process`` the processes in which chips are made,
    one for each maker and grade (:data:`GRADES`), ``captive`` the owner for whom a chip is made, :data:`ANYBODY` where
    that is none in particular; ``chinese`` says where its maker is from. The others are as in :class:`Chip` and
    ``ChipSpec``.
    """

    price = _Column(float)
    unit_cost = _Column(float)
    until = _Column(float)
    first_cost = _Column(float)
    launched = _Column(int)
    maker = _Column(int)
    process = _Column(int)
    captive = _Column(int)
    given = _Column(bool)
    made_for_rules = _Column(bool)
    chinese = _Column(bool)
    window_from = _Column(float)
    window_until = _Column(float)
    bf16_tflops = _Column(float)
    interconnect_gbs = _Column(float)

    def __init__(
        self, makers: Mapping[str, int] | None = None, owners: Mapping[str, int] | None = None
    ) -> None:
        """``makers`` numbers the chipmakers, ``owners`` the fleets."""
        self._makers = makers or {}
        self._owners = {"": ANYBODY, **(owners or {})}
        self._chips: list[Chip] = []
        self._count = 0
        self._columns: dict[str, NDArray[Any]] = {
            name: np.zeros(ROOM, column.kind)
            for name, column in vars(type(self)).items()
            if isinstance(column, _Column)
        }

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Chip: ...

    @overload
    def __getitem__(self, index: slice) -> list[Chip]: ...

    def __getitem__(self, index: int | slice) -> Chip | list[Chip]:
        return self._chips[index]

    def on_sale(self, quarter: int) -> NDArray[np.bool_]:
        """Which chips can be ordered in a quarter if their makers still sell, shape (chips,)."""
        return np.asarray(self.until > quarter)

    def append(self, chip: Chip) -> None:
        """Enter a chip; its numbers live here from now on. Raises ValueError where its maker is none of the book's."""
        at, maker = self._count, self._makers.get(chip.spec.maker)
        if maker is None:
            raise ValueError(f"{chip.name} is of {chip.spec.maker}, which is no maker of this book")
        if at == len(self._columns["price"]):
            for name, column in self._columns.items():
                self._columns[name] = np.concatenate([column, np.zeros_like(column)])
        row = {
            "price": chip.price,
            "unit_cost": chip.unit_cost,
            "until": chip.until,
            "first_cost": chip.first_cost,
            "launched": chip.launched,
            "maker": maker,
            "process": maker * len(GRADES) + GRADES.index(chip.grade),
            "captive": self._owners.get(chip.captive_owner, NOBODY),
            "given": chip.given,
            "made_for_rules": chip.made_for_rules,
            "chinese": chip.spec.origin == "CN",
            "window_from": chip.window_from,
            "window_until": chip.window_until,
            "bf16_tflops": chip.spec.bf16_tflops,
            "interconnect_gbs": chip.spec.interconnect_gbs,
        }
        for name, value in row.items():
            self._columns[name][at] = value
        chip._columns, chip._at = self._columns, at
        self._chips.append(chip)
        self._count += 1
