"""What the models would have said of their own training photos, had each not been among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from keywright.learning.base import Floats, Rows
from keywright.learning.calibration import Correction
from keywright.learning.cases import bounded
from keywright.learning.hierarchy import Tree


@dataclass(frozen=True, eq=False, slots=True)
class Honest:
    """Leave-one-out confidences of all training photos, made block by block: for large catalogs too many to hold.

    Columns are those of the model set trained together with this.
    """

    photos: int
    keywords: int
    row_numbers: Rows  # (photos,): of each photo here, its row in the training data handed in
    make_blocks: Callable[[], Iterator[tuple[slice, Floats]]]  # rows, and their raw scores times slope plus offset
    tree: Tree
    correction: Correction
    bounds: Floats  # (keywords,): what ``cases.bounded`` bounds the confidences by

    def blocks(self) -> Iterator[tuple[slice, Floats]]:
        """Rows and their confidences, shape (rows, k), in row order."""
        for rows, logits in self.make_blocks():
            logits *= np.float32(0.5)
            np.tanh(logits, out=logits)
            logits *= np.float32(0.5)
            logits += np.float32(0.5)
            yield rows, self.tree.settle(bounded(self.correction.apply(logits), self.bounds))

    def confidences(self) -> Floats:
        """All of them, shape (photos, k): four bytes each."""
        out = np.empty((self.photos, self.keywords), dtype=np.float32)
        for rows, block in self.blocks():
            out[rows] = block
        return out
