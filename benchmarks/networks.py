"""How well the embedded networks see: depth, edges and people, through the public API.

    python benchmarks/networks.py --data ../shared/data [--beside CHECKOUT] [--only wild,people]
                                  [--every 1] [--json OUT.json]

Prints one table; with --beside a column for another checkout of the project too, measured in the
same run. Rows:

    dev      rank / AbsRel / delta1: mean over the six development sets, every frame, raw network
    wild     rank of the raw network, edge F1 of the raw network and of the refined depth
    people   separation at outlines (raw), then IoU, worst tenth, head, limbs and outline F of the
             person mask as photos get it

Metrics: `pullfocus.lab.protocols.metrics` and `pullfocus.lab.mask_metrics`. Photos are for scoring
only.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np

HERE = Path(__file__).resolve().parent
LAB = HERE.parent / "src" / "pullfocus" / "lab"
LONG_SIDE_PX = 720
"""Photos of people are shrunk to this before outlines are compared with depth."""


def module_of_this_checkout(path: Path) -> ModuleType:
    """Load a metrics file from beside this benchmark, whatever `pullfocus` is being measured."""
    spec = importlib.util.spec_from_file_location("measured_" + path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


masks = module_of_this_checkout(LAB / "mask_metrics.py")
loader = module_of_this_checkout(LAB / "data" / "wild.py")


def raw_network() -> Callable[[np.ndarray], np.ndarray]:
    """Return the embedded network as photos get it, before people and edges."""
    from pullfocus.depth import open_estimator

    try:
        from pullfocus.depth.flip_averaging import flip_averaged
    except ImportError:  # a checkout from before the second plan
        from pullfocus.depth.two_looks import two_looks as flip_averaged
    network = open_estimator()
    return lambda rgb: np.asarray(flip_averaged(network, rgb).values)


def enlarged(values: np.ndarray, size_hw: tuple[int, ...]) -> np.ndarray:
    return np.asarray(cv2.resize(np.asarray(values, np.float32), (size_hw[1], size_hw[0])))


def dev(data: Path, every: int) -> dict[str, float]:
    from pullfocus.lab.data.truth import MEASURED
    from pullfocus.lab.protocols import metrics

    look, rows = raw_network(), {}
    for name, frames in MEASURED.items():
        scores = []
        for frame in list(frames(data))[::every]:
            disparity = enlarged(look(frame.rgb), frame.depth_m.shape)
            depth = metrics.affine_depth(disparity, frame.depth_m, frame.valid, frame.far_m)
            inverse = np.where(frame.valid, 1 / np.maximum(frame.depth_m, 1e-3), 0)
            rank = metrics.rank_correlation(disparity, inverse, frame.valid)
            error = metrics.abs_rel(depth, frame.depth_m, frame.valid)
            scores.append((rank, error, metrics.delta1(depth, frame.depth_m, frame.valid)))
        rows[name] = np.mean(scores, axis=0)
    out = {f"dev {name} rank": float(row[0]) for name, row in rows.items()}
    for label, value in zip(
        ("rank", "AbsRel", "delta1"), np.mean(list(rows.values()), axis=0), strict=True
    ):
        out[f"dev {label}"] = float(value)
    return out


def wild(data: Path, every: int) -> dict[str, float]:
    import pullfocus as pf
    from pullfocus.lab.protocols import metrics

    look, scores = raw_network(), []
    for _, rgb, order in list(loader.wild(data))[::every]:
        raw = enlarged(look(rgb), order.shape)
        refined = enlarged(pf.estimate_depth(pf.Photo.from_array(rgb)).disparity, order.shape)
        known = np.flatnonzero(order > 0)
        some = np.random.default_rng(0).choice(known, min(20000, known.size), replace=False)
        valid = np.zeros(order.size, bool)
        valid[some] = True
        valid = valid.reshape(order.shape)
        scores.append(
            (
                metrics.rank_correlation(raw, order, valid),
                metrics.rank_correlation(refined, order, valid),
                masks.edge_f1_of_order(raw, order),
                masks.edge_f1_of_order(refined, order),
            )
        )
    names = ("wild rank", "wild rank, refined", "wild edge F1, raw", "wild edge F1, refined")
    return dict(zip(names, np.mean(scores, axis=0).tolist(), strict=True))


def photos_of_people(data: Path, every: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield rgb and truth (bool), at most LONG_SIDE_PX on the longer side."""
    folder = data / "people"
    for path in sorted((folder / "Training_Images").glob("*"))[::every]:
        truth = cv2.imread(str(folder / "Ground_Truth" / f"{path.stem}.png"), cv2.IMREAD_GRAYSCALE)
        if truth is None:
            continue
        bgr = cv2.imread(str(path))
        scale = min(1.0, LONG_SIDE_PX / max(bgr.shape[:2]))
        if scale < 1:
            bgr = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        yield np.ascontiguousarray(bgr[..., ::-1]), cv2.resize(truth, bgr.shape[1::-1]) > 127


def people(data: Path, every: int) -> dict[str, float]:
    import pullfocus as pf

    look, separations, scores = raw_network(), [], []
    for rgb, truth in photos_of_people(data, every):
        if not truth.any():
            continue
        share = masks.outline_separation(enlarged(look(rgb), truth.shape), truth)
        separations += [] if share is None else [share]
        depth = pf.estimate_depth(pf.Photo.from_array(rgb), refine=False)
        found = enlarged(depth.person, truth.shape) > 0.5
        scores.append(list(vars(masks.mask_scores(found, truth)).values()))
    table = np.array(scores)
    tenth = np.sort(table[:, 0])[: max(1, len(table) // 10)]
    iou, head, limbs, outline = np.nanmean(table, axis=0).tolist()
    return {
        "people separation": float(np.mean(separations)),
        "people IoU": iou,
        "people worst tenth": float(tenth.mean()),
        "people head": head,
        "people limbs": limbs,
        "people outline F": outline,
    }


PARTS = {"dev": dev, "wild": wild, "people": people}


def beside(checkout: Path, arguments: list[str]) -> dict[str, float]:
    """Measure another checkout with this file, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src")}
    out = Path(os.environ.get("TMPDIR", "/tmp")) / f"networks-{os.getpid()}.json"
    command = [sys.executable, __file__, *arguments, "--json", str(out)]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    found: dict[str, float] = json.loads(out.read_text())
    out.unlink()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between")
    parser.add_argument("--every", type=int, default=1, help="take every n-th picture")
    parser.add_argument("--beside", type=Path, help="another checkout to measure in the same run")
    parser.add_argument("--json", type=Path, help="write the figures there")
    options = parser.parse_args()
    columns: dict[str, dict[str, float]] = {}
    shared = ["--data", str(options.data), "--only", options.only, "--every", str(options.every)]
    if options.beside:
        columns["before"] = beside(options.beside, shared)
    now: dict[str, float] = {}
    for name in options.only.split(","):
        now |= PARTS[name](options.data, options.every)
    columns["now"] = now
    if options.json:
        options.json.write_text(json.dumps(now))
    print("| | " + " | ".join(columns) + " |\n|---|" + "---|" * len(columns))
    for row in now:
        cells = " | ".join(f"{column[row]:.3f}" for column in columns.values())
        print(f"| {row} | {cells} |")


if __name__ == "__main__":
    main()
