"""Sentence vectors that are remembered: a name is encoded once, not with every learning and every search."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keywright.encoders.base import Vectors
from keywright.encoders.sentences import SentenceEncoder

MOST_KEPT = 60_000
"""Texts remembered at most (90 MB); beyond, all are forgotten but those asked for last."""


class KeptSentences:
    """A sentence encoder that keeps what it encoded in one file of ``folder``, and reads it when first asked.

    The file can be deleted at any time. Two processes that write it at once lose nothing but what one of them
    remembered; one that is damaged is made anew.
    """

    def __init__(self, sentences: SentenceEncoder, folder: Path) -> None:
        self.id = sentences.id
        self.dimension = sentences.dimension
        self._sentences = sentences
        self._file = folder / f"sentences-{sentences.id}.npz"
        self._places: dict[str, int] | None = None
        self._vectors: Vectors = np.zeros((0, sentences.dimension), dtype=np.float32)

    def without_keeping(self) -> SentenceEncoder:
        """The same for what a person typed once: what is known is not encoded again, and nothing new is kept."""
        return _Unkept(self)

    def encode(self, texts: Sequence[str], *, keep: bool = True) -> Vectors:
        """As ``SentenceEncoder.encode``; with ``keep`` false, new texts are not kept."""
        if self._places is None:
            self._places, self._vectors = self._read()
        known = self._places
        new = list(dict.fromkeys(text for text in texts if text not in known))
        made = self._sentences.encode(new) if new else self._vectors[:0]
        if new and keep:
            if len(known) + len(new) > MOST_KEPT:
                asked = dict.fromkeys(text for text in texts if text in known)
                self._vectors = self._vectors[[known[text] for text in asked]]
                known = self._places = {text: row for row, text in enumerate(asked)}
            for text in new:
                known[text] = len(known)
            self._vectors = np.vstack([self._vectors, made])
            self._write()
            return self._vectors[[known[text] for text in texts]]
        extra = {text: row for row, text in enumerate(new)}
        found = np.empty((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            found[row] = self._vectors[known[text]] if text in known else made[extra[text]]
        return found

    def _read(self) -> tuple[dict[str, int], Vectors]:
        with (
            contextlib.suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile),
            np.load(self._file) as kept,
        ):
            texts = json.loads(kept["texts"].tobytes())
            vectors = kept["vectors"]
            if vectors.dtype == np.float32 and vectors.shape == (len(texts), self.dimension):
                return {str(text): row for row, text in enumerate(texts)}, vectors
        return {}, self._vectors[:0]

    def _write(self) -> None:
        assert self._places is not None
        texts = np.frombuffer(json.dumps(list(self._places)).encode(), dtype=np.uint8)
        # A cache that cannot be written (a full disk) costs time with the next use, and nothing else.
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._file.parent, prefix=self._file.name, suffix=".part")
            try:
                with os.fdopen(handle, "wb") as file:
                    np.savez(file, texts=texts, vectors=self._vectors)
                Path(name).replace(self._file)
            finally:
                Path(name).unlink(missing_ok=True)


class _Unkept:
    def __init__(self, kept: KeptSentences) -> None:
        self.id = kept.id
        self.dimension = kept.dimension
        self._kept = kept

    def encode(self, texts: Sequence[str]) -> Vectors:
        return self._kept.encode(texts, keep=False)
