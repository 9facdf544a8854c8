"""What docs/search.md promises of words alone, measured on real photos that nothing was learned from."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from keywright.encoders import LEVELS, open_encoder
from keywright.encoders.names import name_likeness
from keywright.encoders.pipeline import EmbeddedPhoto, embed_files
from keywright.encoders.sentences import is_installed, open_sentences
from keywright.keywords import KeywordPath
from keywright.operations.naming import head_of
from keywright.searching.looks import by_classes

PART = 8  # every eighth training photo
AT_LEAST = 5  # photos of a keyword that is searched for
BOUND = 0.45
CHANCE = 0.05
SURE = 0.2
NOTHING = ("asdfghjkl", "Tuesday", "今日はいい天気ですね", "qwertz", "weekend", "2019")


@pytest.mark.slow
@pytest.mark.skipif(not is_installed(), reason="the extra `text` is not installed")
def test_names_alone_find_photos_far_better_than_chance_and_what_no_photo_shows_finds_none_likely(
    shared: Path, tmp_path: Path
) -> None:
    with (shared / "photos" / "keywords.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "train"][::PART]
    encoder = open_encoder(LEVELS["fast"], tmp_path)
    seen = list(embed_files([shared / "photos" / row["path"] for row in rows], encoder))
    known = [one for one in seen if isinstance(one, EmbeddedPhoto)]
    assert len(known) == len(rows)
    vectors = np.stack([one.vector for one in known])
    head = head_of(encoder, np.array([one.norm for one in known], dtype=np.float32))
    sentences = open_sentences()
    assert head is not None
    assert sentences is not None
    carried: dict[str, set[int]] = {}
    for number, row in enumerate(rows):
        for text in row["keywords"].split(";"):
            carried.setdefault(KeywordPath.parse(text).name, set()).add(number)
    names = sorted(name for name, photos in carried.items() if len(photos) >= AT_LEAST)
    cosines = name_likeness([[name] for name in (*names, *NOTHING)], head.names, sentences)
    everything = np.arange(len(rows))
    for text, cosine in zip(NOTHING, cosines[len(names) :], strict=True):
        _, scores = by_classes(vectors, everything, everything, head, cosine[None])
        assert scores.max() < SURE, text
    found, chance = [], []
    for name, cosine in zip(names, cosines, strict=False):
        right = np.isin(everything, sorted(carried[name]))
        numbers, scores = by_classes(vectors, everything, everything, head, cosine[None])
        assert numbers.tolist() == everything.tolist()
        found.append(float(average_precision_score(right, scores)))
        chance.append(right.mean())
    assert len(names) > 30
    assert np.mean(chance) < CHANCE
    assert np.mean(found) >= BOUND
