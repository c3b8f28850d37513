"""The report of a study: one HTML file with what was asked, what it says in words and pictures, and its tables."""

from __future__ import annotations

import contextlib
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Protocol, cast

from scenarios.folder import to_json
from viz.fan import ChartError
from viz.inline import drawing
from viz.page import Section, element, listing, page, paragraph, save

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from studies.study import Study


class Kind(Protocol):
    """A module of this package, named as the kind of study that it shows."""

    def sections(self, study: Study) -> Sequence[Section]:
        """What the study found: a sentence or two on top, pictures, tables."""
        ...


def write(study: Study, out: str | Path) -> None:
    """Write the report of a study into a file. Raises ChartError as :func:`html` does, and where it cannot be written."""
    save(out, lambda: html(study))


def html(study: Study) -> str:
    """The report of a study as a document.

    Raises ChartError when Matplotlib is missing, the study is of a kind unknown to this version, or its tables lack
    something that this version shows.
    """
    with drawing(), reading(study):  # says at once when Matplotlib is missing
        sections = [*_of(study).sections(study), _made(study)]
        return page(f"Undercut: {study.title}", f"study {study.name}", sections)


def _of(study: Study) -> Kind:
    return cast("Kind", module_of(study, "viz.study", "sections"))


@contextlib.contextmanager
def reading(study: Study) -> Iterator[None]:
    """Raises ChartError where a study's tables lack something: another version stored it, or somebody changed it."""
    try:
        yield
    except KeyError as error:
        raise ChartError(
            f"{study.name} has no {error}, which this version shows: make the study again with its command"
        ) from error


def module_of(study: Study, package: str, has: str) -> ModuleType:
    """The module of a package for this kind of study. Raises ChartError where there is none that has what is asked."""
    with contextlib.suppress(ModuleNotFoundError):
        found = import_module(f"{package}.{study.kind}") if study.kind.isidentifier() else None
        if found is not None and hasattr(found, has):
            return found
    raise ChartError(f"this version knows no study of the kind {study.kind!r}")


def _made(study: Study) -> Section:
    """How to make it again."""
    return Section(
        "made",
        "How this was made",
        [
            paragraph("What was asked:"),
            element("pre", to_json(dict(study.asked))),
            paragraph(f"Code and parameters {study.code}. Batches that it rests on:"),
            listing(element("code", name) for name in study.batches),
            *([paragraph("What to know:"), listing(study.notes)] if study.notes else []),
        ],
    )
