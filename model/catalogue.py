"""What exists to be bought: chips and models, and how fast each chip does each kind of work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from model.chip import Chip, ChipBook
from model.place import CAPTIVE, DENSE, PURPOSES, SPARSE, TRAINING
from model.roofline import serve_table
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
    _mtok_per_hour: dict[str, FloatArray] = field(default_factory=dict)
    _columns: dict[str, FloatArray] = field(default_factory=dict)
    _of_vendor: dict[str, list[Model]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._service = work_row(self.serving)
        self._references = model_rows([self.reference_dense, self.reference_sparse], self.serving)
        self._speeds = chip_rows([], self.serving)

    def add_chip(self, chip: Chip) -> None:
        """Enter a chip; its index must be the next one."""
        if chip.index != len(self.chips):
            raise ValueError(f"chip {chip.name} has index {chip.index}, the next is {len(self.chips)}")
        self.chips.append(chip)
        speed = chip_rows([chip.spec], self.serving)
        self._speeds = np.concatenate([self._speeds, speed])
        row = np.zeros((1, len(PURPOSES)))
        # A cluster is only as good as its links: cards on a slow bus do not train.
        if chip.trains:
            row[0, TRAINING] = training_throughput(chip.spec, self.training)
        row[0, DENSE], row[0, SPARSE] = self._mtok(self._references, speed)[:, 0]
        row[0, CAPTIVE] = captive_throughput(chip.spec, self.captive) * SECONDS_PER_HOUR
        self.work = np.concatenate([self.work, row])

    def add_model(self, model: Model) -> None:
        """Enter a model under its name."""
        model.number = len(self.models)
        model.memory_gb = footprint_gb(model.architecture, self.serving)
        self.models[model.name] = model
        self._of_vendor.setdefault(model.vendor, []).append(model)

    def models_of(self, vendor: str) -> Sequence[Model]:
        """All models of a vendor so far, in order of launch."""
        return self._of_vendor.get(vendor, ())

    def mtok_per_hour(self, models: Sequence[Model], chips: int | None = None) -> FloatArray:
        """Blended Mtok a chip hour of models at full software maturity, shape (models, chips).

        On every chip, or on the first so many ``chips``.
        """
        known, count = self._mtok_per_hour, len(self.chips) if chips is None else chips
        # Models that lack the same chips are computed together: once for what has just been launched.
        lacking: dict[int, dict[str, Model]] = {}
        for model in models:
            have = len(known[model.name]) if model.name in known else 0
            if have < count:
                lacking.setdefault(have, {})[model.name] = model
        for have, group in lacking.items():
            rows = model_rows([model.architecture for model in group.values()], self.serving)
            fresh = self._mtok(rows, self._speeds[have:count])
            for name, row in zip(group, fresh, strict=True):
                known[name] = np.concatenate([known[name], row]) if have else row
        return np.array([known[model.name][:count] for model in models]).reshape(len(models), count)

    def rates(self, architectures: list[Architecture], chips: NDArray[np.int64]) -> FloatArray:
        """Blended Mtok a chip hour of architectures that are only considered, shape (architectures, chips)."""
        return self._mtok(model_rows(architectures, self.serving), self._speeds[chips])

    def column(self, attribute: str) -> FloatArray:
        """A numeric field of every chip's specification, shape (chips,)."""
        known = self._columns.get(attribute)
        if known is None or len(known) < len(self.chips):
            known = np.array([getattr(chip.spec, attribute) for chip in self.chips], dtype=np.float64)
            known.flags.writeable = False
            self._columns[attribute] = known
        return known

    def _mtok(self, models: FloatArray, chips: FloatArray) -> FloatArray:
        """Blended Mtok a chip hour of rows of models on rows of chips, shape (models, chips)."""
        tokens = serve_table(chips, models, self._service)[:, :, 0]
        return np.asarray(tokens * (self.online_efficiency * SECONDS_PER_HOUR / TOKENS_PER_MTOK))
