"""``pullfocus lab pseudo-label``: a folder of photos in, shards of labels out."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_verb(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the lab's parser."""
    parser = verbs.add_parser("pseudo-label", help="label a folder of photos with any estimator")
    parser.add_argument("photos", type=Path, help="folder, searched with everything below it")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of shards")
    parser.add_argument("--model", help="name, Hugging Face id, folder, .onnx or checkpoint")
    parser.add_argument("--long-side", type=int, default=400, help="of the labels, px")
    parser.add_argument(
        "--scales", type=float, nargs="+", help="inputs in units of the network's own (1 .8 1.25)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Label, go on where an earlier run stopped, say how many are done."""
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
