"""The lab's commands: ``pullfocus lab VERB``, or ``python -m pullfocus.lab VERB``.

Heavy libraries are imported where a command needs them, so that its help is light.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from pullfocus.depth.card import embedded_path
from pullfocus.errors import UsageError
from pullfocus.lab.teachers import teacher_path

EMBEDDED = embedded_path()
"""The network in the wheel."""
PROTOCOL_NAMES = (
    "kitti-eigen",
    "kitti-2015",
    "nyu",
    "make3d",
    "affine",
    "boundary",
    "da-2k",
    "tae",
)
"""`protocols.PROTOCOLS`, known here without importing them (a test holds the two together)."""
PHOTOS = 60
"""Photos that the scales are measured on, evenly drawn from the folder."""
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
    _add_protocol(measure)
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
    _add_compare(verbs)
    _add_pseudo_label(verbs)
    _add_quantise(verbs)
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
        return _evaluate_protocol(options)
    from pullfocus.lab.protocols import quick

    estimators: dict[str, quick.Estimator] = {"lower row = nearer": quick.lower_row_is_nearer}
    if teacher_path(options.data).exists():
        estimators["tcmonodepth-small"] = quick.teacher_estimator(teacher_path(options.data))
    for label, path in _beside_the_embedded(options.models).items():
        estimators[label] = quick.onnx_estimator(path, options.long_side)
    print(quick.markdown(quick.evaluate(estimators, options.data)))
    for name, estimate in estimators.items():
        share = quick.person_rank_accuracy(estimate, options.data)
        print(f"person rank accuracy, {name}: {share:.3f}")
    return 0


def _beside_the_embedded(models: list[Path]) -> dict[str, Path]:
    """Return networks to score by what they are called: the wheel's first, then those asked for."""
    others = [path for path in models if path.resolve() != EMBEDDED]
    stems = [path.stem for path in (EMBEDDED, *others)]
    own = {path.stem if stems.count(path.stem) == 1 else str(path): path for path in others}
    return {f"{EMBEDDED.stem}, embedded": EMBEDDED} | own


def _export(options: argparse.Namespace) -> int:
    from pullfocus.lab.export.onnx import export_checkpoint

    said = {"licence": options.licence} if options.licence else {}
    difference = export_checkpoint(options.checkpoint, options.output, said)
    print(f"{options.output}: largest difference to torch {difference:.1e}")
    return 0


def _average(options: argparse.Namespace) -> int:
    from pullfocus.lab.export.onnx import average

    average(options.networks, options.output)
    return 0


def _sheet(options: argparse.Namespace) -> int:
    import cv2

    from pullfocus.lab.protocols.quick import onnx_estimator
    from pullfocus.lab.sheet import sheet

    models = options.model or [EMBEDDED]
    picture = sheet(options.photos, [onnx_estimator(m, options.long_side) for m in models])
    if not cv2.imwrite(str(options.output), picture[:, :, ::-1]):
        print(f"{options.output}: cannot be written; give a .png or .jpg in a folder that exists")
        return 5
    return 0


def _add_compare(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the lab's parser."""
    parser = verbs.add_parser("compare", help="several models or results in one HTML report")
    parser.add_argument("sources", nargs="+", help="folders of results or runs, or models")
    parser.add_argument("-o", "--output", type=Path, default=Path("compare.html"))
    parser.add_argument("--photos", type=Path, help="folder of photos that models are asked about")
    parser.add_argument("--protocol", choices=PROTOCOL_NAMES, help="score the models under it now")
    parser.add_argument("--data", type=Path, help="of the protocol")
    parser.add_argument("--set", dest="subset", help="of the protocol")
    parser.add_argument("--limit", type=int, help="only so many images or photos")
    parser.set_defaults(run=_compare)


def _compare(options: argparse.Namespace) -> int:
    """Open every source, write the report and say where it lies."""
    from pullfocus.lab.compare import open_source, write_report
    from pullfocus.lab.data.dataset_files import pictures

    photos = pictures(options.photos)[: options.limit] if options.photos else []
    sources = [open_source(name, photos, _scored(name, options)) for name in options.sources]
    write_report(sources, options.output, photos)
    print(f"{options.output}: {len(sources)} side by side")
    return 0


def _scored(given: str, options: argparse.Namespace) -> Path | None:
    """Score a model if asked to; return the folder of its results."""
    if options.protocol is None or Path(given).is_dir():
        return None
    from pullfocus.lab.protocols import Options, evaluate

    if options.data is None:
        raise UsageError("--protocol needs --data, the folder of its set.")
    out = options.output.with_suffix("") / re.sub(r"[^\w.-]+", "-", given)
    chosen = Options(subset=options.subset, limit=options.limit)
    evaluate(options.protocol, given, options.data, out / options.protocol, chosen)
    return out


def _add_protocol(parser: argparse.ArgumentParser) -> None:
    """Add the protocol's options to the parser of ``evaluate``."""
    group = parser.add_argument_group("a protocol of the literature instead")
    group.add_argument("--protocol", choices=PROTOCOL_NAMES)
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


def _evaluate_protocol(options: argparse.Namespace) -> int:
    """Evaluate, print the table beside the papers' and say where everything lies."""
    from pullfocus.lab.compare.paper_tables import beside
    from pullfocus.lab.protocols import Options, evaluate

    fields = Options.__dataclass_fields__
    chosen = Options(**{name: getattr(options, name) for name in fields})
    model = options.model or "embedded"
    out = options.out or Path("runs") / f"{options.protocol}-{Path(model).stem}"
    summary = evaluate(options.protocol, model, options.data, out, chosen)
    print(summary.markdown())
    print(f"\n{beside([summary])}\n\n{out}: per_image.csv, summary.json, summary.md, sheet.png")
    return 0


def _add_pseudo_label(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the lab's parser."""
    parser = verbs.add_parser("pseudo-label", help="label a folder of photos with any estimator")
    parser.add_argument("photos", type=Path, help="folder, searched with everything below it")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of shards")
    parser.add_argument("--model", help="name, Hugging Face id, folder, .onnx or checkpoint")
    parser.add_argument("--long-side", type=int, default=400, help="of the labels, px")
    parser.add_argument(
        "--scales", type=float, nargs="+", help="inputs in units of the network's own (1 .8 1.25)"
    )
    parser.set_defaults(run=_pseudo_label)


def _pseudo_label(options: argparse.Namespace) -> int:
    """Label, go on where an earlier _pseudo_label stopped, say how many are done."""
    from pullfocus.lab.protocols.models import open_model
    from pullfocus.lab.pseudo_label.label import SCALES
    from pullfocus.lab.pseudo_label.write import label_folder

    def told(name: str, score: float | None) -> None:
        print(f"{name}: {'not readable, passed over' if score is None else f'{score:.2f}'}")

    scales = tuple(options.scales) if options.scales else SCALES
    settings = {"long_side": options.long_side, "scales": scales, "told": told}
    model = open_model(options.model)
    count = label_folder(options.photos, options.output, model, **settings)
    print(f"{options.output}: {count} photos labelled by {model.id}")
    return 0


def _add_quantise(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the lab's parser."""
    parser = verbs.add_parser("quantise", help="write the int8 twin of an ONNX depth network")
    parser.add_argument("network", type=Path, help="an .onnx file, as `lab export` writes them")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--photos", type=Path, required=True, help="folder to measure scales on")
    parser.set_defaults(run=_quantise)


def _quantise(options: argparse.Namespace) -> int:
    """Quantise and say what became of the size."""
    from pullfocus.lab.export.quantise import quantise

    photos = list(_photos_to_measure(options.photos))
    quantise(options.network, options.output, photos)
    before, after = (p.stat().st_size / 1e6 for p in (options.network, options.output))
    print(f"{options.output}: {after:.1f} MB ({before:.1f} MB), {len(photos)} photos")
    return 0


def _photos_to_measure(folder: Path) -> Iterator[np.ndarray]:
    """Yield up to PHOTOS pictures as uint8 RGB; what cannot be read is passed over."""
    from pullfocus.lab.data.dataset_files import pictures_below
    from pullfocus.lab.data.truth import read_rgb

    found = pictures_below(folder)
    for path in found[:: max(1, len(found) // PHOTOS)][:PHOTOS]:
        with suppress(FileNotFoundError):
            yield read_rgb(path)
