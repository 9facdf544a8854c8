"""How an open_clip network runs best here, as ``clip_fitting`` found it and the cache folder keeps it.

Read without torch, whose import takes seconds and hundreds of megabytes: where ONNX Runtime won, it is not needed.
"""

from __future__ import annotations

import importlib.metadata
import json
from dataclasses import dataclass
from pathlib import Path

from keywright.encoders.kept import KeptEncoder

FIT_VERSION = 2
TORCH, ONNX = "torch", "ONNX Runtime"


@dataclass(frozen=True, slots=True)
class Fit:
    """``runner``: TORCH, or the ONNX Runtime provider; ``agreement``: least cosine with torch in full precision.

    ``tried``: torch's device that there was then, whether or not it was the fastest.
    """

    runner: str
    device: str
    dtype: str
    batch: int
    photos_per_second: float  # of all cores, encoding alone
    agreement: float
    text_scale: float
    text_bias: float
    tried: str


def fit_file(kept: KeptEncoder, cache: Path) -> Path:
    """Where the fit is kept; its name carries all that it depends on."""
    versions = "-".join(importlib.metadata.version(name) for name in ("torch", "onnxruntime"))
    return cache / f"{kept.id.replace('/', '-')}-v{FIT_VERSION}-{versions}.json"


def graph_file(kept: KeptEncoder, cache: Path) -> Path:
    return fit_file(kept, cache).with_suffix(".onnx")


def read_fit(kept: KeptEncoder, cache: Path, only: str = "") -> Fit | None:
    """What was found before, if it still holds: the graph there; where torch won, the same device there.

    ``only``: TORCH or ONNX, where the other is not wanted.
    """
    try:
        fit = Fit(**json.loads(fit_file(kept, cache).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    if only and (fit.runner == TORCH) != (only == TORCH):
        return None
    if fit.runner != TORCH:
        return fit if graph_file(kept, cache).is_file() else None
    from keywright.encoders import clip_fitting  # with torch, which is needed then

    return fit if fit.tried == clip_fitting.best_device() else None
