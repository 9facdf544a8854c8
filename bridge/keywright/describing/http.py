"""One request to a provider: bounded in time and size, without redirects, and every failure one sentence of a kind.

A POST is never sent twice here; ``operations.describing`` decides whether to try again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from keywright import __version__
from keywright.describing.base import BusyError, RefusedError, UnclearError

MOST_ANSWER = 4 << 20
"""Bytes of an answer."""
_CONNECT_SECONDS = 10.0
_MOST_WAIT = 3600.0
_SAID = 200  # characters of a provider's own message that are shown


class _NoStrangersPassword(requests.auth.AuthBase):
    """Keeps requests from putting a password of ``.netrc`` into the place of our key."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def post(
    name: str,
    url: str,
    seconds: float,
    *,
    headers: Mapping[str, str],
    body: Any = None,
    file: tuple[str, bytes, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> Any:
    """Send JSON or one file, and give the JSON that comes back. ``name`` is the provider's, for the sentences.

    Raises ``RefusedError`` (4xx), ``BusyError`` (408, 425, 429, 5xx, no connection, too slow, cut off) and
    ``UnclearError`` (no JSON, or too much of it).
    """
    until = time.monotonic() + seconds
    with requests.Session() as session:
        session.auth = _NoStrangersPassword()
        try:
            with session.post(
                url,
                params=query,
                json=body,
                files=None if file is None else {"file": file},
                headers={"User-Agent": f"keywright/{__version__}", "Accept": "application/json", **headers},
                timeout=(min(_CONNECT_SECONDS, seconds), seconds),
                allow_redirects=False,
                stream=True,
            ) as answer:
                content = _read(name, answer, until)
                _check(name, answer, content)
        except requests.exceptions.Timeout as error:
            raise BusyError(f"{name} did not answer within {seconds:g} seconds") from error
        except requests.exceptions.SSLError as error:
            raise RefusedError(f"{name} has no certificate that this machine trusts ({_why(error)})") from error
        except requests.exceptions.ConnectionError as error:
            raise BusyError(f"{name} cannot be reached at {url} ({_why(error)})") from error
        except requests.exceptions.RequestException as error:
            raise BusyError(f"{name} broke off its answer ({_why(error)})") from error
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UnclearError(f"{name} answered with what is no JSON") from error


def _read(name: str, answer: requests.Response, until: float) -> bytes:
    content = bytearray()
    for piece in answer.iter_content(65536):
        content += piece
        if len(content) > MOST_ANSWER:
            raise UnclearError(f"{name} answered with more than {MOST_ANSWER >> 20} MB")
        if time.monotonic() > until:
            raise BusyError(f"{name} did not finish its answer in time")
    promised = answer.headers.get("Content-Length", "")
    if promised.isdigit() and "Content-Encoding" not in answer.headers and len(content) < int(promised):
        raise BusyError(f"{name} broke off its answer")
    return bytes(content)


def _check(name: str, answer: requests.Response, content: bytes) -> None:
    status = answer.status_code
    if status < 300:
        return
    said = _message(content)
    because = f": {said}" if said else ""
    if status in (408, 425, 429) or status >= 500:
        raise BusyError(f"{name} is busy or has a fault ({status}{because})", _retry_after(answer.headers))
    if status in (401, 403):
        raise RefusedError(f"{name} refuses the key ({status}{because}); set it anew with `keywright provider add`")
    if status < 400:
        raise RefusedError(f"{name} sends us elsewhere ({status}), and photos are not sent to where nobody agreed")
    raise RefusedError(f"{name} refuses what was asked ({status}{because}); check its address and model")


def _message(content: bytes) -> str:
    """The provider's own words, shortened and without control characters: they are shown, nothing else."""
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    error = told.get("error", told) if isinstance(told, dict) else told
    text = error.get("message", "") if isinstance(error, dict) else error
    return "".join(c if c.isprintable() else " " for c in str(text))[:_SAID].strip() if isinstance(text, str) else ""


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from a number or a date (RFC 9110, 10.2.3)."""
    told = headers.get("Retry-After", "").strip()
    if told.isdigit():
        return min(float(told), _MOST_WAIT)
    try:
        moment = parsedate_to_datetime(told)
    except (TypeError, ValueError):
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), _MOST_WAIT)


def _why(error: BaseException) -> str:
    inner = error.args[0] if error.args else error
    reason = getattr(inner, "reason", inner)
    return str(reason).rpartition(": ")[2][:_SAID] or type(error).__name__
