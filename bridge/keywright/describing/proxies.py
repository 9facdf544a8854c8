"""Which proxy a request goes through, as the system or the environment says; the user is told before agreeing.

An unencrypted request, and one to this machine, goes through none: a proxy would read its photo and key.
"""

from __future__ import annotations

import ipaddress
import urllib.request
from urllib.parse import urlsplit


def proxy_for(url: str) -> str | None:
    """The address of the proxy, with the password where it has one; ``None``: straight to the provider."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" or is_this_machine(host) or urllib.request.proxy_bypass(host):
        return None
    told = urllib.request.getproxies()
    proxy = told.get("https") or told.get("all")
    if not proxy:
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def shown_proxy(url: str) -> str | None:
    """Host and port of the proxy, for a sentence."""
    proxy = proxy_for(url)
    return None if proxy is None else proxy.partition("://")[2].rpartition("@")[2].partition("/")[0]


def is_this_machine(host: str) -> bool:
    address = address_of(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """``None`` where the host is a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
