"""Search by words with the built-in encoder, without any training: mean average precision over keywords' names.

``python benchmarks/text_search.py PHOTOS KEYWORDS.csv CACHE`` searches each part of the split for every keyword's name
and prints one line a part; everything was chosen on the training part. ``--size N`` also times a search over N photos.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from learning_data import Photos, load
from sklearn.metrics import average_precision_score

from keywright.encoders.kept_sentences import KeptSentences
from keywright.encoders.names import name_likeness
from keywright.encoders.sentences import open_sentences
from keywright.searching.looks import by_classes, class_weights


def mean_ap(photos: Photos, columns: np.ndarray, sentences: KeptSentences) -> tuple[float, list[float]]:
    assert photos.head is not None
    everything = np.arange(len(photos.vectors))
    found = []
    for column in columns:
        cosines = name_likeness([[photos.paths[column].name]], photos.head.names, sentences)
        rows, scores = by_classes(photos.vectors, everything, photos.head, class_weights(cosines))
        full = np.zeros(len(photos.vectors))
        full[rows] = scores
        found.append(float(average_precision_score(photos.carried[:, column], full)))
    return float(np.mean(found)), found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("keywords", type=Path)
    parser.add_argument("cache", type=Path, help="a folder that vectors are kept in")
    parser.add_argument("--size", type=int, default=0, help="time a search over so many made-up vectors too")
    parser.add_argument("--each", action="store_true", help="print every keyword")
    arguments = parser.parse_args()
    training, test = load(arguments.photos, arguments.keywords, arguments.cache)
    opened = open_sentences()
    if opened is None:
        raise SystemExit("This needs the extra `text`: pip install 'keywright[text]'.")
    sentences = KeptSentences(opened, arguments.cache)
    enough = (training.carried.sum(axis=0) >= 5) & (test.carried.sum(axis=0) >= 3)
    columns = np.flatnonzero(training.assigned & enough)
    for name, part in (("training", training), ("test", test)):
        mean, each = mean_ap(part, columns, sentences)
        chance = part.carried[:, columns].mean()
        print(f"{name}: {len(part.vectors)} photos, {len(columns)} names: mAP {mean:.4f} (chance {chance:.3f})")
        if arguments.each:
            for column, value in sorted(zip(columns, each, strict=True), key=lambda pair: -pair[1]):
                print(f"  {value:.3f} {training.paths[column]}")
    if arguments.size:
        rng = np.random.default_rng(0)
        many = test.vectors[rng.integers(0, len(test.vectors), arguments.size)].astype(np.float16)
        assert test.head is not None
        started = time.perf_counter()
        cosines = name_likeness([["a dog on a beach"], ["dog"], ["beach"]], test.head.names, sentences)
        by_classes(many, np.arange(len(many)), test.head, class_weights(cosines))
        print(f"{arguments.size} photos: {time.perf_counter() - started:.2f} s for one search of three phrases")


if __name__ == "__main__":
    main()
