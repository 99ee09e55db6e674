"""``pullfocus lab compare``: models or folders of results in, one HTML file out."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from pullfocus.lab.evaluate_protocol_cli import NAMES


def add_verb(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the lab's parser."""
    parser = verbs.add_parser("compare", help="several models or results in one HTML report")
    parser.add_argument("sources", nargs="+", help="folders of results or runs, or models")
    parser.add_argument("-o", "--output", type=Path, default=Path("compare.html"))
    parser.add_argument("--photos", type=Path, help="folder of photos that models are asked about")
    parser.add_argument("--protocol", choices=NAMES, help="score the models under it now")
    parser.add_argument("--data", type=Path, help="of the protocol")
    parser.add_argument("--set", dest="subset", help="of the protocol")
    parser.add_argument("--limit", type=int, help="only so many images or photos")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Open every source, write the report and say where it lies."""
    from pullfocus.lab.compare import open_source, write_report
    from pullfocus.lab.data.origin import pictures

    photos = pictures(options.photos)[: options.limit] if options.photos else []
    sources = [open_source(name, photos, _scored(name, options)) for name in options.sources]
    write_report(sources, options.output, photos)
    print(f"{options.output}: {len(sources)} side by side")
    return 0


def _scored(given: str, options: argparse.Namespace) -> Path | None:
    """Score a model if asked to; return the folder of its results."""
    if options.protocol is None or Path(given).is_dir():
        return None
    from pullfocus.errors import UsageError
    from pullfocus.lab.protocols import Options, evaluate

    if options.data is None:
        raise UsageError("--protocol needs --data, the folder of its set.")
    out = options.output.with_suffix("") / re.sub(r"[^\w.-]+", "-", given)
    chosen = Options(subset=options.subset, limit=options.limit)
    evaluate(options.protocol, given, options.data, out / options.protocol, chosen)
    return out
