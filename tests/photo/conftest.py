"""Pictures, profiles and metadata that the photo tests write themselves; the shared data folder."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageCms

SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Return a file of the shared data, or skip."""

    def find(name: str) -> Path:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"the shared data file {name} is not on this machine")
        return path

    return find


@pytest.fixture(scope="session")
def cases() -> Callable[[str], Path]:
    """Return a file of the shared cases, or skip."""

    def find(name: str) -> Path:
        path = SHARED.parent / "cases" / name
        if not path.exists():
            pytest.skip(f"the shared case {name} is not on this machine")
        return path

    return find


@pytest.fixture(scope="session")
def ramp8() -> np.ndarray:
    """A (24, 40, 3) uint8 picture without any symmetry, smooth enough for JPEG."""
    y, x = np.mgrid[0:24, 0:40]
    rgb = np.dstack([x * 6, y * 10, 255 - (x * 3 + y * 4)])
    rgb[:6, :8] = (250, 20, 30)
    return rgb.astype(np.uint8)


@pytest.fixture(scope="session")
def ramp16() -> np.ndarray:
    """A (60, 80, 3) uint16 picture of 14400 different values."""
    values = (np.arange(60 * 80 * 3, dtype=np.uint32) * 4 + 13) % 65536
    return values.astype(np.uint16).reshape(60, 80, 3)


@pytest.fixture(scope="session")
def make_exif() -> Callable[..., bytes]:
    """Build an EXIF block with lens, date, GPS, a maker note with offsets, and a thumbnail."""

    def build(orientation: int = 1, order: str = ">", thumbnail: bytes | None = None) -> bytes:
        from pullfocus.photo.metadata.tiff_directories import Tag, write_directories

        def short(code: int, value: int) -> Tag:
            return Tag(code, 3, 1, struct.pack(order + "H", value))

        def ascii_(code: int, text: str) -> Tag:
            return Tag(code, 2, len(text) + 1, text.encode() + b"\0")

        def rational(code: int, *pairs: int) -> Tag:
            return Tag(code, 5, len(pairs) // 2, struct.pack(f"{order}{len(pairs)}I", *pairs))

        directories = {
            "0": [ascii_(0x010F, "Maker"), ascii_(0x0110, "Model 7"), short(0x0112, orientation)],
            "exif": [
                rational(0x829D, 18, 10),
                ascii_(0x9003, "2024:05:06 07:08:09"),
                rational(0x920A, 50, 1),
                Tag(0x927C, 7, 11, b"maker\0note\1"),
                Tag(0xA002, 4, 1, struct.pack(order + "I", 4000)),
                Tag(0xA003, 4, 1, struct.pack(order + "I", 3000)),
                short(0xA405, 75),
                rational(0xA20E, 4000 * 254, 240),  # 4000 px over 24 mm, per inch
                short(0xA210, 2),
                ascii_(0xA434, "Lens 50mm F1.8"),
            ],
            "gps": [ascii_(1, "N"), rational(2, 48, 1, 8, 1, 30, 1)],
        }
        head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
        block = bytearray(head + write_directories(order, directories, 8))
        if thumbnail is not None:
            (entries,) = struct.unpack_from(order + "H", block, 8)
            at = len(block)
            struct.pack_into(order + "I", block, 10 + entries * 12, at)
            rows = [
                (0x0112, 3, orientation),
                (0x0201, 4, at + 2 + 36 + 4),
                (0x0202, 4, len(thumbnail)),
            ]
            block += struct.pack(order + "H", 3)
            for code, kind, value in rows:
                block += struct.pack(order + "HHI", code, kind, 1)
                block += struct.pack(order + ("H2x" if kind == 3 else "I"), value)
            block += bytes(4) + thumbnail
        return bytes(block)

    return build


@pytest.fixture(scope="session")
def make_profile() -> Callable[..., bytes]:
    """Build a small ICC profile from the bodies of its curve tags."""

    def build(curves: list[bytes], space: bytes = b"RGB ", colourants: bool = True) -> bytes:
        names = [b"kTRC"] if space == b"GRAY" else [b"rTRC", b"gTRC", b"bTRC"]
        tags = list(zip(names, curves, strict=True))
        if space != b"GRAY" and colourants:
            columns = ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446))
            for name, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True):
                tags.append(
                    (name, b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in xyz)))
                )
        tags.append((b"wtpt", b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)))
        at = 132 + 12 * len(tags)
        table, bodies = b"", b""
        for name, body in tags:
            padded = body + b"\0" * (-len(body) % 4)
            table += struct.pack(">4sII", name, at + len(bodies), len(padded))
            bodies += padded
        size = at + len(bodies)
        head = struct.pack(">I4sI4s4s4s", size, b"test", 0x04200000, b"mntr", space, b"XYZ ")
        head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
        return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + bodies

    return build


@pytest.fixture(scope="session")
def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture(scope="session")
def gamma_profile(make_profile: Callable[..., bytes]) -> bytes:
    """Wide primaries (Adobe RGB's) with a gamma of 2.2."""
    return make_profile([b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256))] * 3)


@pytest.fixture(scope="session")
def to_bytes() -> Callable[..., bytes]:
    """Save a Pillow image to bytes."""

    def write(image, kind: str, **options) -> bytes:
        out = io.BytesIO()
        image.save(out, kind, **options)
        return out.getvalue()

    return write
