"""Fine-tuning the encoder in use on the photographer's own keywords, and keeping it only where it is better.

It is done three times, each time without a third of the keyworded photos, from which nothing is learned or chosen: they
decide. The learner is trained on vectors of both encoders, and the tuned one is kept when keywords are ranked better on
all these thirds together, by more than chance explains. Keywords that do not go with what is in the photos give no such
gain. What is kept is the mean of the three networks' weights (Wortsman et al. 2022, arXiv:2203.05482): each began from
the same, so that it lies between them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout

from keywright.encoders.base import EncoderError
from keywright.encoders.builtin import BUILTIN, BuiltinSpec
from keywright.encoders.clip_catalogue import clip_model
from keywright.encoders.kept import CLIP, KeptEncoder, kept_encoder, kept_encoders
from keywright.errors import KeywrightError, reason
from keywright.operations.crossing import Told, crossed
from keywright.operations.embedding import Failure
from keywright.operations.gathering import gather
from keywright.operations.material import Material, chosen, read
from keywright.operations.progress import Cancel, Progress, never, silent
from keywright.operations.pulling import require_name
from keywright.operations.switching import Switched, switch
from keywright.operations.turns import TURNS, decide, is_better
from keywright.operations.workspace import Workspace

if TYPE_CHECKING:
    from keywright.encoders.tunable import About
    from keywright.encoders.tuning import Matrix, TuneSettings

USUAL_NAME = "tuned"
_FIGURES = ("photos", "keywords", "epochs", "mean_before", "mean_after", "standard_error")
_SHOTS = 8  # photos that a cut through a network is tried on


@dataclass(frozen=True, slots=True)
class FineTuned:
    """What became of it. Means are mean average precisions on the deciding photos."""

    base: str
    encoder: KeptEncoder | None  # None: it was not better, nothing is kept
    photos: int
    keywords: int
    epochs: int
    mean_before: float
    mean_after: float
    standard_error: float  # of their difference
    known: bool = False  # an earlier run had made just this
    left_out: int = 0  # photos that are more than is learned from
    failures: Sequence[Failure] = ()  # photos that could not be read

    @property
    def better(self) -> bool:
        return self.encoder is not None


@dataclass(frozen=True, slots=True)
class _Run:
    """What one run works with; ``mark``: what of an earlier run's work is of use hangs on it."""

    workspace: Workspace
    name: str | None  # None: the next free one
    mark: Mapping[str, object]
    material: Material
    work: Path
    settings: TuneSettings
    progress: Progress
    cancel: Cancel

    def told(self, what: str) -> Told:
        return Told(what, self.progress, self.cancel)


def finetune(
    workspace: Workspace,
    name: str | None = None,
    *,
    settings: TuneSettings | None = None,
    progress: Progress = silent,
    cancel: Cancel = never,
) -> FineTuned:
    """Fine-tune the encoder in use, and keep it as ``name`` where that is better (``None``: ``tuned``, or the next free
    ``tuned-2``); which encoder is in use stays.

    Stopped, it goes on from the last epoch; where an earlier run kept an encoder that was made of the same, that one is
    given. Raises ``KeywrightError`` where there is too little to learn from, the encoder in use cannot be fine-tuned,
    the name is taken or there is no room; ``CancelledError`` when told to stop.
    """
    from keywright.encoders.tuning import TuneSettings

    base = workspace.encoder_id
    kept = require_tunable(workspace, name)
    settings = settings or TuneSettings()
    with workspace.store.read() as connection:
        photos = chosen(gather(workspace, connection))
    mark = {"base": base, "photos": photos.digest(), "settings": repr(settings)}
    found = _made_before(workspace, name, mark)
    if found is not None:
        return found
    require_free(workspace, name)
    work = workspace.home.cache / "finetuning" / (name or USUAL_NAME)
    work.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(work.with_name(f"{work.name}.lock"), timeout=0):
            there, material = read(photos, workspace.encoder.view, progress, cancel)
            _begin(work, {**mark, "read": there.digest()})
            run = _Run(workspace, name, mark, material, work, settings, progress, cancel)
            report = _tune_lite(run, BUILTIN[base]) if kept is None else _tune_clip(run, kept)
            shutil.rmtree(work, ignore_errors=True)
    except Timeout:
        raise KeywrightError("Another run fine-tunes already; wait for it, or stop it.") from None
    return replace(report, left_out=photos.left_out, failures=material.failures)


def finetune_and_change(
    workspace: Workspace,
    name: str | None = None,
    *,
    settings: TuneSettings | None = None,
    progress: Progress = silent,
    cancel: Cancel = never,
) -> tuple[FineTuned, Switched | None]:
    """``finetune``, and change to the result where it is better. Raises what both raise; called again it goes on."""
    done = finetune(workspace, name, settings=settings, progress=progress, cancel=cancel)
    if done.encoder is None:
        return done, None
    return done, switch(workspace, done.encoder.id, anyway=True, progress=progress, cancel=cancel)


def made_of(workspace: Workspace) -> str | None:
    """The encoder that the one in use was fine-tuned from, where it was."""
    from keywright.encoders.tunable import MADE

    kept = kept_encoder(workspace.home.encoders, workspace.encoder_id)
    made: Any = None if kept is None else kept.settings.get(MADE)
    return None if made is None else str(made["of"]["base"])


def require_tunable(workspace: Workspace, name: str | None) -> KeptEncoder | None:
    """The encoder in use where it was pulled, ``None`` for a built-in one.

    Raises ``KeywrightError`` where it cannot be fine-tuned, or ``name`` can be no encoder's.
    """
    if name is not None:
        require_name(name)
        if clip_model(name) is not None:
            raise EncoderError(f"{name} is the name of an encoder that can be pulled; take another name.")
    base = workspace.encoder_id
    if base in BUILTIN:
        return None
    kept = kept_encoder(workspace.home.encoders, base)
    if kept is None or kept.kind != CLIP:
        raise KeywrightError(
            f"The encoder {base} is fine-tuned already; go back to the one it was made from, and begin there."
        )
    return kept


def require_free(workspace: Workspace, name: str | None) -> None:
    """Raises ``EncoderError`` where an encoder has the name: none is ever replaced."""
    if name is not None and (workspace.home.encoders / name).exists():
        raise EncoderError(f"There is an encoder {name} already; take another name.")


def _free(workspace: Workspace, name: str | None) -> str:
    if name is not None:
        return name
    number, free = 1, USUAL_NAME
    while (workspace.home.encoders / free).exists():
        number += 1
        free = f"{USUAL_NAME}-{number}"
    return free


def _made_before(workspace: Workspace, name: str | None, mark: Mapping[str, object]) -> FineTuned | None:
    """What an earlier run kept that began from the same."""
    from keywright.encoders.tunable import MADE

    for one in kept_encoders(workspace.home.encoders):
        made: Any = one.settings.get(MADE)
        if made is not None and made["of"] == mark and name in (None, one.name):
            return FineTuned(str(mark["base"]), one, **made["figures"], known=True)
    return None


def _begin(work: Path, mark: Mapping[str, object]) -> None:
    """Keep what an earlier run left only where it was of the same photos, keywords, encoder and settings."""
    file = work / "of.json"
    wanted = json.dumps(mark, sort_keys=True)
    try:
        if file.read_text(encoding="utf-8") == wanted:
            return
    except OSError:
        pass  # there is none, or it cannot be read: then it is begun anew
    shutil.rmtree(work, ignore_errors=True)
    try:
        work.mkdir(parents=True)
        file.write_text(wanted, encoding="utf-8")
    except OSError as error:
        raise EncoderError(f"{work} cannot be written to ({reason(error)}).") from None


def _tune_lite(run: _Run, spec: BuiltinSpec) -> FineTuned:
    from keywright.encoders.builtin import USUAL_LENGTH
    from keywright.encoders.lite_graphs import packaged
    from keywright.encoders.tunable import distilled_head, keep_lite, tunable_lite
    from keywright.encoders.tuning import unit

    made, parts = {}, []
    for name in spec.networks:
        network, head = packaged(name).load()
        done = crossed(tunable_lite(network), run.material, run.work / name, run.settings, run.told(name))
        made[name] = (network, distilled_head(done.mean, done.before, head))
        parts.append((done, USUAL_LENGTH[name]))
    before = unit(np.concatenate([done.before / length for done, length in parts], axis=1))
    after = [
        unit(np.concatenate([done.after[turn] / length for done, length in parts], axis=1)) for turn in range(TURNS)
    ]
    report = _judged(run, spec.id, max(done.epochs for done, _ in parts), before, after)
    if not _is_worth_keeping(report):
        return report
    about = _about(run, report, "yours")
    name = _free(run.workspace, run.name)
    encoder = keep_lite(run.workspace.home.encoders, name, spec, made, run.material.pictures, about)
    return replace(report, encoder=encoder)


def _tune_clip(run: _Run, kept: KeptEncoder) -> FineTuned:
    from keywright.encoders.clip_network import ClipNetwork
    from keywright.encoders.tunable import keep_clip, tunable_clip
    from keywright.encoders.tuning import unit

    source = run.workspace.home.encoders / kept.name
    network = ClipNetwork(kept, source, folded=False)
    tunable = tunable_clip(network, np.stack(run.material.pictures[:_SHOTS]))
    done = crossed(tunable, run.material, run.work / "vision", run.settings, run.told(kept.name))
    report = _judged(run, kept.id, done.epochs, unit(done.before), [unit(one) for one in done.after])
    if not _is_worth_keeping(report):
        return report
    name = _free(run.workspace, run.name)
    about = _about(run, report, kept.licence)
    return replace(report, encoder=keep_clip(run.workspace.home.encoders, name, source, network, about))


def _judged(run: _Run, base: str, epochs: int, before: Matrix, after: Sequence[Matrix]) -> FineTuned:
    photos, keywords = run.material.labels.shape
    means, error = decide(before, after, run.material.labels, run.material.turns)
    return FineTuned(base, None, photos, keywords, epochs, means[0], means[1], error)


def _is_worth_keeping(report: FineTuned) -> bool:
    return is_better((report.mean_before, report.mean_after), report.standard_error)


def _about(run: _Run, report: FineTuned, licence: str) -> About:
    from keywright.encoders.tunable import About

    text = f"{report.base} fine-tuned on {report.photos:,} photos"
    figures = {name: getattr(report, name) for name in _FIGURES}
    return About(text, licence, {"of": run.mark, "figures": figures})
