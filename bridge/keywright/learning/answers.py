"""What persons answered to suggestions corrects how sure the next models say they are.

Leave-one-out confidences are judged by keywords in which many are missing; a person's yes or no to a suggestion is not.
So the log-odds of every confidence are stretched and shifted as far as the answers ask for it (Platt's two numbers, for
all keywords together). A prior as strong as some fifty answers and hard bounds keep a few hasty ones from doing harm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keywright.learning.calibration import LOWEST, Correction, logistic
from keywright.learning.evaluation import calibration_error, reliability

LEAST_ANSWERS = 50
"""With fewer answers nothing is corrected."""
PRIOR = 12.0
"""How strongly stretch and shift are held where they are, as bits of evidence: an answer gives a quarter at most."""
STRETCH = (0.5, 1.5)
SHIFT = (-1.0, 1.0)  # of the log-odds
_SURE = 0.995  # log-odds are bounded: no answer outweighs all others
_KNOTS = 40

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Recalibration:
    """Log-odds become ``stretch`` times themselves plus ``shift``."""

    stretch: float
    shift: float
    answers: int
    error_before: float  # calibration error of the suggestions answered, as they were shown
    error_after: float

    def __call__(self, confidences: Doubles) -> Doubles:
        return logistic(self.stretch * _log_odds(confidences) + self.shift)

    def corrected(self, correction: Correction) -> Correction:
        """The same correction with what was answered on top; it rises as before, and its ends stay."""
        if correction.knots:
            knots, values = np.array(correction.knots[1:-1]), np.array(correction.values[1:-1])
        else:
            knots = values = np.linspace(LOWEST, 1, _KNOTS + 1)[1:-1]
        moved = np.clip(self(values), LOWEST, 1)
        moved = np.maximum.accumulate(moved)
        return Correction((LOWEST, *knots.tolist(), 1.0), (LOWEST, *moved.tolist(), 1.0))


def recalibration(confidences: Doubles, accepted: NDArray[np.bool_]) -> Recalibration | None:
    """From suggestions answered: their confidences as shown, shape (n,), and whether they were accepted, shape (n,).

    ``None`` for fewer than ``LEAST_ANSWERS``.
    """
    if len(confidences) < LEAST_ANSWERS:
        return None
    p = np.asarray(confidences, dtype=np.float64)
    y = np.asarray(accepted, dtype=np.float64)
    x = _log_odds(p)
    stretch, shift = 1.0, 0.0
    for _ in range(40):
        q = logistic(stretch * x + shift)
        r, v = q - y, q * (1 - q)
        g1 = float((r * x).sum()) + PRIOR * (stretch - 1)
        g0 = float(r.sum()) + PRIOR * shift
        h11, h10, h00 = float((v * x * x).sum()) + PRIOR, float((v * x).sum()), float(v.sum()) + PRIOR
        det = h11 * h00 - h10 * h10
        stretch -= float(np.clip((h00 * g1 - h10 * g0) / det, -0.5, 0.5))
        shift -= float(np.clip((h11 * g0 - h10 * g1) / det, -0.5, 0.5))
        stretch, shift = float(np.clip(stretch, *STRETCH)), float(np.clip(shift, *SHIFT))
    after = logistic(stretch * x + shift)
    return Recalibration(stretch, shift, len(p), _error(p, y), _error(after, y))


def _error(confidences: Doubles, accepted: Doubles) -> float:
    shown = confidences.astype(np.float32)[:, None]
    return calibration_error(reliability(shown, accepted.astype(bool)[:, None]))


def _log_odds(confidences: Doubles) -> Doubles:
    p = np.clip(confidences, 1 - _SURE, _SURE)
    return np.asarray(np.log(p / (1 - p)), dtype=np.float64)
