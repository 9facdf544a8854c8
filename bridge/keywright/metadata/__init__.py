"""Keywords in files: XMP packets, sidecars, IPTC; reading and merging."""
