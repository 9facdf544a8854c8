"""Pixels (and text) to unit vectors.

Names and dimensions of encoders are known here without loading any of them. There are the built-in ones, three of which
are the levels ``fast``, ``standard`` and ``best``; and those in the folder ``encoders`` of the home: open_clip networks
that were pulled, and encoders that were fine-tuned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keywright.encoders.base import Encoder

LEVELS: Mapping[str, str] = {
    "fast": "efficientnet-lite0/shape224/int8",
    "standard": "efficientnet-lite0+lite2/shape352/int8",
    "best": "efficientnet-lite0+lite1+lite2/shape352/int8",
}
"""The built-in encoders a person chooses among, each better and slower than the one before: see docs/encoders.md."""
DEFAULT_LEVEL = "standard"
DEFAULT_ENCODER = LEVELS[DEFAULT_LEVEL]


@dataclass(frozen=True, slots=True)
class EncoderInfo:
    """What can be said of an encoder before it is loaded."""

    id: str
    dimension: int
    installed: bool
    about: str
    level: str | None = None  # the built-in level it is, or the name it was pulled under
    fault: str | None = None  # why it cannot be used, where what it says of itself is damaged; its name is its id then


def available_encoders(folder: Path | None = None) -> Sequence[EncoderInfo]:
    """All encoders that ``open_encoder`` knows, the default first; those not installed say so.

    ``folder``: where pulled and fine-tuned encoders are (``Home.encoders``).
    """
    from keywright.encoders.builtin import BUILTIN
    from keywright.encoders.kept import KeptEncoder, read_all
    from keywright.encoders.lite_graphs import package_of
    from keywright.encoders.weights import is_installed

    levels = {encoder_id: level for level, encoder_id in LEVELS.items()}
    ordered = sorted(BUILTIN.values(), key=lambda spec: spec.id != DEFAULT_ENCODER)
    found = [
        EncoderInfo(
            spec.id,
            spec.dimension,
            all(is_installed(package_of(name)) for name in spec.networks),
            f"{' and '.join(spec.networks)} trained on ImageNet, shown photos as {spec.view.name}, {spec.precision}",
            levels.get(spec.id),
        )
        for spec in ordered
    ]
    damaged = []
    for name, kept in read_all(folder).items():
        if isinstance(kept, KeptEncoder):
            found.append(EncoderInfo(kept.id, kept.dimension, True, kept.about, kept.name))
        else:
            damaged.append(EncoderInfo(name, 0, False, str(kept), name, str(kept)))
    return [*found, *damaged]


def resolve_encoder(name: str, folder: Path | None = None) -> str:
    """The id of an encoder by its id, its level, or the name it was pulled under. Raises ``EncoderError``."""
    return _find(name, folder).id


def encoder_dimension(encoder_id: str, folder: Path | None = None) -> int:
    """The length of an encoder's vectors, without loading it. Raises ``EncoderError`` for an unknown one."""
    return _find(encoder_id, folder).dimension


def open_encoder(encoder_id: str, cache: Path, folder: Path | None = None) -> Encoder:
    """Load an encoder; what it prepares once, such as an ONNX graph, it keeps in the folder ``cache``.

    Raises ``EncoderError`` where it is unknown or its weights are not installed.
    """
    from keywright.encoders.builtin import BUILTIN, BuiltinEncoder

    found = _find(encoder_id, folder)
    if found.id in BUILTIN:
        return BuiltinEncoder.open(BUILTIN[found.id], cache)
    from keywright.encoders.kept import TUNED, read_kept

    assert folder is not None
    assert found.level is not None
    own = folder / found.level
    kept = read_kept(own)
    if kept.kind == TUNED:
        from keywright.encoders.tuned import open_tuned

        return open_tuned(kept, own, cache)
    from keywright.encoders.clip import ClipEncoder

    return ClipEncoder(kept, own, cache)


def _find(name: str, folder: Path | None) -> EncoderInfo:
    from keywright.encoders.base import EncoderError

    known = available_encoders(folder)
    for info in known:
        if name in (info.id, info.level):
            if info.fault is not None:
                raise EncoderError(info.fault)
            return info
    names = [*LEVELS, *(info.level or info.id for info in known if info.level not in LEVELS and info.fault is None)]
    faults = [info.fault for info in known if info.fault is not None]  # the one asked for may be among these
    raise EncoderError(" ".join([f"There is no encoder called {name!r}; choose one of {', '.join(names)}.", *faults]))
