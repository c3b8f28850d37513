"""Tables as files in one archive, for a download."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

EPOCH = (1980, 1, 1, 0, 0, 0)
"""A fixed date, so that two downloads of the same tables are equal."""


def parcel(tables: Iterable[tuple[str, pd.DataFrame]], form: str) -> bytes:
    """Named tables as files of a form (``csv`` or ``parquet``) in a ZIP archive; the same bytes for the same tables."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, frame in tables:
            content = io.BytesIO()
            if form == "csv":
                frame.to_csv(content, index=False)
            else:
                frame.to_parquet(content, index=False)
            archive.writestr(
                zipfile.ZipInfo(f"{name}.{form}", EPOCH), content.getvalue(), zipfile.ZIP_DEFLATED
            )
    return packed.getvalue()
