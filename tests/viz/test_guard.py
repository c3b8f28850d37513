"""The pages answer those who were sent to this server, and tell the browser to speak to nobody else."""

from __future__ import annotations

import asyncio
import http.client
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from undercut.ui import _hosts
from viz.guard import HEADERS, LOOPBACK, MOST_BYTES, Guard


def asked(
    kind: str = "http", method: str = "GET", hosts: tuple[str, ...] | None = LOOPBACK, **headers: str
) -> list[dict[str, Any]]:
    """What goes back for one request to a guarded app that takes everything."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if kind == "websocket":
            await send({"type": "websocket.accept"})
        else:
            await send(
                {"type": "http.response.start", "status": 200, "headers": [(b"X-Frame-Options", b"ALLOWALL")]}
            )

    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        said.append(dict(message))

    raw = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    scope = {"type": kind, "method": method, "headers": raw}
    # In a thread of its own: tests of the browser leave an event loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, Guard(app, hosts)(scope, receive, send)).result()
    return said


def status(**request: Any) -> int:
    return int(asked(**request)[0]["status"])


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "LOCALHOST", "[::1]:9000"])
def test_this_machine_is_answered(host: str) -> None:
    assert status(host=host) == 200


@pytest.mark.parametrize(
    "host",
    ["attacker.example", "attacker.example:8765", "127.0.0.1.attacker.example", "localhost@attacker.example", "", "a b",
     "attacker.example@localhost", "localhost:x"],
)  # fmt: skip
def test_a_name_that_came_to_mean_this_machine_is_refused(host: str) -> None:
    assert status(host=host) == 421


def test_a_request_without_a_host_is_refused() -> None:
    assert status() == 421


@pytest.mark.parametrize(
    "origin",
    [
        "http://attacker.example",
        "null",
        "http://localhost:9999",
        "file://",
        "http://localhost:8765@attacker.example",
    ],
)
def test_another_page_can_neither_open_a_socket_nor_change_anything(origin: str) -> None:
    socket = asked("websocket", host="localhost:8765", origin=origin)
    assert [message["type"] for message in socket] == ["websocket.close"]
    assert status(method="POST", host="localhost:8765", origin=origin) == 403
    served = asked(
        "websocket", hosts=None, host="server.lan:8765", origin=origin
    )  # nor where a network is served
    assert [message["type"] for message in served] == ["websocket.close"]


def test_the_own_page_opens_its_socket() -> None:
    (answer,) = asked("websocket", host="localhost:8765", origin="http://localhost:8765")
    assert answer["type"] == "websocket.accept"


@pytest.mark.parametrize("length", [str(MOST_BYTES + 1), "9" * 5000, "-1", "x"])
def test_what_is_too_long_is_refused_before_it_is_read(length: str) -> None:
    assert status(method="POST", host="localhost", content_length=length) == 413


def test_an_answer_says_what_the_page_may_do_whatever_the_app_says() -> None:
    (answer,) = asked(host="localhost")
    headers = {name.decode(): text.decode() for name, text in answer["headers"]}
    assert headers == HEADERS
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_names_are_checked_on_this_machine_and_more_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _hosts("127.0.0.1") == LOOPBACK
    assert _hosts("0.0.0.0") is None
    monkeypatch.setenv("UNDERCUT_HOSTS", "hub.example, ")
    assert _hosts("localhost") == (*LOOPBACK, "hub.example")


def test_the_server_is_guarded_and_serves_no_file_beside_its_own(server: str) -> None:
    at = urlsplit(server)

    def get(path: str, **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=20)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.body = answer.read()  # type: ignore[attr-defined]
        return answer

    fine = get("/")
    assert fine.status == 200
    assert {name: fine.headers[name] for name in HEADERS} == HEADERS
    assert fine.headers["server"] is None
    assert get("/", Host="attacker.example").status == 421
    key = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AA" * 11 + "==",
    }
    socket = "/jupyter/api/kernels/x/channels?session_id=x"
    assert get(socket, **key, Origin="http://attacker.example").status == 403
    for path in ("/static/../../pyproject.toml", "/static/..%2f..%2fpyproject.toml", "/static/public/..%2f..%2fapp.py",
                 "/static/assets/%2e%2e/%2e%2e/etc/passwd", "/_solara/cdn/..%2f..%2f..%2fetc/passwd"):  # fmt: skip
        body = get(path).body  # type: ignore[attr-defined]
        assert b"root:" not in body
        assert b"[project]" not in body
        assert b"solara.Route" not in body
