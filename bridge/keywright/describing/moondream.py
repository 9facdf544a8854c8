"""A Moondream model in a folder of this machine, run through transformers (extra ``moondream``).

Moondream's folder holds Python code of its own (``trust_remote_code``): the user agreed to run it when adding the
provider. Nothing is downloaded: only what lies in the folder is loaded.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

from keywright.describing.answers import candidates_of
from keywright.describing.base import Candidate, Picture, RefusedError, UnclearError, quoted
from keywright.describing.providers import Provider

QUESTION = (
    "List up to 15 keywords for this photo: subjects, place, activity, mood. "
    "Answer with the words alone, separated by commas."
)


class MoondreamDescriber:
    """``query`` of the model's own code answers one question about one picture."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        folder = Path(provider.url)
        if not folder.is_absolute():
            raise RefusedError(f"{provider.name}: {folder} lies nowhere in particular; add the provider again")
        if not (folder / "config.json").is_file():
            raise RefusedError(
                f"{provider.name}: there is no model in {folder}; download one there, such as vikhyatk/moondream2, "
                "and add the provider again"
            )
        self._folder = folder
        self._model: Any = None
        stamp = max(file.stat().st_mtime_ns for file in folder.iterdir() if file.is_file())
        self.id = f"moondream/{folder.name}/{stamp}/{provider.longest_side}"

    def describe(self, picture: Picture) -> tuple[Candidate, ...]:
        from PIL import Image

        if self._model is None:
            self._model = self._load()
        with Image.open(io.BytesIO(picture.jpeg)) as opened:
            shown = opened.convert("RGB")
        try:
            told = self._model.query(shown, QUESTION)
        except Exception as error:
            # The code that comes with a model can raise anything; suggestions go on without it.
            raise UnclearError(f"{self._provider.name} failed ({type(error).__name__}: {quoted(error)})") from error
        answer = told.get("answer") if isinstance(told, dict) else told
        if not isinstance(answer, str):
            raise UnclearError(f"{self._provider.name} answered without words")
        return candidates_of(answer)

    def _load(self) -> Any:
        from keywright.encoders.torchvision_import import make_torchvision_importable

        # transformers imports torchvision where it is installed; where it is not, it does without.
        with contextlib.suppress(ImportError):
            make_torchvision_importable()
        try:
            from transformers import AutoModelForCausalLM
        except ImportError as error:
            raise RefusedError(
                f"{self._provider.name} needs transformers; install it with: pip install 'keywright[moondream]'"
            ) from error
        try:
            model = AutoModelForCausalLM.from_pretrained(
                str(self._folder), trust_remote_code=True, local_files_only=True
            )
        except Exception as error:
            # Whatever the model's own code, transformers or torch say of a folder that holds no usable model.
            raise RefusedError(
                f"{self._provider.name}: the model in {self._folder} cannot be loaded "
                f"({type(error).__name__}: {quoted(error)})"
            ) from error
        if not hasattr(model, "query"):
            raise RefusedError(
                f"{self._provider.name}: the model in {self._folder} is no Moondream; it answers no questions"
            )
        model.train(False)
        return model
