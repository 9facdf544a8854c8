"""A model version as one file, to take to another machine or keep: written whole or not at all, read with distrust.

The file is a ZIP of uncompressed entries: ``keywright-models.json`` (format, encoder, time, metrics), one entry for
each part under ``parts/``, and, where it is known how good the version is, ``figures`` (``learning.counting``). Parts
are plain numbers and text named by their own SHA-256; nothing in them is ever run.
A file of models without compression can never grow beyond its own size when read.
"""

from __future__ import annotations

import json
import math
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keywright.encoders import encoder_dimension
from keywright.encoders.base import EncoderError
from keywright.errors import KeywrightError, reason
from keywright.learning.base import LearningError
from keywright.learning.counting import STEPS, Counts, figures
from keywright.learning.hierarchy import tree_order
from keywright.learning.models import MANIFEST, ModelSet, manifest_parts

FORMAT = 1
HEADER = "keywright-models.json"
_PARTS = "parts/"
_FIGURES = (
    "figures"  # a file without is as good, and a Keywright that does not know them passes them by: the same format
)
_MOST_FIGURES = 64 << 20  # bytes, unpacked
_MOST_HEADER = 1 << 20  # bytes
_PROBES = 8


@dataclass(frozen=True, slots=True)
class Exported:
    """What the file holds."""

    encoder_id: str
    created_at: str
    metrics: Mapping[str, float]
    parts: Mapping[str, bytes]
    figures: bytes | None = None  # what was counted of it, as ``learning.counting.Counts`` are kept


def write_model_file(file: Path, exported: Exported) -> None:
    """Raises ``KeywrightError`` where the file is there already or cannot be written; nothing half is left."""
    header = {
        "format": FORMAT,
        "encoder": exported.encoder_id,
        "created_at": exported.created_at,
        "metrics": dict(exported.metrics),
    }
    fresh = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        if file.exists():
            raise KeywrightError(f"{file} is there already; name another file, or remove this one first.")
        try:
            with fresh.open("xb") as opened:
                with zipfile.ZipFile(opened, "w", zipfile.ZIP_STORED) as archive:
                    archive.writestr(zipfile.ZipInfo(HEADER), json.dumps(header, sort_keys=True, ensure_ascii=False))
                    for name in sorted(exported.parts):
                        archive.writestr(zipfile.ZipInfo(_PARTS + name), exported.parts[name])
                    if exported.figures is not None:
                        archive.writestr(zipfile.ZipInfo(_FIGURES), exported.figures)
                opened.flush()
                os.fsync(opened.fileno())
            fresh.replace(file)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise KeywrightError(
            f"The models cannot be written to {file} ({reason(error)}); name a file in a folder that can be written."
        ) from error


def read_model_file(file: Path, encoders: Path | None = None) -> Exported:
    """What was exported, every part of it checked; ``encoders`` is where pulled and fine-tuned encoders are.

    Raises ``KeywrightError`` where the file is none of ours, damaged, of a newer Keywright or of an unknown encoder.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            found = _read(archive, file)
        _check(found, file, encoders)
        return found
    except LearningError as error:
        # What the sentence goes on with is advice for the store's own versions.
        what = str(error).partition(";")[0]
        raise KeywrightError(f"{file} cannot be imported: {what}; nothing was changed.") from error
    except KeywrightError:
        raise
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise KeywrightError(f"The file {file} cannot be read: {reason(error)}.") from error
    except (zipfile.BadZipFile, OSError, EOFError, KeyError, ValueError, NotImplementedError, RuntimeError) as error:
        raise KeywrightError(
            f"{file} is not a file of models exported by Keywright, or it is damaged ({reason(error)}); "
            "export it again with `keywright models export`."
        ) from error


def _read(archive: zipfile.ZipFile, file: Path) -> Exported:
    entries = {info.filename: info for info in archive.infolist()}
    if any(info.compress_type != zipfile.ZIP_STORED for info in entries.values()):
        raise ValueError("its entries are compressed")
    if HEADER not in entries:
        raise ValueError(f"it has no {HEADER}")
    if entries[HEADER].file_size > _MOST_HEADER:
        raise ValueError(f"its {HEADER} is too large")
    header = json.loads(archive.read(HEADER))
    if not isinstance(header, dict) or not isinstance(header.get("format"), int):
        raise ValueError(f"its {HEADER} does not name a format")
    if header["format"] > FORMAT:
        raise KeywrightError(
            f"{file} has format {header['format']} and this Keywright reads up to {FORMAT}; update Keywright."
        )
    metrics = {
        str(name): float(value)
        for name, value in dict(header.get("metrics") or {}).items()
        if isinstance(value, int | float) and math.isfinite(value)
    }
    manifest = archive.read(_PARTS + MANIFEST)
    names = [MANIFEST, *manifest_parts(manifest)]
    parts = {name: archive.read(_PARTS + name) for name in names}
    figures = archive.read(_FIGURES) if _FIGURES in entries else None
    return Exported(str(header["encoder"]), str(header["created_at"]), metrics, parts, figures)


def _check(found: Exported, file: Path, encoders: Path | None) -> None:
    """That the parts are whole, belong together, and give confidences for the encoder's vectors."""
    try:
        models = ModelSet.from_parts(found.parts)
        dimension = encoder_dimension(models.encoder_id, encoders)
        wrong = _wrong(found, models, dimension)
    except EncoderError as error:
        raise KeywrightError(f"{file} cannot be imported: {error}") from error
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError) as error:
        wrong = reason(error)
    if wrong is not None:
        raise KeywrightError(
            f"{file} is damaged ({wrong}); export it again with `keywright models export`, nothing was imported."
        )


def _wrong(found: Exported, models: ModelSet, dimension: int) -> str | None:
    if models.encoder_id != found.encoder_id:
        return "its parts are of two encoders"
    if not models.keywords:
        return "it holds no keyword"
    if len(models.columns) != len(models.keywords) or tree_order(models.paths) != list(range(len(models.keywords))):
        return "its keywords are not in order"
    if found.figures is not None and not _are_figures_of(found.figures, models):
        return "its figures are not of its keywords"
    for model in models.keywords:
        numbers: list[Any] = [model.offset, model.threshold, model.photos, model.slope, model.base]
        if not all(isinstance(n, int | float) and math.isfinite(n) for n in numbers):
            return f"the keyword {model.path} holds what are no numbers"
        if model.weights.dtype != np.float32 or not np.isfinite(model.weights).all():
            return f"the keyword {model.path} holds what are no numbers"
    probes = np.random.default_rng(0).standard_normal((_PROBES, dimension)).astype(np.float32)
    probes /= np.linalg.norm(probes, axis=1, keepdims=True)
    confidences = models.confidences(probes)
    if not ((confidences >= 0) & (confidences <= 1)).all():
        return "its confidences are no probabilities"
    return None


def _are_figures_of(content: bytes, models: ModelSet) -> bool:
    """Whether they are whole, of these keywords, and of a size that goes with them. Raises ``LearningError``."""
    unpacking = zlib.decompressobj()
    try:
        unpacking.decompress(content, _MOST_FIGURES)
    except zlib.error:
        return False
    if not unpacking.eof:  # it goes on: nothing that was counted is so large
        return False
    counts = Counts.from_bytes(content)
    k = len(counts.paths)
    stepped = (counts.suggested, counts.right, counts.sums)
    single = (counts.trained, counts.carried, counts.quality, counts.suggested_at, counts.right_at)
    if any(one.shape != (k, STEPS) for one in stepped) or any(one.shape != (k,) for one in single):
        return False
    figures(counts)
    return [path.key for path in counts.paths] == [path.key for path in models.paths]
