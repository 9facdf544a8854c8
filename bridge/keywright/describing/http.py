"""One request to a provider: bounded in time and size, without redirects, and every failure one sentence of a kind.

A POST is never sent twice here; ``operations.describing`` decides whether to try again. No sentence holds a key.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYetError
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
import urllib3

from keywright import __version__
from keywright.describing.base import BusyError, PhotoRefusedError, RefusedError, UnclearError, quoted
from keywright.describing.proxies import proxy_for

MOST_ANSWER = 4 << 20
"""Bytes of an answer."""
_CONNECT_SECONDS = 10.0
_MOST_WAIT = 3600.0
_PIECE = 1024  # bytes between two looks at the clock


def post(
    name: str,
    url: str,
    seconds: float,
    *,
    headers: Mapping[str, str],
    key: str | None = None,
    body: Any = None,
    file: tuple[str, bytes, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> Any:
    """Send JSON or one file, and give the JSON that comes back. ``name`` is the provider's, for the sentences.

    ``key`` is what of ``headers`` is secret: where a provider repeats it, it is not shown.

    Raises ``RefusedError`` (401 to 404, 407, a wrong key, redirects, what cannot be sent), ``PhotoRefusedError`` (other
    4xx), ``BusyError`` (408, 425, 429, 5xx, no connection, too slow, cut off) and ``UnclearError`` (no JSON, too much).
    """
    until = time.monotonic() + seconds

    def exchange() -> bytes:
        # Nothing of the environment is taken that the user did not agree to: no proxy but the one of the agreement, and
        # no password of ``.netrc`` in the place of our key.
        with requests.Session() as session:
            session.trust_env = False
            session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
            proxy = proxy_for(url)
            with session.post(
                url,
                params=query,
                json=body,
                files=None if file is None else {"file": file},
                headers={"User-Agent": f"keywright/{__version__}", "Accept": "application/json", **headers},
                timeout=(min(_CONNECT_SECONDS, seconds), seconds),
                proxies={} if proxy is None else {"https": proxy},
                allow_redirects=False,
                stream=True,
            ) as answer:
                content = _read(name, answer, until)
                _check(name, answer, content, key)
                return content

    content = _in_time(lambda: _in_sentences(name, url, seconds, exchange), until, name, seconds)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UnclearError(f"{name} answered with what is no JSON") from error


def _in_time(ask: Callable[[], bytes], until: float, name: str, seconds: float) -> bytes:
    """What ``ask`` gives, if it does in time. A socket's own limit is for each piece that arrives: a server that lets
    a byte fall every now and then would hold us for hours, so a thread of its own waits for it."""
    made: Future[bytes] = Future()

    def run() -> None:
        try:
            made.set_result(ask())
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is waited for
            made.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return made.result(max(until - time.monotonic(), 0.0))
    except NotYetError as error:
        raise _too_slow(name, seconds) from error


def _too_slow(name: str, seconds: float) -> BusyError:
    return BusyError(f"{name} did not answer within {seconds:g} seconds")


def _in_sentences(name: str, url: str, seconds: float, exchange: Callable[[], bytes]) -> bytes:
    try:
        return exchange()
    except requests.exceptions.Timeout as error:
        raise _too_slow(name, seconds) from error
    except requests.exceptions.SSLError as error:
        raise RefusedError(f"{name} has no certificate that this machine trusts ({_why(error)})") from error
    except requests.exceptions.ConnectionError as error:
        raise BusyError(f"{name} cannot be reached at {url} ({_why(error)})") from error
    except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError) as error:
        raise BusyError(f"{name} broke off its answer ({_why(error)})") from error
    except ValueError as error:
        # A header or an address that no request can carry. What these errors say of it may be the key itself.
        raise RefusedError(
            f"{name} cannot be asked: its key, its address or the proxy holds what no request can carry; "
            f"set it anew with `keywright provider add {name} --key`"
        ) from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise BusyError(f"{name} cannot be asked ({quoted(error)})") from error


def _read(name: str, answer: requests.Response, until: float) -> bytes:
    content = bytearray()
    for piece in answer.iter_content(_PIECE):
        content += piece
        if len(content) > MOST_ANSWER:
            raise UnclearError(f"{name} answered with more than {MOST_ANSWER >> 20} MB")
        if time.monotonic() > until:
            raise BusyError(f"{name} did not finish its answer in time")
    promised = answer.headers.get("Content-Length", "")
    if _is_number(promised) and "Content-Encoding" not in answer.headers and len(content) < int(promised):
        raise BusyError(f"{name} broke off its answer")
    return bytes(content)


def _check(name: str, answer: requests.Response, content: bytes, key: str | None) -> None:
    status = answer.status_code
    if status < 300:
        return
    error = _error(content)
    said = _message(error, key)
    because = f": {said}" if said else ""
    if status in (408, 425, 429) or status >= 500:
        raise BusyError(f"{name} is busy or has a fault ({status}{because})", _retry_after(answer.headers))
    if status in (401, 403) or _is_for_the_key(error):
        raise RefusedError(
            f"{name} refuses the key ({status}{because}); set it anew with `keywright provider add {name} --key`"
        )
    if status < 400:
        raise RefusedError(f"{name} sends us elsewhere ({status}), and photos are not sent to where nobody agreed")
    kind = RefusedError if status in (402, 404, 407) else PhotoRefusedError
    raise kind(f"{name} refuses what was asked ({status}{because}); check its address and model")


def _error(content: bytes) -> Any:
    """What a refusing answer says of its error, in whatever shape; nothing where it is no JSON."""
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return told.get("error", told) if isinstance(told, dict) else told


def _is_for_the_key(error: Any) -> bool:
    """Google answers a wrong key with 400, as it does a bad photo; its ``google.rpc.ErrorInfo`` tells the two apart."""
    details = error.get("details") if isinstance(error, dict) else None
    return isinstance(details, list) and any(
        isinstance(detail, dict) and detail.get("reason") == "API_KEY_INVALID" for detail in details
    )


def _message(error: Any, key: str | None) -> str:
    """The provider's own words: they are shown, nothing else."""
    text = error.get("message", "") if isinstance(error, dict) else error
    return quoted(text, key) if isinstance(text, str) else ""


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from a number or a date (RFC 9110, 10.2.3)."""
    told = headers.get("Retry-After", "").strip()
    if _is_number(told):
        return min(float(told), _MOST_WAIT)
    try:
        moment = parsedate_to_datetime(told)
    except (TypeError, ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), _MOST_WAIT)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


def _why(error: BaseException) -> str:
    inner = error.args[0] if error.args else error
    why = getattr(inner, "reason", inner)
    return quoted(str(why).rpartition(": ")[2]) or type(error).__name__
