"""From prepared pixels to the bytes of a file, one function a format."""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from pullfocus.photo.codecs import jpeg, png
from pullfocus.photo.codecs.avif import encode_avif_10
from pullfocus.photo.codecs.heif import encode_heif
from pullfocus.photo.codecs.tiff_writer import encode_tiff
from pullfocus.photo.metadata import exif as exif_block
from pullfocus.photo.metadata.tiff_directories import lay_out, read_directories
from pullfocus.photo.prepare import Prepared
from pullfocus.types import Photo

_MAX_SEGMENT = 65533


def encode(photo: Photo, ready: Prepared, name: str, quality: int) -> bytes:
    """Encode prepared pixels of a photo in the format called `name`."""
    return _ENCODERS[name](photo, ready, quality)


def _image(ready: Prepared) -> Any:
    from PIL import Image

    return Image.fromarray(ready.pixels)


def _encode_jpeg(photo: Photo, ready: Prepared, quality: int) -> bytes:
    out = io.BytesIO()
    options: dict[str, Any] = {"quality": quality}
    if ready.pixels.ndim == 3:
        options["subsampling"] = 0 if quality >= 90 else 2
    if ready.dpi:
        options["dpi"] = ready.dpi
    _image(ready).save(out, "JPEG", **options)
    return jpeg.with_segments(out.getvalue(), _jpeg_segments(photo, ready))


def _jpeg_segments(photo: Photo, ready: Prepared) -> list[tuple[int, bytes]]:
    segments = []
    block = _fitting(ready.exif, _MAX_SEGMENT - 6) if ready.exif else None
    if block:
        segments.append((0xE1, jpeg.EXIF + block))
    xmp, extra = ready.xmp, photo.metadata.extra
    if xmp:
        extension = extra.get("extended_xmp")
        if len(jpeg.XMP + xmp) <= _MAX_SEGMENT:
            segments.append((0xE1, jpeg.XMP + (_linked(xmp, extension) if extension else xmp)))
        else:  # from a format without the limit: a stub that points to the whole packet
            extension = xmp
            segments.append((0xE1, jpeg.XMP + _linked(_EMPTY_PACKET, xmp)))
        if extension:
            segments += _extension_segments(extension)
    if ready.icc_profile:
        segments += jpeg.icc_segments(ready.icc_profile)
    segments += [(0xED, payload) for payload in extra.get("photoshop", ())]
    segments += [(0xFE, payload) for payload in extra.get("comments", ())]
    return segments


_EMPTY_PACKET = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about=""></rdf:Description></rdf:RDF></x:xmpmeta>'
)


def _guid(extension: bytes) -> bytes:
    return hashlib.md5(extension, usedforsecurity=False).hexdigest().upper().encode()


def _linked(packet: bytes, extension: bytes) -> bytes:
    """Say in the main packet that an extension follows."""
    note = (
        b'<rdf:Description rdf:about="" xmlns:xmpNote="http://ns.adobe.com/xmp/note/" '
        b'xmpNote:HasExtendedXMP="' + _guid(extension) + b'"/>'
    )
    head, end, tail = packet.rpartition(b"</rdf:RDF>")
    return head + note + end + tail if end else packet


def _extension_segments(extension: bytes) -> list[tuple[int, bytes]]:
    size = 65000
    return [
        (
            0xE1,
            jpeg.XMP_EXTENSION
            + _guid(extension)
            + struct.pack(">II", len(extension), at)
            + extension[at : at + size],
        )
        for at in range(0, len(extension), size)
    ]


def _fitting(block: bytes, limit: int) -> bytes | None:
    """Make an EXIF block fit a segment: without its thumbnail, then without its largest tags.

    None where nothing is left that fits, or where a damaged block cannot be taken apart.
    """
    if len(block) > limit:
        block = exif_block.with_thumbnail(block, lambda room: None)
    if len(block) <= limit:
        return block
    order, directories = read_directories(block)
    by_size = sorted(
        ((len(tag.value), name, tag) for name, tags in directories.items() for tag in tags),
        key=lambda found: found[0],
    )
    laid_out = lay_out(order, directories)
    while laid_out is not None and len(laid_out) > limit and by_size:
        surplus = len(laid_out) - limit
        while surplus > 0 and by_size:
            size, name, tag = by_size.pop()
            directories[name].remove(tag)
            surplus -= 12 + (size if size > 4 else 0)
        laid_out = lay_out(order, directories)
    return laid_out if laid_out is None or len(laid_out) <= limit else None


def _encode_png(photo: Photo, ready: Prepared, quality: int) -> bytes:
    import cv2

    pixels = ready.pixels
    if pixels.dtype == np.uint16 and pixels.ndim == 3 and pixels.shape[2] == 2:
        data = png.encode_grey_alpha_16(pixels)
    elif pixels.dtype == np.uint16:
        if pixels.ndim == 3:
            to_bgr = cv2.COLOR_RGB2BGR if pixels.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
            pixels = cv2.cvtColor(np.ascontiguousarray(pixels), to_bgr)
        done, buffer = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 3])
        if not done:
            raise OSError("the PNG encoder failed")
        data = buffer.tobytes()
    else:
        out = io.BytesIO()
        _image(ready).save(out, "PNG", compress_level=3)
        data = out.getvalue()
    chunks = png.metadata_chunks(ready.exif, ready.icc_profile, ready.xmp, ready.dpi)
    gamma = photo.metadata.extra.get("png_gamma")
    if gamma and not ready.icc_profile:
        chunks.insert(0, png.chunk(b"gAMA", struct.pack(">I", round(gamma * 100000))))
    if ready.cicp:
        chunks.insert(0, png.chunk(b"cICP", bytes([*ready.cicp, 0, 1])))
    texts = photo.metadata.extra.get("png_text", {})
    chunks += [png.text_chunk(keyword, text) for keyword, text in texts.items()]
    return png.with_chunks(data, chunks)


def _encode_tiff(photo: Photo, ready: Prepared, quality: int) -> bytes:
    return encode_tiff(
        ready.pixels,
        has_alpha=ready.has_alpha,
        exif=ready.exif,
        icc_profile=ready.icc_profile,
        xmp=ready.xmp,
        dpi=ready.dpi,
    )


def _blocks(ready: Prepared) -> dict[str, Any]:
    """Pillow's names for the metadata; absent ones left out."""
    exif = b"Exif\0\0" + ready.exif if ready.exif else None
    given = {"exif": exif, "icc_profile": ready.icc_profile, "xmp": ready.xmp}
    return {name: value for name, value in given.items() if value}


def _encode_webp(photo: Photo, ready: Prepared, quality: int) -> bytes:
    out = io.BytesIO()
    lossless = quality == 100
    options = {"quality": 75 if lossless else quality, "lossless": lossless, "exact": True}
    _image(ready).save(out, "WEBP", method=4, **options, **_blocks(ready))
    return out.getvalue()


def _encode_avif(photo: Photo, ready: Prepared, quality: int) -> bytes:
    if ready.bits == 10:
        return encode_avif_10(
            ready.pixels,
            quality,
            ready.cicp,
            exif=_without_orientation(ready.exif or b""),
            icc_profile=ready.icc_profile,
            xmp=ready.xmp,
        )
    out = io.BytesIO()
    subsampling = "4:4:4" if quality >= 90 else "4:2:0"
    plain = replace(ready, exif=_without_orientation(ready.exif or b""))
    _image(plain).save(out, "AVIF", quality=quality, subsampling=subsampling, **_blocks(plain))
    return out.getvalue()


def _without_orientation(block: bytes) -> bytes | None:
    """Lay EXIF out anew for AVIF: Pillow would do so itself, and trips over damaged blocks."""
    order, directories = read_directories(block)
    tags = directories.get("0", [])
    directories["0"] = [tag for tag in tags if tag.code != exif_block.ORIENTATION]
    return lay_out(order, directories)


def _encode_heif(photo: Photo, ready: Prepared, quality: int) -> bytes:
    return encode_heif(
        ready.pixels, quality, ready.exif, ready.icc_profile, ready.xmp, cicp=ready.cicp
    )


def _encode_bmp(photo: Photo, ready: Prepared, quality: int) -> bytes:
    out = io.BytesIO()
    _image(ready).save(out, "BMP")
    return out.getvalue()


def _encode_ppm(photo: Photo, ready: Prepared, quality: int) -> bytes:
    height, width = ready.pixels.shape[:2]
    kind = b"P5" if ready.pixels.ndim == 2 else b"P6"
    top = np.iinfo(ready.pixels.dtype).max
    head = kind + f"\n{width} {height}\n{top}\n".encode()
    return head + ready.pixels.astype(ready.pixels.dtype.newbyteorder(">")).tobytes()


_ENCODERS: dict[str, Callable[[Photo, Prepared, int], bytes]] = {
    "JPEG": _encode_jpeg,
    "PNG": _encode_png,
    "TIFF": _encode_tiff,
    "WEBP": _encode_webp,
    "AVIF": _encode_avif,
    "HEIF": _encode_heif,
    "BMP": _encode_bmp,
    "PPM": _encode_ppm,
}
