"""What a killed apply left beside the photos is settled when the bridge starts, and by the doctor."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from click.testing import CliRunner

from keywright.cli.app import keywright
from keywright.store.journal import BatchState
from keywright.writeback import Journal, history, undo
from service.kit import running
from writeback.kit import contents, library, open_journal, targets
from writeback.test_killed import killed

IN_THE_MIDDLE = 40  # calls to the disk: four of six photos are written by then


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    library(tmp_path / "photos", 6)
    return tmp_path / "photos"


@pytest.fixture
def before(photos: Path) -> dict[str, bytes]:
    return contents(photos)


@pytest.fixture
def home(photos: Path, before: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose apply was killed in the middle."""
    assert before
    made = tmp_path / "home"
    assert killed("apply", made, photos, IN_THE_MIDDLE, "after")
    assert is_open(open_journal(made))
    assert unfinished(photos)
    monkeypatch.setenv("KEYWRIGHT_HOME", str(made))
    return made


def is_open(journal: Journal) -> bool:
    return any(batch.state is BatchState.OPEN for batch in history(journal))


def unfinished(photos: Path) -> list[str]:
    return [name for name in contents(photos) if name.startswith(".keywright-")]


def test_a_bridge_that_starts_settles_what_a_killed_apply_left_and_says_so(
    home: Path, photos: Path, before: dict[str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), running(home) as raw:
        raw.bridge.settler.wait()
        assert [one["state"] for one in raw.send("GET", "/v1/write-backs").json["batches"]] == ["interrupted"]
    assert unfinished(photos) == []
    assert "was interrupted" in caplog.text
    undo(None, open_journal(home), targets())
    assert contents(photos) == before


def test_a_bridge_that_starts_leaves_the_batch_of_a_keywright_at_work_alone(home: Path, photos: Path) -> None:
    journal = open_journal(home)
    there = contents(photos)
    with journal.alone(), running(home) as raw:  # the lock is what tells a process at work from one that was killed
        raw.bridge.settler.wait()
        assert is_open(journal)
    assert contents(photos) == there


def test_a_bridge_starts_where_nothing_can_be_settled(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    (home / "config.toml").write_text("[files]\ntimes = 'never'\n", encoding="utf-8")
    with running(home) as raw:
        raw.bridge.settler.wait()
        assert raw.send("GET", "/v1/write-backs").status == 200
    assert "files.times" in caplog.text


def doctors_finding(name: str) -> dict[str, object]:
    ran = CliRunner().invoke(keywright, ["doctor", "--json"])
    found = [check for check in json.loads(ran.stdout) if check["name"] == name]
    assert len(found) == 1
    return dict(found[0])


def test_the_doctor_settles_what_a_killed_apply_left_and_says_so(home: Path, photos: Path) -> None:
    found = doctors_finding("batches")
    assert found["well"]
    assert "was interrupted" in str(found["found"])
    assert unfinished(photos) == []
    assert not is_open(open_journal(home))
    assert doctors_finding("batches")["found"] == "none is open"


def test_the_doctor_leaves_the_batch_of_a_keywright_at_work_alone(home: Path, photos: Path) -> None:
    journal = open_journal(home)
    there = contents(photos)
    with journal.alone():
        assert "just now" in str(doctors_finding("batches")["found"])
    assert is_open(journal)
    assert contents(photos) == there
