"""What is refused before the application sees it: broken HTTP, and long bodies from nobody known."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket

import pytest

from service.kit import Raw
from service.test_access import log_in


def head(bridge: Raw, text: str) -> tuple[int, dict[str, str], bytes]:
    """What is answered to exactly these bytes."""
    with bridge.socket() as line:
        line.sendall(text.encode("latin-1"))
        with contextlib.suppress(OSError):  # it may have been answered and closed before all of it was sent
            line.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(line)
        answer.begin()
        return answer.status, dict(answer.headers), answer.read()


@pytest.mark.parametrize(
    ("text", "status", "kind"),
    [
        ("nonsense\r\n\r\n", 400, "malformed"),
        ("GET /ping HTTP/1.1\r\nContent-Length: many\r\n\r\n", 400, "malformed"),
        ("GET /ping HTTP/1.1\r\nX: " + "x" * 40_000 + "\r\n\r\n", 431, "headers-too-large"),
        ("POST /ping HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "not-implemented"),
        ("POST /v1/photos HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "malformed"),
    ],
)
def test_what_the_server_itself_refuses_is_a_problem_too(bridge: Raw, text: str, status: int, kind: str) -> None:
    found, headers, body = head(bridge, text)
    told = json.loads(body)
    assert (found, told["status"], told["type"]) == (status, status, f"urn:keywright:problem:{kind}")
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert told["detail"].endswith(".")


@pytest.mark.parametrize("length", ["Content-Length: 1000000", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("token", ["", "Authorization: Bearer wrong\r\n", "Cookie: keywright_session=wrong\r\n"])
def test_a_long_body_is_taken_from_nobody_unknown(bridge: Raw, length: str, token: str) -> None:
    host = f"Host: 127.0.0.1:{bridge.connection.port}\r\n"
    piece = f"{100_000:x}\r\n{'x' * 100_000}\r\n" if "chunked" in length else ""
    found, _, body = head(bridge, f"POST /v1/photos HTTP/1.1\r\n{host}{token}{length}\r\n\r\n{piece}")
    assert (found, json.loads(body)["type"]) == (401, "urn:keywright:problem:unauthorized")  # before all of it was sent


def test_a_long_body_is_taken_from_a_session(bridge: Raw) -> None:
    cookie, csrf = log_in(bridge)
    photos = [{"path": f"/nowhere/{number:06d}.jpg"} for number in range(4000)]
    headers = {"Cookie": f"keywright_session={cookie}", "X-CSRF-Token": csrf}
    assert bridge.send("POST", "/v1/photos", {"photos": photos}, token=None, headers=headers).status == 200
