"""Encoders and runtimes side by side on one folder: each run in a process of its own, so that its memory is its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from keywright.encoders import available_encoders, open_encoder
from keywright.encoders.base import Encoder
from keywright.encoders.bench import EmbedSpeed, measure
from keywright.encoders.clip_fit import ONNX, TORCH
from keywright.encoders.kept import CLIP, kept_encoder
from keywright.errors import KeywrightError

RUNTIMES = (ONNX, TORCH)


@dataclass(frozen=True, slots=True)
class Run:
    """An encoder through a runtime: how fast it was, or why it is not known."""

    encoder_id: str
    runtime: str
    speed: EmbedSpeed | None
    error: str | None


def open_through(encoder_id: str, runtime: str, cache: Path, folder: Path | None) -> Encoder:
    """An encoder through one runtime. Raises ``EncoderError`` where it does not run there."""
    from keywright.encoders.builtin import BUILTIN, BuiltinEncoder

    if encoder_id in BUILTIN:
        if runtime == TORCH:
            return BuiltinEncoder.open_with_torch(BUILTIN[encoder_id])
        return open_encoder(encoder_id, cache, folder)
    kept = kept_encoder(folder, encoder_id)
    if kept is None or folder is None:
        return open_encoder(encoder_id, cache, folder)  # which says what there is
    if kept.kind == CLIP:
        from keywright.encoders.clip import ClipEncoder

        return ClipEncoder(kept, folder / kept.name, cache, runtime)
    from keywright.encoders.tuned import open_tuned

    return open_tuned(kept, folder / kept.name, None if runtime == TORCH else cache)


def present(folder: Path | None) -> list[str]:
    """The levels, and what was pulled or fine-tuned, as far as it is installed."""
    return [info.id for info in available_encoders(folder) if info.installed and info.level is not None]


def compared(
    paths: Sequence[Path],
    encoder_ids: Sequence[str],
    folder: Path | None,
    progress: Callable[[int, int], None],
) -> list[Run]:
    """Each encoder through each runtime. Raises ``KeywrightError``, with the reasons, where none of them runs."""
    found: list[Run] = []
    wanted = [(encoder_id, runtime) for encoder_id in encoder_ids for runtime in RUNTIMES]
    progress(0, len(wanted))
    for number, (encoder_id, runtime) in enumerate(wanted):
        told = _measured(encoder_id, runtime, folder, paths)
        speed, error = (told, None) if isinstance(told, EmbedSpeed) else (None, told)
        found.append(Run(encoder_id, runtime, speed, error))
        progress(number + 1, len(wanted))
    if not any(run.speed for run in found):
        reasons = " ".join(dict.fromkeys(str(run.error) for run in found))
        raise KeywrightError(f"None of the encoders could be measured: {reasons}")
    return found


def _measured(encoder_id: str, runtime: str, folder: Path | None, paths: Sequence[Path]) -> EmbedSpeed | str:
    """How fast it is, or why it does not run.

    Making a graph, or finding how a network runs best, takes memory that using it does not: that is done first, in a
    process of its own.
    """
    with tempfile.TemporaryDirectory() as cache:
        request = {"encoder": encoder_id, "runtime": runtime, "folder": os.fspath(folder or ""), "cache": cache}
        measuring = [os.fspath(path) for path in paths]
        for photos in ([], measuring) if runtime == ONNX or encoder_id.startswith(f"{CLIP}/") else (measuring,):
            done = subprocess.run(
                [sys.executable, "-m", "keywright.encoders.comparing"],
                input=json.dumps(request | {"paths": photos}),
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                check=False,
            )
            if done.returncode != 0:
                said = [line for line in done.stderr.splitlines() if line.strip()]
                return said[-1].strip() if said else f"its process ended with {done.returncode} and without a word."
        told = next(line for line in reversed(done.stdout.splitlines()) if line.startswith(_FIGURES))
        return EmbedSpeed(**json.loads(told.removeprefix(_FIGURES)))


_FIGURES = "figures: "


def main() -> None:
    """One run, told on standard input, its figures on standard output; without photos the encoder is prepared."""
    asked = json.loads(sys.stdin.buffer.read())
    folder = Path(asked["folder"]) if asked["folder"] else None
    try:
        encoder = open_through(asked["encoder"], asked["runtime"], Path(asked["cache"]), folder)
        if asked["paths"]:
            print(_FIGURES + json.dumps(asdict(measure([Path(path) for path in asked["paths"]], encoder))))
    except KeywrightError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
