"""`pullfocus video CLIP`: pull focus in a video."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from pullfocus.cli.console import say
from pullfocus.cli.failing import INTERRUPTED
from pullfocus.cli.first_run import tell_first_run
from pullfocus.cli.options import with_settings
from pullfocus.pipeline import Settings


@with_settings("f_number", "model", "refine")
def command(
    video: Annotated[str, typer.Argument(metavar="CLIP", help="A video file.")],
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="OUT", help="The video to write.")
    ] = None,
    focus_at: Annotated[
        str | None,
        typer.Option("--focus-at", "--at", metavar="X,Y", help="Focus on this point of the shot."),
    ] = None,
    codec: Annotated[str | None, typer.Option(metavar="CODEC", help="h264, ...")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace the output if it exists.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where it was stopped.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only errors.")] = False,
    *,
    given: dict[str, Any],
) -> None:
    """Pull focus in a video."""
    from pullfocus.video.codecs import default_output
    from pullfocus.video.run import VideoJob, pull_focus

    settings = Settings.parse(given | ({"at": focus_at} if focus_at else {}))
    source = Path(video).expanduser()
    target = Path(output).expanduser() if output else default_output(source)
    job = VideoJob(source, target, settings, codec, overwrite=overwrite, resume=resume)
    if not quiet:
        tell_first_run()
    with _stopped_by_ctrl_c() as stop:
        report = pull_focus(job, stop=stop)
    say(f"{target} {report}")
    if report.stopped:
        raise SystemExit(INTERRUPTED)


@contextmanager
def _stopped_by_ctrl_c() -> Iterator[threading.Event]:
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
