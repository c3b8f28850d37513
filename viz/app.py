"""The pages in a browser: ``undercut ui``, or ``solara run viz/app.py``."""

from __future__ import annotations

import solara

from viz.live.simulator import simulator
from viz.ui.claims import Claims
from viz.ui.compare import Compare
from viz.ui.house import House
from viz.ui.live import Live
from viz.ui.results import Results

routes = [
    solara.Route(path="/", component=Live, label="Live", layout=House),
    solara.Route(path="compare", component=Compare, label="Compare"),
    solara.Route(path="results", component=Results, label="Results"),
    solara.Route(path="claims", component=Claims, label="Claims and evidence"),
]

# Loads while the first page does.
simulator().warm()
