"""Getting an open_clip encoder into a home: from the Hugging Face hub, or from a folder on a machine without a network.

What is kept is what open_clip itself keeps: ``open_clip_config.json``, the weights, the tokenizer's files. From the hub
one revision is fetched, each large file checked against the SHA-256 that the hub states for it. In a folder a file
named ``SHA256SUMS`` is believed and checked. All is put together in a folder beside the encoder's own, which takes its
place once it is whole: an encoder is there as it was, or as it is to be.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from keywright.encoders.base import EncoderError
from keywright.encoders.clip_catalogue import ClipModel
from keywright.encoders.downloading import Remote, download, fetch_json
from keywright.encoders.kept import CLIP, TUNED, KeptEncoder, read_kept, sha256, write_kept
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

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_GNU = re.compile(r"([0-9a-fA-F]{64})\s+\*?(.+)")
_BSD = re.compile(r"SHA256 \((.+)\) = ([0-9a-fA-F]{64})")

Progress = Callable[[str, int, int | None], None]
Cancel = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class _Listed:
    """A file of a repository."""

    name: str
    remote: Remote


def pull_from_hub(
    model: ClipModel, encoders: Path, progress: Progress, cancel: Cancel, needed: Collection[str] = ()
) -> KeptEncoder:
    """Download ``model`` into ``encoders``; begun before, it goes on. ``needed``: ids that may not be taken away.

    Raises ``EncoderError`` where it cannot be had, ``DownloadStoppedError`` where ``cancel()`` said so.
    """
    folder, draft = encoders / model.name, _draft(encoders, model.name)
    _recover(folder)
    listed = _listed(model)
    weights = listed[-1]
    before = _installed(folder)
    if before is not None and before.files.get(before.weights) != weights.remote.sha256:
        _require_not_needed(before, needed)
    _make(draft)
    for file in draft.iterdir():
        # What is left of a download goes on only where a checksum tells whether it is the same file.
        if file.name.removesuffix(".part") not in [one.name for one in listed if one.remote.sha256 is not None]:
            file.unlink()
    total = sum(one.remote.size for one in listed)
    done = 0
    for one in listed:
        _take_over(folder / one.name, draft / one.name, one.remote)
        told = partial(_told, progress, f"Downloading {model.name}", done, total)
        download(one.remote, draft / one.name, told, cancel)
        done += one.remote.size
    try:
        kept = keep_pulled(model.name, draft, model.licence, model.about, weights.name)
        return _put(draft, folder, kept, needed)
    except EncoderError:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def pull_from_folder(
    name: str, source: Path, encoders: Path, licence: str, about: str, needed: Collection[str] = ()
) -> KeptEncoder:
    """Copy an encoder that lies in ``source`` into ``encoders``. ``needed``: ids that may not be taken away.

    Raises ``EncoderError`` where it is none.
    """
    folder, draft = encoders / name, _draft(encoders, name)
    _recover(folder)
    if not source.is_dir():
        raise EncoderError(f"{source} is no folder; name the one that holds {CONFIG}.")
    if not (source / CONFIG).is_file():
        raise EncoderError(f"{source} holds no open_clip model: there is no {CONFIG} in it.")
    weights = next((file for file in WEIGHTS if (source / file).is_file()), None)
    if weights is None:
        raise EncoderError(f"{source} holds no weights: there is none of {', '.join(WEIGHTS)} in it.")
    sums = _sums(source, weights)
    shutil.rmtree(draft, ignore_errors=True)
    _make(draft)
    try:
        for file in (CONFIG, weights, *(file for file in TOKENIZER if (source / file).is_file())):
            _copy(source / file, draft / file)
            if file in sums and sha256(draft / file) != sums[file]:
                raise EncoderError(f"{source / file} is not what {SUMS} beside it says; copy it there anew.")
        return _put(draft, folder, keep_pulled(name, draft, licence, about, weights), needed)
    except EncoderError:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _told(progress: Progress, stage: str, before: int, total: int, got: int) -> None:
    progress(stage, before + got, total)


def _draft(encoders: Path, name: str) -> Path:
    return encoders / f".{name}.new"


def _old(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EncoderError(f"{folder} cannot be made ({reason(error)}).") from None


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise EncoderError(f"{source} cannot be copied to {target.parent} ({reason(error)}).") from None


def _take_over(here: Path, target: Path, remote: Remote) -> None:
    """Of the encoder that is here, what need not be downloaded again."""
    if remote.sha256 is None or target.exists() or not here.is_file() or here.stat().st_size != remote.size:
        return
    if sha256(here) == remote.sha256:
        _copy(here, target)


def _installed(folder: Path) -> KeptEncoder | None:
    """The encoder that has the name now; ``None`` where there is none, or it is damaged."""
    try:
        return read_kept(folder)
    except EncoderError:
        return None


def _require_not_needed(before: KeptEncoder, needed: Collection[str]) -> None:
    if before.kind == TUNED:
        raise EncoderError(f"{before.name} is the name of an encoder that was fine-tuned here; take another name.")
    if before.id in needed:
        raise EncoderError(
            f"{before.name} is here already with other weights or another {CONFIG}, and model versions were learned "
            "with it, so it stays; pull the new one with --from FOLDER and take another name for it."
        )


def _put(draft: Path, folder: Path, kept: KeptEncoder, needed: Collection[str]) -> KeptEncoder:
    """Let the whole encoder in ``draft`` take its place; the one before goes once it has."""
    before = _installed(folder)
    if before is not None and (before.id, before.files.get(CONFIG)) != (kept.id, kept.files[CONFIG]):
        _require_not_needed(before, needed)
    old = _old(folder)
    try:
        if folder.exists():
            folder.rename(old)
        draft.rename(folder)
    except OSError as error:
        _recover(folder)
        raise EncoderError(
            f"{folder} cannot be replaced ({reason(error)}); end what uses it, such as the bridge, and pull again."
        ) from None
    shutil.rmtree(old, ignore_errors=True)
    return kept


def _recover(folder: Path) -> None:
    """Where a pull was killed as it put the new encoder in the old one's place: the old one comes back."""
    old = _old(folder)
    if old.exists() and not folder.exists():
        with suppress(OSError):  # then it stays beside its place, for the next time
            old.rename(folder)
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)


def _listed(model: ClipModel) -> list[_Listed]:
    """What is to be fetched, the weights last."""
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
    listed = [
        _Listed(name, _remote(files[name], f"{hub}/{model.repository}/resolve/{revision}/{name}"))
        for name in (CONFIG, *(name for name in TOKENIZER if name in files), weights)
    ]
    if listed[-1].remote.sha256 is None:
        raise EncoderError(f"{hub} states no checksum for {listed[-1].remote.url}; try again later.")
    return listed


def _remote(row: Mapping[str, Any], url: str) -> Remote:
    large = row.get("lfs")
    stated: Mapping[str, Any] = large if isinstance(large, dict) else {}
    size, digest = stated.get("size", row.get("size")), stated.get("oid")
    if not isinstance(size, int):
        raise EncoderError(f"The hub does not say how large {url} is; try again later.")
    return Remote(url, size, digest.lower() if isinstance(digest, str) and _SHA256.fullmatch(digest) else None)


def _sums(source: Path, weights: str) -> dict[str, str]:
    """SHA-256 by name, as sha256sum, shasum and openssl's relatives write them; none without the file.

    Raises ``EncoderError`` where the file is there and says nothing of the weights: it is no check then.
    """
    file = source / SUMS
    if not file.is_file():
        return {}
    try:
        content = file.read_bytes()
        wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))  # as PowerShell writes text
        lines = content.decode("utf-16" if wide else "utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise EncoderError(
            f"{file} cannot be read ({reason(error)}), so {weights} cannot be checked; make it anew or remove it."
        ) from None
    found: dict[str, str] = {}
    for line in map(str.strip, lines):
        if gnu := _GNU.fullmatch(line):
            digest, name = gnu.groups()
        elif bsd := _BSD.fullmatch(line):
            name, digest = bsd.groups()
        else:
            continue
        found[re.sub(r"^\.[/\\]", "", name)] = digest.lower()
    if weights not in found:
        raise EncoderError(f"{file} says nothing of {weights} beside it; write its line or remove the file.")
    return found


def keep_pulled(name: str, folder: Path, licence: str, about: str, weights: str = WEIGHTS[0]) -> KeptEncoder:
    """Say that the files in ``folder`` are a whole encoder, its weights in the file ``weights``.

    Raises ``EncoderError`` where they are none.
    """
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        described = config["model_cfg"]
        size = described["vision_cfg"]["image_size"]
        side = int(max(size) if isinstance(size, list) else size)
        dimension = int(described["embed_dim"])
        shown = _USUAL | config.get("preprocess_cfg", {})
        mean, std = ([float(v) for v in shown[key]] for key in ("mean", "std"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EncoderError(f"{CONFIG} of {name} does not describe an open_clip model ({reason(error)}).") from None
    if not _holds_tensors(folder / weights):
        raise EncoderError(
            f"{weights} holds no weights but something else, such as a web page or a Git LFS pointer saved under that "
            "name; download it anew."
        )
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


def _holds_tensors(file: Path) -> bool:
    """Whether it begins as files of weights do; told before torch stumbles on it."""
    with file.open("rb") as opened:
        start = opened.read(9)
    if file.suffix == ".safetensors":  # the length of the header, then the header, which is JSON
        return start[8:] == b"{" and int.from_bytes(start[:8], "little") <= file.stat().st_size - 8
    return start.startswith((b"PK\x03\x04", b"\x80"))  # torch's own: a zip archive, before 2020 a pickle
