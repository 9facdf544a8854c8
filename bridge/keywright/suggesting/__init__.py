"""Models and vectors to suggestions."""
