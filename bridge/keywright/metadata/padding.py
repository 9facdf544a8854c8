"""The white space at the end of an embedded packet, kept there so that it can change without the file growing."""

from __future__ import annotations

_END = b"<?xpacket end"
_SPACE = b" \t\r\n"
_LEAST = 16  # less white space than this is a line break, not padding
NEW = b"\n" + (b" " * 99 + b"\n") * 20  # what a new packet gets: 2 KB, as the XMP specification recommends


def _run(packet: bytes) -> tuple[int, int]:
    """Where the white space before the packet's end lies."""
    end = packet.rfind(_END)
    if end < 0:
        return 0, 0
    start = end
    while start > 0 and packet[start - 1] in _SPACE:
        start -= 1
    return start, end


def pad(packet: bytes) -> bytes:
    """A new packet with room to grow."""
    start, end = _run(packet)
    return packet[:start] + NEW + packet[end:] if end else packet


def keep_size(packet: bytes, size: int) -> tuple[bytes, int]:
    """The packet with as much padding as makes it ``size`` bytes long, and how much was taken away (below 0: added).

    A packet without padding, or with too little, stays as it is.
    """
    start, end = _run(packet)
    growth = len(packet) - size
    if end - start > max(growth, _LEAST):
        return undo(packet, -growth), growth
    return packet, 0


def undo(packet: bytes, used: int) -> bytes:
    """The packet with the padding that ``keep_size`` took away, or without what it added."""
    start, end = _run(packet)
    if 0 > used > start - end:
        return packet[:start] + packet[start - used :]
    return _give_back(packet, used)


def _give_back(packet: bytes, used: int) -> bytes:
    """The packet with more padding; its lines go on as they are, so this restores what was taken away byte for byte."""
    start, end = _run(packet)
    if used <= 0 or end == start:
        return packet
    run = packet[start:end]
    lines = run.splitlines(keepends=True)
    period = len(lines[-2]) if len(lines) > 2 else 1
    if period > len(run):
        period = 1
    head = bytearray()
    while len(head) < used:  # byte i equals byte i + period
        at = len(head)
        source = run[period - 1 - at % period] if at < period else head[at - period]
        head.append(source)
    return packet[:start] + bytes(reversed(head)) + packet[start:]


def trim(packet: bytes, most: int) -> bytes:
    """The packet without as much of its padding as makes it ``most`` bytes long, if it can be."""
    start, end = _run(packet)
    surplus = min(len(packet) - most, end - start)
    return packet[:start] + packet[start + surplus :] if surplus > 0 else packet
