"""One open Keywright home: its store, and the encoder and matrix loaded when they are first needed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from keywright.config import load_config
from keywright.home import Home
from keywright.store.database import Store
from keywright.store.models import active_version

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from keywright.encoders.base import Encoder
    from keywright.store.vectors import VectorMatrix

log = logging.getLogger(__name__)


class ToldOfDecisions(Protocol):
    """Who learns what a person says as they say it: ``operations.teaching.Teacher``."""

    def told(self) -> None:
        """Something new waits in the store to be learned."""
        ...


class Workspace:
    """A context manager; nothing heavy is imported before it is asked for.

    The encoder in use is the one that was asked for (``encoder``: a level, a name or an id); else that of the models
    that suggest, so that a new one takes over with its first models and goes with them; else the one configured.
    """

    def __init__(self, store: Store, encoder: str | None = None) -> None:
        self.store = store
        self._asked = encoder
        self._encoder: Encoder | None = None
        self._opening = threading.Lock()
        self.teacher: ToldOfDecisions | None = None
        self.announce: Callable[[str], None] = log.info
        """Takes a sentence that a person should read before something long begins."""

    @classmethod
    def open(cls, home: Home | None = None, encoder: str | None = None) -> Workspace:
        return cls(Store.open(home or Home.default()), encoder)

    def with_encoder(self, encoder: str) -> Workspace:
        """The same open store with another encoder. Raises ``EncoderError`` where there is none of that name."""
        from keywright.encoders import resolve_encoder

        other = Workspace(self.store, resolve_encoder(encoder, self.home.encoders))
        other.announce = self.announce
        return other

    @property
    def home(self) -> Home:
        return self.store.home

    @property
    def encoder_id(self) -> str:
        """The encoder in use, known without loading it. Raises ``EncoderError`` where there is none of its name."""
        from keywright.encoders import resolve_encoder

        if self._asked is not None:
            return resolve_encoder(self._asked, self.home.encoders)
        with self.store.read() as connection:
            active = active_version(connection)
        if active is not None:
            return active.encoder_id
        return resolve_encoder(load_config().encoder, self.home.encoders)

    @property
    def encoder(self) -> Encoder:
        wanted = self.encoder_id
        with self._opening:
            if self._encoder is None or self._encoder.id != wanted:
                from keywright.encoders import open_encoder

                self._encoder = open_encoder(wanted, self.home.cache, self.home.encoders)
            return self._encoder

    def matrix(self, connection: Connection) -> VectorMatrix:
        """All vectors of the encoder in use, as ``connection`` sees them."""
        from keywright.encoders import encoder_dimension
        from keywright.store.vectors import load_matrix

        wanted = self.encoder_id
        return load_matrix(connection, self.home.vectors, wanted, encoder_dimension(wanted, self.home.encoders))

    def close(self) -> None:
        self.store.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
