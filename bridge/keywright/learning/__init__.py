"""Vectors and keywords to calibrated keyword models."""
