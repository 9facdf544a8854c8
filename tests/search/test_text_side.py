"""With an encoder that has a text side, words are compared to photos by the network itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from encoders.tiny_clip import make_tiny_clip
from keywright.encoders.base import PHOTO_TEMPLATES, text_side
from keywright.encoders.pulling import pull_from_folder
from keywright.home import Home
from keywright.operations.embedding import embed_photos
from keywright.operations.reading import read_source
from keywright.operations.searching import search
from keywright.operations.workspace import Workspace
from keywright.store.photos import list_photos

COLOURS = ((250, 40, 40), (40, 250, 40), (40, 40, 250), (250, 250, 40), (20, 20, 20))


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("clip")
    home = Home(folder / "home")
    home.prepare()
    pull_from_folder("tiny", make_tiny_clip(folder / "tiny"), home.encoders, "MIT", "a test")
    for number, colour in enumerate(COLOURS):
        (folder / "photos").mkdir(exist_ok=True)
        Image.new("RGB", (64, 64), colour).save(folder / "photos" / f"IMG_{number}.png")
    workspace = Workspace.open(home, "tiny")
    read_source(workspace, str(folder / "photos"), learn=False)
    with workspace.store.read() as connection:
        rows = list_photos(connection)
    embed_photos(workspace, rows)
    return workspace


@pytest.mark.parametrize(
    ("text", "templates"), [("dog", PHOTO_TEMPLATES), ("a photo of a dog with a beach in it", ("{}",))]
)
def test_photos_are_in_the_order_of_the_networks_own_cosines(
    searched: Workspace, text: str, templates: tuple[str, ...]
) -> None:
    side = text_side(searched.encoder)
    assert side is not None
    with searched.store.read() as connection:
        matrix = searched.matrix(connection)
        names = {row.content_id: row.path.name for row in list_photos(connection)}
    cosines = matrix.matrix.astype(np.float32) @ side.encode_text([text], templates)[0]
    order = [names[matrix.content_ids[int(row)]] for row in np.argsort(-cosines, kind="stable")]
    found = search(searched, text, limit=0)
    assert [one.photo.path.name for one in found] == order
    assert all(0 < one.score < 1 for one in found)
    assert {one.because for one in found} == {("its looks",)}


def test_a_photo_like_another_needs_no_words(searched: Workspace, tmp_path: Path) -> None:
    Image.new("RGB", (80, 64), (245, 45, 45)).save(tmp_path / "red.png")
    best = search(searched, like=[str(tmp_path / "red.png")], limit=1)[0]
    assert best.photo.path.name == "IMG_0.png"
