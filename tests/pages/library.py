"""Made-up photos, as many as wanted: small JPEGs that differ, in a folder that is registered but was not learned."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from keywright.catalogs import open_catalog
from keywright.home import Home
from keywright.operations.registering import add_catalog
from keywright.operations.workspace import Workspace
from keywright.store.photos import KeywordIds
from keywright.store.syncing import sync_photos


def made_up_library(folder: Path, home: Path, photos: int) -> None:
    """Write the photos and enter them, without embedding them."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = io.BytesIO()
    Image.new("RGB", (32, 24), (90, 120, 60)).save(drawn, "JPEG")
    head, rest = drawn.getvalue()[:2], drawn.getvalue()[2:]
    for number in range(photos):
        # A comment of its own makes each file another one.
        told = f"made up {number}".encode()
        comment = b"\xff\xfe" + (len(told) + 2).to_bytes(2, "big") + told
        (folder / f"photo-{number:05}.jpg").write_bytes(head + comment + rest)
    with Workspace.open(Home(home)) as workspace:
        row = add_catalog(workspace, str(folder), {})
        with open_catalog(str(folder), []) as opened, workspace.store.write() as connection:
            sync_photos(connection, row.id, opened.photos(), KeywordIds(connection))
