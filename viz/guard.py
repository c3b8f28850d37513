"""Who may speak to the pages: browsers that were sent to this server, and no page of another site through them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Names of this machine that only this machine uses."""

MOST_BYTES = 1_000_000
"""Of one request, and of one message of a session: a scenario file has a fifth of that at most."""

POLICY = "; ".join(
    [
        "default-src 'self'",
        # Vue makes functions of its templates, and Solara's page has scripts and styles in it.
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
"""What a page may load and speak to: this server alone, so that nothing on it can send anything elsewhere."""

HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_RAW = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
_SAFE = ("GET", "HEAD", "OPTIONS")
_WRONG_HOST, _WRONG_ORIGIN, _TOO_LONG, _REFUSED = 421, 403, 413, 1008


class Guard:
    """An ASGI app around another, which refuses strangers before that sees them.

    A request must name this server as its host: a site whose name comes to mean this machine (DNS rebinding) does
    not. A WebSocket, and a request that changes something, must come from a page of this server where a browser says
    what page it comes from.

    Args:
        app: the app to guard.
        hosts: the names that requests may use, without ports; None for any, as where a network is served.
    """

    def __init__(self, app: App, hosts: Iterable[str] | None) -> None:
        self.app = app
        self.hosts = None if hosts is None else frozenset(name.lower() for name in hosts)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif status := self.refusal(scope):
            await _refuse(scope, receive, send, status)
        else:
            await self.app(scope, receive, _with_headers(send) if scope["type"] == "http" else send)

    def refusal(self, scope: Message) -> int:
        """The status with which a request is refused; 0 for one that is welcome."""
        headers = [
            (name.decode("latin-1").lower(), text.decode("latin-1")) for name, text in scope["headers"]
        ]
        said = dict(headers)
        named = [text for name, text in headers if name == "host"]
        # A request with two hosts means one thing here and another elsewhere.
        if len(named) != 1 or not (host := _host(f"//{named[0]}")):
            return _WRONG_HOST
        if self.hosts is not None and host not in self.hosts:
            return _WRONG_HOST
        changes = scope["type"] == "websocket" or scope["method"] not in _SAFE
        if changes and "origin" in said and not self._own(said["origin"], named[0]):
            return _WRONG_ORIGIN
        length = said.get("content-length", "0")
        if not length.isdecimal() or int(length[:18]) > MOST_BYTES or len(length) > len("9" * 18):
            return _TOO_LONG
        return 0

    def _own(self, origin: str, host: str) -> bool:
        """Whether a page belongs to this server: it has the same name and port."""
        return urlsplit(origin).netloc.lower() == host.lower() and bool(_host(origin))


def _host(url: str) -> str:
    """The name of a server in an address, without port; nothing where there is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for one that is no number
        return "" if "@" in parts.netloc else (parts.hostname or "")
    except ValueError:
        return ""


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [
                pair
                for pair in message.get("headers", ())
                if pair[0].decode("latin-1").lower() not in HEADERS
            ]
            message = {**message, "headers": [*kept, *_RAW]}
        await send(message)

    return sending


async def _refuse(scope: Message, receive: Receive, send: Send, status: int) -> None:
    if scope["type"] == "websocket":
        await receive()  # the request to connect
        await send({"type": "websocket.close", "code": _REFUSED})
        return
    plain = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": [*plain, *_RAW]})
    await send({"type": "http.response.body", "body": b"refused: see docs/security.md\n"})
