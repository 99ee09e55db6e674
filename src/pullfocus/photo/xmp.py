"""XMP packets: find the properties of a namespace, and take out what a new picture makes untrue."""

from __future__ import annotations

import re
from xml.etree import ElementTree

GDEPTH = "http://ns.google.com/photos/1.0/depthmap/"
GIMAGE = "http://ns.google.com/photos/1.0/image/"
GAIN_MAPS = ("http://ns.adobe.com/hdr-gain-map/1.0/", "http://ns.apple.com/HDRGainMap/1.0/")
DYNAMIC_DEPTH = "http://ns.google.com/photos/dd/1.0/"
_NOTE = "http://ns.adobe.com/xmp/note/"
_STALE = (
    GDEPTH,
    GIMAGE,
    *GAIN_MAPS,
    "http://ns.google.com/photos/1.0/audio/",
    "http://ns.google.com/photos/1.0/container/",
    "http://ns.google.com/photos/1.0/container/item/",
    *(DYNAMIC_DEPTH + name + "/" for name in ("device", "container", "item", "depthmap")),
)
_MAX_PACKET = 128 << 20
_ORIENTATION = re.compile(
    rb"(<?\b(\w+):Orientation(?:\s*=\s*[\"']|>\s*))[2-8](?=\s*(?:[\"']|</\2:Orientation))"
)


def properties(packet: bytes | None, namespace: str) -> dict[str, str]:
    """Collect the simple properties of a namespace, attributes and elements alike.

    Damaged packets and packets with a document type (entity expansion) give nothing.
    """
    if not packet or len(packet) > _MAX_PACKET or namespace.encode() not in packet:
        return {}
    if b"<!DOCTYPE" in packet or b"<!ENTITY" in packet or b"\0" in packet.strip(b"\0"):
        return {}
    try:
        root = ElementTree.fromstring(packet.strip(b"\0 \r\n\t"))
    except (ElementTree.ParseError, ValueError, LookupError):  # LookupError: unknown encoding
        return {}
    mark = "{" + namespace + "}"
    found: dict[str, str] = {}
    for element in root.iter():
        for name, value in element.attrib.items():
            if name.startswith(mark):
                found.setdefault(name[len(mark) :], value)
        if isinstance(element.tag, str) and element.tag.startswith(mark) and element.text:
            found.setdefault(element.tag[len(mark) :], element.text.strip())
    return found


def mentions(packet: bytes | None, *namespaces: str) -> bool:
    """Tell whether a packet declares one of the namespaces."""
    return bool(packet) and any(name.encode() in (packet or b"") for name in namespaces)


def without_stale(packet: bytes) -> bytes:
    """Return the packet upright and without depth maps, gain maps, second images and their lists.

    Text is cut out of the packet as it stands, so all else stays byte for byte.
    """
    packet = packet.rstrip(b"\0")
    for namespace in _STALE:
        for prefix in _prefixes(packet, namespace):
            packet = _without_prefix(packet, prefix, rb"[\w.-]+")
    for prefix in _prefixes(packet, _NOTE):
        packet = _without_prefix(packet, prefix, rb"HasExtendedXMP")
    for prefix in _prefixes(packet, "http://ns.google.com/photos/1.0/camera/"):
        packet = _without_prefix(packet, prefix, rb"(?:MicroVideo|MotionPhoto)\w*")
    return _ORIENTATION.sub(rb"\g<1>1", packet)


def without_stale_extension(packet: bytes) -> bytes | None:
    """Clean an extension as `without_stale` does; None if nothing worth keeping is left."""
    cleaned = without_stale(packet)
    try:
        root = ElementTree.fromstring(cleaned)
    except (ElementTree.ParseError, ValueError, LookupError):
        return None
    kept = sum(
        len([name for name in element.attrib if not name.endswith("}about")])
        + bool((element.text or "").strip())
        for element in root.iter()
        if "adobe:ns:meta/" not in str(element.tag)
    )
    return cleaned if kept else None


def _prefixes(packet: bytes, namespace: str) -> list[bytes]:
    pattern = rb"xmlns:([\w.-]+)\s*=\s*[\"']" + re.escape(namespace.encode()) + rb"[\"']"
    return sorted(set(re.findall(pattern, packet)))


def _without_prefix(packet: bytes, prefix: bytes, names: bytes) -> bytes:
    """Cut attributes and elements prefix:names; declarations of the prefix stay, harmless."""
    name = re.escape(prefix) + b":" + names
    packet = re.sub(rb"\s+" + name + rb"\s*=\s*(?:\"[^\"]*\"|'[^']*')", b"", packet)
    packet = re.sub(rb"<" + name + rb"(?:\s[^<>]*)?/>", b"", packet)
    start = re.compile(rb"<(" + name + rb")(?:\s[^<>]*)?>")
    found = start.search(packet)
    while found is not None:
        end = packet.find(b"</" + found[1] + b">", found.end())
        if end < 0:
            break
        packet = packet[: found.start()] + packet[end + len(found[1]) + 3 :]
        found = start.search(packet, found.start())
    return packet
