"""Keywords in files: XMP packets, sidecars, IPTC; reading and merging.

``read_keywords`` gives the keywords a photo carries, ``plan_file_change`` the new bytes of the one file that a change
of keywords goes to, ``revert`` takes exactly that change out again. Nothing here writes to a disk.
"""

from __future__ import annotations

from keywright.metadata.base import (
    Added,
    Edit,
    FieldAdded,
    FieldKeywords,
    FileChange,
    FileKeywords,
    KeywordChange,
    MetadataError,
    Place,
    SidecarProfile,
)
from keywright.metadata.changing import plan_file_change, revert
from keywright.metadata.merge import rewrite_packet
from keywright.metadata.reading import read_keywords
from keywright.metadata.sidecars import choose_place

__all__ = [
    "Added",
    "Edit",
    "FieldAdded",
    "FieldKeywords",
    "FileChange",
    "FileKeywords",
    "KeywordChange",
    "MetadataError",
    "Place",
    "SidecarProfile",
    "choose_place",
    "plan_file_change",
    "read_keywords",
    "revert",
    "rewrite_packet",
]
