"""Sidecar names: which file beside a photo speaks for it, and where a change of its keywords goes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from keywright.errors import reason
from keywright.metadata.base import MetadataError, Place, SidecarProfile
from keywright.metadata.formats import RAW_EXTENSIONS, is_embeddable, is_raw
from keywright.metadata.streams import opened

_OTHER = "heic heif hif avif jxl jp2 gif bmp mov mp4 m4v avi mkv 3gp mts m2ts mpg webm insv"
_SIDECAR_ONLY = RAW_EXTENSIONS | {f".{extension}" for extension in _OTHER.split()}
_FOR_EXTENSION = re.compile(rb"SidecarForExtension\s*(?:=\s*[\"']|>)\s*(\w+)")
_LOOK_AT = 1 << 18


class Siblings:
    """The names in a photo's folder, looked at no more than needed."""

    def __init__(self, photo: Path, names: Iterable[str] | None = None) -> None:
        self.photo = photo
        self._names = None if names is None else list(names)

    def names(self) -> list[str]:
        """The names that begin as the photo's does; all of them where the caller gave the folder's list."""
        if self._names is None:
            try:
                self._names = [entry.name for entry in self.photo.parent.iterdir()]
            except OSError as error:
                raise MetadataError(f"The folder {self.photo.parent} cannot be listed: {reason(error)}.") from error
        return self._names

    def find(self, name: str) -> Path | None:
        """The file of that name, ``.xmp`` or ``.XMP``; as on disk where the folder's list is at hand."""
        if self._names is not None:
            exact = [n for n in self._names if n == name]
            other = [n for n in self._names if n.casefold() == name.casefold()]
            return self.photo.with_name((exact or other)[0]) if exact or other else None
        for candidate in (name, name[:-4] + name[-4:].upper()):
            path = self.photo.with_name(candidate)
            if path.is_file():
                return path
        return None

    def same_stem(self) -> list[str]:
        """The other files that are called as the photo but for the extension."""
        stem = self.photo.stem.casefold()
        return [
            n for n in self.names() if Path(n).stem.casefold() == stem and n.casefold() != self.photo.name.casefold()
        ]


def full_name(photo: Path) -> str:
    return photo.name + ".xmp"


def short_name(photo: Path) -> str:
    return photo.stem + ".xmp"


def existing(photo: Path, siblings: Siblings) -> tuple[Path | None, Path | None]:
    """The photo's sidecars ``IMG.NEF.xmp`` and ``IMG.xmp``, where they exist.

    Adobe's programs say in ``IMG.xmp`` which file it is for; one that is for another file is not the photo's.
    """
    full, short = siblings.find(full_name(photo)), siblings.find(short_name(photo))
    return full, short if short is not None and short != full and is_for(short, photo) else None


def is_for(sidecar: Path, photo: Path) -> bool:
    """Whether ``photoshop:SidecarForExtension`` is absent from a sidecar or names the photo's own extension."""
    try:
        with opened(sidecar) as stream:
            found = _FOR_EXTENSION.search(stream.read(_LOOK_AT))
    except OSError:
        return True
    return found is None or found.group(1).decode().casefold() == photo.suffix[1:].casefold()


def choose_place(photo: Path, profile: SidecarProfile, siblings: Iterable[str] | None = None) -> Place:
    """The file that a change of the photo's keywords goes to.

    ``siblings`` are the names in the photo's folder where the caller has them, or those of them that are alike up to
    the first dot; a caller with many photos should give them, or the folder is listed for each.
    An existing sidecar decides, then the profile; Lightroom, however, never reads one beside a JPEG, TIFF, PNG, PSD
    or DNG. Raises ``MetadataError`` where the photo cannot be read.
    """
    around = Siblings(photo, siblings)
    embeds = can_embed(photo)
    if profile is SidecarProfile.LIGHTROOM and embeds:
        return Place(photo, embedded=True, exists=True)
    full, short = existing(photo, around)
    if short is not None and embeds and any(map(is_raw, around.same_stem())):
        short = None  # it is the raw file's
    preferred = (full, short) if profile in (SidecarProfile.DARKTABLE, SidecarProfile.DIGIKAM) else (short, full)
    for sidecar in preferred:
        if sidecar is not None:
            return Place(sidecar, embedded=False, exists=True)
    if embeds and profile not in (SidecarProfile.DARKTABLE, SidecarProfile.SIDECAR):
        return Place(photo, embedded=True, exists=True)
    name = short_name(photo)
    if profile in (SidecarProfile.DARKTABLE, SidecarProfile.DIGIKAM) or _shares_short_name(photo, around):
        name = full_name(photo)
    return Place(photo.with_name(name), embedded=False, exists=False)


def can_embed(photo: Path) -> bool:
    """Whether keywords are written into files of this kind; camera raw, HEIF and video always get a sidecar."""
    try:
        with opened(photo) as stream:
            head = stream.read(32)
    except OSError as error:
        raise MetadataError(f"{photo} cannot be read: {reason(error)}.") from error
    return is_embeddable(head, photo.name)


def _shares_short_name(photo: Path, siblings: Siblings) -> bool:
    """Whether ``IMG.xmp`` could be taken for another file's: a Live Photo's HEIC and MOV."""
    if is_raw(photo.name):
        return False
    return any(Path(name).suffix.lower() in _SIDECAR_ONLY for name in siblings.same_stem())
