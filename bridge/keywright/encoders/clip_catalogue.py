"""The open_clip encoders that ``keywright models pull`` knows, with what a person needs to choose one.

Accuracy is top-1 on ImageNet without any training, as their makers published it: higher ones also learn a
photographer's keywords from fewer photos. Operations are those of one photo, from open_clip's own profile and the
makers' papers; sizes are those of the weights to download.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClipModel:
    name: str
    repository: str  # on the Hugging Face hub
    megabytes: int
    licence: str
    accuracy: float  # percent
    billions: float  # multiply-adds for one photo, in billions
    about: str


APPLE = "Apple ML Research (research only, no commercial use)"

CLIP_MODELS = (
    ClipModel(
        "MobileCLIP2-S0",
        "timm/MobileCLIP2-S0-OpenCLIP",
        300,
        APPLE,
        71.5,
        1.3,
        "small and quick",
    ),
    ClipModel(
        "MobileCLIP2-S2",
        "timm/MobileCLIP2-S2-OpenCLIP",
        400,
        APPLE,
        77.2,
        5.3,
        "good for its size",
    ),
    ClipModel(
        "MobileCLIP2-S4",
        "timm/MobileCLIP2-S4-OpenCLIP",
        1800,
        APPLE,
        79.4,
        31.0,
        "for a graphics card",
    ),
    ClipModel(
        "ViT-B-32",
        "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
        605,
        "MIT",
        66.6,
        4.4,
        "free for every use, quick",
    ),
    ClipModel(
        "SigLIP2-B-16",
        "timm/ViT-B-16-SigLIP2",
        1500,
        "Apache-2.0",
        78.5,
        17.6,
        "free for every use, names in a hundred languages",
    ),
    ClipModel(
        "ViT-L-14",
        "laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K",
        1710,
        "MIT",
        79.2,
        81.0,
        "free for every use, for a graphics card",
    ),
)


def clip_model(name: str) -> ClipModel | None:
    """The model of a name, whatever its case."""
    return next((model for model in CLIP_MODELS if model.name.casefold() == name.casefold()), None)
