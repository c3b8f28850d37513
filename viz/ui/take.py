"""What can be taken away from the live page: its tables, and the scenario file that makes the run again."""

from __future__ import annotations

import io
import zipfile

import solara

from model import calendar
from model.market import Market
from viz.live.script import Script
from viz.ui.stage import Stage

FORMS = {"csv": "CSV", "parquet": "Parquet"}
"""Endings of files, and what the buttons call them."""


@solara.component
def Take(stage: Stage, script: Script) -> None:
    """The downloads of what is on screen; made when they are asked for."""
    stem = f"{script.scenario.removesuffix('.toml')}-seed-{script.seed}"
    with solara.Div(classes=["uc-buttons"]):
        for form, name in FORMS.items():
            with solara.FileDownload(
                lambda form=form: tables(script, stage.last, form),
                filename=f"{stem}-{form}.zip",
                mime_type="application/zip",
            ):
                solara.Button(f"Tables ({name})", small=True, outlined=True)
        with solara.FileDownload(script.toml, filename=f"{stem}.toml", mime_type="application/toml"):
            solara.Button("Scenario file", small=True, outlined=True)


def tables(script: Script, last: str, form: str) -> bytes:
    """Every recorded table to a quarter, as files of a form in a ZIP archive; the same bytes for the same script.

    The run is made again, since the page holds only what it shows.
    """
    market = Market(script.scenario_of().setting, script.seed)
    try:
        while not market.finished and market.t <= calendar.index(last):
            market.step()
        frames = market.frames()
    finally:
        market.release()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, frame in frames.items():
            content = io.BytesIO()
            if form == "csv":
                frame.to_csv(content, index=False)
            else:
                frame.to_parquet(content, index=False)
            # A fixed date, so that two downloads of one run are equal.
            archive.writestr(zipfile.ZipInfo(f"{name}.{form}", (1980, 1, 1, 0, 0, 0)), content.getvalue())
    return packed.getvalue()
