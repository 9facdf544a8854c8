"""The protocol every encoder keeps."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from keywright.errors import KeywrightError
from keywright.renditions.base import Pixels, View

Vectors = NDArray[np.float32]
"""Unit vectors, shape (n, dimension)."""


class EncoderError(KeywrightError):
    """An encoder is unknown, or cannot be loaded; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """The vectors of some photos, unit length, and the norms they had before (shape (n,)): class scores need them."""

    vectors: Vectors
    norms: NDArray[np.float32]


def available_cores() -> int:
    """The cores this process may use: fewer than the machine has, in a container or under ``taskset``."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Encoder(Protocol):
    """Two more things an encoder may say: ``simultaneous``, an int, how many ``encode`` calls may run at once, each on
    a core of its own (without it, calls come one at a time); ``batch``, an int, photos it is best given at a time."""

    id: str  # stable, names network, weights and view, e.g. "efficientnet-lite0/centre224"; vectors are stored under it
    dimension: int
    view: View

    def encode(self, pixels: Sequence[Pixels]) -> Encoded:
        """Encode renditions made for ``view``, in one batch; a batch of one gives the vectors a batch of many gives."""
        ...

    def class_names(self) -> Sequence[str]:
        """Names of the classes the network was trained on; empty where it has none."""
        ...

    def class_probabilities(self, encoded: Encoded) -> NDArray[np.float32]:
        """Shape (n, classes): what the network's own classifier says of vectors it made."""
        ...


PHOTO_TEMPLATES = (
    "a photo of {}.",
    "a photo of a {}.",
    "a photo of the {}.",
    "a photo of many {}.",
    "a close-up photo of {}.",
    "a picture with {} in it.",
    "{}.",
)
"""Sentences a keyword's name is put into; the mean of their vectors stands for the name (Radford et al. 2021)."""


@runtime_checkable
class TextEncoder(Protocol):
    """What an encoder with a text side has besides ``Encoder``: words become vectors that photos' can be compared to.

    ``vector @ text_vector * text_scale + text_bias`` is the network's own logit that the text fits the photo.
    """

    text_scale: float
    text_bias: float

    def encode_text(self, texts: Sequence[str], templates: Sequence[str] = PHOTO_TEMPLATES) -> Vectors:
        """Unit vectors of texts, shape (n, dimension), each the mean over ``templates``, made unit length again.

        A keyword's name goes with the default templates; a sentence that a person typed with ``("{}",)``.
        """
        ...


def text_side(encoder: Encoder) -> TextEncoder | None:
    """The encoder's text side, ``None`` where it has none."""
    return encoder if isinstance(encoder, TextEncoder) else None
