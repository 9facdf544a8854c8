"""Keywords go into a packet and come out of it, and nothing else moves."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright.keywords import KeywordPath
from keywright.metadata import Added, KeywordChange, MetadataError, rewrite_packet
from keywright.metadata.combine import combine
from keywright.metadata.merge import merge_packet, take_out
from keywright.metadata.packet import scan
from metadata.packets import bag, field, packet

DOG = KeywordPath.of("Animals", "Dog")
SUNSET = KeywordPath.of("Sunset")


def entries(xmp: bytes | None) -> dict[str, list[str]]:
    assert xmp is not None
    found = scan(xmp)
    assert not found.damage
    return {f.field.id: f.texts() for f in found.fields}


def keywords(xmp: bytes | None) -> set[KeywordPath]:
    return set(combine(entries(xmp).items()))


def add(*paths: KeywordPath) -> KeywordChange:
    return KeywordChange(add=frozenset(paths))


def remove(*paths: KeywordPath) -> KeywordChange:
    return KeywordChange(remove=frozenset(paths))


def test_a_new_packet_has_the_three_fields_in_their_containers() -> None:
    made = rewrite_packet(None, add(DOG, SUNSET))
    assert entries(made) == {
        "lr:hierarchicalSubject": ["Animals|Dog", "Sunset"],
        "digiKam:TagsList": ["Animals/Dog", "Sunset"],
        "dc:subject": ["Animals", "Dog", "Sunset"],
    }
    containers = re.findall(rb"<(?:dc|lr|digiKam):(\w+)>\s*<rdf:(\w+)>", made)
    assert containers == [(b"hierarchicalSubject", b"Bag"), (b"TagsList", b"Seq"), (b"subject", b"Bag")]


def test_a_keyword_goes_into_every_field_the_packet_has() -> None:
    categories = (
        '<acdsee:categories>&lt;Categories&gt;&lt;Category Assigned="1"&gt;Cat&lt;/Category&gt;&lt;/Categories&gt;'
    )
    before = packet(
        field("dc:subject", "Cat"),
        field("lightroom:hierarchicalSubject", "Cat"),
        field("digiKam:TagsList", "Cat", kind="Seq"),
        field("MicrosoftPhoto:LastKeywordXMP", "Cat"),
        field("mediapro:CatalogSets", "Cat"),
        categories + "</acdsee:categories>",
    )
    assert entries(rewrite_packet(before, add(DOG))) == {
        "dc:subject": ["Cat", "Animals", "Dog"],
        "lr:hierarchicalSubject": ["Cat", "Animals|Dog"],
        "digiKam:TagsList": ["Cat", "Animals/Dog"],
        "MicrosoftPhoto:LastKeywordXMP": ["Cat", "Animals/Dog"],
        "mediapro:CatalogSets": ["Cat", "Animals|Dog"],
        "acdsee:categories": ["Cat", "Animals|Dog"],
    }


def test_only_the_new_entries_are_new_in_the_text() -> None:
    before = packet(
        field("dc:subject", "Cat"), field("lr:hierarchicalSubject", "Cat"), field("digiKam:TagsList", "Cat")
    )
    after = rewrite_packet(before, add(SUNSET))
    assert after.replace(b"\n     <rdf:li>Sunset</rdf:li>", b"") == before


def test_a_field_that_is_made_holds_what_the_file_already_had() -> None:
    # digiKam and darktable stop at the first field they find: without this they would lose "Cat".
    after = rewrite_packet(packet(field("dc:subject", "Cat")), add(DOG))
    assert entries(after)["digiKam:TagsList"] == ["Cat", "Animals/Dog"]
    assert entries(after)["lr:hierarchicalSubject"] == ["Cat", "Animals|Dog"]


def test_a_flat_keyword_stays_one_for_programs_that_saw_it_as_one() -> None:
    after = rewrite_packet(packet(field("dc:subject", "dog", "Cat")), add(DOG))
    assert entries(after)["lr:hierarchicalSubject"] == ["dog", "Cat", "Animals|Dog"]
    assert entries(after)["dc:subject"] == ["dog", "Cat", "Animals"]


def test_keywords_outside_the_packet_are_copied_into_the_fields_that_are_made() -> None:
    merged = merge_packet(None, add(DOG), known=[KeywordPath.of("From IPTC")])
    assert keywords(merged.packet) == {DOG, KeywordPath.of("From IPTC")}
    assert merged.added_keywords == {DOG}


def test_a_keyword_that_is_there_in_another_case_is_not_added_twice() -> None:
    before = packet(
        field("dc:subject", "dog"), field("lr:hierarchicalSubject", "dog"), field("digiKam:TagsList", "dog")
    )
    merged = merge_packet(before, add(KeywordPath.of("Dog")))
    assert merged.packet == before
    assert merged.already_there == {KeywordPath.of("Dog")}
    assert not merged.added


def test_what_the_person_changed_since_stays_when_ours_is_taken_out() -> None:
    merged = merge_packet(packet(field("dc:subject", "Cat")), add(DOG))
    assert merged.packet is not None
    since = rewrite_packet(merged.packet, add(KeywordPath.of("Animals", "Horse")))
    back = take_out(since, merged.added)
    assert keywords(back) == {KeywordPath.of("Cat"), KeywordPath.of("Animals", "Horse")}
    assert "Animals" in entries(back)["dc:subject"]  # Horse still needs it


def test_a_keyword_the_person_had_already_stays_when_ours_is_taken_out() -> None:
    before = packet(field("dc:subject", "Animals", "Dog"))
    merged = merge_packet(before, add(DOG))
    assert merged.packet is not None
    assert take_out(merged.packet, merged.added) == before


def test_nothing_is_left_of_a_packet_that_was_ours() -> None:
    merged = merge_packet(None, add(DOG))
    assert merged.packet is not None
    assert take_out(merged.packet, merged.added) is None


def test_removing_a_keyword_takes_its_parents_names_unless_they_are_needed() -> None:
    names = field("dc:subject", "Animals", "Cat", "Dog", "Pets")
    apart = packet(names, field("lr:hierarchicalSubject", "Animals|Dog", "Pets|Cat"))
    assert entries(rewrite_packet(apart, remove(DOG)))["dc:subject"] == ["Cat", "Pets"]
    together = packet(names, field("lr:hierarchicalSubject", "Animals|Dog", "Animals|Cat", "Pets|Dog"))
    after = entries(rewrite_packet(together, remove(DOG)))
    assert after["dc:subject"] == ["Animals", "Cat", "Dog", "Pets"]
    assert after["lr:hierarchicalSubject"] == ["Animals|Cat", "Pets|Dog"]


def test_a_private_parent_stays_out_of_the_flat_field_and_in_the_paths() -> None:
    change = KeywordChange(
        add=frozenset({KeywordPath.of("WHO", "Friends", "Anna")}), private=frozenset({KeywordPath.of("who")})
    )
    assert entries(rewrite_packet(None, change)) == {
        "lr:hierarchicalSubject": ["WHO|Friends|Anna"],
        "digiKam:TagsList": ["WHO/Friends/Anna"],
        "dc:subject": ["Friends", "Anna"],
    }


@pytest.mark.parametrize("uri", ["http://ns.microsoft.com/photo/1.0/", "http://ns.microsoft.com/photo/1.0"])
def test_a_namespace_that_programs_spell_differently_is_known_by_each_spelling(uri: str) -> None:
    before = packet(field("MicrosoftPhoto:LastKeywordXMP", "Cat")).replace(
        b"http://ns.microsoft.com/photo/1.0/", uri.encode()
    )
    assert entries(rewrite_packet(before, add(DOG)))["MicrosoftPhoto:LastKeywordXMP"] == ["Cat", "Animals/Dog"]


def test_removing_the_last_keyword_removes_the_field_and_nothing_else() -> None:
    assert rewrite_packet(packet(field("dc:subject", "Sunset")), remove(SUNSET)) == packet()


def test_removing_what_is_not_there_changes_nothing() -> None:
    before = packet(field("dc:subject", "Sunset"))
    merged = merge_packet(before, remove(DOG))
    assert merged.packet == before
    assert merged.removed_keywords == frozenset()


@pytest.mark.parametrize(
    "before",
    [
        packet("<dc:subject/>"),
        packet("<dc:subject></dc:subject>"),
        packet("<dc:subject>\n    <rdf:Seq/>\n   </dc:subject>"),
        packet(f"<dc:subject>{bag()}</dc:subject>"),
        packet("<dc:subject>Sunset</dc:subject>"),
        packet(attributes='dc:subject="Sunset"'),
        packet("<digiKam:TagsList><rdf:Seq><rdf:li/></rdf:Seq></digiKam:TagsList>"),
        packet(attributes='acdsee:categories="" acdsee:rating="3"'),
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>',
        f'<rdf:RDF xmlns:rdf="{"http://www.w3.org/1999/02/22-rdf-syntax-ns#"}"/>'.encode(),
        packet(field("dc:subject", "Cat")).replace(b"\n", b"\r\n"),
        packet(field("dc:subject", "Cat")).replace(b"\n", b" "),
        b"\n  " + packet(field("dc:subject", "Cat")) + b"\x00\x00",
        packet(field("dc:subject", "Zürich")).decode().encode("utf-16"),
        packet(field("dc:subject", "Cat")).replace(b"rdf:", b"RDF:").replace(b":rdf=", b":RDF="),
    ],
    ids=range(15),
)
def test_odd_ways_to_hold_keywords_take_new_ones_and_come_back(before: bytes) -> None:
    had = keywords(before)
    merged = merge_packet(before, add(DOG))
    assert keywords(merged.packet) == had | {DOG}
    assert merge_packet(merged.packet, add(DOG)).packet == merged.packet
    assert merged.packet is not None
    back = take_out(merged.packet, Added.from_json(merged.added.to_json()))
    assert keywords(back) == had
    if b'dc:subject="' not in before and b"<x:xmpmeta xmlns:x" not in before[:20] and b"<rdf:RDF" not in before[:9]:
        assert back == before


def test_the_entries_of_an_item_with_qualifiers_are_its_value() -> None:
    item = '<rdf:Bag><rdf:li rdf:parseType="Resource"><rdf:value>Cat</rdf:value><crs:x>y</crs:x></rdf:li></rdf:Bag>'
    assert entries(packet(f"<dc:subject>{item}</dc:subject>")) == {"dc:subject": ["Cat"]}


def test_fields_are_known_by_namespace_not_by_prefix_and_only_at_the_top() -> None:
    strange = packet(
        f'<a:subject xmlns:a="http://purl.org/dc/elements/1.1/">{bag("Cat")}</a:subject>',
        f'<dc:subject xmlns:dc="http://example.org/">{bag("not a keyword")}</dc:subject>',
        f'<crs:x rdf:parseType="Resource"><dc:subject>{bag("nested")}</dc:subject></crs:x>',
    )
    assert keywords(strange) == {KeywordPath.of("Cat")}
    assert b"<a:subject" in rewrite_packet(strange, add(DOG))
    assert entries(rewrite_packet(strange, add(DOG)))["dc:subject"] == ["Cat", "Animals", "Dog"]


BOMB = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>' + packet("<dc:subject>&b;</dc:subject>")
EXTERNAL = b'<!DOCTYPE x SYSTEM "file:///etc/passwd">' + packet()
NESTED = packet("<crs:x>" + "<rdf:li>" * 5000 + "</rdf:li>" * 5000 + "</crs:x>")


@pytest.mark.parametrize("hostile", [BOMB, EXTERNAL, NESTED], ids=["entities", "external", "nesting"])
def test_entities_external_references_and_deep_nesting_are_refused(hostile: bytes) -> None:
    with pytest.raises(MetadataError, match="not written to"):
        rewrite_packet(hostile, add(DOG))


@pytest.mark.parametrize("damaged", [packet()[:-80], b"<a>", b"no XMP", packet(field("dc:subject", "\x02"))])
def test_a_damaged_packet_is_not_written_to(damaged: bytes) -> None:
    with pytest.raises(MetadataError, match="damaged"):
        rewrite_packet(damaged, add(DOG))


names = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), min_size=1, max_size=8).filter(
    str.strip
) | st.sampled_from(["Animals", "Dog", "dog", "AC/DC", "a|b", "Cat", "1964", "~1~DATES", "a, b", "&amp;", "<b>"])
some_paths = st.lists(names, min_size=1, max_size=3).map(lambda parts: KeywordPath(tuple(parts)))
sets = st.frozensets(some_paths, max_size=4)
FIELDS = ("dc:subject", "lr:hierarchicalSubject", "digiKam:TagsList", "MicrosoftPhoto:LastKeywordXMP")


@st.composite
def packets(draw: st.DrawFn) -> bytes:
    """A packet that some program might have left: any of the fields, holding some keywords each."""
    made = packet(*(field(name, "Cat") for name in FIELDS if draw(st.booleans())))
    return rewrite_packet(made, KeywordChange(add=draw(sets)))


def keys(xmp: bytes | None) -> set[tuple[str, ...]]:
    return {path.key for path in keywords(xmp)} if xmp else set()


@given(packets(), sets)
def test_adding_twice_is_adding_once(before: bytes, paths: frozenset[KeywordPath]) -> None:
    once = rewrite_packet(before, KeywordChange(add=paths))
    assert rewrite_packet(once, KeywordChange(add=paths)) == once
    assert {path.key for path in paths} <= keys(once)


@given(packets(), sets, sets)
def test_the_order_of_two_changes_does_not_matter(
    before: bytes, first: frozenset[KeywordPath], second: frozenset[KeywordPath]
) -> None:
    one = rewrite_packet(rewrite_packet(before, KeywordChange(add=first)), KeywordChange(add=second))
    other = rewrite_packet(rewrite_packet(before, KeywordChange(add=second)), KeywordChange(add=first))
    both = rewrite_packet(before, KeywordChange(add=first | second))
    assert keys(one) == keys(other) == keys(both)


@given(packets(), sets)
def test_what_is_added_can_be_taken_out_byte_for_byte(before: bytes, paths: frozenset[KeywordPath]) -> None:
    merged = merge_packet(before, KeywordChange(add=paths))
    assert merged.packet is not None
    assert take_out(merged.packet, Added.from_json(merged.added.to_json())) == before


@given(packets(), sets, sets)
def test_taking_out_leaves_what_was_added_since(
    before: bytes, ours: frozenset[KeywordPath], theirs: frozenset[KeywordPath]
) -> None:
    merged = merge_packet(before, KeywordChange(add=ours))
    since = rewrite_packet(merged.packet, KeywordChange(add=theirs))
    back = take_out(since, merged.added)
    wanted = {path.key for path in theirs} - {path.key for path in ours}
    assert wanted <= keys(back)


@given(packets(), sets)
def test_removed_keywords_are_gone_and_no_other(before: bytes, paths: frozenset[KeywordPath]) -> None:
    had = keywords(before)
    after = rewrite_packet(before, KeywordChange(remove=paths)) or None
    gone = {path.key for path in paths}
    left = keys(after)
    assert not gone & left
    assert {path.key for path in had} - gone - {(path.key[-1],) for path in paths} <= left | gone
