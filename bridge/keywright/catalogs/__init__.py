"""Read-only access to the photographer's catalogs: Lightroom, digiKam and folders of photos with XMP."""
