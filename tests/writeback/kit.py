"""What the tests of writing back share: a journal in a folder, a small library of photos, and its state as bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.metadata import read_keywords
from keywright.store.database import Store
from keywright.writeback import AcceptedKeyword, FileSettings, FileTarget, Journal, PhotoDecisions
from keywright.writeback.fileops import FileOps

DOG = KeywordPath.of("Animals", "Dog")
CAT = KeywordPath.of("Animals", "Cat")
SEA = KeywordPath.of("Sea")

OTHER_PROGRAM = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 5.6.0">\n'
    b' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
    b'  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"\n'
    b'    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:Exposure2012="+0.35">\n'
    b"   <dc:subject><rdf:Bag><rdf:li>Sea</rdf:li></rdf:Bag></dc:subject>\n"
    b"  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n"
    b'<?xpacket end="w"?>'
)
"""A sidecar as a raw converter leaves it: a keyword and a develop setting."""


def open_store(folder: Path) -> Store:
    return Store.open(Home(folder))


def open_journal(folder: Path) -> Journal:
    return Journal(open_store(folder))


def jpeg(path: Path, seed: int = 0) -> Path:
    pixels = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((64, 48)).save(path, quality=90)
    return path


def raw(path: Path, seed: int = 0) -> Path:
    path.write_bytes(b"II*\0" + np.random.default_rng(seed).bytes(200))
    return path


def library(folder: Path, count: int) -> list[Path]:
    """In turn a JPEG, a raw file without a sidecar, and a raw file with one that another program made."""
    folder.mkdir(parents=True, exist_ok=True)
    photos = []
    for number in range(count):
        kind = number % 3
        if kind == 0:
            photos.append(jpeg(folder / f"IMG_{number:04}.jpg", number))
        else:
            photos.append(raw(folder / f"IMG_{number:04}.nef", number))
        if kind == 2:
            photos[-1].with_suffix(".xmp").write_bytes(OTHER_PROGRAM)
    return photos


def accept(photos: Iterable[Path], *keywords: KeywordPath) -> list[PhotoDecisions]:
    add = tuple(AcceptedKeyword(path, 0.9) for path in keywords or (DOG,))
    return [PhotoDecisions(photo, add) for photo in photos]


def targets(settings: FileSettings | None = None, ops: FileOps | None = None) -> dict[str, FileTarget]:
    target = FileTarget(settings, ops)
    return {target.kind: target}


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def keywords(photo: Path) -> set[str]:
    return {str(path) for path in read_keywords(photo).keywords}


def lines(refused: Sequence[object]) -> list[str]:
    return [str(one) for one in refused]


def photos_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in (".jpg", ".nef"))
