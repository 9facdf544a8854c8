"""Models and vectors to suggestions."""

from keywright.suggesting.base import Reason, Suggestion, SuggestSettings

__all__ = ["Reason", "SuggestSettings", "Suggestion"]
