"""`pullfocus video CLIP`: pull focus in a video, a pipe or a camera's picture."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from pullfocus.cli.console import INTERRUPTED, say, show_json
from pullfocus.cli.first_run import tell_first_run
from pullfocus.cli.options import with_settings
from pullfocus.cli.video_focus import frame_progress
from pullfocus.errors import CannotWriteError, UsageError
from pullfocus.pipeline import Settings

PIPE = "-"
LENS = (
    "f_number", "focal_length_mm", "sensor_width_mm", "blades", "rotation_deg", "roundness",
    "cats_eye", "squeeze", "ring", "edge_softness", "highlights",
)  # fmt: skip


@with_settings(*LENS, "focus_m", "focus_disparity", "range", "all_people_sharp", "model", "refine")
def command(
    video: Annotated[
        str | None, typer.Argument(metavar="CLIP", help="A video file, or - for stdin.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="OUT", help="File or folder; - is stdout (mkv)."),
    ] = None,
    focus_at: Annotated[
        str | None,
        typer.Option("--focus-at", "--at", metavar="X,Y", help="Hold the plane of this point."),
    ] = None,
    follow: Annotated[
        str | None,
        typer.Option(
            metavar="WHO", help="Follow: person, X,Y@T or X0,Y0,X1,Y1@T (fractions, seconds)."
        ),
    ] = None,
    script: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Pull focus as this script (JSON) says.")
    ] = None,
    suggest: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Only look at the clip and write a script for it."),
    ] = None,
    codec: Annotated[
        str | None,
        typer.Option(
            metavar="h264|h265|prores|vp9|av1", help="Default: what fits the output and its bits."
        ),
    ] = None,
    crf: Annotated[
        int | None,
        typer.Option(metavar="Q", help="Quality on the encoder's own scale, smaller is better."),
    ] = None,
    every: Annotated[
        int, typer.Option(metavar="N", min=1, help="Estimate depth on every N-th frame.")
    ] = 4,
    two_pass: Annotated[
        bool, typer.Option("--two-pass", help="Look at the whole clip first: the steadiest depth.")
    ] = False,
    fine: Annotated[
        bool, typer.Option("--fine", help="Compute the blur at full size: three times slower.")
    ] = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="Fast and small: 540 lines at most.")
    ] = False,
    webcam: Annotated[bool, typer.Option("--webcam", help="Take the camera's picture.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where it was stopped.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace the output if it exists.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only errors.")] = False,
    *,
    given: dict[str, Any],
) -> None:
    """Pull focus in a video.

    Writes CLIP.refocused.mp4 (or the clip's own container) beside the clip; timestamps, rotation,
    colour tags, audio and subtitles are the clip's. Ctrl-C leaves a file that plays; --resume goes
    on from there.
    """
    from pullfocus.cli.video_focus import script_from
    from pullfocus.video.job import FrameOptions

    settings = Settings.parse(given)
    options = FrameOptions(
        settings,
        script_from(focus_at, follow, script, settings),
        every=every,
        two_pass=two_pass,
        fine=fine,
        preview=preview,
        codec=codec,
        quality=crf,
    )
    if not quiet:
        tell_first_run()
    if suggest is not None:
        _write_suggestion(_file(video), suggest, options, overwrite, quiet)
        return
    with _asked_to_stop() as stop:
        if webcam or PIPE in (video, output):
            report = _live(video, output, webcam, options, stop, overwrite, quiet)
        else:
            report = _whole(_file(video), output, options, stop, overwrite, resume, quiet)
    _show(report, as_json, quiet)
    if report.stopped:
        raise SystemExit(INTERRUPTED)


def _file(video: str | None) -> Path:
    if video is None:
        raise UsageError("Which video? Give a file, - for stdin, or --webcam.")
    return Path(os.path.expanduser(video))


def _whole(
    video: Path,
    output: str | None,
    options: Any,
    stop: threading.Event,
    overwrite: bool,
    resume: bool,
    quiet: bool,
) -> Any:
    from pullfocus.video.file_job import pull_focus
    from pullfocus.video.job import VideoJob
    from pullfocus.video.media.encoders import default_output

    place = Path(os.path.expanduser(output)) if output else None
    target = default_output(video, place) if place is None or os.path.isdir(place) else place
    job = VideoJob(video, target, options, overwrite=overwrite, resume=resume)
    with frame_progress(video.name, quiet) as told:
        return pull_focus(job, stop=stop, told=told)


def _live(
    video: str | None,
    output: str | None,
    webcam: bool,
    options: Any,
    stop: threading.Event,
    overwrite: bool,
    quiet: bool,
) -> Any:
    from pullfocus.video.live_job import pull_focus_live
    from pullfocus.video.media.reader import VideoSource
    from pullfocus.video.media.webcam import open_webcam

    target = _live_target(output, overwrite)
    if webcam:
        source = open_webcam(video)
    elif video == PIPE:
        source = VideoSource(_stdin(), live=True)
    else:
        source = VideoSource(_file(video), live=True)
    with closing(source), frame_progress(source.name, quiet) as told:
        return pull_focus_live(source, target, options, stop=stop, told=told)


def _live_target(output: str | None, overwrite: bool) -> Any:
    if output is None:
        raise UsageError("Where to? Give -o FILE, or -o - for stdout.")
    if output == PIPE:
        if sys.stdout.isatty():
            raise UsageError("The video would go to the terminal; add -o FILE or > FILE.")
        return sys.stdout.buffer
    target = Path(os.path.expanduser(output))
    if os.path.exists(target) and not overwrite:
        raise CannotWriteError(
            f"{target} is already there; add --overwrite, or choose another name with -o."
        )
    return target


def _stdin() -> Any:
    if sys.stdin.isatty():
        raise UsageError("Nothing comes from stdin; give a video, or - with < VIDEO.")
    return sys.stdin.buffer


def _write_suggestion(
    video: Path, target: Path, options: Any, overwrite: bool, quiet: bool
) -> None:
    from pullfocus.files import write_whole
    from pullfocus.focus.script import script_json
    from pullfocus.video.suggest import suggest_script

    with frame_progress(video.name, quiet) as told:
        script = suggest_script(video, options, told=told)
    write_whole(target, script_json(script).encode(), overwrite=overwrite, like=video)
    say(f"{target}  ({len(script.decisions)} decisions, {len(script.subjects)} subjects)")


def _show(report: Any, as_json: bool, quiet: bool) -> None:
    if as_json:
        show_json(report.to_json())
    if quiet:
        return
    say(f"{report.output}  ({report.frames} frames, {report.end_s:.2f} s)")
    for note in report.notes:
        say(note)
    if report.broken or report.damaged:
        say(f"{report.broken} broken packets were skipped, {report.damaged} frames are damaged.")
    if report.stopped:
        say("Stopped; what is done plays. The same command with --resume goes on from there.")


@contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """Set an event at the first Ctrl-C or SIGTERM, so that the frame at hand is finished."""
    stop = threading.Event()

    def ask(*_: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
