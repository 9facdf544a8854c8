"""Whether the extra ``[clip]`` is installed; without imports of its own, so that it can be asked before any."""

from __future__ import annotations

import importlib.util


def clip_is_installed() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in ("open_clip", "torchvision", "transformers"))
