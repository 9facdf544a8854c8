"""Any file to a rendition: the one entry that finds the format, calls its decoder, and says what went wrong.

``make_rendition`` and ``make_thumbnail`` decode in the calling thread. A damaged file in some formats can crash or hang
its decoder; ``keywright.renditions.renderer`` offers the same two behind worker processes.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path

from PIL import Image

from keywright.errors import reason
from keywright.renditions.base import Rendition, RenditionError, View
from keywright.renditions.formats import Format, format_of
from keywright.renditions.geometry import Framing, framing_of, framing_to
from keywright.renditions.limits import TooLargeError
from keywright.renditions.picture import Picture, finish
from keywright.renditions.raster import decode_jpeg, decode_with_pillow


def make_rendition(path: Path, view: View) -> Rendition:
    """The photo as an encoder with ``view`` is shown it: sRGB, upright, uint8, at the view's size.

    Raises ``RenditionError`` where the file gives no picture.
    """
    return render(path, framing_of(view))


def make_thumbnail(path: Path, longest_side: int) -> Rendition:
    """The whole photo, its longest side at most ``longest_side`` pixels, never enlarged. Raises as above."""
    return render(path, framing_to(longest_side))


def render(path: Path, framing: Framing) -> Rendition:
    """The part of the photo that ``framing`` asks for. Raises ``RenditionError``."""
    try:
        kind = format_of(path)
        if kind is None:
            raise RenditionError(_no_format(path))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow and tifffile warn of metadata that we do not look at
            return finish(_decode(path, kind, framing), framing)
    except FileNotFoundError:
        raise RenditionError(f"{path} is not there any more: look whether it was moved or renamed.") from None
    except PermissionError:
        raise RenditionError(f"{path} may not be read by this user: change its permissions.") from None
    except TooLargeError as error:
        raise RenditionError(f"{path} is too large: {error}; save a smaller copy.") from None


def _no_format(path: Path) -> str:
    if path.stat().st_size == 0:
        return f"{path} is empty: restore it from a backup."
    return f"{path} is in no picture format that Keywright knows: see docs/formats.md for those it does."


def _decode(path: Path, kind: Format, framing: Framing) -> Picture:
    """The decoder of the format; what decoders raise for a damaged file becomes one sentence."""
    if kind is Format.VIDEO:
        return _decode_video(path)
    try:
        return _decode_still(path, kind, framing)
    except (RenditionError, TooLargeError, FileNotFoundError, PermissionError):
        raise
    except MemoryError:
        raise RenditionError(f"{path} is damaged, or needs more memory than there is, and gives no picture.") from None
    except _DAMAGE as error:
        raise _damaged(path, kind, error) from None
    except Exception as error:
        # imagecodecs, rawpy, tifffile and pillow-heif each have error classes of their own, derived from nothing in
        # common; importing all of them to name them would cost every JPEG the import.
        if type(error).__module__.split(".")[0] not in _DECODER_PACKAGES:
            raise
        raise _damaged(path, kind, error) from None


def _damaged(path: Path, kind: Format, error: Exception) -> RenditionError:
    first = error.args[0] if error.args else None
    why = first.decode("utf-8", "replace") if isinstance(first, bytes) else reason(error)  # LibRaw's errors are bytes
    return RenditionError(f"{path} cannot be decoded as {kind.value} ({why}): it is damaged or of an unusual kind.")


_DECODER_PACKAGES = ("imagecodecs", "rawpy", "tifffile", "pillow_heif", "_pillow_heif")
_DAMAGE = (
    *(OSError, SyntaxError, ValueError, EOFError, RuntimeError, IndexError, KeyError, TypeError, ArithmeticError),
    *(struct.error, zlib.error, Image.DecompressionBombError),
)
"""What the decoders raise for damaged data; Pillow's plugins name no class of their own for it."""


def _decode_still(path: Path, kind: Format, framing: Framing) -> Picture:
    if kind is Format.JPEG:
        with path.open("rb") as source:
            return decode_jpeg(source, framing)
    if kind is Format.RAW:
        from keywright.renditions.raw import decode_raw

        return decode_raw(path, framing)
    if kind is Format.PSD:
        from keywright.renditions.psd import decode_psd

        return decode_psd(path, framing)
    if kind in (Format.JXL, Format.JXR):
        from keywright.renditions.wide import decode_with_imagecodecs

        return decode_with_imagecodecs(path, kind)
    if kind in (Format.TIFF, Format.JP2):
        return _decode_with_second_try(path, kind, framing)
    return decode_with_pillow(path, kind, framing)


def _decode_with_second_try(path: Path, kind: Format, framing: Framing) -> Picture:
    """Pillow is fast and knows most; the array libraries know the rest. The first error is the one worth reading."""
    from keywright.renditions.wide import decode_with_imagecodecs, decode_with_tifffile

    try:
        return decode_with_pillow(path, kind, framing)
    except _DAMAGE as first:
        try:
            return decode_with_tifffile(path) if kind is Format.TIFF else decode_with_imagecodecs(path, kind)
        except (TooLargeError, MemoryError):
            raise
        except Exception:  # noqa: BLE001  whatever it was, the file is damaged and the first reason stands
            raise first from None


def _decode_video(path: Path) -> Picture:
    from keywright.renditions.video import NoFrameError, NoVideoSupportError, decode_video

    try:
        return decode_video(path)
    except NoVideoSupportError:
        raise RenditionError(
            f"{path} is a video: to look at videos, install Keywright with its extra [video]."
        ) from None
    except NoFrameError as error:
        raise RenditionError(f"{path} gives no picture: {error}.") from None
    except (OSError, ValueError, EOFError) as error:
        raise RenditionError(f"{path} cannot be decoded as video ({reason(error)}): it is damaged.") from None
