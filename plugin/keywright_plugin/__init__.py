"""What every front-end shares, outside the bridge and without its libraries: find or start it, and talk to it."""

from keywright_plugin.client import Client
from keywright_plugin.connection import PROTOCOL, Connection, find_bridge, read_connection
from keywright_plugin.errors import BridgeError, ProblemError, TooOldError, UnreachableError
from keywright_plugin.starting import ensure_bridge

__all__ = [
    "PROTOCOL",
    "BridgeError",
    "Client",
    "Connection",
    "ProblemError",
    "TooOldError",
    "UnreachableError",
    "ensure_bridge",
    "find_bridge",
    "read_connection",
]
