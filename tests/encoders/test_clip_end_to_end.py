"""A photographer on a machine without a network brings a CLIP model in a folder, changes to it, searches, goes back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from demo.library import make_library
from PIL import Image

from cli.kit import Keywright
from encoders.clip_extra import clip_is_installed
from encoders.tiny_clip import make_tiny_clip
from keywright.encoders import LEVELS, clip_network
from keywright.encoders.base import PHOTO_TEMPLATES, TextEncoder
from keywright.encoders.kept import read_kept
from keywright.encoders.onnx_graph import load_graph
from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.metadata import SidecarProfile, plan_file_change
from keywright.operations.active import load_models
from keywright.operations.progress import CancelledError
from keywright.operations.switching import switch
from keywright.operations.workspace import Workspace
from keywright.renditions.make import make_rendition
from keywright.store.photos import list_photos
from keywright.store.vectors import count_vectors

if not clip_is_installed():
    pytest.skip("the extra [clip] is not installed", allow_module_level=True)
FAST = LEVELS["fast"]
CAT = KeywordPath.parse("Animals|Cat")


def test_a_clip_model_from_a_folder_is_learned_with_searched_by_words_and_taken_back(tmp_path: Path) -> None:
    library, home = tmp_path / "library", Home(tmp_path / "home")
    make_library(library)
    keywright = Keywright(home.folder)
    assert keywright("learn", library, "--encoder", "fast").status == 0
    before = keywright("search", "cat", "--limit", 5, "--json").json

    source = make_tiny_clip(tmp_path / "tiny")
    kept = keywright("models", "pull", "tiny", "--from", source, "--json").json
    listed = {one["info"]["level"]: one for one in keywright("models", "encoder", "--json").json}
    assert (listed["tiny"]["info"]["id"], listed["tiny"]["in_use"], listed["tiny"]["vectors"]) == (kept["id"], False, 0)
    pictures = listed["fast"]["vectors"]

    stopped_after = stop_on_the_way(home)
    listed = {one["info"]["level"]: one for one in keywright("models", "encoder", "--json").json}
    assert listed["fast"]["in_use"]
    assert 0 < listed["tiny"]["vectors"] == stopped_after < pictures
    assert keywright("search", "cat", "--limit", 5, "--json").json == before  # the old ones answer meanwhile

    changed = keywright("models", "encoder", "tiny", "--anyway", "--json").json
    assert (changed["before"], changed["after"]) == (FAST, kept["id"])
    assert (changed["embedding"]["known"], changed["embedding"]["embedded"]) == (
        stopped_after,
        pictures - stopped_after,
    )

    # A new photo is looked at with the encoder in use, and learned.
    new = library / "2024" / "new.jpg"
    new.parent.mkdir()
    with Image.open(next(library.glob("*/*/CHEL_0001.jpg"))) as opened:
        opened.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(new, quality=95)
    new.write_bytes(plan_file_change(new, frozenset({CAT}), frozenset(), SidecarProfile.PLAIN).after)
    learned = keywright("learn", "--json").json
    assert (learned["embedding"]["embedded"], learned["embedding"]["known"]) == (1, pictures)
    assert learned["trained"] >= 1
    assert "Nothing changed" in keywright("learn").out

    with Workspace.open(home) as workspace:
        assert workspace.encoder_id == kept["id"]
        with workspace.store.read() as connection:
            assert count_vectors(connection, kept["id"]) == pictures + 1
            assert count_vectors(connection, FAST) == pictures
        names_are_read_by_the_text_side(workspace)
        words_are_compared_by_the_text_side(workspace, keywright)
        the_exported_graph_gives_the_vectors_that_were_stored(workspace, tmp_path / "exported.onnx")
    assert keywright("suggest", new, "--min-confidence", 0, "--json").lines[0]["error"] is None

    back = keywright("models", "encoder", "--back", "--json").json
    assert back["encoder_id"] == FAST
    assert keywright("search", "cat", "--limit", 5, "--json").json == before
    assert keywright("learn", "--json").json["embedding"]["embedded"] == 1  # what came meanwhile, and nothing else


def stop_on_the_way(home: Home) -> int:
    """A person stops the change; gives how many pictures have both vectors then."""
    seen: list[int] = []

    def progress(stage: str, done: int, total: int | None) -> None:
        if stage == "Embedding photos" and total:
            seen.append(done)

    with Workspace.open(home) as workspace:
        with pytest.raises(CancelledError, match="goes on from here"):
            switch(workspace, "tiny", progress=progress, cancel=lambda: bool(seen and seen[-1] >= 20))
        with workspace.store.read() as connection:
            return count_vectors(connection, read_kept(home.encoders / "tiny").id)


def names_are_read_by_the_text_side(workspace: Workspace) -> None:
    """What a model keeps of its name is the mean over the templates."""
    side = workspace.encoder
    assert isinstance(side, TextEncoder)
    models = load_models(workspace)[0]
    model = models.keywords[models.columns[CAT.key]]
    assert model.name is not None
    expected = side.encode_text(["Cat"])[0]
    assert float(model.name @ expected) / float(np.linalg.norm(model.name)) > 0.999
    single = np.stack([side.encode_text(["Cat"], (template,))[0] for template in PHOTO_TEMPLATES])
    mean = single.mean(axis=0)
    assert np.allclose(expected, mean / np.linalg.norm(mean), atol=1e-5)


def words_are_compared_by_the_text_side(workspace: Workspace, keywright: Keywright) -> None:
    side = workspace.encoder
    assert isinstance(side, TextEncoder)
    text = "the dog with a beach close up in it"  # no word stands in a name or a keyword
    with workspace.store.read() as connection:
        matrix = workspace.matrix(connection)
        rows = {str(row.path): matrix.rows[row.content_id or ""] for row in list_photos(connection)}
    cosines = matrix.matrix.astype(np.float32) @ side.encode_text([text], ("{}",))[0]
    found = keywright("search", text, "--limit", 0, "--json").json
    assert len(found) == len(set(rows.values()))
    assert all(0 < one["score"] < 1 and one["because"] == ["its looks"] for one in found)
    given = [float(cosines[rows[one["path"]]]) for one in found]
    assert given == sorted(given, reverse=True)


def the_exported_graph_gives_the_vectors_that_were_stored(workspace: Workspace, file: Path) -> None:
    folder = workspace.home.encoders / "tiny"
    kept = read_kept(folder)
    clip_network.export_vision(clip_network.ClipNetwork(kept, folder), kept.size, file)
    with workspace.store.read() as connection:
        row = list_photos(connection)[0]
        matrix = workspace.matrix(connection)
        stored = matrix.matrix[matrix.rows[row.content_id or ""]].astype(np.float32)
    made = make_rendition(row.path, kept.view).pixels
    features = load_graph(file)(np.stack([made]))[0]
    assert float(features @ stored) / float(np.linalg.norm(features)) > 0.9999
