"""The pages in a browser: ``undercut ui``, or ``solara run viz/app.py``."""

from __future__ import annotations

import solara

from viz.live.simulator import simulator
from viz.ui.house import House
from viz.ui.live import Live

routes = [
    solara.Route(path="/", component=Live, label="Live", layout=House),
]

# Loads while the first page does.
simulator().warm()
