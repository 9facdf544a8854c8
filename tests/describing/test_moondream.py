"""A Moondream model in a folder: a tiny one with code of its own, loaded and asked through transformers as real ones.

What a real Moondream answers is not tried here: its weights are some gigabytes.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keywright.describing.base import RefusedError
from keywright.describing.moondream import MoondreamDescriber
from keywright.describing.picture import picture_of
from keywright.describing.providers import Kind, Provider

needs_transformers = pytest.mark.skipif(
    importlib.util.find_spec("transformers") is None, reason="the extra `moondream` is not installed"
)

CODE = """
import torch
from transformers import PretrainedConfig, PreTrainedModel


class TinyConfig(PretrainedConfig):
    model_type = "tiny_moondream"


class TinyMoondream(PreTrainedModel):
    config_class = TinyConfig
    _no_split_modules = []

    def __init__(self, config):
        super().__init__(config)
        self.eye = torch.nn.Linear(3, 3, bias=False)
        self.post_init()

    def query(self, image, question):
        assert "keywords" in question
        pixels = torch.tensor(list(image.resize((8, 8)).getdata()), dtype=torch.float32)
        with torch.no_grad():
            seen = int(self.eye(pixels.mean(dim=0)).argmax())
        return {"answer": ("sunset, warm light", "meadow, grass", "sea, sky")[seen]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Config, code and weights as a published model has them."""
    import torch
    from safetensors.torch import save_file

    made = tmp_path / "tiny-moondream"
    made.mkdir()
    (made / "modeling_tiny.py").write_text(CODE, encoding="utf-8")
    config = {
        "model_type": "tiny_moondream",
        "architectures": ["TinyMoondream"],
        "auto_map": {"AutoConfig": "modeling_tiny.TinyConfig", "AutoModelForCausalLM": "modeling_tiny.TinyMoondream"},
    }
    (made / "config.json").write_text(json.dumps(config), encoding="utf-8")
    save_file({"eye.weight": torch.eye(3)}, made / "model.safetensors", metadata={"format": "pt"})
    return made


ASK = """
import sys
import numpy as np
from keywright.describing.moondream import MoondreamDescriber
from keywright.describing.picture import picture_of
from keywright.describing.providers import Kind, Provider
describer = MoondreamDescriber(Provider("moon", Kind.MOONDREAM, sys.argv[1]))
for colour in ((250, 90, 20), (30, 200, 40), (10, 60, 220)):
    found = describer.describe(picture_of(np.full((40, 60, 3), colour, dtype=np.uint8)))
    print(", ".join(candidate.name for candidate in found))
"""


@pytest.mark.slow
@needs_transformers
def test_a_model_in_a_folder_is_loaded_and_asked_without_a_network(folder: Path, tmp_path: Path) -> None:
    # A process of its own: transformers keeps where it copies a model's code to from its first import on.
    own = os.environ | {"HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1"}
    ran = subprocess.run([sys.executable, "-c", ASK, str(folder)], env=own, text=True, capture_output=True, check=False)
    assert ran.stdout.splitlines() == ["sunset, warm light", "meadow, grass", "sea, sky"], ran.stderr[-2000:]


@needs_transformers
def test_a_folder_whose_model_cannot_be_loaded_is_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (folder / "config.json").write_text('{"model_type": "no such thing"}', encoding="utf-8")
    describer = MoondreamDescriber(Provider("moon", Kind.MOONDREAM, str(folder)))
    with pytest.raises(RefusedError, match=r"moon: the model in .* cannot be loaded"):
        describer.describe(picture_of(np.zeros((8, 8, 3), dtype=np.uint8)))
    shutil.rmtree(folder)


def test_a_folder_without_a_model_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="there is no model in"):
        MoondreamDescriber(Provider("moon", Kind.MOONDREAM, str(tmp_path)))


def test_the_user_is_told_that_a_models_code_is_run(tmp_path: Path) -> None:
    told = Provider("moon", Kind.MOONDREAM, str(tmp_path)).consent()
    assert "nothing leaves it" in told
    assert "runs the Python code" in told
