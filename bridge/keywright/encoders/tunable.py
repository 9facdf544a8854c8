"""Networks cut in two for fine-tuning, the end that learns and what comes before it, and keeping what was learned."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from keywright.encoders.base import EncoderError
from keywright.encoders.builtin import FEATURES, BuiltinSpec
from keywright.encoders.clip_network import ClipNetwork
from keywright.encoders.cutting import cut
from keywright.encoders.efficientnet_lite import Classifier, EfficientNetLite
from keywright.encoders.kept import MANIFEST, TUNED, KeptEncoder, sha256, write_kept
from keywright.encoders.lite_graphs import Precision
from keywright.encoders.pulling import keep_pulled
from keywright.encoders.ranges import measured_ranges
from keywright.encoders.tuning import save, short_numbers
from keywright.errors import reason
from keywright.renditions.base import Pixels

MADE = "fine_tuned"
"""In an encoder's settings: of what it was made, and with which figures."""
_AT_ONCE = 8
"""Photos that go through a network's first layers at once: of 80, each took five times as long (two cores)."""
_MOST = float(np.finfo(np.float16).max)
_RANGED = 64  # photos that the ranges of an eight-bit form are measured on


@dataclass(frozen=True, slots=True)
class Tunable:
    """A network cut in two: ``front`` never changes, ``blocks`` learn in ``trainable``."""

    front: Callable[[Pixels], NDArray[Any]]  # (n, height, width, 3) to what ``blocks`` take
    blocks: nn.Module
    trainable: Sequence[nn.Parameter]


class _LiteEnd(nn.Module):
    """The later half of an EfficientNet-Lite's blocks, and the head after them."""

    def __init__(self, network: EfficientNetLite) -> None:
        super().__init__()
        self.blocks = network.blocks[len(network.blocks) // 2 :]
        self.head = network.head

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        pooled: Tensor = nn.functional.relu6(self.head(x)).mean((2, 3))
        return pooled


def tunable_lite(network: EfficientNetLite) -> Tunable:
    """The later half of an EfficientNet-Lite and its head; training them changes ``network``."""
    from keywright.encoders.efficientnet_lite import PIXEL_MEAN, PIXEL_SCALE

    device = _device()
    network.to(device)
    end = _LiteEnd(network)
    start = network.blocks[: len(network.blocks) // 2]

    def few(pixels: Pixels) -> NDArray[np.float16]:
        x = (torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float() - PIXEL_MEAN) / PIXEL_SCALE
        x = nn.functional.relu6(network.stem(x.contiguous(memory_format=torch.channels_last)))
        for block in start:
            x = block(x)
        found: NDArray[np.float16] = x.half().cpu().numpy()
        return found

    return Tunable(_by_few(few, device), end, list(end.parameters()))


def _by_few(few: Callable[[Pixels], NDArray[np.float16]], device: str) -> Callable[[Pixels], NDArray[np.float16]]:
    """``few`` for any number of photos, in short numbers where the device has them."""

    def front(pixels: Pixels) -> NDArray[np.float16]:
        with torch.inference_mode(), short_numbers(torch.device(device)):
            return np.concatenate([few(pixels[at : at + _AT_ONCE]) for at in range(0, len(pixels), _AT_ONCE)])

    return front


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def tunable_clip(network: ClipNetwork, pictures: Pixels) -> Tunable:
    """The last blocks of the part of a CLIP network that sees, and what follows them; ``pictures``: a few photos.

    Where the network cannot be cut there (``cutting``), pixels go through all of it. Raises ``EncoderError`` where
    it has no blocks.
    """
    device = _device()
    network.moved(device, torch.float32)
    halves = cut(network.vision, torch.from_numpy(pictures).to(device))
    start = halves.start
    if start is None:
        return Tunable(lambda pixels: pixels, halves.end, halves.trainable)

    def few(pixels: Pixels) -> NDArray[np.float16]:
        found: NDArray[np.float16] = (
            start(torch.from_numpy(pixels).to(device)).clamp(-_MOST, _MOST).half().cpu().numpy()
        )
        return found

    return Tunable(_by_few(few, device), halves.end, halves.trainable)


@dataclass(frozen=True, slots=True)
class About:
    """What is said of an encoder that was fine-tuned; ``made``: of what, and with which figures."""

    text: str
    licence: str
    made: Mapping[str, object]


def keep_lite(
    encoders: Path,
    name: str,
    spec: BuiltinSpec,
    networks: Mapping[str, tuple[EfficientNetLite, Classifier]],
    pictures: Sequence[Pixels],
    about: About,
) -> KeptEncoder:
    """Keep fine-tuned networks as an encoder; ``pictures`` are some photos as it is shown them.

    Raises ``EncoderError`` where the name is taken or it cannot be written.
    """
    with _fresh(encoders, name) as folder:
        for network_name, (network, classifier) in networks.items():
            network.to("cpu")
            state = {f"network.{key}": value.clone() for key, value in network.state_dict().items()}
            state |= {"classifier.weight": classifier.weight, "classifier.bias": classifier.bias}
            save(state, folder / f"{network_name}.pth")
            if spec.precision is Precision.INT8:
                found = measured_ranges(network, pictures[:_RANGED])
                lines = [f"{tensor} {one.low:.4f} {one.high:.4f}" for tensor, one in found.items()]
                (folder / f"{network_name}.ranges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        files = {file.name: sha256(file) for file in sorted(folder.iterdir())}
        digest = "".join(files[f"{network_name}.pth"][:4] for network_name in networks)
        kept = KeptEncoder(
            kind=TUNED,
            name=name,
            id=f"tuned/{name}-{digest}/{spec.view.name}/{spec.precision}",
            dimension=spec.dimension,
            crop=spec.view.crop.value,
            size=spec.view.size,
            about=about.text,
            licence=about.licence,
            weights=f"{spec.networks[0]}.pth",
            files=files,
            settings={"networks": list(spec.networks), "precision": spec.precision.value, MADE: dict(about.made)},
        )
        write_kept(folder, kept)
    return kept


def keep_clip(encoders: Path, name: str, source: Path, network: ClipNetwork, about: About) -> KeptEncoder:
    """Keep a fine-tuned CLIP network, with the configuration and tokenizer of the one in ``source``.

    Raises ``EncoderError`` where the name is taken or it cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    with _fresh(encoders, name) as folder:
        for file in source.iterdir():
            if file.suffix in (".json", ".txt", ".model") and file.name != MANIFEST:
                shutil.copyfile(file, folder / file.name)
        network.moved("cpu", torch.float32)
        tensors = {key: value.clone().contiguous() for key, value in network.model.state_dict().items()}
        try:
            save_file(tensors, folder / "open_clip_model.safetensors")
        except SafetensorError as error:
            raise OSError(reason(error)) from None
        kept = keep_pulled(name, folder, about.licence, about.text)
        kept = replace(kept, settings={**kept.settings, MADE: dict(about.made)})
        write_kept(folder, kept)
    return kept


def distilled_head(features: NDArray[np.float32], before: NDArray[np.float32], head: Classifier) -> Classifier:
    """The classifier for tuned features: what ``head`` said of the features ``before``, with as little change as does.

    Both (n, features). Ridge regression of the difference in logits: far from the photos it stays what it was.
    """
    weight = head.weight.numpy().astype(np.float64)
    wanted = (before.astype(np.float64) - features) @ weight.T
    x = features.astype(np.float64)
    gram = x.T @ x
    gram[np.diag_indices_from(gram)] += 0.1 * np.trace(gram) / FEATURES
    change = np.linalg.solve(gram, x.T @ wanted)
    return Classifier(torch.from_numpy((weight + change.T).astype(np.float32)), head.bias)


@contextmanager
def _fresh(encoders: Path, name: str) -> Iterator[Path]:
    """A folder to write into, which gets its name once all is there: no encoder is ever replaced or half written."""
    draft, folder = encoders / f".{name}.tuning", encoders / name
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700, parents=True)
        yield draft
        if folder.exists():
            raise EncoderError(f"There is an encoder {name} in {encoders} already; take another name.")
        draft.rename(folder)
    except OSError as error:
        raise EncoderError(
            f"The encoder {name} cannot be kept in {encoders} ({reason(error)}); is there room on the disk? "
            "The next run goes on from there."
        ) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
