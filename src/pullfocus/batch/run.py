"""Run a batch: the next photo is read and the last one written while this one is rendered.

At most three photos are in memory. The kernels use all cores by themselves, so that more
processes would only need more memory.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pullfocus.batch.leftovers import is_leftover
from pullfocus.batch.plan import Job
from pullfocus.errors import CannotWriteError, PullfocusError
from pullfocus.files import check_folder, remove_leftovers
from pullfocus.pipeline import Refocused, apply, write_sidecar
from pullfocus.types import Photo


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one photo."""

    job: Job
    words: str = ""
    record: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    error: PullfocusError = field(default_factory=PullfocusError)


@dataclass(slots=True)
class BatchReport:
    """What became of all of them."""

    done: list[Outcome] = field(default_factory=list)
    skipped: list[Job] = field(default_factory=list)
    failed: list[Outcome] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Photos in the batch."""
        return len(self.done) + len(self.skipped) + len(self.failed)

    @property
    def notes(self) -> list[str]:
        """What people should know about single photos, each with its name."""
        return [f"{item.job.photo.name}: {note}" for item in self.done for note in item.notes]

    def to_json(self) -> dict[str, Any]:
        """Return the report as `--json` prints it."""
        results: list[dict[str, Any]] = [
            item.record
            | {"photo": str(item.job.photo), "status": "done", "output": str(item.job.output)}
            | {"notes": list(item.notes)}
            for item in self.done
        ]
        results += [
            {"photo": str(job.photo), "status": "skipped", "output": str(job.output)}
            for job in self.skipped
        ]
        results += [
            {
                "photo": str(item.job.photo),
                "status": "failed",
                "error": str(item.error),
                "exit_code": item.error.exit_code,
            }
            for item in self.failed
        ]
        return {
            "done": len(self.done),
            "skipped": len(self.skipped),
            "failed": len(self.failed),
            "results": results,
        }


@dataclass(frozen=True, slots=True)
class _Rules:
    """overwrite: replace what is there. resume: take what is there as done, or finish it."""

    overwrite: bool
    resume: bool


class _MadeMeanwhileError(CannotWriteError):
    """Another process on the same folder made this picture while ours was at work."""


def refocus_many(
    jobs: list[Job],
    *,
    overwrite: bool = False,
    step: Callable[[str], None] = lambda _: None,
    finished: Callable[[], None] = lambda: None,
) -> BatchReport:
    """Do all jobs; a job that fails is reported, the others go on.

    A single job whose output exists fails; in a batch it is skipped, so that a run that was
    stopped can simply be started again, and several processes can share a folder. What a killed
    run left half done beside the outputs is made anew.
    """
    report = BatchReport()
    rules = _Rules(overwrite, resume=len(jobs) > 1 and not overwrite)
    left = [job for job in jobs if not _settled(job, report, rules)]
    remove_leftovers(path for job in left for path in _files(job))
    for _ in range(len(jobs) - len(left)):
        finished()
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer:
        reading = reader.submit(_read, left[0], rules) if left else None
        writing: Future[None] | None = None
        previous: Outcome | None = None
        for index, job in enumerate(left):
            if reading is None:
                break
            current, following = reading, left[index + 1 : index + 2]
            reading = reader.submit(_read, following[0], rules) if following else None
            outcome, result = _attempt(job, current, step)
            _close(previous, writing, report, finished)
            previous, writing = None, None
            if result is None:
                _count_failure(outcome, report)
                finished()
            else:
                previous = outcome
                writing = writer.submit(_write, job, result, rules)
        _close(previous, writing, report, finished)
    return report


def _settled(job: Job, report: BatchReport, rules: _Rules) -> bool:
    if rules.resume and _is_made(job):
        report.skipped.append(job)
        return True
    return False


def _is_made(job: Job) -> bool:
    return os.path.exists(job.output) and not os.path.isdir(job.output)


def _files(job: Job) -> list[Path]:
    """List what a job writes, the picture last."""
    return [path for path in (job.depth, job.sidecar, job.output) if path is not None]


def _count_failure(outcome: Outcome, report: BatchReport) -> None:
    if isinstance(outcome.error, _MadeMeanwhileError):
        report.skipped.append(outcome.job)
    else:
        report.failed.append(outcome)


def _attempt(
    job: Job, reading: Future[Photo], step: Callable[[str], None]
) -> tuple[Outcome, Refocused | None]:
    name = job.photo.name
    try:
        step(f"{name}: reading")
        photo = reading.result()
        result = apply(photo, job.settings, progress=lambda words: step(f"{name}: {words}"))
    except PullfocusError as problem:
        return Outcome(job, error=problem), None
    except Exception as problem:  # noqa: BLE001 - a fault in one photo must not stop the others
        return Outcome(job, error=_unexpected(job, problem)), None
    notes = (*photo.metadata.notes, *result.depth.notes)
    record = result.record | {"settings": result.settings.model_dump(mode="json")}
    return Outcome(job, _words(result), record, notes), result


def _read(job: Job, rules: _Rules) -> Photo:
    from pullfocus.photo import load

    _refuse_made_meanwhile(job, rules)
    for target in () if rules.overwrite else _files(job):
        if os.path.exists(target) and not (rules.resume and is_leftover(target, job)):
            raise CannotWriteError(
                f"{target} is already there; add --overwrite, or choose another name with -o."
            )
    if not os.path.exists(job.output):  # devices are written to where they are
        check_folder(Path(os.path.realpath(job.output)).parent)
    return load(job.photo, max_megapixels=job.settings.max_megapixels)


def _refuse_made_meanwhile(job: Job, rules: _Rules) -> None:
    if rules.resume and _is_made(job):
        raise _MadeMeanwhileError(f"{job.output} was made by another process.")


def _write(job: Job, result: Refocused, rules: _Rules) -> None:
    """Write all files of a photo, the picture last: a later run takes photos that have one as done.

    What was new beside a picture that could not be written is taken away again, unless another
    process has made the picture: then it is its own.
    """
    _refuse_made_meanwhile(job, rules)
    written: list[Path] = []
    try:
        _write_beside(job, result, rules, written)
        _write_picture(job, result, rules)
    except BaseException:
        if not job.output.is_file():
            for path in written:
                path.unlink(missing_ok=True)
        _refuse_made_meanwhile(job, rules)
        raise


def _write_beside(job: Job, result: Refocused, rules: _Rules, written: list[Path]) -> None:
    """Write depth map and sidecar; list in `written` those that were not there before."""
    if job.depth is not None:
        from pullfocus.depthmap.files import save_depth

        is_new = not job.depth.exists()
        replaced = rules.overwrite or (rules.resume and is_leftover(job.depth, job))
        save_depth(result.depth, job.depth, overwrite=replaced, like=job.photo)
        written += [job.depth] if is_new else []
    if job.sidecar is not None:
        is_new = not job.sidecar.exists()
        write_sidecar(result.sidecar, job.sidecar, like=job.photo)
        written += [job.sidecar] if is_new else []


def _write_picture(job: Job, result: Refocused, rules: _Rules) -> None:
    from pullfocus.photo import save

    settings = job.settings
    save(
        result.image,
        job.output,
        format=settings.format,
        quality=settings.quality,
        overwrite=rules.overwrite,
    )


def _close(
    outcome: Outcome | None,
    writing: Future[None] | None,
    report: BatchReport,
    finished: Callable[[], None],
) -> None:
    if outcome is None or writing is None:
        return
    try:
        writing.result()
        report.done.append(outcome)
    except PullfocusError as problem:
        _count_failure(replace(outcome, error=problem), report)
    except Exception as problem:  # noqa: BLE001 - as above
        report.failed.append(replace(outcome, error=_unexpected(outcome.job, problem)))
    finished()


def _unexpected(job: Job, problem: Exception) -> PullfocusError:
    """Wrap what nobody foresaw; the cause is shown by --debug."""
    if isinstance(problem, MemoryError):
        words = f"{job.photo} needs more memory than this machine has free."
    else:
        words = (
            f"{job.photo} failed unexpectedly ({type(problem).__name__}: {problem}). This is a "
            "bug: please report it with the photo and the output of the same command with --debug."
        )
    error = PullfocusError(words)
    error.__cause__ = problem
    return error


def _words(result: Refocused) -> str:
    focus = result.focus
    place = "" if focus.x is None or focus.y is None else f" at {focus.x:.2f},{focus.y:.2f}"
    lens = f"f/{result.lens.f_number:g}"
    how = lens if result.settings.style == "lens" else f"graded {result.settings.method}"
    return f"focus: {focus.chosen}{place}; {how}; depth: {result.depth.source}"
