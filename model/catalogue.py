"""What exists to be bought: chips and models, and how fast each chip does each kind of work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from model.chip import Chip, ChipBook
from model.place import CAPTIVE, DENSE, PURPOSES, SPARSE, TRAINING
from model.roofline import fill_rates, serve_table
from model.serving import (
    Architecture,
    CaptiveWork,
    ServingTechnology,
    TrainingTechnology,
    captive_throughput,
    chip_rows,
    footprint_gb,
    model_rows,
    training_throughput,
    work_row,
)

FloatArray = NDArray[np.float64]

SECONDS_PER_HOUR = 3600.0
TOKENS_PER_MTOK = 1e6

ROOM = 128
"""Chips, and models, for which there is room at first."""


@dataclass(slots=True, eq=False)
class Model:
    """A product (vendor, tier, generation) with its capability (log10 effective FLOP) and architecture."""

    name: str
    vendor: str
    tier: str
    generation: int
    origin: str
    launched: int
    capability: float
    architecture: Architecture
    open_weights: bool
    given: bool
    until: int | None = None
    number: int = -1
    memory_gb: float = float("nan")


@dataclass
class Catalogue:
    """Chips and models in order of launch, with throughputs at full software maturity.

    Reference units of work a chip hour, columns of :attr:`work` (chips, purposes): training in PFLOP/s
    (an hour of one is 3,600 PFLOP), dense and sparse inference in Mtok of a reference model each, captive work in
    queries of the reference ranker.
    """

    serving: ServingTechnology
    training: TrainingTechnology
    captive: CaptiveWork
    online_efficiency: float
    reference_dense: Architecture
    reference_sparse: Architecture
    chips: ChipBook = field(default_factory=ChipBook)
    models: dict[str, Model] = field(default_factory=dict)
    work: FloatArray = field(default_factory=lambda: np.zeros((0, len(PURPOSES))))
    _columns: dict[str, FloatArray] = field(default_factory=dict)
    _of_vendor: dict[str, list[Model]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._service = work_row(self.serving)
        self._references = model_rows([self.reference_dense, self.reference_sparse], self.serving)
        self._unit = self.online_efficiency * SECONDS_PER_HOUR / TOKENS_PER_MTOK
        # Rows of chips and models as serving sees them, with room to grow, and what is known of each pair.
        self._speeds, self._demands = chip_rows([], self.serving), model_rows([], self.serving)
        self._rates = np.zeros((0, 0))
        self._considered: dict[Architecture, tuple[NDArray[np.int64], FloatArray]] = {}

    def add_chip(self, chip: Chip) -> None:
        """Enter a chip; its index must be the next one."""
        if chip.index != len(self.chips):
            raise ValueError(f"chip {chip.name} has index {chip.index}, the next is {len(self.chips)}")
        self.chips.append(chip)
        row = np.zeros((1, len(PURPOSES)))
        # A cluster is only as good as its links: cards on a slow bus do not train.
        if chip.trains:
            row[0, TRAINING] = training_throughput(chip.spec, self.training)
        self._speeds = grown(self._speeds, len(self.chips))
        self._speeds[chip.index] = chip_rows([chip.spec], self.serving)
        row[0, [DENSE, SPARSE]] = self._mtok(self._references, self._speeds[chip.index : chip.index + 1])[
            :, 0
        ]
        row[0, CAPTIVE] = captive_throughput(chip.spec, self.captive) * SECONDS_PER_HOUR
        self.work = np.concatenate([self.work, row])

    def add_model(self, model: Model) -> None:
        """Enter a model under its name."""
        model.number = len(self.models)
        model.memory_gb = footprint_gb(model.architecture, self.serving)
        self.models[model.name] = model
        self._of_vendor.setdefault(model.vendor, []).append(model)
        self._demands = grown(self._demands, len(self.models))
        self._demands[model.number] = model_rows([model.architecture], self.serving)
        if model.architecture in self._considered:
            chips, rates = self._considered[model.architecture]
            self._make_room()
            self._rates[model.number, chips] = rates

    def models_of(self, vendor: str) -> Sequence[Model]:
        """All models of a vendor so far, in order of launch."""
        return self._of_vendor.get(vendor, ())

    def mtok_per_hour(self, models: Sequence[Model], chips: int | None = None) -> FloatArray:
        """Blended Mtok a chip hour of models at full software maturity, shape (models, chips).

        On every chip, or on the first so many ``chips``. Raises ValueError for a model that is not in the catalogue.
        """
        count = len(self.chips) if chips is None else chips
        self._make_room()
        wanted = np.array([model.number for model in models], dtype=np.int64)
        if wanted.min(initial=0) < 0:
            raise ValueError("a model that is not in the catalogue has no rates")
        fill_rates(self._rates, self._speeds, self._demands, self._service, wanted, count, self._unit)
        return self._rates[wanted, :count]

    def rates(self, architectures: Sequence[Architecture], chips: NDArray[np.int64]) -> FloatArray:
        """Blended Mtok a chip hour of architectures that are only considered, shape (architectures, chips)."""
        found = self._mtok(model_rows(architectures, self.serving), self._speeds[chips])
        # What is chosen of them need not be worked out again.
        self._considered = {each: (chips, row) for each, row in zip(architectures, found, strict=True)}
        return found

    def column(self, attribute: str) -> FloatArray:
        """A numeric field of every chip's specification, shape (chips,)."""
        known = self._columns.get(attribute)
        if known is None or len(known) < len(self.chips):
            known = np.array([getattr(chip.spec, attribute) for chip in self.chips], dtype=np.float64)
            known.flags.writeable = False
            self._columns[attribute] = known
        return known

    def _make_room(self) -> None:
        """Let the table of rates have a row for every model and a column for every chip."""
        rows, columns = len(self._demands), len(self._speeds)
        if self._rates.shape != (rows, columns):
            known, self._rates = self._rates, np.full((rows, columns), np.nan)
            self._rates[: known.shape[0], : known.shape[1]] = known

    def _mtok(self, models: FloatArray, chips: FloatArray) -> FloatArray:
        """Blended Mtok a chip hour of rows of models on rows of chips, shape (models, chips)."""
        return np.asarray(serve_table(chips, models, self._service)[:, :, 0] * self._unit)


def grown(rows: FloatArray, count: int) -> FloatArray:
    """The rows themselves, or, where ``count`` are too many for them, with as many again and more."""
    if count <= len(rows):
        return rows
    return np.concatenate([rows, np.zeros((max(count, ROOM), rows.shape[1]))])
