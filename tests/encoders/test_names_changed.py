"""Models are trained anew when what tells the meaning of keywords' names comes or goes, and the person is told why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from demo.library import make_library

from cli.kit import Keywright
from keywright.encoders.sentences import is_installed, open_sentences
from keywright.home import Home
from keywright.operations import naming
from keywright.operations.active import load_models
from keywright.operations.learning import LearnReport, learn
from keywright.operations.workspace import Workspace

pytestmark = pytest.mark.skipif(not is_installed(), reason="the extra `text` is not installed")


class OtherSentences:
    """Another sentence encoder: the same one with its numbers in another order."""

    id = "another-sentence-encoder"

    def __init__(self) -> None:
        found = open_sentences()
        assert found is not None
        self._own = found
        self.dimension = found.dimension

    def encode(self, texts: list[str]) -> np.ndarray:
        return self._own.encode(texts)[:, ::-1]


def test_installing_text_after_learning_trains_anew_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, home = tmp_path / "library", Home(tmp_path / "home")
    make_library(library)
    with monkeypatch.context() as without_text, Workspace.open(home, encoder="fast") as workspace:
        without_text.setattr(naming, "open_sentences", lambda: None)
        first = learn(workspace, [str(library)])
        assert (first.names_changed, first.trained) == (None, first.models)
        assert learn(workspace, []).nothing_new
    said = Keywright(home.folder)("learn")  # a process of its own, where the extra is installed
    assert f"{first.models} keywords trained" in said.out
    assert "The names of keywords are understood by their meaning now (all-minilm-l6-v2)" in said.err

    with Workspace.open(home) as workspace:
        again = learn(workspace, [])
        assert again.nothing_new
        assert again.names_changed is None
        assert load_models(workspace)[0].names_by == "by meaning of all-minilm-l6-v2"

        monkeypatch.setattr(naming, "open_sentences", OtherSentences)
        told(learn(workspace, []), first.models, "by their meaning now (another-sentence-encoder)")
        monkeypatch.setattr(naming, "open_sentences", lambda: None)
        told(learn(workspace, []), first.models, "letter by letter now")


def told(report: LearnReport, trained: int, sentence: str) -> None:
    assert report.trained == trained
    assert sentence in str(report.names_changed)
