"""Who may ask: every request is looked at here before anything else sees it.

The bridge listens on loopback, where every program and every user of the machine can connect, and where any web page
can send requests. So a request is answered only where
- its Host names this bridge (a page of a rebound DNS name has that name there),
- its Origin and Sec-Fetch-Site, where a browser sent them, say that it comes from the bridge's own pages,
- it carries the token that only the user can read, or the cookie of a session begun with a one-time link,
- and, with a cookie, anything that changes something carries the session's CSRF token besides.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from flask import Request
from werkzeug.http import parse_cookie

from keywright.service.problems import ProblemError

COOKIE = "keywright_session"
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

LINK_SECONDS = 120
SESSION_SECONDS = 12 * 3600
MOST_LINKS = 32
MOST_SESSIONS = 64
FAILURES = 10
FAILURE_SECONDS = 60.0

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that came in by a one-time link."""

    csrf: str
    until: float


@dataclass(slots=True)
class Failures:
    """How many wrong secrets were tried lately; who tries too many waits.

    The same one again tells a guesser nothing, so it counts once: a page left open after its session ended sends its
    old cookie with each picture, and must not keep its user from logging in again.
    """

    clock: Clock = time.monotonic
    _tried: dict[bytes, float] = field(default_factory=dict)  # digest of the secret, when it was first tried
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self) -> float:
        """Seconds until one more try is heard; 0 where it is heard now."""
        with self._lock:
            now = self._forget()
            return 0.0 if len(self._tried) < FAILURES else FAILURE_SECONDS - (now - next(iter(self._tried.values())))

    def add(self, secret: str) -> None:
        with self._lock:
            now = self._forget()
            self._tried.setdefault(hashlib.blake2b(secret.encode("utf-8", "replace"), digest_size=16).digest(), now)
            while len(self._tried) > FAILURES:
                del self._tried[next(iter(self._tried))]

    def _forget(self) -> float:
        now = self.clock()
        self._tried = {one: at for one, at in self._tried.items() if now - at < FAILURE_SECONDS}
        return now


class Sessions:
    """One-time links and the sessions they became; kept in memory, so that a restart ends them all."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._links: dict[str, float] = {}
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def new_link(self) -> str:
        """A code that opens one session within ``LINK_SECONDS``."""
        code = secrets.token_urlsafe(32)
        with self._lock:
            now = self._clock()
            self._links = {c: until for c, until in self._links.items() if until > now}
            while len(self._links) >= MOST_LINKS:
                del self._links[next(iter(self._links))]
            self._links[code] = now + LINK_SECONDS
        return code

    def open(self, code: str) -> str | None:
        """The cookie of a new session for a code; ``None`` where it is unknown, old, or was used before."""
        with self._lock:
            now = self._clock()
            until = self._links.pop(code, None)
            if until is None or until <= now:
                return None
            self._sessions = {name: s for name, s in self._sessions.items() if s.until > now}
            while len(self._sessions) >= MOST_SESSIONS:
                del self._sessions[next(iter(self._sessions))]
            name = secrets.token_urlsafe(32)
            self._sessions[name] = Session(secrets.token_urlsafe(32), now + SESSION_SECONDS)
            return name

    def find(self, name: str) -> Session | None:
        with self._lock:
            session = self._sessions.get(name)
            return session if session is not None and session.until > self._clock() else None

    def close(self, name: str) -> None:
        with self._lock:
            self._sessions.pop(name, None)


class Guard:
    """Decides for one bridge whether a request is heard. Each check raises ``ProblemError``."""

    def __init__(self, token: str, hosts: frozenset[str], sessions: Sessions, failures: Failures) -> None:
        self._token = token.encode()
        self._hosts = hosts
        self.sessions = sessions
        self.failures = failures

    def check_place(self, request: Request) -> None:
        """The request was meant for this bridge, and comes from no web page but its own."""
        if request.headers.get("Host", "").lower() not in self._hosts:
            raise ProblemError(403, "foreign-host", "This request was meant for another host than the bridge.")
        origin = request.headers.get("Origin")
        if origin is not None and not self._own(origin):
            raise ProblemError(403, "foreign-origin", "Requests from web pages of others are refused.")
        if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
            raise ProblemError(403, "foreign-origin", "Requests from web pages of others are refused.")

    def check_caller(self, request: Request) -> None:
        """The caller is the user: by the token, or by a session (and its CSRF token, for what changes something)."""
        header = request.headers.get("Authorization")
        if header is not None:
            kind, _, given = header.partition(" ")
            if kind.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._token):
                raise self._refusal(given, "The token is not the one in the connection file; read that file again.")
            return
        cookie = request.cookies.get(COOKIE)
        session = self.sessions.find(cookie) if cookie else None
        if session is None:
            raise self._refusal(
                cookie or "", "This needs the token of the connection file, or a session begun with a login link."
            )
        if request.method not in SAFE_METHODS:
            given = request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD, "")
            if not hmac.compare_digest(given.encode(), session.csrf.encode()):
                raise ProblemError(403, "csrf", "The form's CSRF token is missing or old; load the page again.")

    def knows(self, headers: Mapping[str, str]) -> bool:
        """Whether a request whose head this is comes from the user, as far as its head tells."""
        kind, _, given = headers.get("AUTHORIZATION", "").partition(" ")
        if kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode("utf-8", "replace"), self._token):
            return True
        name = parse_cookie(headers.get("COOKIE", "")).get(COOKIE)
        return name is not None and self.sessions.find(name) is not None

    def log_in(self, code: str) -> str:
        """The session's cookie for a login link's code."""
        name = self.sessions.open(code)
        if name is None:
            raise self._failed(
                code,
                ProblemError(
                    403,
                    "login-link",
                    "This login link was used before or is too old; open the page from Keywright again.",
                ),
            )
        return name

    def _refusal(self, given: str, detail: str) -> ProblemError:
        return self._failed(
            given,
            ProblemError(401, "unauthorized", detail, headers={"WWW-Authenticate": 'Bearer realm="keywright"'}),
        )

    def _failed(self, given: str, problem: ProblemError) -> ProblemError:
        # Who has the right token or link is always let in, so that nobody can lock the user out by failing often.
        wait = self.failures.wait()
        if wait:
            return _too_often(wait)
        self.failures.add(given)
        return problem

    def _own(self, origin: str) -> bool:
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        return parts.scheme == "http" and parts.netloc.lower() in self._hosts


def _too_often(wait: float) -> ProblemError:
    seconds = str(int(wait) + 1)
    return ProblemError(
        429,
        "too-many-failures",
        f"There were too many failed attempts; wait {seconds} seconds.",
        headers={"Retry-After": seconds},
    )


def allowed_hosts(host: str, port: int) -> frozenset[str]:
    """What a Host header may say. ``host`` is what the bridge is bound to."""
    names = {"127.0.0.1", "localhost", "[::1]", f"[{host}]" if ":" in host else host}
    return frozenset(f"{name.lower()}:{port}" for name in names)
