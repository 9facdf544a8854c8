"""Numbers for the wire: JSON has no nan and no infinity, and a share lies between 0 and 1."""

from __future__ import annotations

import math


def share(value: float) -> float:
    """A confidence or score as it is told: between 0 and 1, with four decimals."""
    return round(min(max(value, 0.0), 1.0), 4)


def finite(value: float | None) -> float | None:
    """A figure with four decimals; ``None`` for what nobody can tell."""
    return round(float(value), 4) if value is not None and math.isfinite(value) else None
