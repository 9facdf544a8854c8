"""One photo of digiKam's Batch Queue Manager: its two file names as they reach a script, and its keywords.

digiKam puts the names into the script's text where it says $INPUT and $OUTPUT, between double quotes and otherwise as
they are. A shell would read quotes, dollars and backticks in them as its own; so the script hands them over in a here
document that no shell looks into, with a line between them that nobody can guess and so no name can hold.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from keywright_plugin.client import Client
from keywright_plugin.errors import BridgeError
from keywright_plugin.values import PhotoRef

_EVERY = 0.1  # seconds between two looks at a job


def split_names(text: str, between: str) -> tuple[str, str]:
    """The input's and the output's name in the text that digiKam made. Raises ``ValueError`` where it is another."""
    first, found, second = text.partition(f'"\n{between}\n"')
    if not found or not first.startswith('"') or not second.endswith('"\n'):
        raise ValueError("digiKam has not put the names of two files where the script asks for them")
    given, output = first[1:], second[:-2]
    # The output's name was put in last, and so also where the input's own name says $OUTPUT.
    return given.replace(f'"{output}"', "$OUTPUT"), output


def keywords_for(
    client: Client,
    photo: str,
    least: float,
    until: float,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> list[str] | None:
    """The keywords a person accepted for a photo, and those that are suggested with at least this confidence.

    ``None`` where the bridge does not know the photo. Raises ``BridgeError`` where it can suggest nothing for it, or
    not before ``clock`` says ``until``.
    """
    (found,) = client.find_photos([PhotoRef(path=photo)])
    if isinstance(found, str):
        return None
    accepted = [one.keyword for one in client.photo_keywords(found.id) if one.state == "accepted"]
    told = client.suggest([found.id], min_confidence=least, limit=0)
    if told.job is not None:
        while not client.job(told.job).ended:
            if clock() > until:
                raise BridgeError(f"Keywright is too busy to look at {photo} in time; run the queue again.")
            pause(_EVERY)
        told = client.suggest([found.id], min_confidence=least, limit=0)
    (one,) = told.photos
    if one.state != "ready":
        raise BridgeError(one.error or f"{photo} could not be looked at; run the queue again.")
    return list(dict.fromkeys([*accepted, *(s.keyword for s in one.suggestions)]))
