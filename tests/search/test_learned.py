"""What a person taught, and what a person decided, is found in a collection of any size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from keywright.catalogs.base import CatalogKind, CatalogPhoto
from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.learning.models import ModelSet
from keywright.learning.settings import LearnerSettings
from keywright.learning.training import train
from keywright.operations import remembering
from keywright.operations.active import load_models
from keywright.operations.deciding import Decided, decide
from keywright.operations.learning import train_known
from keywright.operations.searching import Found, search
from keywright.operations.workspace import Workspace
from keywright.searching.learned import directions, in_order
from keywright.searching.shortlist import Shortlist
from keywright.store.decisions import Decision
from keywright.store.photos import KeywordIds, PhotoRow, Stamp, list_photos, record_stamps, register_catalog
from keywright.store.syncing import sync_photos
from keywright.store.vectors import NewVector, add_vectors
from learning.synthetic import catalog

PHOTOS, CARRYING, SHOWING = 4600, 60, 300
GRANDMA, GARDEN = KeywordPath.parse("People|Oma Erna"), KeywordPath.parse("Places|Schrebergarten")


def shows(number: int) -> bool:
    """The photos of her lie all over the collection; the first of them carry the keyword."""
    return number % 12 == 7 and number < 12 * (CARRYING + SHOWING)


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Photos that no words describe, in a catalog that names no file; only some carry a keyword."""
    rng = np.random.default_rng(5)
    with Workspace.open(Home(tmp_path_factory.mktemp("many") / "home")) as workspace:
        from keywright.encoders import encoder_dimension

        dimension = encoder_dimension(workspace.encoder_id)
        scenes = np.abs(rng.normal(size=(40, dimension)))
        her = np.abs(rng.normal(size=dimension))
        entered: list[CatalogPhoto] = []
        vectors: list[NewVector] = []
        for number in range(PHOTOS):
            look = scenes[number % 40] + 0.7 * np.abs(rng.normal(size=dimension)) + (her if shows(number) else 0)
            keywords = {GRANDMA} if shows(number) and number < 12 * CARRYING else set()
            keywords |= {GARDEN} if number % 8 == 1 else set()
            entered.append(CatalogPhoto(f"{number:05}", Path(f"/away/{number:05}.jpg"), frozenset(keywords)))
            vectors.append(NewVector(f"{number:032x}", (look / np.linalg.norm(look)).astype(np.float32), 10.0))
        with workspace.store.write() as connection:
            ids = KeywordIds(connection)
            own = register_catalog(connection, CatalogKind.LIGHTROOM, "x.lrcat", "lightroom:x", learn=True)
            sync_photos(connection, own, entered, ids)
            rows = list_photos(connection)
            record_stamps(connection, [Stamp(row.id, 1, 1, f"{int(row.host_id):032x}", None) for row in rows])
            add_vectors(connection, workspace.encoder_id, vectors)
        train_known(workspace)
        yield workspace


def of_her(found: list[Found]) -> list[bool]:
    return [shows(int(one.photo.host_id)) for one in found]


@pytest.mark.parametrize("text", [True, False], ids=["with the extra text", "without the extra text"])
def test_a_learned_keyword_that_no_class_means_finds_its_photos_in_a_large_collection(
    collection: Workspace, text: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not text:
        monkeypatch.setattr(remembering, "sentences_of", lambda _: None)
    models, _ = load_models(collection)
    with collection.store.read() as connection:
        matrix = collection.matrix(connection)
    confidences = models.confidences(matrix.matrix.astype(np.float32))[:, models.columns[GRANDMA.key]]
    sure = {int(matrix.content_ids[row], 16) for row in np.flatnonzero(confidences > 0.5)}
    assert len(sure) > 0.9 * (CARRYING + SHOWING)
    found = search(collection, "Oma Erna", limit=0, min_score=0.5)
    assert len(sure & {int(one.photo.host_id) for one in found}) >= 0.99 * len(sure)
    assert np.mean(of_her(found)) > 0.9
    some = search(collection, "Oma Erna", limit=100)
    assert all(of_her(some))
    assert any("learned keyword People|Oma Erna" in one.because for one in some)


def test_a_filter_changes_no_score_of_a_learned_keyword(collection: Workspace) -> None:
    everything = {one.photo.id: one.score for one in search(collection, "Schrebergarten", limit=0)}
    part = search(collection, "Schrebergarten", limit=0, keywords=["People"])
    assert len(part) == CARRYING
    both = [one for one in part if one.photo.id in everything]
    assert [one.score for one in both] == pytest.approx([everything[one.photo.id] for one in both], abs=1e-4)


def test_what_was_accepted_and_is_not_written_yet_counts_as_a_keyword(collection: Workspace) -> None:
    photo = next(row.id for row in photos_of(collection) if not shows(int(row.host_id)))
    decide(collection, [Decided(photo, KeywordPath.parse("Events|Kirmes"), Decision.ACCEPTED)])
    assert [one.photo.id for one in search(collection, "kirmes", limit=0, min_score=0.9)] == [photo]
    assert [one.photo.id for one in search(collection, "Schrebergarten", limit=0, keywords=["Events"])] in ([photo], [])
    assert [one.photo.id for one in search(collection, like_photos=[photo + 1], limit=0, keywords=["Events"])] == [
        photo
    ]


def test_what_was_refused_is_no_keyword_and_no_learned_confidence(collection: Workspace) -> None:
    rows = [row for row in photos_of(collection) if shows(int(row.host_id))]
    carrying, showing, other = rows[0], rows[-1], rows[-2]
    before = {one.photo.id: one.score for one in search(collection, "Oma Erna", limit=0, min_score=0.5)}
    assert {carrying.id, showing.id, other.id} <= before.keys()
    decide(
        collection, [Decided(carrying.id, KeywordPath.parse("people|oma erna"), Decision.REJECTED)]
    )  # however it is spelled
    decide(collection, [Decided(showing.id, GRANDMA, Decision.REJECTED)])
    decide(collection, [Decided(other.id, KeywordPath.parse("People"), Decision.REJECTED)])  # no person: not her either
    after = {one.photo.id for one in search(collection, "Oma Erna", limit=0, min_score=0.5)}
    assert before.keys() - after == {carrying.id, showing.id, other.id}
    people = {one.photo.id for one in search(collection, like_photos=[showing.id], limit=0, keywords=["People"])}
    assert carrying.id not in people
    assert len(people) == CARRYING - 1


def test_a_photo_whose_drive_is_away_is_an_example(collection: Workspace) -> None:
    rows = photos_of(collection)
    one = next(row for row in rows if shows(int(row.host_id)))
    by_number = search(collection, like_photos=[one.id], limit=10)
    assert one.id not in {found.photo.id for found in by_number}
    assert search(collection, like=[str(one.path)], limit=10) == by_number


def photos_of(workspace: Workspace) -> list[PhotoRow]:
    with workspace.store.read() as connection:
        return list_photos(connection)


@pytest.mark.parametrize("how", [LearnerSettings(), LearnerSettings(exact_photos=50)], ids=["exact", "linear"])
def test_photos_that_models_are_sure_of_are_asked_about_first(how: LearnerSettings) -> None:
    data, subject = catalog(400, spread=0.3)
    models: ModelSet = train(data, how).models
    columns = list(range(len(models.keywords)))
    along, everything = directions(models, columns), np.arange(len(data.vectors))
    confidences = models.confidences(data.vectors.astype(np.float32))
    for column in columns:
        sure = np.flatnonzero(confidences[:, column] > 0.5)
        for shortlist in (None, Shortlist(data.vectors)):
            order = in_order(data.vectors, everything, along, [[column]], shortlist)
            assert sorted(order) == everything.tolist()
            assert np.isin(order[: len(sure) + 20], sure).sum() >= 0.95 * len(sure)
    assert len(subject) == len(everything)


def test_landmarks_that_joined_and_that_a_model_does_not_know_say_nothing_of_it() -> None:
    data, _ = catalog(400, spread=0.3)
    models: ModelSet = train(data, LearnerSettings()).models
    joined = models.moved(replace(models.features, joined=data.vectors[:3]), {})
    assert np.array_equal(directions(joined, [0, 1]), directions(models, [0, 1]))
