"""Pixels (and text) to unit vectors."""
