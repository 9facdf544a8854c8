"""The demonstration behind `make demo`: a small sample library, and the whole job done on it."""
