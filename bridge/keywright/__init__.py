"""Keywright: learns the keywords a photographer already uses and suggests them on the photos that lack them."""

__version__ = "0.1.0"
