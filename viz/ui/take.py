"""What can be taken away from the live page: its tables, and the scenario file that makes the run again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import solara

from viz.live import address
from viz.ui.stage import Stage

FORMS = {"csv": "CSV", "parquet": "Parquet"}
"""Endings of files, and what the buttons call them."""


@solara.component
def Take(stage: Stage) -> None:
    """The downloads of what is on screen; made when they are asked for."""
    script = stage.view.value.script
    stem = f"{script.scenario.removesuffix('.toml')}-seed-{script.seed}"
    linked = address.linked(script)
    solara.Text(
        "the address of this page is a link to what it shows"
        if linked
        else "the uploaded file is too long for an address: a link does not show this run, the scenario file makes it",
        classes=["uc-soft"],
    )
    with solara.Div(classes=["uc-buttons"]):
        for form, name in FORMS.items():
            _Tables(stage, form, name, f"{stem}-{form}.zip")
        with solara.FileDownload(script.toml, filename=f"{stem}.toml", mime_type="application/toml"):
            solara.Button("Scenario file", small=True, outlined=True)


@solara.component
def _Tables(stage: Stage, form: str, name: str, filename: str) -> None:
    """The tables to the newest quarter in one form."""
    missed, set_missed = solara.use_state(0)

    def getter() -> Callable[[], Awaitable[bytes | None]]:
        async def get() -> bytes | None:
            made = await stage.tables(form)
            if made is None:
                set_missed(missed + 1)
            return made

        return get

    # Solara forgets that a download was asked for when its getter changes: a new one after each that failed, so that
    # the button works again, and not at each step, which would drop the one under way.
    get = solara.use_memo(getter, [form, missed])
    with solara.FileDownload(get, filename=filename, mime_type="application/zip"):
        solara.Button(f"Tables ({name})", small=True, outlined=True)
