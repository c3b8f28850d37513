"""The command `undercut ui`: the pages in a browser."""

from __future__ import annotations

import os
import socket
import warnings
import webbrowser
from threading import Timer
from typing import Annotated

import typer

from scenarios.folder import StoreError
from undercut.options import RUNS, StoreOption
from undercut.terminal import say

PORT = 8765
LOOPBACK, ANYWHERE = "127.0.0.1", "0.0.0.0"
OPEN_SECONDS = 1.5
"""How long the browser waits for the server."""

MOST_WORKERS = 8
PING_SECONDS = 120.0
LEAVE_SECONDS = 2
"""How long the server waits for open pages when it ends."""

SETTINGS = {
    "SOLARA_APP": "viz.app",
    "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "False",
    "SOLARA_THEME_SHOW_BANNER": "False",
    "SOLARA_KERNEL_CULL_TIMEOUT": "5m",
    "SOLARA_MODE": "production",
}
"""How Solara is to serve: nothing is reported to anybody, and a session that lost its browser ends after minutes."""


def ui(
    host: Annotated[
        str, typer.Option(help="The address to listen on; only this machine reaches 127.0.0.1.")
    ] = LOOPBACK,
    port: Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65535)] = PORT,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser of this machine.")] = True,
    store: StoreOption = RUNS,
    workers: Annotated[
        int,
        typer.Option(
            help="Processes that simulate live runs, and as many for comparisons; else one a processor.",
            min=1,
        ),
    ] = min(os.cpu_count() or 1, MOST_WORKERS),
) -> None:
    """Watch the market in a browser: live runs, comparisons, stored results, claims.

    \b
    Examples:
      undercut ui                                   on http://127.0.0.1:8765
      undercut ui --port 9000 --no-browser
      undercut ui --host 0.0.0.0                    for the whole network: there is no password

    Ctrl-C ends the server. Each browser tab is a session of its own, and ends its work when it is closed.
    """
    os.environ.update({name: value for name, value in SETTINGS.items() if name not in os.environ})
    os.environ["UNDERCUT_STORE"] = str(store.absolute())
    os.environ["UNDERCUT_WORKERS"] = str(workers)
    try:
        import uvicorn
        from solara.server import starlette

        from viz.ui.lost import NOT_FOUND, lost
    except ImportError:
        raise StoreError(
            "the pages need Solara: write `make install`, or install Undercut with its extra `ui`"
        ) from None
    from viz.guard import MOST_BYTES, Guard

    # Solara would set a cookie for pages inside of others, and says at length that it does not.
    warnings.filterwarnings("ignore", message="Cookies with samesite=none")
    starlette.app.add_exception_handler(NOT_FOUND, lost)
    _check_free(host, port)
    address = f"http://{LOOPBACK if host == ANYWHERE else host}:{port}"
    say(f"the pages are at {address}; Ctrl-C ends")
    if host != LOOPBACK:
        say(f"listening on {host}: whoever reaches this machine can use the pages, there is no password")
    if browser:
        opening = Timer(OPEN_SECONDS, webbrowser.open, [address])
        opening.daemon = True
        opening.start()
    uvicorn.run(
        Guard(starlette.app, _hosts(host)),
        host=host,
        port=port,
        log_level="error",
        loop="asyncio",
        access_log=False,
        server_header=False,
        ws_max_size=MOST_BYTES,
        timeout_graceful_shutdown=LEAVE_SECONDS,
        # A browser that is busy painting answers late, and is not gone for that.
        ws_ping_timeout=PING_SECONDS,
    )


def _hosts(host: str) -> tuple[str, ...] | None:
    """The names under which browsers may ask for the pages: this machine's own, unless a network is served."""
    from viz.guard import LOOPBACK as OWN

    if host not in OWN:
        return None
    more = os.environ.get("UNDERCUT_HOSTS", "")
    return (*OWN, *(name.strip() for name in more.split(",") if name.strip()))


def _check_free(host: str, port: int) -> None:
    """Raise StoreError where nothing can listen at an address."""
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        said = (error.strerror or str(error)).lower()
        raise StoreError(
            f"cannot listen on {host}, port {port}: {said}; give another --port or --host"
        ) from None
