"""What the requests of one running bridge share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from keywright.config import Config
from keywright.operations.workspace import Workspace
from keywright.service.access import Failures, Guard, Sessions, allowed_hosts
from keywright.service.limits import Streams
from keywright.service.queue import Queue
from keywright.store.lookups import Names

if TYPE_CHECKING:
    from keywright.operations.advising import Advisor


@dataclass
class Bridge:
    """One running bridge. Nothing heavy is loaded before a request needs it."""

    workspace: Workspace
    queue: Queue
    token: str
    host: str
    port: int
    config: Config
    stop: Callable[[], None]
    streams: Streams = field(default_factory=Streams)
    names: Names = field(default_factory=Names)

    @cached_property
    def guard(self) -> Guard:
        return Guard(self.token, allowed_hosts(self.host, self.port), Sessions(), Failures())

    @cached_property
    def advisor(self) -> Advisor:
        from keywright.operations.advising import Advisor

        return Advisor(self.workspace, self.names)

    def has_models(self) -> bool:
        """Whether anything was learned yet."""
        from keywright.store.models import active_version

        with self.workspace.store.read() as connection:
            return active_version(connection) is not None

    @property
    def url(self) -> str:
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"
