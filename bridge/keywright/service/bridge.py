"""What the requests of one running bridge share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from keywright.config import Config
from keywright.operations.teaching import Teacher
from keywright.operations.workspace import Workspace
from keywright.service.access import Failures, Guard, Sessions, allowed_hosts
from keywright.service.limits import Streams
from keywright.service.queue import Queue
from keywright.store.lookups import Names

if TYPE_CHECKING:
    from keywright.operations.active import ModelsInUse
    from keywright.operations.advising import Advisor
    from keywright.operations.reviewing import Reviewer
    from keywright.operations.thresholds import Previews
    from keywright.operations.thumbnails import Thumbnails
    from keywright.service.searcher import Searcher


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
    teacher: Teacher = field(init=False)

    def __post_init__(self) -> None:
        every = self.config.learning.decisions_before_learning
        self.workspace.teacher = self.teacher = Teacher(self.workspace, every, self.names)

    @cached_property
    def guard(self) -> Guard:
        return Guard(self.token, allowed_hosts(self.host, self.port), Sessions(), Failures())

    @cached_property
    def models_in_use(self) -> ModelsInUse:
        from keywright.operations.active import ModelsInUse

        return ModelsInUse(self.workspace)

    @cached_property
    def advisor(self) -> Advisor:
        from keywright.operations.advising import Advisor

        return Advisor(self.workspace, self.names, self.models_in_use)

    @cached_property
    def previews(self) -> Previews:
        from keywright.operations.thresholds import Previews

        return Previews(self.workspace)

    @cached_property
    def reviewer(self) -> Reviewer:
        from keywright.operations.reviewing import Reviewer

        return Reviewer(self.workspace, self.names)

    @cached_property
    def thumbnails(self) -> Thumbnails:
        from keywright.operations.thumbnails import Thumbnails

        return Thumbnails(self.workspace)

    @cached_property
    def searcher(self) -> Searcher:
        from keywright.service.searcher import Searcher

        return Searcher(self.workspace, self.workspace.home.folder / "worker.log")

    def has_models(self) -> bool:
        """Whether anything was learned yet."""
        from keywright.store.models import active_version

        with self.workspace.store.read() as connection:
            return active_version(connection) is not None

    def close(self) -> None:
        """Before the workspace is."""
        self.teacher.close()
        if "searcher" in self.__dict__:
            self.searcher.close()
        if "advisor" in self.__dict__:
            self.advisor.close()

    @property
    def url(self) -> str:
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"
