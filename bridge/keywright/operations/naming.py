"""What keywords' names say, joined to what is learned from: the encoder's classes, its text side, sentence vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from keywright.encoders.base import Encoded, Encoder, TextEncoder, Vectors, text_side
from keywright.encoders.kept_sentences import KeptSentences
from keywright.encoders.names import name_likeness
from keywright.encoders.sentences import open_sentences
from keywright.learning.base import ClassHead, Floats, TrainingData
from keywright.learning.few import ENOUGH
from keywright.learning.text import class_evidence, class_head
from keywright.operations.workspace import Workspace


def with_names(workspace: Workspace, data: TrainingData) -> TrainingData:
    """The data with the encoder's classifier, what its classes say of each keyword, and what its text side says."""
    encoder = workspace.encoder
    head = head_of(encoder, data.norms)
    sentences = sentences_of(workspace)
    evidence = None
    if head is not None and sentences is not None:
        evidence = class_evidence(data.keywords, head.names, partial(name_likeness, sentences=sentences))
    side = text_side(encoder)
    named = None if side is None else _name_vectors(workspace, side, data)
    by = "" if evidence is None or sentences is None else sentences.id
    return replace(data, head=head, class_evidence=evidence, name_vectors=named, sentences=by)


def head_of(encoder: Encoder, norms: Floats) -> ClassHead | None:
    """The encoder's classifier as a matrix, ``None`` where it has none; ``norms`` of some photos' vectors."""

    def probabilities(vectors: Floats) -> Floats:
        return encoder.class_probabilities(Encoded(vectors, np.ones(len(vectors), dtype=np.float32)))

    return class_head(encoder.class_names(), encoder.dimension, probabilities, norms)


def names_changed(before: str, now: str) -> str | None:
    """A sentence on why keywords were trained anew whose photos are the same; ``None`` where names are read as before.

    ``before``, ``now``: of ``learning.training.names_by``.
    """
    from keywright.learning.training import BY_LETTER, BY_MEANING  # late: who only suggests does not train

    if not before or before == now:
        return None
    if now.startswith(BY_MEANING):
        how = f"are understood by their meaning now ({now.removeprefix(BY_MEANING)})"
    elif now == BY_LETTER:
        how = "are compared letter by letter now, because the extra [text] is not installed any more"
    else:
        how = "are read in another way now"
    return f"the names of keywords {how}, so all keywords were trained anew"


def sentences_of(workspace: Workspace) -> KeptSentences | None:
    """The sentence encoder with what it remembers; ``None`` where the extra ``text`` is not installed."""
    sentences = open_sentences()
    return None if sentences is None else KeptSentences(sentences, workspace.home.cache)


class _Names:
    """An encoder's text side as a sentence encoder, so that its vectors of names are remembered too."""

    def __init__(self, encoder_id: str, dimension: int, side: TextEncoder) -> None:
        self.id = "".join(c if c.isalnum() or c in "-." else "_" for c in encoder_id)
        self.dimension = dimension
        self._side = side

    def encode(self, texts: Sequence[str]) -> Vectors:
        return self._side.encode_text(texts)


def _name_vectors(workspace: Workspace, side: TextEncoder, data: TrainingData) -> Floats:
    """Shape (keywords, d): of keywords on few photos the mean over name and synonyms; of the others 0."""
    names = KeptSentences(_Names(workspace.encoder_id, data.vectors.shape[1], side), workspace.home.cache)
    out = np.zeros((len(data.keywords), data.vectors.shape[1]), dtype=np.float32)
    few = [(row, keyword) for row, keyword in enumerate(data.keywords) if len(keyword.positives) < ENOUGH]
    own = [(keyword.path.name, *keyword.synonyms) for _, keyword in few]
    vectors = names.encode([name for group in own for name in group])
    start = 0
    for (row, _), group in zip(few, own, strict=True):
        mean = vectors[start : start + len(group)].mean(axis=0)
        out[row] = mean / max(float(np.linalg.norm(mean)), 1e-6)
        start += len(group)
    return out
