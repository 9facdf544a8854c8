"""Read-only readers of what a photographer's own program keeps: Lightroom, digiKam, folders of photos with XMP."""

from keywright.catalogs.base import (
    Catalog,
    CatalogError,
    CatalogKeyword,
    CatalogKind,
    CatalogPhoto,
    CatalogReport,
    RootMapping,
)
from keywright.catalogs.opening import open_catalog

__all__ = [
    "Catalog",
    "CatalogError",
    "CatalogKeyword",
    "CatalogKind",
    "CatalogPhoto",
    "CatalogReport",
    "RootMapping",
    "open_catalog",
]
