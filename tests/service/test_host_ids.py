"""A host finds its own keywords by its own ids of them, whatever they are called by now."""

from __future__ import annotations

from pathlib import Path

from catalogs.builders import Lightroom
from keywright.catalogs.base import CatalogKeyword
from keywright.keywords import KeywordPath
from keywright.operations.registering import add_catalog, catalogs, read_catalog
from keywright.store.photos import KeywordIds, sync_keywords
from keywright_plugin.values import DecisionMade, Photo, PhotoRef
from service.kit import Raw

BARE = "2023/At home/CHEL_0009.jpg"


def in_lightroom(bridge: Raw, folder: Path) -> tuple[Photo, int]:
    """A photo of a Lightroom catalog, whose keyword Animals|Dog has the id that is given with it."""
    made = Lightroom(folder / "Holiday.lrcat")
    dog = made.keyword("Dog", made.keyword("Animals", made.root))
    made.photo("IMG_1.jpg", id_global="UUID-1")
    made.done()
    workspace = bridge.bridge.workspace
    row = add_catalog(workspace, str(made.path), {})
    read_catalog(workspace, row.id, learn=False)
    photo = bridge.client.find_photos([PhotoRef(catalog=row.id, host_id="UUID-1")])[0]
    assert isinstance(photo, Photo), photo
    return photo, dog


def test_what_waits_for_lightroom_comes_with_its_ids_of_the_keywords_it_has(bridge: Raw, tmp_path: Path) -> None:
    photo, dog = in_lightroom(bridge, tmp_path)
    bridge.client.decide([DecisionMade(photo.id, k, "accepted") for k in ("animals|dog", "Animals|Dog|Poodle")])
    (waiting,) = bridge.client.pending(photo.catalog)
    assert set(waiting.add) == {"animals|dog", "Animals|Dog|Poodle"}
    assert waiting.host_ids == {"animals|dog": str(dog)}  # case aside, as Lightroom itself does; the new one has none


def test_the_keywords_of_a_photo_come_with_its_catalogs_ids(bridge: Raw, tmp_path: Path) -> None:
    photo, dog = in_lightroom(bridge, tmp_path)
    bridge.client.decide([DecisionMade(photo.id, k, "accepted") for k in ("Animals|Dog", "Holiday")])
    told = bridge.send("GET", f"/v1/photos/{photo.id}/keywords").json["keywords"]
    assert {k["keyword"]: k["host_id"] for k in told} == {"Animals|Dog": str(dog), "Holiday": None}


def test_suggestions_come_with_the_ids_of_the_catalog_the_photo_is_in(learned: Raw, library: Path) -> None:
    photo = learned.client.find_photos([PhotoRef(path=str(library / BARE))])[0]
    assert isinstance(photo, Photo)
    (before,) = learned.client.suggest([photo.id]).photos
    assert {s.host_id for s in before.suggestions} == {None}  # a folder gives its keywords no ids
    workspace = learned.bridge.bridge.workspace
    with workspace.store.write() as connection:
        cat = CatalogKeyword(KeywordPath.parse("Animals|CAT"), "4711")
        sync_keywords(connection, catalogs(workspace)[0].id, [cat], KeywordIds(connection))
    (after,) = learned.client.suggest([photo.id]).photos
    assert {s.keyword: s.host_id for s in after.suggestions}["Animals|Cat"] == "4711"


def test_similar_photos_are_named_as_their_catalog_names_them(learned: Raw, library: Path) -> None:
    photo = learned.client.find_photos([PhotoRef(path=str(library / BARE))])[0]
    assert isinstance(photo, Photo)
    near = learned.send("GET", f"/v1/photos/{photo.id}/similar?limit=1").json["photos"][0]
    assert (near["catalog"], str(library / near["host_id"])) == (photo.catalog, near["path"])
