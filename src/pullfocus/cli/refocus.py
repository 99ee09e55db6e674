"""`pullfocus refocus PHOTO...`: the straight line for one photo, a folder, a pattern or stdin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pullfocus.batch import BatchReport, Job, plan_jobs, refocus_many
from pullfocus.cli.console import err, progress, say, show_json
from pullfocus.cli.first_run import tell_first_run
from pullfocus.cli.inputs import STDIN, find_photos, one_depth_for_one_photo
from pullfocus.cli.options import DEPTH_TOLD, flag, flags_without_effect, with_settings
from pullfocus.cli.printable import printable
from pullfocus.cli.stream import refocus_stream
from pullfocus.errors import UsageError
from pullfocus.pipeline import Settings, Sidecar, read_sidecar


@with_settings()
def command(
    photos: Annotated[
        list[str],
        typer.Argument(metavar="PHOTO...", help="Photos, folders, patterns, or - for stdin."),
    ],
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="OUT", help="File or folder; - is stdout."),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace outputs that exist.")] = False,
    settings: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Replay a sidecar; flags change single values."),
    ] = None,
    save_settings: Annotated[
        bool, typer.Option("--save-settings", help="Write PHOTO.pullfocus.json beside the output.")
    ] = False,
    save_depth: Annotated[
        bool, typer.Option("--save-depth", help="Write PHOTO.depth.png beside the output.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was done as JSON on stdout.")
    ] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only errors.")] = False,
    *,
    given: dict[str, Any],
) -> None:
    """Refocus photos: at a point, on the subject that is found, or as a sidecar says.

    Writes PHOTO.refocused.jpg (or the photo's own format) beside each photo, never over it.
    """
    sidecar = read_sidecar(settings) if settings else Sidecar(Settings())
    unused = flags_without_effect(given, sidecar.settings.changed(**given).style)
    if unused and not quiet:
        say(unused)
    told = [name for name in DEPTH_TOLD if name in given]
    if told and not quiet and sidecar.settings.changed(**given).depth_file is None:
        say(f"{', '.join(flag(name) for name in told)} means nothing without --depth FILE.")
    if STDIN in photos or output == STDIN:
        if save_settings or save_depth or as_json:
            raise UsageError("With stdin or stdout there is no place for --save-* and --json.")
        refocus_stream(photos, output, sidecar, given, overwrite=overwrite, quiet=quiet)
        return
    paths = find_photos(photos)
    one_depth_for_one_photo(paths, sidecar.settings.changed(**given))
    jobs = plan_jobs(paths, output, sidecar, given, save_settings, save_depth)
    if not quiet:
        tell_first_run()
    with progress(len(jobs), quiet=quiet) as bar:
        report = refocus_many(jobs, overwrite=overwrite, step=bar.step, finished=bar.advance)
    _show(report, jobs, as_json=as_json, quiet=quiet)
    if report.failed:
        raise report.failed[0].error if len(jobs) == 1 else SystemExit(1)


def _show(report: BatchReport, jobs: list[Job], *, as_json: bool, quiet: bool) -> None:
    if as_json:
        show_json(report.to_json())
    if len(jobs) == 1 and report.failed:
        return
    if not quiet:
        for outcome in report.done:
            say(f"{outcome.job.output}  ({outcome.words})")
        for note in report.notes:
            say(note)
        if report.skipped:
            count = len(report.skipped)
            say(f"{count} skipped: the output is already there (--overwrite makes it again).")
    if report.failed:
        _table(report)


def _table(report: BatchReport) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"{len(report.failed)} of {report.total} failed", title_justify="left")
    table.add_column("photo", no_wrap=True)
    table.add_column("why", overflow="fold")
    for outcome in report.failed:
        name, why = (printable(str(text)) for text in (outcome.job.photo.name, outcome.error))
        table.add_row(Text(name), Text(why))
    err.print(table)
