"""Which CLIP encoders there are to pull, what each would cost on this machine, and pulling one."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keywright.encoders.base import EncoderError, available_cores
from keywright.encoders.clip_catalogue import CLIP_MODELS, ClipModel, clip_model
from keywright.encoders.kept import MANIFEST, KeptEncoder, read_kept
from keywright.encoders.pulling import pull_from_folder, pull_from_hub
from keywright.home import Home
from keywright.operations.progress import Cancel, Progress, never, silent
from keywright.operations.workspace import Workspace
from keywright.store.models import list_versions

_SIDE = 768  # of the matrices whose product is timed
_REACHED = 0.4  # of a large matrix product's speed, what networks reach


@dataclass(frozen=True, slots=True)
class Offer:
    """A model; ``photos_per_second`` on this machine, ``measured`` or estimated."""

    model: ClipModel
    here: bool
    photos_per_second: float
    measured: bool
    host: str


def offers(home: Home) -> list[Offer]:
    """All models that can be pulled by name."""
    speed = _billions_per_second()
    return [_offer(home, model, speed) for model in CLIP_MODELS]


def offered(home: Home, name: str) -> Offer:
    """The model of a name. Raises ``EncoderError`` where none is offered under it."""
    model = clip_model(name)
    if model is None:
        known = ", ".join(one.name for one in CLIP_MODELS)
        raise EncoderError(
            f"No encoder is offered under the name {name!r}; there are {known}. A model of your own comes with --from."
        )
    return _offer(home, model, _billions_per_second())


def pull(workspace: Workspace, model: ClipModel, progress: Progress = silent, cancel: Cancel = never) -> KeptEncoder:
    """Download a model, or go on with it. Raises ``EncoderError``; what came is kept."""
    return pull_from_hub(model, workspace.home.encoders, progress, cancel, _needed(workspace))


def pull_folder(workspace: Workspace, name: str, source: Path) -> KeptEncoder:
    """Take a model from a folder under a name of the person's choice. Raises ``EncoderError``."""
    model = clip_model(name)
    name = model.name if model is not None else name
    require_name(name)
    licence = model.licence if model is not None else "as the model's makers say"
    about = model.about if model is not None else f"from {source.name}"
    return pull_from_folder(name, source, workspace.home.encoders, licence, about, _needed(workspace))


def require_name(name: str) -> None:
    """Raises ``EncoderError`` where a name cannot be an encoder's: it is that of a folder, and no level's."""
    from keywright.encoders import LEVELS

    if name in LEVELS or name[:1] in ("", ".") or not all(one.isalnum() or one in "-_.+" for one in name):
        raise EncoderError(f"{name!r} cannot be an encoder's name: use letters, digits, and - _ . + between them.")


def _needed(workspace: Workspace) -> frozenset[str]:
    """The encoders that model versions were learned with."""
    with workspace.store.read() as connection:
        return frozenset(row.encoder_id for row in list_versions(connection))


def _offer(home: Home, model: ClipModel, billions: float) -> Offer:
    folder = home.encoders / model.name
    here = (folder / MANIFEST).is_file()
    host = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    known = _measured(home, folder) if here else None
    return Offer(model, here, known or billions / model.billions, known is not None, host)


def _measured(home: Home, folder: Path) -> float | None:
    from keywright.encoders.clip_fit import read_fit

    fit = read_fit(read_kept(folder), home.cache)
    return fit.photos_per_second if fit is not None else None


def _billions_per_second() -> float:
    """Multiply-adds a second, in billions, that all cores of this machine may reach in a network."""
    one = np.ones((_SIDE, _SIDE), np.float32)
    one @ one
    start = time.process_time()  # of all threads: other programs do not make the machine look slow
    one @ one
    return _SIDE**3 / 1e9 / max(time.process_time() - start, 1e-4) * available_cores() * _REACHED
