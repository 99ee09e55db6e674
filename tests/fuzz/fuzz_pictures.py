"""Good photos and depth files, as small as can be, one for each path through the decoders.

A seed's name ends in the suffix that its file gets.
"""

from __future__ import annotations

import functools
import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

H, W = 12, 16
RGB = np.random.default_rng(3).integers(0, 255, (H, W, 3), np.uint8)
RGB16 = RGB.astype(np.uint16) * 257
NEAR = np.linspace(0.05, 1, H * W, dtype=np.float32).reshape(H, W)
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
    b'syntax-ns#"><rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
    b'xmlns:GDepth="http://ns.google.com/photos/1.0/depthmap/" tiff:Orientation="6" '
    b'GDepth:Format="RangeInverse" GDepth:Near="1" GDepth:Far="9" GDepth:Mime="image/png"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F], exif[0x0110] = "Maker", "Model 7"
    exif.get_ifd(0x8769).update({0x920A: 50.0, 0xA405: 75, 0x927C: b"maker\0note\1", 0xA002: W})
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 1.5)})
    return exif.tobytes()


def _metadata() -> dict[str, Any]:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return {"exif": _exif(), "icc_profile": profile, "xmp": XMP, "dpi": (300, 300)}


@functools.cache
def photo_seeds() -> dict[str, bytes]:
    """Return the bytes of each photo by its name."""
    image, grey = Image.fromarray(RGB), Image.fromarray(RGB[..., 0])
    alpha = Image.fromarray(np.dstack([RGB, RGB[..., :1]]))
    told = _metadata()
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", XMP.decode(), zip=True)
    seeds = {
        "plain.jpg": _saved(image, "JPEG", **told),
        "passes.jpg": _saved(image, "JPEG", progressive=True, exif=told["exif"]),
        "cmyk.jpg": _saved(image.convert("CMYK"), "JPEG"),
        "several.jpg": _saved(image, "MPO", save_all=True, append_images=[grey.convert("RGB")]),
        "told.png": _saved(image, "PNG", exif=told["exif"], icc_profile=told["icc_profile"],
                           pnginfo=text),
        "palette.png": _saved(image.quantize(9), "PNG", transparency=3),
        "alpha.png": _saved(alpha, "PNG"),
        "grey.gif": _saved(grey, "GIF", save_all=True, append_images=[grey, grey.rotate(90)]),
        "told.webp": _saved(image, "WEBP", **{k: told[k] for k in ("exif", "icc_profile", "xmp")}),
        "lossless.webp": _saved(alpha, "WEBP", lossless=True),
        "moving.webp": _saved(image, "WEBP", save_all=True, append_images=[grey.convert("RGB")]),
        "told.avif": _saved(image, "AVIF", **{k: told[k] for k in ("exif", "icc_profile", "xmp")}),
        "told.tif": _saved(image, "TIFF", exif=told["exif"], icc_profile=told["icc_profile"]),
        "packed.tif": _saved(image, "TIFF", compression="tiff_lzw"),
        "some.bmp": _saved(image, "BMP"),
        "some.jp2": _saved(image, "JPEG2000"),
        "plain.ppm": _saved(image, "PPM"),
        "bits.pbm": b"P1\n# some\n%d %d\n" % (W, H) + b"0 1 " * (W * H // 2),
        "deep.pgm": b"P5 %d %d 65535\n" % (W, H) + RGB16[..., 0].astype(">u2").tobytes(),
        "words.ppm": b"P3 2 2 255\n" + b" ".join(b"%d" % n for n in range(12)),
        "some.exr": _exr({"R": NEAR, "G": NEAR, "B": NEAR}),
    }  # fmt: skip
    return seeds | _written_seeds() | _tiff_seeds()


def _written_seeds() -> dict[str, bytes]:
    """Formats that this program writes itself: deep PNG, AVIF and HEIC."""
    from pullfocus.photo import save
    from pullfocus.types import Photo

    seeds: dict[str, bytes] = {}
    names = ("deep.png", "deep.avif", "some.heic", "deep.heic")
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            path = Path(folder, name)
            save(Photo.from_array(RGB16 if "deep" in name else RGB), path)
            seeds[name] = path.read_bytes()
    return seeds


def _tiff_seeds() -> dict[str, bytes]:
    import tifffile

    kinds: dict[str, tuple[np.ndarray, dict[str, Any]]] = {
        "deep.tif": (RGB16, {"photometric": "rgb", "compression": "zlib", "predictor": True}),
        "float.tif": (RGB.astype(np.float32) / 255, {"photometric": "rgb"}),
        "planes.tif": (
            np.moveaxis(RGB16, 2, 0),
            {"photometric": "rgb", "planarconfig": "separate"},
        ),
        "tiles.tif": (RGB, {"photometric": "rgb", "tile": (16, 16)}),
        "big.tif": (RGB[..., 0], {"photometric": "minisblack", "bigtiff": True}),
    }
    found = {}
    for name, (array, options) in kinds.items():
        out = io.BytesIO()
        tifffile.imwrite(out, array, metadata=None, **options)
        found[name] = out.getvalue()
    return found


def _exr(channels: dict[str, np.ndarray], *, parts: bool = False, half: bool = False) -> bytes:
    import OpenEXR

    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    some = {name: np.array(one, np.float16 if half else None) for name, one in channels.items()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "some.exr")
        if parts:
            made = [
                OpenEXR.Part(header | {"name": name}, {name: one}, name)
                for name, one in some.items()
            ]
            OpenEXR.File(made).write(str(path))
        else:
            OpenEXR.File(header, some).write(str(path))
        return path.read_bytes()


@functools.cache
def depth_seeds() -> dict[str, bytes]:
    """Return the bytes of each depth file by its name; metres are 1 / disparity."""
    import tifffile

    from pullfocus.depthmap.codecs import encode_exr, encode_pfm, encode_tiff_depth
    from pullfocus.depthmap.png import encode_png
    from pullfocus.types import DepthMap

    depth, mm = DepthMap(NEAR, uncertainty=NEAR / 9), (1000 / NEAR).astype(np.uint16)
    tiff = io.BytesIO()
    tifffile.imwrite(tiff, (1 / NEAR).astype(np.float64), compression="zlib")
    colmap = b"%d&%d&1&" % (W, H) + (1 / NEAR).astype("<f4").tobytes()
    return {
        "plain.npy": _npy(NEAR),
        "columns.npy": _npy(np.asfortranarray((1 / NEAR).astype(np.float64))),
        "codes.npy": _npy(mm[None]),
        "depth.npz": _npz(depth=1 / NEAR),
        "several.npz": _npz(disparity=NEAR, mask=NEAR > 0.5, intrinsics=np.eye(3)),
        "own.exr": encode_exr(depth),
        "blender.exr": _exr({"V": 1 / NEAR}, half=True),
        "parts.exr": _exr({"RGBA.R": NEAR, "Depth.V": 1 / NEAR}, parts=True),
        "own.pfm": encode_pfm(depth),
        "own.png": encode_png(depth),
        "mm.png": _saved(Image.fromarray(mm), "PNG"),
        "codes.jpg": _saved(Image.fromarray((NEAR * 255).astype(np.uint8)), "JPEG"),
        "own.tiff": encode_tiff_depth(depth),
        "other.tiff": tiff.getvalue(),
        "colmap.bin": colmap,
        "five.mat": _matlab_5(),
        "seven.mat": _matlab_7(),
    }


def _npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def _npz(**arrays: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def _matlab_5() -> bytes:
    from scipy.io import savemat

    out = io.BytesIO()
    savemat(out, {"depth": 1 / NEAR, "name": "some"}, do_compression=True)
    return out.getvalue()


def _matlab_7() -> bytes:
    import h5py

    out = io.BytesIO()
    with h5py.File(out, "w", userblock_size=512) as file:
        file.create_dataset("depths", data=(1 / NEAR).T[None], compression="gzip", chunks=True)
    content = bytearray(out.getvalue())
    head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64"
    content[:128] = head.ljust(116) + bytes(8) + b"\0\2IM"
    return bytes(content)
