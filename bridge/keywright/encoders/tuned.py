"""Fine-tuned EfficientNet-Lite encoders, opened from the folder they are kept in (``tunable`` makes them)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from keywright.encoders.base import EncoderError
from keywright.encoders.builtin import BuiltinEncoder, BuiltinSpec
from keywright.encoders.kept import KeptEncoder
from keywright.encoders.lite_graphs import Precision, Source, open_network, open_with_torch
from keywright.encoders.quantized import Range, Ranges
from keywright.errors import reason
from keywright.renditions.base import Crop, View

if TYPE_CHECKING:
    from keywright.encoders.efficientnet_lite import Classifier, EfficientNetLite


def open_tuned(kept: KeptEncoder, folder: Path, cache: Path | None) -> BuiltinEncoder:
    """Without a ``cache`` through torch alone, in full precision.

    Raises ``EncoderError`` where its files are damaged.
    """
    settings: Any = kept.settings
    spec = BuiltinSpec(tuple(settings["networks"]), View(Crop(kept.crop), kept.size), Precision(settings["precision"]))
    sources = [_source(kept, folder, name) for name in spec.networks]
    if cache is None:
        return BuiltinEncoder(spec, [open_with_torch(source) for source in sources], kept.id)
    return BuiltinEncoder(spec, [open_network(source, spec.precision, cache) for source in sources], kept.id)


def _source(kept: KeptEncoder, folder: Path, name: str) -> Source:
    def load() -> tuple[EfficientNetLite, Classifier]:
        import torch

        from keywright.encoders.efficientnet_lite import VARIANTS, Classifier, EfficientNetLite

        try:
            state: dict[str, torch.Tensor] = torch.load(folder / f"{name}.pth", map_location="cpu", weights_only=True)
            network = EfficientNetLite(VARIANTS[name])
            network.load_state_dict(
                {k.removeprefix("network."): v for k, v in state.items() if k.startswith("network.")}
            )
            classifier = Classifier(state["classifier.weight"], state["classifier.bias"])
        except (OSError, RuntimeError, KeyError, ValueError, EOFError) as error:
            raise EncoderError(
                f"The encoder {kept.name} in {folder} is damaged ({reason(error)}); "
                "go back to the one before with `keywright models encoder --back`."
            ) from None
        network.eval().requires_grad_(False)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return network, classifier

    def ranges() -> Ranges:
        rows = [line.split() for line in (folder / f"{name}.ranges.txt").read_text(encoding="utf-8").splitlines()]
        return {tensor: Range(float(low), float(high)) for tensor, low, high in rows}

    return Source(name, kept.files[f"{name}.pth"][:8], load, ranges)
