"""The lab's commands: ``pullfocus lab VERB``, or ``python -m pullfocus.lab VERB``.

Heavy libraries are imported where a command needs them, so that its help is light.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from pullfocus.depth.installed import embedded_path
from pullfocus.lab import compare_cli, evaluate_protocol_cli, pseudo_label_cli, quantise_cli
from pullfocus.lab.teacher import teacher_path

EMBEDDED = embedded_path()
"""The network in the wheel."""
LONG_SIDE = "look once, at this long side in px (default: as the file asks)"


def main(arguments: list[str] | None = None) -> int:
    """Run one lab command; return the exit code.

    Raises:
        PullfocusError: in one sentence, what cannot be done.
        ModuleNotFoundError: a library of the [lab] extra is missing.
    """
    given = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(given)
    options.given = given
    return options.run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("pullfocus lab", description=__doc__)
    verbs = parser.add_subparsers(required=True)
    _add_train(verbs.add_parser("train", help="train a recipe, going on from its checkpoint"))
    measure = verbs.add_parser("evaluate", help="score ONNX files beside the baselines")
    measure.add_argument("models", type=Path, nargs="*", help="ONNX files, beside the wheel's")
    measure.add_argument("--data", type=Path, required=True)
    measure.add_argument("--long-side", type=int, help=LONG_SIDE)
    evaluate_protocol_cli.add_options(measure)
    measure.set_defaults(run=_evaluate)
    export = verbs.add_parser("export", help="turn a checkpoint into a self-describing ONNX file")
    export.add_argument("checkpoint", type=Path)
    export.add_argument("-o", "--output", type=Path, required=True)
    export.add_argument("--licence", help="SPDX identifier to write into the file")
    export.set_defaults(run=_export)
    mean = verbs.add_parser("average", help="average exported embedded networks' weights")
    mean.add_argument("networks", type=Path, nargs="+", help="one trained on from the other")
    mean.add_argument("-o", "--output", type=Path, required=True)
    mean.set_defaults(run=_average)
    sheet = verbs.add_parser("sheet", help="draw the depth maps of some photos side by side")
    sheet.add_argument("photos", type=Path, nargs="+")
    sheet.add_argument("--model", type=Path, action="append", help="ONNX file (may be repeated)")
    sheet.add_argument("--long-side", type=int, help=LONG_SIDE)
    sheet.add_argument("-o", "--output", type=Path, required=True)
    sheet.set_defaults(run=_sheet)
    compare_cli.add_verb(verbs)
    pseudo_label_cli.add_verb(verbs)
    quantise_cli.add_verb(verbs)
    return parser


def _add_train(train: argparse.ArgumentParser) -> None:
    train.add_argument("recipe", help="a name of docs/lab.md")
    train.add_argument("--data", type=Path, help="folder of the samples, as the recipe wants it")
    train.add_argument("--out", type=Path, help="run folder (default: runs/RECIPE)")
    train.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="changes")
    train.add_argument("--start", type=Path, help="checkpoint (compact: ONNX file) to begin with")
    group = train.add_argument_group("several GPUs, processes or machines")
    group.add_argument("--devices", type=int, help="processes here (default: one a GPU, or one)")
    group.add_argument("--nodes", type=int, default=1, help="machines; run the command on each")
    group.add_argument("--node", type=int, default=0, help="number of this machine, from 0")
    group.add_argument("--meet", metavar="HOST:PORT", help="where machine 0 waits for the others")
    group.add_argument("--processes", type=int, dest="devices", help="the same as --devices")
    more = train.add_argument_group("less often needed")
    more.add_argument("--crops", type=int, metavar="N", help="stop after so many samples")
    more.add_argument("--cache", type=Path, help="packs of compact... (default: OUT/data)")
    more.add_argument(
        "--logger",
        action="append",
        default=[],
        metavar="MODULE:FUNCTION",
        help="gets every number and picture too: FUNCTION(folder, settings, step) opens it",
    )
    train.set_defaults(run=_train)


def _train(options: argparse.Namespace) -> int:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from pullfocus.lab.recipes.catalogue import recipe_named

    recipe = recipe_named(options.recipe).changed(options.changes)
    if options.crops is not None:
        recipe = recipe.but(steps=-(-options.crops // recipe.batch))
    from pullfocus.lab.engine.loop import Run, train
    from pullfocus.lab.engine.metrics_log import logger_named
    from pullfocus.lab.engine.processes import devices_here, group_command, in_group, run_group

    out = options.out or Path("runs") / options.recipe
    loggers = tuple(logger_named(name) for name in options.logger)
    run = Run(options.recipe, recipe, options.data, out, options.start, options.cache, loggers)
    devices = options.devices or devices_here()
    if not in_group() and (devices > 1 or options.nodes > 1):
        recipe.prepare(run.data, run.prepared)  # here, so that no process waits for another
        where = (options.nodes, options.node, options.meet)
        return run_group(group_command(options.given, devices, *where), devices)
    train(run)
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    if options.protocol:
        return evaluate_protocol_cli.run(options)
    from pullfocus.lab import evaluate as lab

    estimators: dict[str, lab.Estimator] = {"lower row = nearer": lab.lower_row_is_nearer}
    if teacher_path(options.data).exists():
        estimators["tcmonodepth-small"] = lab.teacher_estimator(teacher_path(options.data))
    for label, path in _beside_the_embedded(options.models).items():
        estimators[label] = lab.onnx_estimator(path, options.long_side)
    print(lab.markdown(lab.evaluate(estimators, options.data)))
    for name, estimate in estimators.items():
        share = lab.person_rank_accuracy(estimate, options.data)
        print(f"person rank accuracy, {name}: {share:.3f}")
    return 0


def _beside_the_embedded(models: list[Path]) -> dict[str, Path]:
    """Return networks to score by what they are called: the wheel's first, then those asked for."""
    others = [path for path in models if path.resolve() != EMBEDDED]
    stems = [path.stem for path in (EMBEDDED, *others)]
    own = {path.stem if stems.count(path.stem) == 1 else str(path): path for path in others}
    return {f"{EMBEDDED.stem}, embedded": EMBEDDED} | own


def _export(options: argparse.Namespace) -> int:
    from pullfocus.lab.export import export_checkpoint

    said = {"licence": options.licence} if options.licence else {}
    difference = export_checkpoint(options.checkpoint, options.output, said)
    print(f"{options.output}: largest difference to torch {difference:.1e}")
    return 0


def _average(options: argparse.Namespace) -> int:
    from pullfocus.lab.average import average

    average(options.networks, options.output)
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
