"""Score renderers on real aperture brackets: python benchmarks/brackets/score.py [--only ours].

Every method searches the same small grid of focus disparity and largest radius for itself, on
every pair, at half the size, by PSNR; then it is scored at full size. Depth, in two kinds: "mask",
the data's own in-focus mask as a two-valued disparity, and "estimated", a network's. Fast lenses
wide open draw discs with soft rims, which only ours can be asked for: a second row.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "thinlens"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import estimated
import peers
from measure import psnr, shown, ssim
from structure import gmsd, ms_ssim

import brackets

OURS = {"pullfocus": 0.0, "pullfocus, soft edges": 0.5}  # Lens.edge_softness
# radius of disparity 1 away from the focus
LARGEST_PX = (1, 1.5, 2, 2.75, 3.5, 4.5, 5.5, 6.7, 8, 9.5, 11, 13, 15, 18, 21, 25)
FOCUS_QUANTILES = (0.25, 0.5, 0.75)  # of the disparity inside the in-focus mask
COLUMNS = ("psnr", "ssim", "ms_ssim", "gmsd")


def render(method: str, linear, radius):
    """Run one method on 8-bit linear light."""
    if method in OURS:
        from pullfocus.render.layered.renderer import render_linear
        from pullfocus.types import Lens

        return render_linear(linear, radius, Lens(edge_softness=OURS[method]))
    return peers.PEERS[method](linear, radius)


def half(image):
    """Halve a picture or a map."""
    return cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def search(method: str, bracket, disparity, focuses):
    """Find the (radius per disparity in full-size px, focus) that suit the method best."""
    if method == "input unchanged":
        return 1.0, focuses[0]
    linear, truth, small = half(bracket.linear), shown(half(bracket.truth)), half(disparity)
    best = (-1.0, 0.0, 0.0)
    for gain in LARGEST_PX if method != "project-defude" else LARGEST_PX[:1]:
        for focus in focuses:
            radius = (0.5 * gain * (small - focus)).astype(np.float32)
            image = shown(bracket.matched(render(method, linear, radius)))
            best = max(best, (psnr(image, truth), gain, focus))
    return best[1:]


def disparities(bracket, kinds):
    """Yield (kind, disparity 0..1, focus candidates)."""
    if "mask" in kinds:
        yield "mask", bracket.mask, (1.0,)
    if "estimated" in kinds:
        disparity, _ = estimated.estimate(bracket.linear)
        low, high = np.quantile(disparity, (0.002, 0.998))
        disparity = np.clip((disparity - low) / (high - low), 0, 1).astype(np.float32)
        inside = disparity[bracket.mask > 0.5]
        yield "estimated", disparity, tuple(np.quantile(inside, FOCUS_QUANTILES))


def score(bracket, kinds, methods, folder):
    """Score all methods on one pair."""
    truth = shown(bracket.truth)
    for kind, disparity, focuses in disparities(bracket, kinds):
        tiles = [np.vstack([truth, shown(bracket.linear)])]
        for method in methods:
            gain, focus = search(method, bracket, disparity, focuses)
            radius = (gain * (disparity - focus)).astype(np.float32)
            image = shown(bracket.matched(render(method, bracket.linear, radius)))
            tiles.append(np.vstack([image, np.clip(4 * np.abs(image - truth), 0, 1)]))
            yield {
                "pair": bracket.name,
                "aperture": bracket.aperture,
                "depth": kind,
                "method": method,
                "gain": float(gain),
                "focus": float(focus),
                "psnr": psnr(image, truth),
                "ssim": ssim(image, truth),
                "ms_ssim": ms_ssim(image, truth),
                "gmsd": gmsd(image, truth),
            }
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            name = f"{bracket.name}-{bracket.aperture}-{kind}.jpg".replace("/", "").replace(
                " ", "-"
            )
            sheet = np.hstack(tiles)[..., ::-1] * 255
            cv2.imwrite(str(folder / name), sheet)


def report(rows, methods):
    """Print one markdown table for each aperture and kind of depth."""
    for depth in dict.fromkeys(r["depth"] for r in rows):
        for aperture in dict.fromkeys(r["aperture"] for r in rows):
            chosen = [r for r in rows if (r["depth"], r["aperture"]) == (depth, aperture)]
            count = len({r["pair"] for r in chosen})
            print(f"\n## f/16 -> {aperture}, {depth} depth, {count} pairs\n")
            print("| method | PSNR | worst | SSIM | MS-SSIM | GMSD (0 best) |")
            print("|---|---|---|---|---|---|")
            for method in methods:
                mine = [r for r in chosen if r["method"] == method]
                mean = {c: np.mean([r[c] for r in mine]) for c in COLUMNS}
                worst = min(r["psnr"] for r in mine)
                print(
                    f"| {method} | {mean['psnr']:.2f} | {worst:.2f} | {mean['ssim']:.4f} "
                    f"| {mean['ms_ssim']:.4f} | {mean['gmsd']:.4f} |"
                )


def main():
    """Score all pairs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="part of a method's name; 'ours' is pullfocus")
    parser.add_argument("--aperture", default="", help="f/8, f/2.8, f/1.8 or EBB")
    parser.add_argument("--depth", choices=("mask", "estimated"))
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    if not brackets.DATA.exists():
        sys.exit(f"The brackets are not here: {brackets.DATA}")
    wanted = "pullfocus" if args.only == "ours" else args.only
    methods = [m for m in [*peers.available(), *OURS] if wanted in m]
    kinds = [args.depth] if args.depth else ["mask", "estimated"]
    rows = []
    for bracket in brackets.load():
        if args.aperture in bracket.aperture:
            rows += score(bracket, kinds, methods, args.pictures)
            print(f"{bracket.name} {bracket.aperture} done", file=sys.stderr, flush=True)
    report(rows, methods)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
