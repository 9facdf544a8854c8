"""The endpoints, one file for each group; each calls the operation that does the thing."""

from keywright.service.api import (
    bridge,
    catalogs,
    decisions,
    describers,
    encoders,
    figures,
    jobs,
    keywords,
    models,
    photos,
    questions,
    review,
    search,
    suggestions,
    thresholds,
    writebacks,
)

GROUPS = (
    bridge.GROUP,
    catalogs.GROUP,
    photos.GROUP,
    suggestions.GROUP,
    decisions.GROUP,
    keywords.GROUP,
    jobs.GROUP,
    models.GROUP,
    encoders.GROUP,
    writebacks.GROUP,
    questions.GROUP,
    thresholds.GROUP,
    figures.GROUP,
    search.GROUP,
    describers.GROUP,
    review.GROUP,
)
