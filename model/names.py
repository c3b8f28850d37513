"""What stands behind the numbers of models, chips, fleets, firms and cells, as columns for the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from model import texts
from model.capability import BenchmarkLink, score
from model.place import PURPOSES, REGIONS

if TYPE_CHECKING:
    from model.catalogue import Catalogue, Model
    from model.chip import Chip


class Firm(Protocol):
    """What is said of a firm beside its kind, the name of its class."""

    name: str
    region: str
    origin: str


class Cell(Protocol):
    """What is said of a cell of the population; the region by number."""

    @property
    def region(self) -> int:
        """Where its enterprises are."""

    @property
    def sector(self) -> str:
        """What they do."""

    @property
    def size(self) -> str:
        """Large or small."""

    @property
    def firms(self) -> float:
        """Real firms that it stands for."""


IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_TEXTS_OF_MODEL = ("name", "vendor", "tier", "origin")


class Names:
    """Columns by number, each worked out when first asked for and again when the catalogue has grown.

    Texts are held by their numbers (``model/texts.py``). Nothing here changes of a chip, a firm or a cell once it is
    there; of a model only whether its weights are open, which is therefore not here.
    """

    def __init__(
        self, catalogue: Catalogue, firms: Mapping[str, Firm], owners: Sequence[Firm], cells: Sequence[Cell]
    ) -> None:
        self.catalogue = catalogue
        self.purposes, self.regions = texts.numbers(PURPOSES), texts.numbers(REGIONS)
        self.firms = {
            "name": texts.numbers(firms),
            "kind": texts.numbers(type(firm).__name__.lower() for firm in firms.values()),
            "region": texts.numbers(firm.region for firm in firms.values()),
            "origin": texts.numbers(firm.origin for firm in firms.values()),
        }
        self.owners = {
            name: texts.numbers(getattr(owner, name) for owner in owners)
            for name in ("name", "region", "origin")
        }
        self.cells = {
            "region": texts.numbers(REGIONS[cell.region] for cell in cells),
            "sector": texts.numbers(cell.sector for cell in cells),
            "size": texts.numbers(cell.size for cell in cells),
        }
        self.firms_of_cell = np.array([cell.firms for cell in cells], dtype=np.float64)
        self._models: dict[object, NDArray[Any]] = {}
        self._chips: dict[object, NDArray[Any]] = {}

    def models(self, name: str) -> NDArray[Any]:
        """An attribute of every model, or of its architecture, shape (models,)."""

        def make(models: Sequence[Model]) -> NDArray[Any]:
            if name in _TEXTS_OF_MODEL:
                return texts.numbers(getattr(model, name) for model in models)
            return np.array(
                [getattr(model if hasattr(model, name) else model.architecture, name) for model in models]
            )

        return self._known(self._models, name, list(self.catalogue.models.values()), make)

    def scores(self, link: BenchmarkLink) -> NDArray[Any]:
        """The benchmark score of every model, shape (models,)."""
        return self._known(self._models, link, self.models("capability"), lambda of: score(of, link))

    def chips(self, name: str) -> NDArray[Any]:
        """What the tables say of a chip in the column of that name, of every chip, shape (chips,)."""

        def make(chips: Sequence[Chip]) -> NDArray[Any]:
            if name == "inference_listed":
                return np.array([chip.inference_listed for chip in chips])
            return texts.numbers(_TEXTS_OF_CHIP[name](chip) for chip in chips)

        return self._known(self._chips, name, self.catalogue.chips, make)

    def optimised(self, bound: float) -> BoolArray:
        """Which chips are inference-optimised by a bound on bytes per FLOP, shape (chips,)."""
        return self._known(
            self._chips,
            bound,
            self.catalogue.chips,
            lambda of: np.array([c.inference_physical(bound) for c in of]),
        )

    @staticmethod
    def _known(
        kept: dict[object, NDArray[Any]], key: object, of: Any, make: Callable[[Any], NDArray[Any]]
    ) -> NDArray[Any]:
        found = kept.get(key)
        if found is None or len(found) < len(of):
            found = kept[key] = make(of)
        return found


_TEXTS_OF_CHIP: dict[str, Callable[[Chip], str]] = {
    "maker": lambda chip: chip.spec.maker,
    "maker_origin": lambda chip: chip.spec.origin,
    "product": lambda chip: chip.name,
    "class": lambda chip: chip.grade,
}
