"""Decisions to files and databases, journalled and undoable."""
