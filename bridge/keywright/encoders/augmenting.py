"""Photos as they might have been taken: a part of them, mirrored, in other light. What a network is tuned on.

A network that sees the same pixels in each epoch learns those photos by heart; one that sees parts of them learns what
they show (crops as in Szegedy et al. 2015, arXiv:1409.4842).
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from keywright.renditions.base import Pixels

LEAST_AREA = 0.4  # of the photo that a part shows
_STRETCH = 0.2  # of a part's shape, as a power of e
_LIGHT = 0.3  # most change in brightness, contrast and colourfulness


def varied(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """One variation of each photo. ``pixels``: uint8, (n, height, width, 3); what comes back has the same shape."""
    n, height, width, _ = pixels.shape
    draw = torch.from_numpy(generator.random((8, n)).astype(np.float32))
    side = (LEAST_AREA + (1 - LEAST_AREA) * draw[0]).sqrt()
    stretch = torch.exp((2 * draw[1] - 1) * _STRETCH)
    across, down = (side * stretch).clamp(max=1), (side / stretch).clamp(max=1)
    where = torch.zeros(n, 2, 3)
    where[:, 0, 0] = torch.where(draw[2] < 0.5, across, -across)
    where[:, 1, 1] = down
    where[:, 0, 2] = (2 * draw[3] - 1) * (1 - across)
    where[:, 1, 2] = (2 * draw[4] - 1) * (1 - down)
    whole = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float()
    grid = functional.affine_grid(where, [n, 3, height, width], align_corners=False)
    parts = functional.grid_sample(whole, grid, padding_mode="reflection", align_corners=False)
    bright, contrast, colour = (1 + _LIGHT * (2 * one.view(n, 1, 1, 1) - 1) for one in draw[5:])
    parts = parts * bright
    mean = parts.mean((1, 2, 3), keepdim=True)
    parts = (parts - mean) * contrast + mean
    grey = parts.mean(1, keepdim=True)
    parts = (parts - grey) * colour + grey
    found: Pixels = parts.clamp(0, 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    return found
