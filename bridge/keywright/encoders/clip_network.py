"""An open_clip network loaded from its folder, in evaluation mode: photos in, features out; names in, features out.

All of open_clip, torchvision and timm is imported here and nowhere else, and late: it takes seconds.
"""

from __future__ import annotations

import importlib
import pickle
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from keywright.encoders.base import EncoderError
from keywright.encoders.kept import KeptEncoder
from keywright.encoders.torchvision_import import make_torchvision_importable
from keywright.errors import reason
from keywright.renditions.base import Pixels

_TEXTS = 256  # at a time


def import_open_clip() -> Any:
    """The package open_clip. Raises ``EncoderError`` where the extra is not installed."""
    try:
        make_torchvision_importable()
        return importlib.import_module("open_clip")
    except ImportError as error:
        raise EncoderError(
            f"This encoder needs open_clip ({reason(error)}); install Keywright with its extra [clip]."
        ) from None


class Vision(nn.Module):
    """uint8 RGB pixels, shape (n, side, side, 3), to features, float32, shape (n, dimension), not normalised."""

    mean: Tensor
    std: Tensor

    def __init__(self, model: nn.Module, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("mean", torch.tensor(mean).reshape(1, 3, 1, 1) * 255, persistent=False)
        self.register_buffer("std", torch.tensor(std).reshape(1, 3, 1, 1) * 255, persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        features: Tensor = self.model.encode_image(self.planes(pixels))  # type: ignore[operator]
        return features.float()

    def planes(self, pixels: Tensor) -> Tensor:
        """What the network takes, shape (n, 3, side, side)."""
        planes: Tensor = (pixels.permute(0, 3, 1, 2).to(self.mean.dtype) - self.mean) / self.std
        return planes


class ClipNetwork:
    """A whole network and its tokenizer, on the CPU in float32 until ``moved``."""

    def __init__(self, kept: KeptEncoder, folder: Path, *, folded: bool = True) -> None:
        """``folded``: as it runs fastest, not as it is trained. Raises ``EncoderError`` where the folder does not hold
        what it says."""
        open_clip = import_open_clip()
        place = f"local-dir:{folder}"
        try:
            model: nn.Module = open_clip.create_model(place, load_weights=True, precision="fp32", device="cpu")
            self._tokenizer: Any = open_clip.get_tokenizer(place)
        except ImportError as error:
            raise EncoderError(f"{kept.name} needs a package that is missing ({reason(error)}).") from None
        except Exception as error:  # noqa: BLE001  safetensors and tokenizers derive theirs from Exception alone
            # What torch says of a file that holds more than tensors is how to run it all the same.
            unsafe = isinstance(error, pickle.UnpicklingError)
            why = f"{kept.weights} is damaged or holds more than tensors" if unsafe else reason(error)
            raise EncoderError(f"The encoder {kept.name} in {folder} cannot be loaded ({why}); pull it anew.") from None
        model = model.eval().requires_grad_(False)
        self.model = reparameterised(model) if folded else model
        settings: Any = kept.settings
        self.vision = Vision(self.model, settings["mean"], settings["std"])
        self.text_scale = float(self.model.logit_scale.detach().exp())  # type: ignore[operator]
        bias: Any = getattr(self.model, "logit_bias", None)
        self.text_bias = float(bias.detach()) if bias is not None else 0.0

    def photos(self, pixels: Pixels) -> NDArray[np.float32]:
        place = self.vision.mean.device
        with torch.inference_mode():
            found: NDArray[np.float32] = self.vision(torch.from_numpy(pixels).to(place)).cpu().numpy()
            return found

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors of texts, shape (n, dimension)."""
        place = self.vision.mean.device
        found = []
        with torch.inference_mode():
            for start in range(0, len(texts), _TEXTS):
                tokens = self._tokenizer(list(texts[start : start + _TEXTS])).to(place)
                features = self.model.encode_text(tokens).float()  # type: ignore[operator]
                found.append(nn.functional.normalize(features, dim=-1).cpu().numpy())
        vectors: NDArray[np.float32] = np.concatenate(found).astype(np.float32)
        return vectors

    def moved(self, device: str, dtype: torch.dtype) -> None:
        self.vision.to(device=device, dtype=dtype)  # the model is a part of it

    def restorer(self) -> Callable[[], None]:
        """A function that makes the network again what it is now, wherever it was moved and in however few bits.

        Nothing is copied, and nothing asked of a device that may have broken: the tensors themselves are kept.
        """
        kept = [
            (module, name, tensor, tensor.data)
            for module in self.vision.modules()
            for name, tensor in (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False))
        ]

        def restore() -> None:
            for module, name, tensor, data in kept:
                tensor.data = data
                setattr(module, name, tensor)

        return restore


def reparameterised(model: nn.Module) -> nn.Module:
    """The network with the branches it was trained with folded into one, where it is of that kind (MobileCLIP).

    The same arithmetic in far fewer steps (Vasu et al. 2023, arXiv:2303.14189).
    """
    from timm.utils.model import reparameterize_model

    folded: nn.Module = reparameterize_model(model)
    return folded


def export_vision(network: ClipNetwork, side: int, file: Path) -> None:
    """Write the part that sees photos as an ONNX graph, for any number of photos. The network must be on the CPU.

    Raises what torch raises for operators it cannot express.
    """
    pixels = torch.zeros(2, side, side, 3, dtype=torch.uint8)
    axes = {"pixels": {0: "photos"}, "features": {0: "photos"}}
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # one fused operator that ONNX has no word for
    try:
        with warnings.catch_warnings():
            # The exporter through torch.export needs one more package and writes the same graph.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network.vision,
                (pixels,),
                str(file),
                input_names=["pixels"],
                output_names=["features"],
                dynamic_axes=axes,
                opset_version=17,
                dynamo=False,
            )
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
