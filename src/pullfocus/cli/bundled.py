"""Native libraries inside the installed wheels: what doctor and the bill of materials name."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution

WHEELS = ("av", "imagecodecs", "opencv-contrib-python-headless", "pillow", "pillow-heif")
"""Distributions of codecs that pullfocus may use."""
GPL = {"x264", "x265", "xvidcore", "postproc"}
"""Libraries under the GPL by which such wheels encode; their file names say more than their
metadata: wheels with x264 inside call themselves BSD or LGPL."""
_NAME = re.compile(
    r"(?:^|/)(?:lib)?([A-Za-z][\w+.-]*?)(?:-[0-9a-f]{6,})*(?:[.-]((?:\d+[a-z]?\.)*\d+[a-z]?))?"
    r"\.(?:so|dylib|dll|pyd)(?:\.([\d.]+[a-z]?))?$"
)


def libraries_in(name: str) -> dict[str, str]:
    """Return the shared libraries of a distribution with their versions, "" where none is told.

    Python's own extension modules are left out; a distribution that is not installed has none.
    """
    try:
        files = distribution(name).files or ()
    except PackageNotFoundError:
        return {}
    found = {}
    for path in (file.as_posix() for file in files):
        match = _NAME.search(path)
        if match and (".libs/" in path or ".dylibs/" in path or path.endswith(".dll")):
            found[match[1].lower()] = match[3] or match[2] or ""
    return dict(sorted(found.items()))


def gpl_parts() -> dict[str, list[str]]:
    """Return the GPL libraries of each installed wheel that has any."""
    found = {name: sorted(GPL & libraries_in(name).keys()) for name in WHEELS}
    return {name: parts for name, parts in found.items() if parts}
