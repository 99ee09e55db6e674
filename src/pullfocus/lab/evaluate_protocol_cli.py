"""``pullfocus lab evaluate --protocol``: options in, results folder and tables out."""

from __future__ import annotations

import argparse
from pathlib import Path

NAMES = ("kitti-eigen", "kitti-2015", "nyu", "make3d", "affine", "boundary", "da-2k", "tae")
"""`protocols.PROTOCOLS`, known here without importing them (a test holds the two together)."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the protocol's options to the parser of ``evaluate``."""
    group = parser.add_argument_group("a protocol of the literature instead")
    group.add_argument("--protocol", choices=NAMES)
    group.add_argument("--model", help="name, Hugging Face id, folder, .onnx, .pt or lower-row")
    group.add_argument("--out", type=Path, help="results folder (default: runs/PROTOCOL-MODEL)")
    group.add_argument("--alignment", help="none, stereo, median, affine-disparity, affine-depth")
    group.add_argument("--flip", action="store_true", help="merge with the mirror image's answer")
    group.add_argument("--near-m", type=float, help="lower cap, m")
    group.add_argument("--far-m", type=float, help="upper cap, m")
    group.add_argument("--crop", help="none, garg, eigen, nyu")
    group.add_argument(
        "--set", dest="subset", help="affine: nyu kitti eth3d diode folder; boundary: rgbd masks"
    )
    group.add_argument("--frames", type=Path, help="kitti-eigen: list of the test frames")
    group.add_argument("--improved", type=Path, help="kitti-eigen: data_depth_annotated")
    group.add_argument("--limit", type=int, help="only so many images")
    group.add_argument("--pictures", type=int, default=12, help="rows of the sheet")


def run(options: argparse.Namespace) -> int:
    """Evaluate, print the table beside the papers' and say where everything lies."""
    from pullfocus.lab.paper_tables import beside
    from pullfocus.lab.protocols import Options, evaluate

    fields = Options.__dataclass_fields__
    chosen = Options(**{name: getattr(options, name) for name in fields})
    model = options.model or "embedded"
    out = options.out or Path("runs") / f"{options.protocol}-{Path(model).stem}"
    summary = evaluate(options.protocol, model, options.data, out, chosen)
    print(summary.markdown())
    print(f"\n{beside([summary])}\n\n{out}: per_image.csv, summary.json, summary.md, sheet.png")
    return 0
