"""What SQLite says of a database is told as one sentence with the file and what to do."""

from __future__ import annotations

import pytest

from keywright.writeback.digikam_databases import sqlite_sentence


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("database is locked", "is locked by another program; wait until digiKam is idle"),
        ("attempt to write a readonly database", "may not be written; give yourself write access"),
        ("unable to open database file", "may not be written; give yourself write access"),
        ("database or disk is full", "make room and apply again"),
        ("database disk image is malformed", "let digiKam check it, or restore it from a backup"),
    ],
)
def test_each_trouble_has_its_sentence(said: str, told: str) -> None:
    sentence = sqlite_sentence("/p/digikam4.db", said)
    assert told in sentence
    assert "/p/digikam4.db" in sentence
