"""What is kept to answer quickly is never older than the store: whoever wrote it, and whatever was written."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from keywright.catalogs.base import CatalogKeyword
from keywright.config import Config, Profile
from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.operations.active import load_models
from keywright.operations.deciding import Decided, decide
from keywright.operations.registering import catalogs
from keywright.operations.together import Together
from keywright.operations.versions import keep
from keywright.operations.workspace import Workspace
from keywright.store.decisions import Decision
from keywright.store.photos import KeywordIds, sync_keywords
from keywright.store.thresholds import keep_threshold
from keywright_plugin.values import Photo, PhotoRef, Suggested
from service.kit import Raw

BARE = "2023/At home/CHEL_0009.jpg"
CAT = KeywordPath.of("Animals", "Cat")


def photo(bridge: Raw, library: Path) -> int:
    found = bridge.client.find_photos([PhotoRef(path=str(library / BARE))])[0]
    assert isinstance(found, Photo)
    return found.id


def told(bridge: Raw, number: int, **more: object) -> Suggested:
    return bridge.client.suggest([number], **more).photos[0]  # type: ignore[arg-type]


def keywords(found: Suggested) -> set[str]:
    return {s.keyword for s in found.suggestions}


def elsewhere(bridge: Raw) -> Workspace:
    """The same home, as another process has it."""
    return Workspace.open(Home(bridge.bridge.workspace.home.folder))


def test_what_another_process_decides_is_not_suggested_a_moment_later(learned: Raw, library: Path) -> None:
    number = photo(learned, library)
    assert str(CAT) in keywords(told(learned, number))
    with elsewhere(learned) as other:
        decide(other, [Decided(number, CAT, Decision.REJECTED)])
        assert str(CAT) not in keywords(told(learned, number))
        decide(other, [Decided(number, CAT, None)])
    assert str(CAT) in keywords(told(learned, number))


def test_a_threshold_holds_as_soon_as_it_is_set(learned: Raw, library: Path) -> None:
    number = photo(learned, library)
    assert str(CAT) in keywords(told(learned, number))
    with elsewhere(learned) as other, other.store.write() as connection:
        keep_threshold(connection, [KeywordIds(connection).id(CAT)], 1.0)
    assert str(CAT) not in keywords(told(learned, number))


def test_another_version_answers_as_soon_as_it_is_active_and_still_gives_reasons(learned: Raw, library: Path) -> None:
    number = photo(learned, library)
    first = learned.client.suggest([number]).model_version
    with elsewhere(learned) as other:
        models, _ = load_models(other)
        fewer = models.part([column for column, path in enumerate(models.paths) if path.parts[0] != "Style"])
        kept = keep(other, fewer, {}, None)
    after = learned.client.suggest([number])
    assert after.model_version == kept.active != first
    assert {s.keyword: bool(s.because) for s in after.photos[0].suggestions}[str(CAT)]


def test_a_catalogs_new_ids_of_keywords_come_with_the_next_answer(learned: Raw, library: Path) -> None:
    number = photo(learned, library)
    assert {s.host_id for s in told(learned, number).suggestions} == {None}
    for name in ("1", "2"):
        with elsewhere(learned) as other, other.store.write() as connection:
            listed = [CatalogKeyword(CAT, name)]
            sync_keywords(connection, catalogs(learned.bridge.bridge.workspace)[0].id, listed, KeywordIds(connection))
        assert {s.host_id for s in told(learned, number).suggestions if s.keyword == str(CAT)} == {name}


def test_answers_for_one_profile_are_not_given_for_another(learned: Raw, library: Path) -> None:
    number = photo(learned, library)
    learned.bridge.bridge.config = Config(profiles={"a": Profile(template="A|{keyword}"), "b": Profile()})
    assert f"A|{CAT}" in keywords(told(learned, number, profile="a"))
    assert str(CAT) in keywords(told(learned, number, profile="b"))
    assert len(told(learned, number, profile="b", min_confidence=0.0, limit=1).suggestions) == 1


def test_many_clients_at_once_get_the_answers_one_alone_gets(learned: Raw, library: Path) -> None:
    client = learned.client
    named = [PhotoRef(path=str(path)) for path in sorted(library.rglob("*.jpg"))[:24]]
    ids = [one.id for one in client.find_photos(named) if isinstance(one, Photo)]
    apart: dict[int, Suggested] = {}
    threads = [threading.Thread(target=lambda n=n: apart.update({n: told(learned, n)})) for n in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [keywords(apart[n]) for n in ids] == [keywords(one) for one in client.suggest(ids).photos]


def test_questions_of_one_kind_that_wait_are_answered_in_one_round_and_each_gets_its_own() -> None:
    rounds: list[list[int]] = []
    begun, go = threading.Event(), threading.Event()

    def answer(kind: str, questions: list[int]) -> list[str]:
        rounds.append(list(questions))
        if len(rounds) == 1:
            begun.set()
            assert go.wait(30)
        return [f"{kind}{question}" for question in questions]

    together: Together[str, int, str] = Together(answer, most=4)  # type: ignore[arg-type]
    got: dict[int, list[str]] = {}
    waiting = threading.Barrier(9)

    def ask(kind: str, number: int) -> None:
        if number:
            waiting.wait(30)
        got[number] = list(together.ask(kind, [number]))

    threads = [threading.Thread(target=ask, args=("b" if number == 8 else "a", number)) for number in range(9)]
    threads[0].start()
    assert begun.wait(30)
    for thread in threads[1:]:
        thread.start()
    waiting.wait(30)
    while len(together._waiting) < 8:
        threading.Event().wait(0.01)
    go.set()
    for thread in threads:
        thread.join(30)
    assert got == {number: [f"{'b' if number == 8 else 'a'}{number}"] for number in range(9)}
    assert rounds[0] == [0]
    assert sorted(map(len, rounds[1:])) == [1, 3, 4]  # 7 of one kind in rounds of at most 4, the other one alone


def test_an_error_reaches_everybody_who_asked_and_nobody_after() -> None:
    def answer(kind: str, questions: list[int]) -> list[int]:
        if kind == "bad":
            raise ValueError("no")
        return questions

    together: Together[str, int, int] = Together(answer, most=4)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no"):
        together.ask("bad", [1])
    assert list(together.ask("good", [2])) == [2]
