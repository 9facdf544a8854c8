"""From the entries of all keyword fields to the keywords they mean, without doubles."""

from __future__ import annotations

from collections.abc import Iterable

from keywright.keywords import KeywordPath, fold_name
from keywright.metadata.dialects import FLAT
from keywright.metadata.fields import BY_ID, IPTC, Kind

IPTC_BYTES = 64
_INTERNAL = fold_name("_Digikam_Internal_Tags_")


def combine(entries: Iterable[tuple[str, Iterable[str]]]) -> list[KeywordPath]:
    """The keywords that (field id, entries) pairs mean together, in the order they were first met.

    A bare name is no keyword of its own where a path of another field has it as one of its levels: Lightroom lists
    a keyword's parents in dc:subject, and Windows lists bare names beside digiKam's paths.
    """
    paths: dict[tuple[str, ...], KeywordPath] = {}
    bare: list[tuple[str, KeywordPath]] = []
    for field_id, texts in entries:
        known = BY_ID.get(field_id)
        dialect = known.dialect if known else FLAT
        kind = known.kind if known else Kind.FLAT
        for text in texts:
            path = dialect.parse(text)
            if path is None or fold_name(path.parts[0]) == _INTERNAL:
                continue
            if kind is Kind.PATHS or len(path.parts) > 1:
                paths.setdefault(path.key, path)
            else:
                bare.append((field_id, path))
    covered = {name for key in paths for name in key}
    covered |= {separator.join(key) for key in paths for separator in "|/"}
    for field_id, path in bare:
        name = path.key[0]
        if name in covered or (field_id == IPTC and _is_cut(path.name, covered)):
            continue
        covered.add(name)
        paths[path.key] = path
    return list(paths.values())


def _is_cut(name: str, whole: Iterable[str]) -> bool:
    """Whether an IPTC entry as long as IPTC allows is the beginning of a name known from elsewhere."""
    if len(name.encode("utf-8", "replace")) < IPTC_BYTES - 4:
        return False
    return any(other.startswith(fold_name(name)) for other in whole)
