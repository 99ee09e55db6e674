"""Flags made from Settings, so that the two cannot differ: one field, one flag, one help text."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from pullfocus.pipeline.settings import Settings, Style

FLAGS = {"depth_file": "--depth"}
"""Fields whose flag is not simply their name."""


DEPTH_TOLD = ("depth_near", "depth_unit", "depth_scale")
"""Fields that say what a depth file holds."""


def flag(field: str) -> str:
    """Name the flag of a field: f_number -> --f-number."""
    return FLAGS.get(field, "--" + field.replace("_", "-"))


def with_settings(*fields: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a verb one flag per field (all when none is named); it gets them as a dict `given`.

    Only what the user gave is in it, as text; `Settings.parse` checks and converts.
    """
    chosen = fields or tuple(Settings.model_fields)

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        own = [value for key, value in signature.parameters.items() if key != "given"]
        parameters = [*own, *(_parameter(name) for name in chosen)]

        def wrapped(**values: Any) -> None:
            given = {name: values.pop(name) for name in chosen}
            command(**values, given={k: v for k, v in given.items() if v is not None})

        wrapped.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
        )
        wrapped.__annotations__ = {p.name: p.annotation for p in parameters}
        wrapped.__doc__ = command.__doc__
        wrapped.__name__ = command.__name__
        return wrapped

    return decorate


def flags_without_effect(given: Mapping[str, Any], style: Style) -> str:
    """Say which of the flags that were given belong to the other style; empty if none does."""
    groups = {name: _extra(name).get("group") for name in given}
    other = [
        flag(name)
        for name, group in groups.items()
        if group == ("Lens" if style == "graded" else "Style") and name != "style"
    ]
    verb = "has" if len(other) == 1 else "have"
    return f"{', '.join(other)} {verb} no effect with --style {style}." if other else ""


def _extra(name: str) -> Any:
    return Settings.model_fields[name].json_schema_extra or {}


def _parameter(name: str) -> inspect.Parameter:
    field = Settings.model_fields[name]
    extra = _extra(name)
    is_switch = field.annotation is bool
    text = field.description or ""
    if field.default is not None:
        shown = ("yes" if field.default else "no") if is_switch else f"{field.default}"
        text = f"{text} [dim](default: {shown})[/dim]"
    names = [f"{flag(name)}/--no-{name.replace('_', '-')}"] if is_switch else [flag(name)]
    option = typer.Option(
        *names,
        help=text,
        metavar=None if is_switch else (_choices(name) or extra.get("metavar") or None),
        rich_help_panel=extra.get("group"),
        show_default=False,
    )
    kind: Any = bool | None if is_switch else str | None
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option]
    )


def _choices(name: str) -> str | None:
    schema = Settings.model_json_schema()["properties"][name]
    options = [schema, *schema.get("anyOf", [])]
    words = next((option["enum"] for option in options if "enum" in option), None)
    return "|".join(str(word) for word in words) if words else None
