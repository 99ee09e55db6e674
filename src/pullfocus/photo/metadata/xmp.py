"""XMP packets: find the properties of a namespace, and take out what a new picture makes untrue."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.parsers import expat

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
_CAMERA = "http://ns.google.com/photos/1.0/camera/"
_MAX_PACKET = 64 << 20
_MAX_ELEMENTS = 100_000
# Each begins where nothing else can match, so that long runs are looked at once.
_DECLARED = re.compile(rb"xmlns:([\w.-]+)\s*=\s*(?:\"([^\"<]*)\"|'([^'<]*)')")
_ATTRIBUTE = re.compile(rb"(?<!\s)\s+([\w.-]+):([\w.-]+)\s*=\s*(?:\"[^\"<]*\"|'[^'<]*')")
_TAG = re.compile(rb"<(/?)([\w.-]+):([\w.-]+)(?:\s[^<>]*?)?(/?)>")
_ORIENTATION = re.compile(
    rb"(<?\b(\w+):Orientation(?:\s*=\s*[\"']|>\s*))[2-8](?=\s*(?:[\"']|</\2:Orientation))"
)


def properties(packet: bytes | None, namespace: str) -> dict[str, str]:
    """Collect the simple properties of a namespace, attributes and elements alike.

    Damaged packets and packets with a document type (entity expansion) give nothing.
    """
    if not packet or len(packet) > _MAX_PACKET or namespace.encode() not in packet:
        return {}
    found: dict[str, str] = {}
    mark = namespace + " "

    def take(name: str, value: str) -> None:
        if name.startswith(mark):
            found.setdefault(name[len(mark) :], value)

    return found if _read(packet, take) else {}


def _read(packet: bytes, take: Callable[[str, str], None]) -> bool:
    """Give every attribute, and every element with its first text, to `take`; False if damaged.

    Names are "namespace name". Nothing is built: a packet may hold millions of elements.
    """
    if b"<!DOCTYPE" in packet or b"<!ENTITY" in packet or b"\0" in packet.strip(b"\0"):
        return False
    reader = expat.ParserCreate(namespace_separator=" ")
    reader.buffer_text = True
    reader.buffer_size = 1 << 20
    open_element: list[str] = []  # the one whose first text is being read, and that text
    count = 0

    def close(_: str = "") -> None:
        text = "".join(open_element[1:]).strip()
        if text:
            take(open_element[0], text)
        open_element.clear()

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > _MAX_ELEMENTS:
            raise ValueError("more elements than a photo describes")
        close()
        for key, value in attributes.items():
            take(key, value)
        open_element.append(name)

    def text(data: str) -> None:
        if open_element:
            open_element.append(data)

    reader.StartElementHandler, reader.EndElementHandler = start, close
    reader.CharacterDataHandler = text
    try:
        reader.Parse(packet.strip(b"\0 \r\n\t"), True)
    except (expat.ExpatError, ValueError, LookupError):  # LookupError: unknown encoding
        return False
    return True


def mentions(packet: bytes | None, *namespaces: str) -> bool:
    """Tell whether a packet declares one of the namespaces."""
    return bool(packet) and any(name.encode() in (packet or b"") for name in namespaces)


def without_stale(packet: bytes) -> bytes:
    """Return the packet upright and without depth maps, gain maps, second images and their lists.

    Text is cut out of the packet as it stands, so all else stays byte for byte.
    """
    packet = packet.rstrip(b"\0")
    prefixes = _prefixes(packet)
    if prefixes:
        packet = _without_attributes(packet, prefixes)
        packet = _without_elements(packet, prefixes)
    return _ORIENTATION.sub(rb"\g<1>1", packet)


def without_stale_extension(packet: bytes) -> bytes | None:
    """Clean an extension as `without_stale` does; None if nothing worth keeping is left."""
    cleaned = without_stale(packet)
    kept: list[str] = []

    def take(name: str, value: str) -> None:
        if not name.endswith(" about") and not name.startswith("adobe:ns:meta/ "):
            kept.append(name)

    return cleaned if _read(cleaned, take) and kept else None


_Prefixes = dict[bytes, set[re.Pattern[bytes]]]
"""Prefixes of stale namespaces, and which of their names are stale."""


def _prefixes(packet: bytes) -> _Prefixes:
    """Find what the stale namespaces are called in this packet; one may have many prefixes."""
    found: _Prefixes = {}
    for name, double, single in _DECLARED.findall(packet):
        pattern = _STALE_NAMES.get(double or single)
        if pattern is not None:
            found.setdefault(name, set()).add(pattern)
    return found


_STALE_NAMES = {namespace.encode(): re.compile(rb"") for namespace in _STALE} | {
    _NOTE.encode(): re.compile(rb"HasExtendedXMP$"),
    _CAMERA.encode(): re.compile(rb"(?:MicroVideo|MotionPhoto)"),
}


def _is_stale(prefixes: _Prefixes, prefix: bytes, name: bytes) -> bool:
    return any(pattern.match(name) for pattern in prefixes.get(prefix, ()))


def _without_attributes(packet: bytes, prefixes: _Prefixes) -> bytes:
    """Cut attributes; declarations of their prefixes stay, harmless."""

    def cut(found: re.Match[bytes]) -> bytes:
        return b"" if _is_stale(prefixes, found[1], found[2]) else found[0]

    return _ATTRIBUTE.sub(cut, packet)


def _without_elements(packet: bytes, prefixes: _Prefixes) -> bytes:
    """Cut elements up to the first end tag of their name, in one pass; unclosed ones stay."""
    kept: list[bytes] = []
    at, start, name = 0, 0, b""
    for tag in _TAG.finditer(packet):
        closes, called = bool(tag[1]), tag[2] + b":" + tag[3]
        if name:
            if closes and called == name:
                kept.append(packet[at:start])
                at, name = tag.end(), b""
        elif not closes and _is_stale(prefixes, tag[2], tag[3]):
            start = tag.start()
            if tag[4]:
                kept.append(packet[at:start])
                at = tag.end()
            else:
                name = called
    return b"".join([*kept, packet[at:]])
