"""What a user can set about learning, with the defaults and what each does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LearnerSettings:
    min_photos: int = 5  # a keyword on fewer photos has a model but is not suggested
    precision: float = 0.8  # of the suggestions at a keyword's own threshold
    prime_weight: float = 4.0  # a prime example counts as that many photos
    set_aside_poison: bool = True  # positives that the rest of their keyword disowns are left out of training
    choose_again: float = 0.25  # the penalty and its like are chosen anew when the photos grew by this share
    decisions_before_learning: int = 1  # a review's decisions are learned in groups of this size; 0: only on demand
    exact_photos: int = 4096  # up to so many photos the kernel is exact, beyond it goes through landmarks
    landmarks: int = 1024  # how many photos stand for all where the kernel is not exact
