"""What a browser gets for an address that is no page."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse

NOT_FOUND = 404
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Undercut: no such page</title>
<body style="font: 16px 'DejaVu Sans', Verdana, Arial, sans-serif; margin: 15vh auto; max-width: 36em; padding: 0 1em">
<h1 style="font-size: 1.3em">Undercut has no such page</h1>
<p>There are <a href="/">Live</a>, <a href="/compare">Compare</a>, <a href="/results">Results</a>,
and <a href="/claims">Claims and evidence</a>.</p>
</body>
</html>
"""


async def lost(request: Request, error: Exception) -> HTMLResponse:
    """A sentence and a way on; what was asked for is not repeated, since it may hold markup."""
    return HTMLResponse(PAGE, status_code=NOT_FOUND)
