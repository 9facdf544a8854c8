"""What a network is tuned on are parts of photos, mirrored and in other light, and still photos."""

from __future__ import annotations

import numpy as np
from skimage import data

from keywright.encoders.augmenting import LEAST_AREA, varied


def test_variations_are_photos_of_the_same_size_that_differ_from_each_other() -> None:
    photo = data.astronaut()[:192, :256]
    shown = varied(np.stack([photo] * 4), np.random.default_rng(0))
    assert shown.shape == (4, 192, 256, 3)
    assert shown.dtype == np.uint8
    assert len({one.tobytes() for one in shown}) == 4


def test_the_same_draw_makes_the_same_variation() -> None:
    photos = data.astronaut()[None, :224, :224]
    first, second = (varied(photos, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first, second)


def test_half_of_the_variations_are_mirrored_and_none_is_upside_down() -> None:
    ramp = np.zeros((64, 64, 3), np.uint8)
    ramp += np.arange(0, 128, 2, dtype=np.uint8)[None, :, None]  # brighter to the right
    ramp += np.arange(0, 64, dtype=np.uint8)[:, None, None]  # and downwards
    shown = varied(np.stack([ramp] * 200), np.random.default_rng(1)).astype(float).mean(axis=3)
    to_the_right = shown[:, :, -1].mean(axis=1) > shown[:, :, 0].mean(axis=1)
    downwards = shown[:, -1].mean(axis=1) > shown[:, 0].mean(axis=1)
    assert 70 < to_the_right.sum() < 130
    assert downwards.all()


def test_a_part_shows_enough_of_the_photo() -> None:
    ramp = np.zeros((64, 64, 3), np.uint8)
    ramp += np.arange(0, 128, 2, dtype=np.uint8)[None, :, None]
    shown = varied(np.stack([ramp] * 200), np.random.default_rng(2)).astype(float).mean(axis=3)
    # Light changes the range by 0.7 x 0.7 at least; a part's width is at least the root of its area, less the stretch.
    assert np.ptp(shown, axis=2).mean(axis=1).min() > 126 * np.sqrt(LEAST_AREA) * 0.8 * 0.49 * 0.9
