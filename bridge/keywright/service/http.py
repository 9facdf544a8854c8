"""What comes before the application: who may send much, and our own words for what the HTTP server refuses.

waitress reads a whole request before the application sees it. So a long body is refused at its head where it comes
without the token or a session: nobody else fills the disk with what the application would refuse anyway.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import ErrorTask
from waitress.utilities import Error

from keywright.service.problems import MEDIA_TYPE, problem

STRANGERS_BYTES = 64 << 10
"""The longest body that is read before it is known who sends it."""

_HEARD_OUT = 256
"""Times that the rest of a body is read after it was refused, 8 KB each."""

Headers = Mapping[str, str]
"""As waitress has them: ``AUTHORIZATION``, ``CONTENT_LENGTH``."""

_KINDS = {
    400: ("malformed", "The request is no proper HTTP"),
    401: ("unauthorized", "This needs the token of the connection file, or a session begun with a login link"),
    413: ("too-large", "The request is larger than the bridge takes"),
    431: ("headers-too-large", "The head of the request is larger than the bridge takes"),
    500: ("bug", "Something went wrong inside Keywright; its log says where, please report it"),
    501: ("not-implemented", "The request is encoded in a way that the bridge does not know"),
}


class _StrangerError(Error):
    """As waitress's own are."""

    code = 401
    reason = "Unauthorized"


class Parser(HTTPRequestParser):
    """``known``: whether who sent these headers may send a long body."""

    def __init__(self, adj: Any, known: Callable[[Headers], bool]) -> None:
        super().__init__(adj)
        self._known = known
        self._looked = False

    def received(self, data: bytes) -> int:
        consumed = int(super().received(data))
        if self.error is None and not self._looked and self.body_rcv is not None:
            coming = self.body_bytes_received if self.chunked else self.content_length
            if coming > STRANGERS_BYTES:
                self._looked = True
                if not self._known(self.headers):
                    self.error = _StrangerError("")
                    self.completed = True
        return consumed


class ProblemTask(ErrorTask):
    """Answers what waitress refuses as the application answers what it refuses."""

    safe_headers: Mapping[str, str] = {}

    def execute(self) -> None:
        request: Any = self.request  # the stubs take it for an error
        refused = request.error
        status = int(refused.code) if refused.code in _KINDS else 400
        kind, sentence = _KINDS[status]
        detail = f"{sentence} ({refused.body})." if status == 400 and refused.body else f"{sentence}."
        answer = problem(status, kind, detail)
        body = answer.get_data()
        self.status = answer.status
        headers = {"Content-Type": MEDIA_TYPE, **self.safe_headers}
        if status == 401:
            headers["WWW-Authenticate"] = 'Bearer realm="keywright"'
        self.response_headers = list(headers.items())
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):
    """Hears out who was refused in the middle of a body: to close what holds unread bytes resets the connection, and
    the answer on its way may be thrown away with it."""

    def handle_close(self) -> None:
        line = self.socket
        try:
            if line is not None:
                line.shutdown(socket.SHUT_WR)
                for _ in range(_HEARD_OUT):
                    if not line.recv(self.adj.recv_bytes):
                        break
        except OSError:
            pass  # nothing more is here, or nobody listens any more
        super().handle_close()


def channel(known: Callable[[Headers], bool], safe_headers: Mapping[str, str]) -> type[HTTPChannel]:
    """The class for a server's connections."""
    task = type("SafeProblemTask", (ProblemTask,), {"safe_headers": dict(safe_headers)})
    parser = staticmethod(partial(Parser, known=known))
    return type("Channel", (_Channel,), {"parser_class": parser, "error_task_class": task})
