"""How an open_clip network runs best on this machine, found once when it is first used and kept in the cache folder.

Torch on the CPU in float32 is what everything else must agree with. Asked for, in this order: a graphics card and half
precision on it; ONNX Runtime with each provider it has here. What gives other vectors, or does not run here although
it seems to be there, is left out; of the rest the fastest is taken, with the number of photos at a time beyond which
nothing is gained.
"""

from __future__ import annotations

import json
import logging
import math
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from keywright.encoders.base import EncoderError, available_cores
from keywright.encoders.clip_fit import ONNX, TORCH, Fit, fit_file, graph_file
from keywright.encoders.clip_network import ClipNetwork, export_vision
from keywright.encoders.kept import KeptEncoder
from keywright.encoders.onnx_graph import Features, load_graph
from keywright.encoders.probing import least_cosine, probe
from keywright.errors import reason
from keywright.renditions.base import Pixels

log = logging.getLogger(__name__)

FULL_AGREEMENT = 0.9999
"""Least cosine with torch's vectors in full precision."""
HALF_AGREEMENT = 0.999
"""The same where numbers have half the bits."""
_SECONDS = 4.0  # a batch that takes longer is large enough
_GAIN = 0.95  # a larger batch must need at most so much of the time for each photo
_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)


def best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def find_fit(kept: KeptEncoder, network: ClipNetwork, cache: Path, only: str = "") -> Fit:
    """Try what there is and keep the best. The network is left where the fit says, for words too.

    ``only``: TORCH or ONNX, to try nothing else. Raises ``EncoderError`` where that does not run here.
    """
    pixels = probe(kept.size)
    expected = network.photos(pixels)
    found: list[Fit] = []
    restore = network.restorer()
    there = best_device()

    def tried(runner: str, device: str, dtype: str, run: Features, least: float, calls: int) -> None:
        agreement = least_cosine(expected, run(pixels))
        if not agreement >= least:
            log.info("%s through %s on %s in %s differs (cosine %.4f).", kept.name, runner, device, dtype, agreement)
            return
        batch, speed = best_batch(run, kept.size)
        log.info("%s through %s on %s in %s: %.1f photos/s.", kept.name, runner, device, dtype, speed * calls)
        words = network.text_scale, network.text_bias
        found.append(Fit(runner, device, dtype, batch, speed * calls, agreement, *words, there))

    if only != ONNX:
        tried(TORCH, "cpu", "float32", network.photos, FULL_AGREEMENT, 1)
    if only != TORCH:
        _try_graph(kept, network, cache, tried)
    if there != "cpu" and only != ONNX:
        for dtype in _dtypes(there):
            try:
                network.moved(there, getattr(torch, dtype))
                tried(TORCH, there, dtype, network.photos, HALF_AGREEMENT, 1)
            except Exception as error:  # noqa: BLE001  a card may fail in many ways, and the processor can do the work
                log.info("%s does not run through torch on %s in %s (%s).", kept.name, there, dtype, reason(error))
            restore()
    if not found:
        raise EncoderError(f"{kept.name} does not run through {only} here.")
    best = max(found, key=lambda fit: fit.photos_per_second)
    if best.runner == TORCH:
        network.moved(best.device, getattr(torch, best.dtype))
    _keep(kept, cache, best)
    return best


def _keep(kept: KeptEncoder, cache: Path, fit: Fit) -> None:
    file = fit_file(kept, cache)
    fresh = file.with_suffix(".new")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        if fit.runner == TORCH:
            graph_file(kept, cache).unlink(missing_ok=True)
        fresh.write_text(json.dumps(asdict(fit)), encoding="utf-8")
        fresh.replace(file)
    except OSError as error:
        log.warning(
            "How %s runs best cannot be kept in %s (%s); it will be found anew each time.",
            kept.name,
            cache,
            reason(error),
        )


def _dtypes(device: str) -> list[str]:
    if device == "cuda" and torch.cuda.is_bf16_supported():
        return ["float32", "float16", "bfloat16"]
    return ["float32", "float16"]


def _try_graph(
    kept: KeptEncoder,
    network: ClipNetwork,
    cache: Path,
    tried: Callable[[str, str, str, Features, float, int], None],
) -> None:
    graph = graph_file(kept, cache)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="export-") as folder:
            draft = Path(folder) / graph.name
            export_vision(network, kept.size, draft)
            draft.replace(graph)
    except Exception as error:  # noqa: BLE001  an exporter has no error classes of its own, and torch can do the work
        log.info("%s cannot be written as an ONNX graph (%s); torch runs it.", kept.name, reason(error))
        return
    for provider in providers():
        own = provider == "CPUExecutionProvider"
        try:
            run = load_graph(graph, provider=provider)
            tried(
                provider,
                "cpu" if own else provider.removesuffix("ExecutionProvider").lower(),
                "float32",
                run,
                FULL_AGREEMENT if own else HALF_AGREEMENT,
                available_cores() if own else 1,
            )
        except Exception as error:  # noqa: BLE001  ONNX Runtime's error classes derive from Exception alone
            log.info("%s does not run through %s (%s).", kept.name, provider, reason(error))


def providers() -> list[str]:
    """ONNX Runtime's providers on this machine that are worth a try."""
    import onnxruntime  # type: ignore[import-untyped]

    wanted = ("CUDAExecutionProvider", "CoreMLExecutionProvider", "DmlExecutionProvider", "CPUExecutionProvider")
    return [name for name in wanted if name in onnxruntime.get_available_providers()]


def best_batch(run: Callable[[Pixels], NDArray[np.float32]], side: int) -> tuple[int, float]:
    """Photos at a time beyond which nothing is gained, or memory ends; and photos a second with it."""
    best, least = 1, math.inf
    for batch in _BATCHES:
        try:
            pixels = np.resize(probe(side), (batch, side, side, 3))
            run(pixels)
            start = time.perf_counter()
            run(pixels)
            seconds = time.perf_counter() - start
        except Exception as error:
            if batch == 1 or not _out_of_memory(error):
                raise
            break
        if seconds / batch > least * _GAIN:
            break
        best, least = batch, seconds / batch
        if seconds > _SECONDS:
            break
    return best, 1 / least


def _out_of_memory(error: Exception) -> bool:
    """torch, CUDA, ONNX Runtime and its providers each have errors of their own for it, and words in common."""
    return isinstance(error, MemoryError) or any(word in str(error).lower() for word in ("memory", "alloc"))
