"""What must hold for any bytes that reach the readers and writers of metadata."""

from __future__ import annotations

import io
import time

from keywright.keywords import KeywordPath
from keywright.metadata import KeywordChange, MetadataError, iptc, irb
from keywright.metadata.base import apply_edits, invert_edits
from keywright.metadata.combine import combine
from keywright.metadata.embedded import fields_of, packet_fields, read_blocks
from keywright.metadata.merge import merge_packet, take_out
from keywright.metadata.packet import scan
from keywright.metadata.rewriting import rewrite, take_out_of

ADD = KeywordChange(add=frozenset({KeywordPath.of("Fuzz", "a/b|c"), KeywordPath.of("ünï")}))
MAX_SECONDS = 2.0
REMOVE = KeywordChange(remove=frozenset({KeywordPath.of("Travel"), KeywordPath.of("ottawa")}))


def packet(data: bytes) -> None:
    """One XMP packet through the reader and the merger."""
    fields = packet_fields(data, "fuzz.xmp").keywords
    combine((field.field, field.items) for field in fields)
    try:
        merged = merge_packet(data, ADD)
        merge_packet(data, REMOVE)
    except MetadataError:
        return
    assert merged.packet is not None
    found = scan(merged.packet)
    assert not found.damage, found.damage
    keys = {path.key for path in combine((f.field.id, f.texts()) for f in found.fields)}
    assert all(path.key in keys for path in ADD.add)
    assert merge_packet(merged.packet, ADD).packet == merged.packet
    back = take_out(merged.packet, merged.added)
    was = [(f.field.id, sorted(f.texts())) for f in scan(data).fields if f.items]
    now = [(f.field.id, sorted(f.texts())) for f in scan(back).fields if f.items] if back else []
    assert was == now or len({field for field, _ in was}) < len(was), (was, now)


def photo(data: bytes) -> None:
    """One file through its format's reader and writer."""
    for name in ("a.jpg", "a.dng", "a.nef"):
        blocks = read_blocks(io.BytesIO(data), name)
        fields_of(blocks)
    try:
        _, edits, _ = rewrite(data, "a.dng", ADD)
        after = apply_edits(data, edits)
        assert apply_edits(after, invert_edits(edits)) == data
        merged, _, _ = rewrite(data, "a.dng", ADD)
        apply_edits(after, take_out_of(after, "a.dng", merged.added))
    except MetadataError:
        return


def one(data: bytes) -> None:
    """Whatever the fuzzer makes up, within 2 seconds of processor time."""
    began = time.process_time()
    by_kind(data)
    took = time.process_time() - began
    assert took < MAX_SECONDS, f"took {took:.1f} s"


def by_kind(data: bytes) -> None:
    """What the data begin with says where they go."""
    if data[:1] in (b"<", b" ", b"\xef", b"\xfe", b"\xff") and data[:2] != b"\xff\xd8":
        packet(data)
    elif data[:1] == b"\x1c":
        block = data
        iptc.keywords(block)
        try:
            iptc.rewrite(block, ["Fuzz", "ünï"], {"travel"})
        except iptc.IptcError:
            return
    elif data[:4] == b"8BIM":
        irb.resources(data)
    else:
        photo(data)
