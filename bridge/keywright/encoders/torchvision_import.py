"""Importing torchvision where its compiled part does not load."""

from __future__ import annotations

import importlib
import sys
import types


def make_torchvision_importable() -> None:
    """Call before the first import of anything that imports torchvision. Raises ``ImportError`` where it is missing.

    Others import torchvision for its transforms, which are plain Python. Its compiled part comes built for CUDA from
    the package index and does not load beside a torch for the CPU; then the module that registers shapes for its
    operators fails ("operator torchvision::nms does not exist"). None of those operators is used here, so in that case
    alone an empty module takes its place.
    """
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        sys.modules["torchvision._meta_registrations"] = types.ModuleType("torchvision._meta_registrations")
