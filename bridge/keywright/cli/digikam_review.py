"""Open With in digiKam: the review in the browser on the photos that were chosen, or a word to the user why not."""

from __future__ import annotations

import contextlib
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from keywright.errors import KeywrightError
from keywright_plugin.client import Client
from keywright_plugin.digikam_review import Selected, select
from keywright_plugin.errors import BridgeError


def open_review(photos: Sequence[Path], database: str | None) -> Selected:
    """Open the browser on these photos. Raises ``KeywrightError``."""
    from keywright.writeback.digikam_settings import database_of, settings_file

    try:
        chosen = select(
            Client.open(), [str(photo.absolute()) for photo in photos], database or database_of(settings_file())
        )
    except BridgeError as error:
        raise KeywrightError(str(error)) from error
    if not webbrowser.open(chosen.url):
        raise KeywrightError(f"No browser could be opened; open this address in one: {chosen.url}")
    return chosen


def tell(sentence: str) -> None:
    """Show a notification where a menu called, so that nobody reads what a terminal would show; Linux desktops."""
    if sys.stderr.isatty() or not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(ImportError, OSError, KeyError, ValueError, EOFError):
        from jeepney import DBusAddress, new_method_call  # type: ignore[import-untyped]
        from jeepney.io.blocking import open_dbus_connection  # type: ignore[import-untyped]

        there = DBusAddress(
            "/org/freedesktop/Notifications", "org.freedesktop.Notifications", "org.freedesktop.Notifications"
        )
        said: tuple[object, ...] = ("Keywright", 0, "", "Keywright", sentence, [], {}, 15_000)
        with contextlib.closing(open_dbus_connection("SESSION")) as bus:
            bus.send(new_method_call(there, "Notify", "susssasa{sv}i", said))
