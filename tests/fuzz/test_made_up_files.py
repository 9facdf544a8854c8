"""Real packets and files with bytes changed at random: a short round of what the fuzzer does for longer."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from fuzz import checks
from keywright.metadata.embedded import read_blocks


def mangled(data: bytes, rng: random.Random) -> bytes:
    """The data with a few bytes changed, cut out, doubled or put in."""
    made = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(made) + 1)
        kind = rng.randrange(4)
        if kind == 0 and at < len(made):
            made[at] = rng.randrange(256)
        elif kind == 1:
            del made[at : at + rng.randint(1, 200)]
        elif kind == 2:
            made[at:at] = made[at : at + rng.randint(1, 200)]
        else:
            made[at:at] = rng.choice(
                [b"<", b">", b"&", b'"', b"\x00", b"\xff\xe1", b"<rdf:li>", b"]]>", b"<!DOCTYPE a>"]
            )
    return bytes(made)


@pytest.mark.shared
def test_no_made_up_packet_or_file_breaks_a_reader_or_a_writer(shared: Path) -> None:
    rng = random.Random(8)
    seeds = [file.read_bytes() for file in sorted((shared / "sidecars").glob("*.xmp"))]
    for folder in ("metadata", "formats"):
        for file in sorted((shared / folder).rglob("*")):
            if file.is_file() and file.stat().st_size < 40_000:
                seeds.append(file.read_bytes())
                with file.open("rb") as stream:
                    blocks = read_blocks(stream, file.name)
                seeds += [block for block in (blocks.xmp, blocks.iptc, blocks.irb) if block]
    assert len(seeds) > 150
    for seed in seeds:
        for _ in range(4):
            checks.one(mangled(seed, rng))
