"""LrHttp's work, over real loopback HTTP: what came back, or the error code Lightroom would give."""

from __future__ import annotations

import http.client
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Reply:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    error: str = ""  # errorCode, with which the body is nil
    name: str = ""


def send(method: str, url: str, body: bytes, headers: list[tuple[str, str]], timeout: float) -> Reply:
    """One request on a connection of its own. Nothing is raised: failures are replies without a body."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=timeout)
    sent = {name: value for name, value in headers if value != "skip"}
    if not any(name.lower() == "content-type" for name, _ in headers):
        sent["Content-Type"] = "text/plain"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, target, body=body if method != "GET" else None, headers=sent)
        response = connection.getresponse()
        content = response.read()
        return Reply(response.status, tuple(response.getheaders()), content)
    except TimeoutError:
        return Reply(0, (), None, "timedOut", "The request timed out.")
    except ConnectionRefusedError:
        return Reply(0, (), None, "cannotConnectToHost", "Could not connect to the server.")
    except (http.client.HTTPException, ConnectionError):
        return Reply(0, (), None, "networkConnectionLost", "The network connection was lost.")
    except (socket.gaierror, OSError) as error:
        return Reply(0, (), None, "cannotFindHost", str(error))
    finally:
        connection.close()
