"""XMP packets for tests."""

from __future__ import annotations

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "lightroom": "http://ns.adobe.com/lightroom/1.0/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "MicrosoftPhoto": "http://ns.microsoft.com/photo/1.0/",
    "mediapro": "http://ns.iview-multimedia.com/mediapro/1.0/",
    "acdsee": "http://ns.acdsee.com/iptc/1.0/",
    "crs": "http://ns.adobe.com/camera-raw-settings/1.0/",
}


def bag(*items: str, kind: str = "Bag") -> str:
    return f"<rdf:{kind}>" + "".join(f"\n     <rdf:li>{item}</rdf:li>" for item in items) + f"\n    </rdf:{kind}>"


def packet(*properties: str, attributes: str = 'crs:Exposure="+0.35"') -> bytes:
    """A packet in Lightroom's style with these properties (such as ``<dc:subject>…</dc:subject>``)."""
    declared = "".join(f'\n    xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    inside = "".join(f"\n   {text}" for text in properties)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0">\n'
        f' <rdf:RDF xmlns:rdf="{RDF}">\n'
        f'  <rdf:Description rdf:about=""{declared}\n   {attributes}>{inside}\n  </rdf:Description>\n'
        ' </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end="w"?>'
    ).encode()


def field(name: str, *items: str, kind: str = "Bag") -> str:
    return f"<{name}>\n    {bag(*items, kind=kind)}\n   </{name}>"
