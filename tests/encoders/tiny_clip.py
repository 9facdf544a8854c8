"""A tiny CLIP model with random weights and its tokenizer, as open_clip keeps its own: made, not downloaded."""

from __future__ import annotations

import json
from pathlib import Path

from keywright.encoders import clip_network
from keywright.encoders.pulling import CONFIG

WORDS = ("a", "an", "the", "photo", "picture", "of", "many", "close", "up", "with", "in", "it", "dog", "beach", ".")


def make_tiny_clip(
    folder: Path, seed: int = 0, *, side: int = 32, patch: int = 8, width: int = 48, layers: int = 2
) -> Path:
    """A whole open_clip model of a few thousand weights in ``folder``, as open_clip saves its own."""
    import torch
    from safetensors.torch import save_file
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    open_clip = clip_network.import_open_clip()
    folder.mkdir(parents=True)
    vocabulary = {word: number for number, word in enumerate(("<pad>", "<unk>", *WORDS))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>").save_pretrained(folder)
    described = {
        "embed_dim": width // 2,
        "vision_cfg": {"image_size": side, "layers": layers, "width": width, "patch_size": patch, "head_width": 24},
        "text_cfg": {
            "context_length": 16,
            "vocab_size": len(vocabulary),
            "width": 24,
            "heads": 2,
            "layers": 1,
            "hf_tokenizer_name": "kept-beside",
        },
    }
    torch.manual_seed(seed)
    text = {key: value for key, value in described["text_cfg"].items() if key != "hf_tokenizer_name"}
    model = open_clip.CLIP(width // 2, described["vision_cfg"], text)
    save_file(
        {name: value.contiguous() for name, value in model.state_dict().items()}, folder / "open_clip_model.safetensors"
    )
    config = {"model_cfg": described, "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3}}
    (folder / CONFIG).write_text(json.dumps(config))
    return folder
