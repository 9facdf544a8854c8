"""From whatever colours a file is in to sRGB.

Colour management runs on the rendition's few pixels, not on the photo's many: for a picture that a network or a
person looks at in small, shrinking first makes no visible difference.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_PQ, _HLG = 16, 18  # transfer characteristics of ITU-T H.273
_HDR_WHITE = 203.0  # cd/m² of diffuse white, ITU-R BT.2408

# Linear RGB of these primaries to linear sRGB, D65 both. Keys as in ITU-T H.273; Adobe RGB has no number there.
_P3, _BT2020, _ADOBE = 12, 9, -1
_TO_SRGB = {
    _P3: ((1.2249, -0.2247, 0.0), (-0.0420, 1.0419, 0.0), (-0.0197, -0.0786, 1.0979)),
    _BT2020: ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187)),
    _ADOBE: ((1.3984, -0.3984, 0.0), (0.0, 1.0, 0.0), (0.0, -0.0429, 1.0429)),
}


@dataclass(frozen=True, slots=True)
class Colour:
    """What the file says of its colours: an ICC profile, or the primaries and transfer of H.273, or Adobe RGB."""

    icc: bytes | None = None
    primaries: int | None = None
    transfer: int | None = None
    adobe_rgb: bool = False


def to_srgb(image: Image.Image, colour: Colour) -> Image.Image:
    """An RGB image in sRGB; what is see-through is laid on white."""
    if image.mode in ("RGBA", "LA", "La", "RGBa"):
        full = image.convert("RGBA")
        white = Image.new("RGBA", full.size, "white")
        image = Image.alpha_composite(white, full).convert("RGB")
    managed = _by_profile(image, colour.icc)
    if managed is not None:
        return managed
    if image.mode == "LAB":
        return _apply(image, _lab_transform())
    rgb = image.convert("RGB")
    if colour.transfer in (_PQ, _HLG) or colour.primaries in (_P3, _BT2020):
        return _from_video(rgb, colour)
    if colour.adobe_rgb:
        linear = np.power(np.asarray(rgb, dtype=np.float32) / 255.0, 563 / 256)
        return _encode(_change_primaries(linear, _ADOBE))
    return rgb


def _by_profile(image: Image.Image, icc: bytes | None) -> Image.Image | None:
    """The image through its ICC profile; None without one, or with one that is damaged or for another kind of image."""
    if not icc or image.mode not in ("L", "RGB", "CMYK", "LAB"):
        return None
    if image.mode == "RGB" and _is_srgb(icc):
        return image
    try:
        return _apply(image, _profile_transform(icc, image.mode))
    except (ImageCms.PyCMSError, ValueError, OSError):
        return None


def _apply(image: Image.Image, transform: ImageCms.ImageCmsTransform) -> Image.Image:
    result = ImageCms.applyTransform(image, transform)
    assert result is not None
    return result


def _is_srgb(icc: bytes) -> bool:
    """Whether the profile is one of the many copies of sRGB, which need no work: told by its description."""
    head = icc[:4096]
    return b"sRGB" in head or b"s\x00R\x00G\x00B" in head


@lru_cache(maxsize=32)
def _profile_transform(icc: bytes, mode: str) -> ImageCms.ImageCmsTransform:
    # Building a transform costs as much as decoding a small photo, and a catalog has a handful of profiles.
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    return ImageCms.buildTransform(
        profile, ImageCms.createProfile("sRGB"), mode, "RGB", renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC
    )


@lru_cache(maxsize=1)
def _lab_transform() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")


def _from_video(image: Image.Image, colour: Colour) -> Image.Image:
    """From the colours of phones' HEIC and AVIF and of HDR cameras; what is brighter than white is rolled off."""
    signal = np.asarray(image, dtype=np.float32) / 255.0
    if colour.transfer == _PQ:  # SMPTE ST 2084
        root = np.power(signal, 1 / 78.84375)
        nits = 10000.0 * np.power(np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root), 1 / 0.1593017578125)
        linear = _roll_off(nits / _HDR_WHITE)
    elif colour.transfer == _HLG:  # ITU-R BT.2100: inverse OETF, then the system gamma at 1000 cd/m²
        scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12)
        light = np.maximum(scene.mean(axis=2, keepdims=True), 1e-6)
        linear = _roll_off(1000.0 / _HDR_WHITE * scene * np.power(light, 0.2))
    else:
        linear = np.where(signal <= 0.04045, signal / 12.92, np.power((signal + 0.055) / 1.055, 2.4))
    return _encode(_change_primaries(linear.astype(np.float32), colour.primaries))


def _roll_off(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Light up to 0.8 of white as it is; above, bent so that the 1000 cd/m² of most HDR content come out as white."""
    knee, peak = 0.8, 1000.0 / _HDR_WHITE
    room = 1.0 - knee
    over, most = np.maximum(linear - knee, 0) / room, (peak - knee) / room
    bent = knee + room * over * (1 + over / most**2) / (1 + over)  # Reinhard's extended curve
    return np.where(linear > knee, bent, linear).astype(np.float32)


def _change_primaries(linear: NDArray[np.float32], primaries: int | None) -> NDArray[np.float32]:
    matrix = _TO_SRGB.get(primaries) if primaries is not None else None
    return linear if matrix is None else linear @ np.array(matrix, dtype=np.float32).T


def _encode(linear: NDArray[np.float32]) -> Image.Image:
    linear = np.clip(linear, 0.0, 1.0)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.power(linear, 1 / 2.4) - 0.055)
    return Image.fromarray((curved * 255.0 + 0.5).astype(np.uint8))
