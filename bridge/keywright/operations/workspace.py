"""One open Keywright home: its store, and the encoder and matrix loaded when they are first needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keywright.home import Home
from keywright.store.database import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from keywright.encoders.base import Encoder
    from keywright.store.vectors import VectorMatrix


class Workspace:
    """A context manager; nothing heavy is imported before it is asked for."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._encoder: Encoder | None = None

    @classmethod
    def open(cls, home: Home | None = None) -> Workspace:
        return cls(Store.open(home or Home.default()))

    @property
    def home(self) -> Home:
        return self.store.home

    @property
    def encoder_id(self) -> str:
        """The encoder in use, known without loading it."""
        from keywright.encoders import DEFAULT_ENCODER

        return DEFAULT_ENCODER

    @property
    def encoder(self) -> Encoder:
        if self._encoder is None:
            from keywright.encoders import open_encoder

            self._encoder = open_encoder(self.encoder_id, self.home.cache)
        return self._encoder

    def matrix(self, connection: Connection) -> VectorMatrix:
        """All vectors of the encoder in use, as ``connection`` sees them."""
        from keywright.encoders import encoder_dimension
        from keywright.store.vectors import load_matrix

        return load_matrix(connection, self.home.vectors, self.encoder_id, encoder_dimension(self.encoder_id))

    def close(self) -> None:
        self.store.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
