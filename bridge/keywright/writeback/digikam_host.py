"""Whether digiKam runs, and how it is told that its tags changed.

digiKam keeps its tags in memory, and its next "write metadata" writes what it remembers. On Linux it listens on the
session bus (measured with 7.9, 8.6 and 9.1); its AppImage and its macOS and Windows builds have no bus.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from keywright.writeback.digikam_rows import Changed
from keywright.writeback.digikam_running import is_digikam_running

_NAME = "org.kde.digikam-"
_ADDED, _TAKEN = 1, 3  # of digiKam's TagChangeset and ImageTagChangeset
_PAUSE = 2.0  # seconds digiKam takes to read its tags anew before it can take photos with them
_AT_ONCE = 500


class HostState(StrEnum):
    CLOSED = "closed"
    LISTENING = "listening"  # it runs and can be told
    DEAF = "deaf"  # it runs and cannot be told


class Host(Protocol):
    """digiKam as a running program."""

    def state(self) -> HostState: ...

    def tell(self, uuid: str, changed: Changed) -> str:
        """Tell it what changed; a sentence for the user where that failed, else ""."""
        ...


class RealHost:
    """The digiKam of this session and this machine."""

    def __init__(self, pause: Callable[[float], None] = time.sleep) -> None:
        self._pause = pause

    def state(self) -> HostState:
        if _on_the_bus():
            return HostState.LISTENING
        return HostState.DEAF if is_digikam_running() else HostState.CLOSED

    def tell(self, uuid: str, changed: Changed) -> str:
        try:
            _send(uuid, changed, self._pause)
        except (OSError, KeyError, ValueError, ImportError, EOFError) as error:
            return (
                f"digiKam is running and could not be told of its new tags ({error});"
                " restart it before it writes metadata to files"
            )
        return ""


def _on_the_bus() -> bool:
    if "DBUS_SESSION_BUS_ADDRESS" not in os.environ and not sys.platform.startswith("linux"):
        return False
    try:
        from jeepney import DBusAddress, new_method_call  # type: ignore[import-untyped]
        from jeepney.io.blocking import open_dbus_connection  # type: ignore[import-untyped]

        with contextlib.closing(open_dbus_connection("SESSION")) as bus:
            address = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
            (names,) = bus.send_and_get_reply(new_method_call(address, "ListNames"), timeout=5).body
    except (ImportError, OSError, KeyError, ValueError, EOFError):
        return False
    return any(str(name).startswith(_NAME) for name in names)


def _send(uuid: str, changed: Changed, pause: Callable[[float], None]) -> None:
    from jeepney import DBusAddress, new_signal
    from jeepney.io.blocking import open_dbus_connection

    relay = DBusAddress("/ChangesetRelay", interface="org.kde.digikam.DatabaseChangesetRelay")
    sender = f"keywright-{os.getpid()}"  # digiKam takes no notice of signals with its own
    with contextlib.closing(open_dbus_connection("SESSION")) as bus:
        for tag in changed.new_tags:
            bus.send(new_signal(relay, "signalTagChangeDBus", "ss(ii)", (uuid, sender, (tag, _ADDED))))
        if changed.new_tags:
            pause(_PAUSE)
        for links, operation in ((changed.linked, _ADDED), (changed.unlinked, _TAKEN)):
            for tag, photos in links.items():
                for start in range(0, len(photos), _AT_ONCE):
                    body = (uuid, sender, (photos[start : start + _AT_ONCE], [tag], operation))
                    bus.send(new_signal(relay, "signalImageTagChangeDBus", "ss(axaii)", body))
        for tag in changed.gone_tags:
            bus.send(new_signal(relay, "signalTagChangeDBus", "ss(ii)", (uuid, sender, (tag, _TAKEN))))
