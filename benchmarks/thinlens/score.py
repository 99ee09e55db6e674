"""Score renderers against the lens: python benchmarks/thinlens/score.py [--planes] [--scenes].

Prints markdown tables for every input (8-bit, linear) and depth (true, estimated): mean and worst
PSNR, SSIM, edge band and interior apart. The peers' scores are kept in /tmp/thinlens (keyed by
their source), ours are always computed. Ground truth: `make.py`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

import estimated
import peers
from cases import Case, plane_cases, scene_cases
from measure import edge_band, scores, shown

from pullfocus.types import Lens, srgb_to_linear

OURS = "pullfocus"
INPUTS = ("8-bit", "linear")
COLUMNS = ("psnr", "ssim", "edge", "inside")


def ours(linear, radius_px, hdr: bool):
    """Render with pullfocus; HDR input needs no rebuilt highlights."""
    from pullfocus.render.layered.renderer import render_linear

    lens = Lens(highlights=0.0) if hdr else Lens()
    return render_linear(linear, radius_px, lens)


def as_8_bit(linear: np.ndarray) -> np.ndarray:
    """Return what an 8-bit file keeps: clipped, rounded, back in linear light."""
    return srgb_to_linear(np.round(shown(linear) * 255) / np.float32(255))


class Memory:
    """Peers' scores on disk, so that a run costs only ours."""

    def __init__(self):
        source = (
            Path(peers.__file__).read_bytes() + Path(edge_band.__code__.co_filename).read_bytes()
        )
        key = hashlib.sha256(source).hexdigest()[:12]
        self.path = Path(f"/tmp/thinlens/peers-{key}.json")
        self.known = json.loads(self.path.read_text()) if self.path.exists() else {}

    def get(self, key: str, make):
        """Return the score under key, computing it once; other runs' scores are kept too."""
        if key not in self.known:
            self.known[key] = make()
            if self.path.exists():
                self.known = json.loads(self.path.read_text()) | self.known
            draft = self.path.with_suffix(f".{os.getpid()}")
            draft.write_text(json.dumps(self.known))
            draft.replace(self.path)
        return self.known[key]


def fingerprint(case: Case) -> str:
    """Tell apart cases made anew under the same name."""
    return hashlib.sha256(case.truth.tobytes()).hexdigest()[:10]


def render(method: str, linear, radius, kind: str):
    """Run one method."""
    if method == OURS:
        return ours(linear, radius, kind == "linear")
    return peers.PEERS[method](linear, radius)


def score_case(case: Case, args, memory: Memory, pictures: dict) -> list[dict]:
    """Score all methods on one case."""
    band = edge_band(case.radius_px)
    rows = []
    for depth in args.depths:
        disparity, who, mark = case.disparity, "true", "true"
        if depth == "estimated":
            disparity, who = estimated.estimate(case.linear)
            disparity = estimated.align(disparity, case.disparity)
            mark = hashlib.sha256(disparity.tobytes()).hexdigest()[:8]  # weights change
        radius = (case.gain_px * (disparity - case.focus)).astype(np.float32)
        for kind in args.inputs:
            linear = as_8_bit(case.linear) if kind == "8-bit" else case.linear
            for method in args.methods:

                def make(method=method, linear=linear, radius=radius, kind=kind, depth=depth):
                    image = render(method, linear, radius, kind)
                    if args.pictures:
                        pictures[method, kind, depth] = image
                    return scores(image, case.truth, band)

                key = f"{case.name}/{fingerprint(case)}/{kind}/{mark}/{method}"
                fresh = method == OURS or args.pictures
                found = make() if fresh else memory.get(key, make)
                rows.append(
                    {
                        "case": case.name,
                        "half": case.half,
                        "family": case.family,
                        "input": kind,
                        "depth": depth,
                        "who": who,
                        "method": method,
                        **found,
                    }
                )
    return rows


def table(header: list[str], lines: list[list[str]]) -> str:
    """Lay out a markdown table."""
    out = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(out + ["| " + " | ".join(line) + " |" for line in lines])


def summary(rows: list[dict], methods: list[str]) -> str:
    """Lay out mean and worst of each method."""
    lines = []
    for method in methods:
        mine = [r for r in rows if r["method"] == method]
        mean = {c: np.nanmean([r[c] for r in mine]) for c in COLUMNS}
        worst = min(r["psnr"] for r in mine)
        lines.append(
            [method, f"{mean['psnr']:.2f}", f"{worst:.2f}", f"{mean['ssim']:.4f}"]
            + [f"{mean[c]:.2f}" for c in ("edge", "inside")]
        )
    return table(["method", "PSNR", "worst", "SSIM", "edge band", "inside"], lines)


def per_case(rows: list[dict], methods: list[str]) -> str:
    """Lay out PSNR by case."""
    lines = []
    for name in dict.fromkeys(r["case"] for r in rows):
        found = {r["method"]: r for r in rows if r["case"] == name}
        lines.append([name, *(f"{found[m]['psnr']:.2f}" for m in methods)])
    return table(["PSNR", *methods], lines)


def report(rows: list[dict], methods: list[str], args) -> None:
    """Print all tables."""
    for family in dict.fromkeys(r["family"] for r in rows):
        for depth in args.depths:
            for kind in args.inputs:
                chosen = [
                    r
                    for r in rows
                    if (r["family"], r["depth"], r["input"]) == (family, depth, kind)
                ]
                who = chosen[0]["who"]
                print(f"\n## {family}, {kind} input, {depth} depth" + f" ({who})" * (who != depth))
                for half in dict.fromkeys(r["half"] for r in chosen):
                    mine = [r for r in chosen if r["half"] == half]
                    count = len({r["case"] for r in mine})
                    print(f"\n{half}, {count} pictures\n\n{summary(mine, methods)}")
                if not args.brief:
                    print(f"\n{per_case(chosen, methods)}")


def write_pictures(case: Case, pictures: dict, folder: Path) -> None:
    """Write input, each method and its error (x4) beside the truth."""
    import cv2

    folder.mkdir(parents=True, exist_ok=True)
    truth = shown(case.truth)
    for kind, depth in dict.fromkeys(k[1:] for k in pictures):
        tiles = [np.vstack([truth, shown(case.linear)])]
        for (_, *rest), image in pictures.items():
            if rest == [kind, depth]:
                error = np.clip(np.abs(shown(image) - truth) * 4, 0, 1)
                tiles.append(np.vstack([shown(image), error]))
        sheet = (np.hstack(tiles) * 255 + 0.5).astype(np.uint8)
        cv2.imwrite(str(folder / f"{case.name}-{kind}-{depth}.png"), sheet[..., ::-1])


def arguments():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--planes", action="store_true", help="only the layered scenes")
    parser.add_argument("--scenes", action="store_true", help="only the Blender scenes")
    parser.add_argument("--case", default="", help="part of a case's name")
    parser.add_argument("--half", choices=("dev", "held-out"))
    parser.add_argument("--only", default="", help="part of a method's name; 'ours' is pullfocus")
    parser.add_argument("--input", choices=INPUTS, help="one kind of input")
    parser.add_argument("--estimated", action="store_true", help="estimated depth too")
    parser.add_argument("--brief", action="store_true", help="no table by case")
    parser.add_argument("--pictures", type=Path, help="folder for pictures and error maps")
    parser.add_argument("--json", type=Path, help="write every score here")
    args = parser.parse_args()
    wanted = OURS if args.only == "ours" else args.only
    args.methods = [m for m in [*peers.available(), OURS] if wanted in m]
    args.inputs = [args.input] if args.input else list(INPUTS)
    args.depths = ["true", "estimated"] if args.estimated else ["true"]
    return args


def main():
    """Score everything that was asked for."""
    args = arguments()
    memory, rows, started = Memory(), [], time.perf_counter()
    sources = []
    if args.planes or not args.scenes:
        sources.append(plane_cases(args.case))
    if args.scenes or not args.planes:
        sources.append(scene_cases(args.case))
    for source in sources:
        for case in source:
            if args.half in (None, case.half):
                pictures: dict = {}
                rows += score_case(case, args, memory, pictures)
                if args.pictures:
                    write_pictures(case, pictures, args.pictures)
    if not rows:
        sys.exit("No ground truth found; run: python benchmarks/thinlens/make.py")
    report(rows, args.methods, args)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))
    print(f"\n{time.perf_counter() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
