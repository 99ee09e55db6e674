"""How often a depth file that says nothing is read the right way round, with and without its photo.

    python benchmarks/depth_file_order.py ../shared/data/wild

Each map of the folder (NAME.jpg, NAME.png: uint16, larger = nearer) is written as other programs
write depth, without a name or a text that tells, and read again.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from pullfocus.depth.depth_of_file import order_seen
from pullfocus.depthmap.files import load_depth
from pullfocus.depthmap.meaning import rank_correlation
from pullfocus.photo import load


def png(codes: np.ndarray) -> bytes:
    return cv2.imencode(".png", codes)[1].tobytes()


def npy(values: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, values.astype(np.float32))
    return out.getvalue()


def stretched(values: np.ndarray) -> np.ndarray:
    return (values - values.min()) / np.ptp(values)


WRITERS: dict[str, Callable[[np.ndarray], bytes]] = {
    "8-bit grey, bright = near": lambda d: png((d * 255).astype(np.uint8)),
    "8-bit grey, dark = near (Lens Blur)": lambda d: png(((1 - d) * 255).astype(np.uint8)),
    "16-bit grey, bright = near (MiDaS)": lambda d: png((d * 65535).astype(np.uint16)),
    "16-bit grey, dark = near (Marigold)": lambda d: png(
        (stretched(1 / (d + 0.05)) * 65535).astype(np.uint16)
    ),
    "16-bit grey in mm": lambda d: png(np.rint(500 / (d + 0.05)).astype(np.uint16)),
    "16-bit disparity * 256 (KITTI stereo)": lambda d: png(
        np.rint(d * 25600 + 256).astype(np.uint16)
    ),
    ".npy, relative disparity 0..1": npy,
    ".npy, raw disparity (Depth Anything)": lambda d: npy(d * 300),
    ".npy, relative depth 0..1 (Marigold)": lambda d: npy(stretched(1 / (d + 0.05))),
    ".npy, metres": lambda d: npy(1 / (d + 0.05)),
}


def wrong(folder: Path) -> Iterator[tuple[str, str]]:
    """Give (writer, "photo" or "none") of every map that was turned round."""
    for place in sorted(folder.glob("*.jpg")):
        disparity = stretched(cv2.imread(str(place.with_suffix(".png")), -1).astype(np.float64))
        seen = order_seen(load(place))
        for name, write in WRITERS.items():
            data = write(disparity)
            for asked, order in (("photo", lambda seen=seen: seen), ("none", None)):
                read = load_depth(data, order=order)
                if rank_correlation(read.disparity, disparity) < 0:
                    yield name, asked


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data/wild")
    found = list(wrong(folder))
    print(f"of {len(list(folder.glob('*.jpg')))} | with the photo | without")
    for name in WRITERS:
        counts = [found.count((name, asked)) for asked in ("photo", "none")]
        print(f"{name} | {counts[0]} | {counts[1]}")


if __name__ == "__main__":
    main()
