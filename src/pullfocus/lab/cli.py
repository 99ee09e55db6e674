"""The lab's commands: ``python -m pullfocus.lab train | evaluate | export``."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

from pullfocus.lab.teacher import teacher_path

EMBEDDED = Path(__file__).parents[1] / "depth/weights/compact.onnx"
"""The network in the wheel."""
LONG_SIDE = 256
"""Long side at which networks are measured, px; the shipped file asks for the same."""


def main(arguments: list[str] | None = None) -> int:
    """Run one lab command; return the exit code."""
    options = _parser().parse_args(arguments)
    return options.run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("pullfocus lab", description=__doc__)
    verbs = parser.add_subparsers(required=True)
    train = verbs.add_parser("train", help="train a recipe, going on from its checkpoint")
    train.add_argument("recipe")
    train.add_argument("--data", type=Path, required=True, help="folder laid out as shared/data")
    train.add_argument("--out", type=Path, required=True, help="run folder")
    train.add_argument("--cache", type=Path, help="packed data (default: OUT/data)")
    train.add_argument("--crops", type=int, help="train until so many crops")
    train.add_argument("--start", type=Path, help="exported ONNX file to begin a new run from")
    train.add_argument("--processes", type=int, default=max(1, os.cpu_count() or 1))
    train.set_defaults(run=_train)
    measure = verbs.add_parser("evaluate", help="score ONNX files beside the baselines")
    measure.add_argument("models", type=Path, nargs="*", help="ONNX files (default: the wheel's)")
    measure.add_argument("--data", type=Path, required=True)
    measure.add_argument("--long-side", type=int, default=LONG_SIDE)
    measure.set_defaults(run=_evaluate)
    export = verbs.add_parser("export", help="turn a checkpoint into a self-describing ONNX file")
    export.add_argument("checkpoint", type=Path)
    export.add_argument("-o", "--output", type=Path, required=True)
    export.set_defaults(run=_export)
    sheet = verbs.add_parser("sheet", help="draw the depth maps of some photos side by side")
    sheet.add_argument("photos", type=Path, nargs="+")
    sheet.add_argument("--model", type=Path, action="append", help="ONNX file (may be repeated)")
    sheet.add_argument("--long-side", type=int, default=LONG_SIDE)
    sheet.add_argument("-o", "--output", type=Path, required=True)
    sheet.set_defaults(run=_sheet)
    return parser


def _train(options: argparse.Namespace) -> int:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from pullfocus.lab.launch import launch
    from pullfocus.lab.recipes import RECIPES

    if options.recipe not in RECIPES:
        print(f"no recipe {options.recipe!r}; there are: {', '.join(RECIPES)}")
        return 2
    cache = options.cache or options.out / "data"
    config = RECIPES[options.recipe]
    if options.crops:
        config = replace(config, total_crops=options.crops)
    launch(config, options.data, cache, options.out, options.processes, options.start)
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from pullfocus.lab import evaluate as lab

    estimators: dict[str, lab.Estimator] = {"lower row = nearer": lab.lower_row_is_nearer}
    if teacher_path(options.data).exists():
        estimators["tcmonodepth-small"] = lab.teacher_estimator(teacher_path(options.data))
    for path in options.models or [EMBEDDED]:
        estimators[path.stem] = lab.onnx_estimator(path, options.long_side)
    print(lab.markdown(lab.evaluate(estimators, options.data)))
    for name, estimate in estimators.items():
        share = lab.person_rank_accuracy(estimate, options.data)
        print(f"person rank accuracy, {name}: {share:.3f}")
    return 0


def _export(options: argparse.Namespace) -> int:
    from pullfocus.lab.export import export_checkpoint
    from pullfocus.lab.model_card import METADATA

    difference = export_checkpoint(options.checkpoint, options.output, METADATA)
    print(f"{options.output}: largest difference to torch {difference:.1e}")
    return 0


def _sheet(options: argparse.Namespace) -> int:
    import cv2

    from pullfocus.lab.evaluate import onnx_estimator
    from pullfocus.lab.sheet import sheet

    models = options.model or [EMBEDDED]
    picture = sheet(options.photos, [onnx_estimator(m, options.long_side) for m in models])
    if not cv2.imwrite(str(options.output), picture[:, :, ::-1]):
        print(f"{options.output}: cannot be written; give a .png or .jpg in a folder that exists")
        return 5
    return 0
