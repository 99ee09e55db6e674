"""The process in which loaders meet damaged input: one path a line in, one outcome a line out.

To fuzz another loader, add a function to LOADERS that takes a path, and seeds or a writer for it
to `fuzz_inputs`. It must use what it loads a little: faults often show later. What it returns, if
anything, is how it refused its input.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

MOST_BYTES = 12 << 30
"""Address space of this process: an input that wants all of the memory fails here alone."""


def sidecar(path: Path) -> None:
    """Read a sidecar and write it again."""
    from pullfocus.pipeline.sidecar import read_sidecar, write_sidecar

    found = read_sidecar(path)
    write_sidecar(found, path.with_suffix(".again"))
    found.settings_for("other.jpg", {"f_number": 2.0})


def script(path: Path) -> None:
    """Read a focus script, ask for moments of it, write it again."""
    from pullfocus.focus.script import plane_at, read_script, script_json

    found = read_script(path)
    for time_s in (0.0, 0.7, 1e6):
        found.f_number_at(time_s, 2.8)
        plane_at(found, time_s, lambda target, when: 0.5)
    script_json(found).encode()


def http_settings(path: Path) -> None:
    """Read the settings field of a request."""
    from pullfocus.web.routes.requests import read_settings

    read_settings(path.read_bytes().decode("utf-8", "replace")).model_dump_json().encode()


def card(path: Path) -> None:
    """Read the card beside a network, NAME.onnx.json."""
    from pullfocus.depth import find_card
    from pullfocus.depth.preprocess import target_hw

    found = find_card(path.with_suffix(""))
    target_hw((48, 64), found.preprocessing)
    f"{found.licence} {found.note}".encode()


def model_folder(path: Path) -> None:
    """Read the configurations of a transformers model: config.json, preprocessor_config.json."""
    from pullfocus.depth.huggingface_card import card_of_folder
    from pullfocus.depth.preprocess import target_hw

    target_hw((48, 64), card_of_folder(path.parent).preprocessing)


def network(path: Path) -> None:
    """Ask a network about a small picture."""
    import numpy as np

    from pullfocus.depth import open_estimator
    from pullfocus.depth.normalise import to_disparity

    rgb = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    disparity, _ = to_disparity(open_estimator(path).estimate(rgb))
    assert np.isfinite(disparity).all()


def photo(path: Path) -> None:
    """Read a photo, and write it as what it was and as something else."""
    import numpy as np

    from pullfocus.photo import load, save
    from pullfocus.photo.formats import FORMATS

    found = load(path)
    assert np.isfinite(found.linear).all()
    assert found.linear.dtype == np.float32
    f"{found.metadata.optics} {found.metadata.notes}".encode()
    if found.width * found.height > 1_000_000:
        return
    for kind in {found.metadata.format, "JPEG", "PNG", "TIFF"} & set(FORMATS):
        suffix = FORMATS[kind].suffixes[0]
        _reads_again(load, save(found, path.with_suffix(f".again{suffix}")))


def _reads_again(load: Callable[[Path], object], written: Path) -> None:
    from pullfocus.errors import PullfocusError

    try:
        load(written)
    except PullfocusError as error:
        raise AssertionError(f"what was written is not read: {error}") from error


def depth_file(path: Path) -> None:
    """Read a depth file beside a network that says something else, and write it as PNG."""
    import numpy as np

    from pullfocus.depthmap.files import load_depth, save_depth

    order = np.tile(np.linspace(0, 1, 16, dtype=np.float32), (12, 1))
    found = load_depth(path, order=lambda: order)
    assert np.isfinite(found.disparity).all()
    assert (found.disparity >= 0).all()
    f"{found.source} {found.notes}".encode()
    _reads_again(load_depth, save_depth(found, path.with_suffix(".again.png")))


def video(path: Path) -> None:
    """Read frames of a video, a still, and what is copied beside them."""
    from contextlib import closing
    from itertools import islice

    from pullfocus.video.media.colour import preview_rgb8
    from pullfocus.video.media.convert import FrameConverter
    from pullfocus.video.media.reader import VideoSource

    with closing(VideoSource(path)) as source:
        converter = FrameConverter(source.info, source.info.pix_fmt)
        for frame in islice(source.frames(), 12):
            codes = converter.to_codes(frame)
            preview_rgb8(codes, source.info.tags, 64)
        with source.again() as container:
            for _ in islice(container.demux(source.copied(container)), 200):
                pass
    with closing(VideoSource(path)) as source:
        source.frame_at(0.25)
        source.end_s()
    assert "list" not in path.name, "a playlist was opened"


def film(path: Path) -> None:
    """Pull focus in a video, with what is copied beside it."""
    from pullfocus.focus.script import FocusScript
    from pullfocus.pipeline import Settings
    from pullfocus.video.file_job import pull_focus
    from pullfocus.video.job import FrameOptions, VideoJob
    from pullfocus.video.media.reader import VideoSource

    whole = {"version": 1, "decisions": [{"at_s": 0, "focus": {"disparity": 0.3}}]}
    options = FrameOptions(Settings(refine=False), FocusScript.parse(whole), preview=True)
    suffix = path.suffix if path.suffix in (".mov", ".mkv", ".webm") else ".mp4"
    made = path.with_suffix(f".again{suffix}")
    report = pull_focus(VideoJob(path, made, options, overwrite=True))
    f"{report.notes}".encode()
    if report.frames:
        _reads_again(lambda written: VideoSource(written).close(), made)


def http(path: Path) -> str | None:
    """Send a request to the web server."""
    from fuzz_server import client

    return client().take(path)


LOADERS = {
    "sidecar": sidecar,
    "script": script,
    "http settings": http_settings,
    "card": card,
    "config": model_folder,
    "preprocessor": model_folder,
    "network": network,
    "photo": photo,
    "depth file": depth_file,
    "video": video,
    "film": film,
    "http": http,
}


def outcome(loader: str, path: Path) -> str:
    """Return "loaded", the name of an error of ours, or "FAULT: ..." for anything else."""
    from pullfocus.errors import CannotWriteError, PullfocusError

    try:
        refused = LOADERS[loader](path)
    except CannotWriteError as error:
        return f"FAULT: blames the disk: {str(error)[:300]}"
    except PullfocusError as error:
        text = str(error)
        is_sentence = text.strip() and text.isprintable() and len(text) < 2000
        return type(error).__name__ if is_sentence else f"FAULT: no sentence: {text[:300]!r}"
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is a finding
        return f"FAULT: {type(error).__name__}: {str(error)[:300]}"
    return refused or "loaded"


def peak_bytes() -> int:
    """Return the most memory that this program has held, and those that it started.

    Not ru_maxrss: Linux carries the peak of the process that started this one over into it.
    """
    import psutil

    if not Path("/proc/self/status").exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    pids = ["self", *(child.pid for child in psutil.Process().children())]
    return sum(_peak_of(Path(f"/proc/{pid}/status")) for pid in pids)


def _peak_of(status: Path) -> int:
    try:
        lines = status.read_text(encoding="ascii").splitlines()
    except OSError:  # it has ended
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def main() -> None:
    """Answer until stdin ends; what libraries print goes to stderr."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    for line in sys.stdin:
        asked = json.loads(line)
        found = outcome(asked["loader"], Path(asked["path"]))
        replies.write(json.dumps({"outcome": found, "peak_bytes": peak_bytes()}) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
