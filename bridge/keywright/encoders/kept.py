"""Encoders that are kept in a home: what each folder of ``Home.encoders`` says of itself in its ``keywright.json``.

A folder without that file is a download or a training that was not finished, and so is one whose name begins with a
dot: it is no encoder yet.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from keywright.encoders.base import EncoderError
from keywright.errors import reason
from keywright.renditions.base import Crop, View

MANIFEST = "keywright.json"
FORMAT = 1
CLIP = "clip"
TUNED = "tuned"


@dataclass(frozen=True, slots=True)
class KeptEncoder:
    """One encoder in a home. ``files``: SHA-256 by file name; ``settings``: what its kind needs besides."""

    kind: str  # CLIP or TUNED
    name: str  # of its folder, and what a person calls it
    id: str
    dimension: int
    crop: str
    size: int
    about: str
    licence: str
    weights: str  # the name of the file with the weights
    files: Mapping[str, str]
    settings: Mapping[str, object] = field(default_factory=dict)

    @property
    def view(self) -> View:
        return View(Crop(self.crop), self.size)


def write_kept(folder: Path, kept: KeptEncoder) -> None:
    """Say that the encoder in ``folder`` is whole; the last thing written."""
    text = json.dumps({"format": FORMAT} | asdict(kept), indent=1, sort_keys=True)
    fresh = folder / f".{MANIFEST}.new"
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(folder / MANIFEST)


def kept_encoders(encoders: Path | None) -> list[KeptEncoder]:
    """All whole encoders in a home, by name."""
    return [one for one in read_all(encoders).values() if isinstance(one, KeptEncoder)]


def read_all(encoders: Path | None) -> dict[str, KeptEncoder | EncoderError]:
    """All encoders in a home by name; of one whose description is damaged, what is wrong with it."""
    found: dict[str, KeptEncoder | EncoderError] = {}
    if encoders is None or not encoders.is_dir():
        return found
    for file in sorted(encoders.glob(f"*/{MANIFEST}")):
        if not file.parent.name.startswith("."):
            try:
                found[file.parent.name] = read_kept(file.parent)
            except EncoderError as error:
                found[file.parent.name] = error
    return found


def kept_encoder(encoders: Path | None, encoder_id: str) -> KeptEncoder | None:
    """The one with this id; ``None`` where there is none."""
    return next((one for one in kept_encoders(encoders) if one.id == encoder_id), None)


def read_kept(folder: Path) -> KeptEncoder:
    """Raises ``EncoderError``."""
    file = folder / MANIFEST
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        if told.pop("format") > FORMAT:
            raise EncoderError(f"The encoder in {folder} was made by a newer Keywright; update Keywright.")
        kept = KeptEncoder(**told)
        View(Crop(kept.crop), kept.size)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise EncoderError(
            f"The encoder in {folder} cannot be read ({reason(error)}); remove the folder and pull it anew."
        ) from None
    return kept


def sha256(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
