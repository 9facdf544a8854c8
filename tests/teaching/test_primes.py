"""Prime examples: what a person marks as showing a keyword as it is meant."""

from __future__ import annotations

import numpy as np
import pytest

from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath
from keywright.operations.active import load_models
from keywright.operations.deciding import Decided, decide, keywords_on
from keywright.operations.gathering import gather
from keywright.operations.primes import anchor, mark_prime, prime_photos
from keywright.operations.registering import NotFoundError
from keywright.operations.workspace import Workspace
from keywright.store.decisions import Decision
from keywright.store.lookups import vectors_of
from keywright.suggesting import SuggestSettings
from keywright.suggesting.suggest import Examples, suggest
from teaching.kit import CAT, DOG, SEA, bare_photo, keyworded_photo


def marked(workspace: Workspace, keyword: KeywordPath) -> list[str]:
    with workspace.store.read() as connection:
        gathered = gather(workspace, connection)
    (examples,) = (k for k in gathered.data.keywords if k.path == keyword)
    return [gathered.content_ids[row] for row in examples.primes]


def test_a_photo_marked_as_a_prime_example_is_one_for_learning_and_is_listed_until_the_mark_is_taken_off(
    workspace: Workspace,
) -> None:
    photo = keyworded_photo(CAT, 3)
    assert mark_prime(workspace, photo, KeywordPath.parse("animals|cat"), on=True)
    assert not mark_prime(workspace, photo, CAT, on=True)
    assert marked(workspace, CAT) == [f"content {photo}"]
    assert [one.keyword for one in keywords_on(workspace, photo) if one.prime] == [CAT]
    assert [row.id for row in prime_photos(workspace, CAT)] == [photo]
    assert mark_prime(workspace, photo, CAT, on=False)
    assert marked(workspace, CAT) == []


def test_only_a_photo_that_carries_the_keyword_can_be_its_prime_example(workspace: Workspace) -> None:
    photo = bare_photo(CAT)
    with pytest.raises(KeywrightError, match="does not carry"):
        mark_prime(workspace, photo, CAT, on=True)
    decide(workspace, [Decided(photo, CAT, Decision.ACCEPTED)])
    mark_prime(workspace, photo, CAT, on=True)
    assert marked(workspace, CAT) == [f"content {photo}"]
    decide(workspace, [Decided(photo, CAT, Decision.REJECTED)])
    assert marked(workspace, CAT) == []
    assert prime_photos(workspace, CAT) == []


def test_a_prime_example_is_the_first_reason_whatever_looks_more_alike(workspace: Workspace) -> None:
    models, _ = load_models(workspace)
    photo = bare_photo(CAT)
    with workspace.store.read() as connection:
        vector = vectors_of(connection, workspace.encoder_id, [f"content {photo}"])[f"content {photo}"]

    def reasons() -> list[str]:
        with workspace.store.read() as connection:
            gathered = gather(workspace, connection)
        examples = Examples.of(gathered.data.vectors, gathered.data.keywords)
        found = next(suggest(models, vector[None], [set()], SuggestSettings(min_confidence=0.01, limit=0), examples))
        (cat,) = (one for one in found if one.keyword == CAT)
        return [gathered.content_ids[reason.row] for reason in cat.because]

    last = reasons()[-1]
    mark_prime(workspace, int(last.split()[1]), CAT, on=True)
    assert reasons()[0] == last


def test_what_to_look_for_is_the_mean_of_the_prime_examples(workspace: Workspace) -> None:
    with pytest.raises(NotFoundError, match="no prime example"):
        anchor(workspace, DOG)
    for turn in (0, 1):
        mark_prime(workspace, keyworded_photo(DOG, turn), DOG, on=True)
    wanted = anchor(workspace, DOG)
    with workspace.store.read() as connection:
        matrix = workspace.matrix(connection)
    likeness = matrix.matrix.astype(np.float32) @ wanted
    nearest = int(np.argmax(likeness))
    assert matrix.content_ids[nearest] in {f"content {keyworded_photo(DOG, turn)}" for turn in (0, 1)}
    assert likeness[matrix.rows[f"content {bare_photo(DOG)}"]] > likeness[matrix.rows[f"content {bare_photo(SEA)}"]]
