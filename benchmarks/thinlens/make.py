"""Make all ground truth anew: python benchmarks/thinlens/make.py [--planes] [--scenes] [--pack].

Blender runs in an environment of its own (it pins numpy 1.26):
    python3.11 -m venv /tmp/bpyenv
    /tmp/bpyenv/bin/pip install bpy==4.5.15 numba 'opencv-python-headless<4.12'
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from cases import SCENES_DIR, pack

HERE = Path(__file__).resolve().parent
RAW_DIR = Path("/tmp/thinlens/blender")
NAMES = {
    "dev": ("plaza", "portrait", "thicket", "railing", "night-street", "meadow"),
    "held-out": (
        "table-top",
        "behind-leaves",
        "long-fence",
        "night-portrait",
        "masts",
        "branches",
    ),
}


def render_scenes(python: str):
    """Render the Blender scenes that are not there yet."""
    RAW_DIR.mkdir(parents=True, exist_ok=True)
    for name in (n for half in NAMES.values() for n in half):
        out = RAW_DIR / f"{name}.npz"
        if not out.exists():
            command = [python, str(HERE / "blender_render.py"), name, str(out)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            print(out, flush=True)


def pack_scenes():
    """Turn the raw renders into data/NAME.npz."""
    SCENES_DIR.mkdir(exist_ok=True)
    for half, names in NAMES.items():
        for name in names:
            source, out = RAW_DIR / f"{name}.npz", SCENES_DIR / f"{name}.npz"
            if not source.exists() or _newer(out, source):
                continue
            raw = np.load(source)
            focus = np.array([raw[f"focus{n}"] for n in range(3)], np.float32)
            gain = np.array([raw[f"gain{n}"] for n in range(3)], np.float32)
            spans = [np.quantile(abs(raw["disparity"] - f), 0.995) for f in focus]
            np.savez_compressed(
                out,
                half=half,
                linear=pack(raw["linear"]),
                disparity=raw["disparity"].astype(np.float32),
                focus=focus,
                gain_px=gain,
                reach_px=(gain * spans).astype(np.float32),
                **{f"truth{n}": pack(raw[f"truth{n}"]) for n in range(3)},
            )


def _newer(one: Path, other: Path) -> bool:
    return one.exists() and one.stat().st_mtime >= other.stat().st_mtime


def main():
    """Make what was asked for, or everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--planes", action="store_true")
    parser.add_argument("--scenes", action="store_true")
    parser.add_argument("--pack", action="store_true", help="only pack what is rendered")
    parser.add_argument("--bpy", default="/tmp/bpyenv/bin/python", help="Python that has bpy")
    args = parser.parse_args()
    everything = not (args.planes or args.scenes or args.pack)
    if args.planes or everything:
        subprocess.run([sys.executable, str(HERE / "planes.py")], check=True)
    if args.scenes or everything:
        render_scenes(args.bpy)
    if args.scenes or args.pack or everything:
        pack_scenes()


if __name__ == "__main__":
    main()
