"""Telemetry of the libraries beneath, switched off before any of them loads.

`import pullfocus` calls `switch_off`; every import of onnxruntime goes through `onnxruntime`. What
each library would send is told in docs/privacy.md.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

SWITCHES = {
    "ORT_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DISABLE_SAFETENSORS_CONVERSION": "1",
    "FASTAPI_OTEL_AUTO_CONFIGURE": "false",
    "DO_NOT_TRACK": "1",
}
"""Environment variables, each read when its library loads.

Source: onnxruntime, Privacy.md, "Disabling Telemetry"; huggingface_hub, "Environment variables"
    (hf_xet and transformers obey the same one); transformers, modeling_utils, `auto_conversion`;
    fastapi, telemetry/_api.py, `auto_configure`; https://consoledonottrack.com.
"""


def switch_off() -> None:
    """Switch telemetry off, for this process and for those that it starts.

    What was loaded before pullfocus is told through its own interface.
    """
    os.environ.update(SWITCHES)
    if (loaded := sys.modules.get("onnxruntime")) is not None:
        _stop_events(loaded)
    if (constants := sys.modules.get("huggingface_hub.constants")) is not None:
        constants.HF_HUB_DISABLE_TELEMETRY = True  # type: ignore[attr-defined]


def onnxruntime(part: str = "") -> Any:
    """Import onnxruntime, or a module inside it such as "quantization", with telemetry off.

    Raises:
        ImportError: it is not installed, or its library does not load.
    """
    switch_off()
    library = import_module("onnxruntime")
    _stop_events(library)
    return import_module(f"onnxruntime.{part}") if part else library


def still_on() -> list[str]:
    """Name the switches of the environment that somebody has changed since; empty when off."""
    return [name for name, value in SWITCHES.items() if os.environ.get(name) != value]


def loaded_before(library: str = "onnxruntime") -> bool:
    """Tell whether a library was loaded before pullfocus could set its switch."""
    return library in _EARLIER


def _stop_events(library: Any) -> None:
    """Stop further events: all that is left to do in a process that loaded the library earlier."""
    stop = getattr(library, "disable_telemetry_events", None)
    if stop is not None:  # absent while the library is half imported
        stop()


_EARLIER = frozenset({"onnxruntime", "huggingface_hub"} & sys.modules.keys())
