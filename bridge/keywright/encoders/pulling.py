"""Getting an open_clip encoder into a home: from the Hugging Face hub, or from a folder on a machine without a network.

What is kept is what open_clip itself keeps: ``open_clip_config.json``, the weights, the tokenizer's files. From the hub
one revision is fetched, each file checked against the SHA-256 that the hub states for it. In a folder a file named
``SHA256SUMS`` is believed and checked.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from keywright.encoders.base import EncoderError
from keywright.encoders.clip_catalogue import ClipModel
from keywright.encoders.downloading import Remote, download, fetch_json
from keywright.encoders.kept import CLIP, KeptEncoder, sha256, write_kept
from keywright.errors import reason
from keywright.renditions.base import Crop

CONFIG = "open_clip_config.json"
WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin", "open_clip_pytorch_model.safetensors")
"""In the order they are looked for: the first cannot hold code at all, the second is read as tensors alone."""
TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
    "sentencepiece.bpe.model",
)
SUMS = "SHA256SUMS"
_USUAL = {"mean": (0.48145466, 0.4578275, 0.40821073), "std": (0.26862954, 0.26130258, 0.27577711)}
"""What open_clip takes where a model does not say how its pixels are scaled."""

Progress = Callable[[str, int, int | None], None]
Cancel = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class _Listed:
    """A file of a repository."""

    name: str
    remote: Remote


def pull_from_hub(model: ClipModel, encoders: Path, progress: Progress, cancel: Cancel) -> KeptEncoder:
    """Download ``model`` into ``encoders``; begun before, it goes on.

    Raises ``EncoderError`` where it cannot be had, ``DownloadStoppedError`` where ``cancel()`` said so.
    """
    folder = encoders / model.name
    _make(folder)
    listed = _listed(model)
    total = sum(one.remote.size for one in listed)
    done = 0
    for one in listed:
        told = partial(_told, progress, f"Downloading {model.name}", done, total)
        download(one.remote, folder / one.name, told, cancel)
        done += one.remote.size
    return keep_pulled(model.name, folder, model.licence, model.about)


def pull_from_folder(name: str, source: Path, encoders: Path, licence: str, about: str) -> KeptEncoder:
    """Copy an encoder that lies in ``source`` into ``encoders``. Raises ``EncoderError`` where it is none."""
    if not source.is_dir():
        raise EncoderError(f"{source} is no folder; name the one that holds {CONFIG}.")
    if not (source / CONFIG).is_file():
        raise EncoderError(f"{source} holds no open_clip model: there is no {CONFIG} in it.")
    found = [file for file in WEIGHTS if (source / file).is_file()][:1]
    if not found:
        raise EncoderError(f"{source} holds no weights: there is none of {', '.join(WEIGHTS)} in it.")
    folder = encoders / name
    _make(folder)
    sums = _sums(source)
    for file in (CONFIG, *found, *(file for file in TOKENIZER if (source / file).is_file())):
        fresh = folder / f"{file}.part"
        try:
            shutil.copyfile(source / file, fresh)
        except OSError as error:
            raise EncoderError(f"{source / file} cannot be copied to {folder} ({reason(error)}).") from None
        if file in sums and sha256(fresh) != sums[file]:
            fresh.unlink()
            raise EncoderError(f"{source / file} is not what {SUMS} beside it says; copy it there anew.")
        fresh.replace(folder / file)
    return keep_pulled(name, folder, licence, about)


def _told(progress: Progress, stage: str, before: int, total: int, got: int) -> None:
    progress(stage, before + got, total)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EncoderError(f"{folder} cannot be made ({reason(error)}).") from None


def _listed(model: ClipModel) -> list[_Listed]:
    hub = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    told = fetch_json(f"{hub}/api/models/{model.repository}/revision/main")
    revision = told.get("sha") if isinstance(told, dict) else None
    if not isinstance(revision, str):
        raise EncoderError(f"{hub} does not say which revision of {model.repository} there is; try again later.")
    tree = fetch_json(f"{hub}/api/models/{model.repository}/tree/{revision}")
    files = {str(row.get("path")): row for row in tree if isinstance(row, dict)} if isinstance(tree, list) else {}
    weights = next((name for name in WEIGHTS if name in files), None)
    if CONFIG not in files or weights is None:
        raise EncoderError(f"{model.repository} on {hub} holds no open_clip model any more; update Keywright.")
    return [
        _Listed(name, _remote(files[name], f"{hub}/{model.repository}/resolve/{revision}/{name}"))
        for name in (CONFIG, *(name for name in TOKENIZER if name in files), weights)
    ]


def _remote(row: Mapping[str, Any], url: str) -> Remote:
    large = row.get("lfs") or {}
    return Remote(url, int(large.get("size", row["size"])), large.get("oid"))


def _sums(source: Path) -> dict[str, str]:
    try:
        lines = (source / SUMS).read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = [line.split(maxsplit=1) for line in lines if line.strip() and not line.startswith("#")]
    return {pair[1].lstrip("*").strip(): pair[0].lower() for pair in pairs if len(pair) == 2}


def keep_pulled(name: str, folder: Path, licence: str, about: str) -> KeptEncoder:
    """Say that the files in ``folder`` are a whole encoder. Raises ``EncoderError`` where they are none."""
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        described = config["model_cfg"]
        size = described["vision_cfg"]["image_size"]
        side = int(max(size) if isinstance(size, list) else size)
        dimension = int(described["embed_dim"])
        shown = _USUAL | config.get("preprocess_cfg", {})
        mean, std = ([float(v) for v in shown[key]] for key in ("mean", "std"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EncoderError(f"{folder / CONFIG} does not describe an open_clip model ({reason(error)}).") from None
    weights = next(file for file in WEIGHTS if (folder / file).is_file())
    files = {file.name: sha256(file) for file in sorted(folder.iterdir()) if file.suffix != ".part"}
    kept = KeptEncoder(
        kind=CLIP,
        name=name,
        # The whole photo, its shape changed: what lies at its edges counts, and such networks hardly mind.
        crop=Crop.SQUASH.value,
        size=side,
        id=f"clip/{name}-{files[weights][:8]}/squash{side}",
        dimension=dimension,
        about=about,
        licence=licence,
        weights=weights,
        files=files,
        settings={"mean": mean, "std": std},
    )
    write_kept(folder, kept)
    return kept
