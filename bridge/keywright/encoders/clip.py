"""The open_clip encoders: networks trained on photos and their captions, so that names and photos are comparable.

Photos go through what ``clip_fitting`` found fastest on this machine; where that is ONNX Runtime, torch is loaded only
when words are asked for.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from keywright.encoders.base import PHOTO_TEMPLATES, Encoded, EncoderError, Vectors, available_cores
from keywright.encoders.clip_fit import TORCH, Fit, graph_file, read_fit
from keywright.encoders.kept import KeptEncoder
from keywright.errors import KeywrightError, reason
from keywright.renditions.base import Pixels

if TYPE_CHECKING:
    from keywright.encoders.clip_network import ClipNetwork
    from keywright.encoders.onnx_graph import Features

log = logging.getLogger(__name__)


class ClipEncoder:
    """Keeps ``encoders.base.Encoder`` and ``TextEncoder``. ``batch``: photos it is best given at a time."""

    def __init__(self, kept: KeptEncoder, folder: Path, cache: Path, only: str = "") -> None:
        """``folder``: where the encoder is kept; ``only``: TORCH or ONNX, to run through nothing else.

        Raises ``EncoderError`` where it cannot be loaded.
        """
        missing = [name for name in kept.files if not (folder / name).is_file()]
        if missing:
            raise EncoderError(f"The encoder {kept.name} lacks its file {folder / missing[0]}; pull it anew.")
        self.id = kept.id
        self.dimension = kept.dimension
        self.view = kept.view
        self._kept = kept
        self._folder = folder
        self._loading = threading.Lock()
        self._network: ClipNetwork | None = None
        self._features: Features
        self.runs_on, self.simultaneous = "", 1
        fit = read_fit(kept, cache, only)
        try:
            if fit is not None:
                self._run_as(fit, cache)
        except KeywrightError:
            raise  # its files are damaged, whatever runs them
        except Exception as error:  # noqa: BLE001  a card or runtime that has gone fails in ways of its own
            log.info("%s does not run any more as it did (%s); how it does is found anew.", kept.name, reason(error))
            fit, self._network = None, None
        if fit is None:
            from keywright.encoders.clip_fitting import find_fit

            fit = find_fit(kept, self._whole(), cache, only)
            self._run_as(fit, cache)
        self.fit = fit
        self.batch = fit.batch
        self.text_scale, self.text_bias = fit.text_scale, fit.text_bias

    def _run_as(self, fit: Fit, cache: Path) -> None:
        from keywright.encoders.onnx_graph import load_graph

        if fit.runner == TORCH:
            import torch

            self._whole().moved(fit.device, getattr(torch, fit.dtype))
            self._features = self._whole().photos
            self.runs_on, self.simultaneous = f"torch on {fit.device}, {fit.dtype}", 1
        else:
            self._features = load_graph(graph_file(self._kept, cache), provider=fit.runner)
            own = fit.runner == "CPUExecutionProvider"
            self.runs_on = "ONNX Runtime" if own else f"ONNX Runtime, {fit.runner}"
            self.simultaneous = available_cores() if own else 1

    def encode(self, pixels: Sequence[Pixels]) -> Encoded:
        """Encode renditions made for ``view``."""
        found = np.empty((len(pixels), self.dimension), np.float32)
        for start in range(0, len(pixels), self.batch):
            found[start : start + self.batch] = self._features(np.stack(pixels[start : start + self.batch]))
        norms: NDArray[np.float32] = np.linalg.norm(found, axis=1).astype(np.float32)
        vectors: Vectors = (found / np.maximum(norms, 1e-12)[:, None]).astype(np.float32, copy=False)
        return Encoded(vectors, norms)

    def encode_text(self, texts: Sequence[str], templates: Sequence[str] = PHOTO_TEMPLATES) -> Vectors:
        """Unit vectors of texts, shape (n, dimension): see ``encoders.base.TextEncoder``."""
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        sentences = [template.replace("{}", text) for text in texts for template in templates]
        each = self._whole().texts(sentences).reshape(len(texts), len(templates), self.dimension)
        means = each.mean(axis=1)
        vectors: Vectors = (means / np.maximum(np.linalg.norm(means, axis=1), 1e-12)[:, None]).astype(np.float32)
        return vectors

    def class_names(self) -> Sequence[str]:
        """None: such a network knows any name, see ``encode_text``."""
        return ()

    def class_probabilities(self, encoded: Encoded) -> NDArray[np.float32]:
        return np.empty((len(encoded.vectors), 0), np.float32)

    def _whole(self) -> ClipNetwork:
        with self._loading:
            if self._network is None:
                from keywright.encoders.clip_network import ClipNetwork

                self._network = ClipNetwork(self._kept, self._folder)
            return self._network
