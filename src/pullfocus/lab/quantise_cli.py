"""``pullfocus lab quantise``: an ONNX depth network in, its int8 twin out."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

PHOTOS = 60
"""Photos that the scales are measured on, evenly drawn from the folder."""


def add_verb(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the lab's parser."""
    parser = verbs.add_parser("quantise", help="write the int8 twin of an ONNX depth network")
    parser.add_argument("network", type=Path, help="an .onnx file, as `lab export` writes them")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--photos", type=Path, required=True, help="folder to measure scales on")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Quantise and say what became of the size."""
    from pullfocus.lab.quantise import quantise

    photos = list(_photos(options.photos))
    quantise(options.network, options.output, photos)
    before, after = (p.stat().st_size / 1e6 for p in (options.network, options.output))
    print(f"{options.output}: {after:.1f} MB ({before:.1f} MB), {len(photos)} photos")
    return 0


def _photos(folder: Path) -> Iterator[np.ndarray]:
    """Yield up to PHOTOS pictures as uint8 RGB; what cannot be read is passed over."""
    from pullfocus.lab.data.origin import pictures_below
    from pullfocus.lab.data.truth import read_rgb

    found = pictures_below(folder)
    for path in found[:: max(1, len(found) // PHOTOS)][:PHOTOS]:
        with suppress(FileNotFoundError):
            yield read_rgb(path)
