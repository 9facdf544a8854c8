"""Encoders and runtimes side by side on one folder: each run in a process of its own, so that its memory is its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from keywright.encoders import available_encoders, open_encoder
from keywright.encoders.base import Encoder, EncoderError
from keywright.encoders.bench import EmbedSpeed, measure
from keywright.errors import KeywrightError

ONNX, TORCH = "ONNX Runtime", "torch"
RUNTIMES = (ONNX, TORCH)


def open_through(encoder_id: str, runtime: str, cache: Path, folder: Path | None) -> Encoder:
    """An encoder through one runtime. Raises ``EncoderError`` where it does not run there."""
    from keywright.encoders.builtin import BUILTIN, BuiltinEncoder
    from keywright.encoders.kept import CLIP, kept_encoders

    if encoder_id in BUILTIN:
        if runtime == TORCH:
            return BuiltinEncoder.open_with_torch(BUILTIN[encoder_id])
        return open_encoder(encoder_id, cache, folder)
    kept = next(one for one in kept_encoders(folder) if one.id == encoder_id)
    if kept.kind == CLIP:
        from keywright.encoders.clip import ClipEncoder

        assert folder is not None
        return ClipEncoder(kept, folder / kept.name, cache, runtime)
    if runtime == TORCH:
        raise EncoderError(f"{kept.name} runs through ONNX Runtime alone.")
    return open_encoder(encoder_id, cache, folder)


def present(folder: Path | None) -> list[str]:
    """The levels, and what was pulled or fine-tuned, as far as it is installed."""
    return [info.id for info in available_encoders(folder) if info.installed and info.level is not None]


def compared(
    paths: Sequence[Path],
    encoder_ids: Sequence[str],
    folder: Path | None,
    progress: Callable[[int, int], None],
) -> list[EmbedSpeed]:
    """Each encoder through each runtime it runs on. Raises ``KeywrightError`` where no photo gives a picture."""
    found = []
    runs = [(encoder_id, runtime) for encoder_id in encoder_ids for runtime in RUNTIMES]
    progress(0, len(runs))
    for number, (encoder_id, runtime) in enumerate(runs):
        told = _in_a_process({"encoder": encoder_id, "runtime": runtime, "folder": str(folder or "")}, paths)
        if isinstance(told, EmbedSpeed):
            found.append(told)
        progress(number + 1, len(runs))
    if not found:
        raise KeywrightError("None of the encoders could be measured: name a folder with photos.")
    return found


def _in_a_process(request: dict[str, str], paths: Sequence[Path]) -> EmbedSpeed | str:
    text = json.dumps(request | {"paths": [os.fspath(path) for path in paths]})
    done = subprocess.run(
        [sys.executable, "-m", "keywright.encoders.comparing"], input=text, capture_output=True, text=True, check=False
    )
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        return done.stderr.strip()
    return EmbedSpeed(**json.loads(lines[-1]))


def main() -> None:
    """One run, told on standard input, its figures on standard output."""
    asked = json.load(sys.stdin)
    folder = Path(asked["folder"]) if asked["folder"] else None
    with tempfile.TemporaryDirectory() as made:
        cache = Path(made)
        # Making a graph takes memory that using it does not: it is made in a process of its own.
        if not asked.get("ready") and asked["runtime"] == ONNX:
            request = asked | {"ready": True, "cache": made, "paths": asked["paths"][:1]}
            command = [sys.executable, "-m", "keywright.encoders.comparing"]
            subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, check=False)
        elif asked.get("cache"):
            cache = Path(asked["cache"])
        try:
            encoder = open_through(asked["encoder"], asked["runtime"], cache, folder)
            speed = measure([Path(path) for path in asked["paths"]], encoder)
        except KeywrightError as error:
            print(error, file=sys.stderr)
            sys.exit(1)
        print(json.dumps(asdict(speed)))


if __name__ == "__main__":
    main()
