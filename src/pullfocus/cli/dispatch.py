"""Find the verb, import it alone, run it; turn failures into a sentence and an exit code."""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from importlib import import_module
from io import TextIOWrapper
from types import ModuleType
from typing import Any, NoReturn

import typer

from pullfocus.cli.console import INTERRUPTED, report
from pullfocus.cli.verbs import Verb, verbs
from pullfocus.errors import MissingModelError

HELP = """Move the focus of a photo after it was taken.

[bold]pullfocus PHOTO --at 0.42,0.61 --f-number 1.8[/bold] is short for pullfocus refocus PHOTO;
a file that is named like a verb is written ./depth.

Exit codes: 0 done, 1 failed (or some photos did), 2 usage, 3 missing model, 4 unreadable input,
5 cannot write, 130 interrupted. Add --debug to any command for the traceback of a failure.
"""
_NAMES = {"help_option_names": ["-h", "--help"]}


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit; `arguments` are those of the process when None."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    given = [argument for argument in given if argument != "--debug"]
    _end_politely()
    warnings.filterwarnings("ignore", module=r"PIL\.")  # of damaged EXIF: the photo is still good
    try:
        _run(given)
    except BaseException as problem:  # noqa: BLE001 - the one place where everything ends
        sys.exit(report(problem, debug=debug))
    sys.exit(0)


def _run(given: list[str]) -> None:
    known = verbs()
    if not given or given[0] in ("-h", "--help"):
        _overview(known)(["--help"], prog_name="pullfocus")
    elif given[0] in ("--version", "-V"):
        from pullfocus import __version__

        typer.echo(f"pullfocus {__version__}")
    else:
        verb = known.get(given[0])
        name, rest = (given[0], given[1:]) if verb else ("refocus", given)
        sys.exit(_perform(known[name], rest))


def _overview(known: dict[str, Verb]) -> typer.Typer:
    app = _new_app(help=HELP)
    app.callback()(_nothing)
    for verb in known.values():
        app.command(verb.name, help=verb.help)(_nothing)
    return app


def _perform(verb: Verb, rest: list[str]) -> int:
    """Import the verb's module and run what it holds; return its exit code."""
    try:
        module = import_module(verb.module)
        if hasattr(module, "main"):
            return module.main(rest) or 0
        _keep_results_alone_on_stdout()
        app: Any = getattr(module, "app", None) or _app_of(module)
        code = app(rest, prog_name=f"pullfocus {verb.name}", standalone_mode=False)
        if code == INTERRUPTED:  # what typer makes of Ctrl-C, without a word
            raise KeyboardInterrupt
        return code if isinstance(code, int) else 0
    except ModuleNotFoundError as problem:
        if verb.extra is None or (problem.name or "").startswith("pullfocus"):
            raise
        raise MissingModelError(
            f"`pullfocus {verb.name}` needs {problem.name}, which is not installed: "
            f"pip install 'pullfocus[{verb.extra}]'."
        ) from None


def _keep_results_alone_on_stdout() -> None:
    """Send what native libraries print to stderr; stdout stays for pictures, JSON and paths.

    Libraries write to descriptor 1, whatever Python's stdout is; a model file can make one talk.
    """
    given = sys.stdout
    if sys.stderr is None or not isinstance(given, TextIOWrapper) or given is not sys.__stdout__:
        return  # closed, or somebody else's already
    try:
        given.flush()
        own = os.dup(given.fileno())
    except (OSError, ValueError):
        return
    try:
        os.dup2(sys.stderr.fileno(), given.fileno())
        sys.stdout = open(own, "w", encoding=given.encoding, errors=given.errors)  # noqa: SIM115
        sys.stdout.reconfigure(line_buffering=given.line_buffering)
    except (OSError, ValueError):
        os.close(own)


def _app_of(module: ModuleType) -> typer.Typer:
    app = _new_app()
    app.command()(module.command)
    return app


def _new_app(**options: Any) -> typer.Typer:
    return typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings=_NAMES,
        **options,
    )


def _nothing() -> None:
    return None


def _end_politely() -> None:
    """Let SIGTERM unwind like Ctrl-C, so that temporary files are removed."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
