"""Living photo: one HTML file with a picture, its depth and the lens, that anyone can refocus.

    photo, depth -> data URIs + the page's own modules and shaders, inlined -> HTML

The file loads nothing and sends nothing: its content security policy allows only the script whose
hash it names.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from pullfocus.errors import UsageError
from pullfocus.pipeline import Settings, choose_focus
from pullfocus.types import DepthMap, Photo

STATIC = Path(__file__).parent / "static"
SHADERS = Path(__file__).parents[1] / "render" / "shaders"
MODULES = (
    "strings.js", "optics.js", "gl/kernel.js", "gl/bands.js", "gl/lights.js", "gl/source.js",
    "gl/context.js", "gl/renderer.js", "living.js",
)  # fmt: skip
JPEG_QUALITY = 93
_IMPORT = re.compile(r"^import \{([^}]*)\} from '([^']+)';$", re.MULTILINE)
_EXPORT = re.compile(r"^export (?:async )?(?:function|class|const) (\w+)", re.MULTILINE)
_EXPORT_LIST = re.compile(r"^export \{([^}]*)\};$", re.MULTILINE)


def living_page(photo: Photo, depth: DepthMap, settings: Settings, *, title: str) -> str:
    """Write the page of a photo and a depth map of the same, small size."""
    from pullfocus.photo.pixels import to_srgb8

    focus = choose_focus(photo, depth, settings)
    data = {
        "picture": _data_uri(to_srgb8(photo, max(photo.size_hw)), ".jpg"),
        "depth": _data_uri(_two_bytes(depth.disparity), ".png"),
        "scale": [float(depth.disparity.min()), float(depth.disparity.max())],
        "kind": depth.kind,
        "settings": {**settings.model_dump(mode="json"), "focus_disparity": focus.disparity},
        **_lens_of(photo, depth, settings),
        "title": title,
    }
    script = f"{_shaders()}\nglobalThis.pullfocusLiving = {_json(data)};\n{bundle()}"
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = (STATIC / "living.html").read_text(encoding="utf-8")
    style = (STATIC / "css" / "living.css").read_text(encoding="utf-8")
    style_digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    filled = {
        "{{title}}": html.escape(title), "{{hash}}": digest, "{{style-hash}}": style_digest,
        "{{style}}": style, "{{script}}": script,
    }  # fmt: skip
    for mark, value in filled.items():
        page = page.replace(mark, value)
    return page


def bundle() -> str:
    """Join the modules into one script: each becomes a function that returns what it exports."""
    return "const modules = {};\n" + "\n".join(_wrapped(name) for name in MODULES)


def _wrapped(name: str) -> str:
    body = (STATIC / "js" / name).read_text(encoding="utf-8")
    names = _EXPORT.findall(body)
    for group in _EXPORT_LIST.findall(body):
        names += [part.strip() for part in group.split(",") if part.strip()]
    body = _EXPORT_LIST.sub("", body)
    body = _IMPORT.sub(lambda found: f"const {{{found[1]}}} = modules['{_key(found[2])}'];", body)
    body = re.sub(r"^export ", "", body, flags=re.MULTILINE)
    if re.search(r"^(import|export)\b", body, re.MULTILINE):
        raise UsageError(f"{name} holds an import or export that a living photo cannot carry.")
    return f"modules['{_key(name)}'] = (() => {{\n{body}\nreturn {{{', '.join(names)}}};\n}})();"


def _key(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def _shaders() -> str:
    texts = {path.name.removesuffix(".glsl"): path.read_text() for path in SHADERS.glob("*.glsl")}
    return f"globalThis.pullfocusShaders = {_json(texts)};"


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False).replace("</", "<\\/")


def _lens_of(photo: Photo, depth: DepthMap, settings: Settings) -> dict[str, float | None]:
    from pullfocus.lens import resolve_lens
    from pullfocus.pipeline import make_lens

    lens = resolve_lens(make_lens(settings), depth, photo.metadata.optics)
    return {"focal_length_mm": lens.focal_length_mm, "sensor_width_mm": lens.sensor_width_mm}


def _two_bytes(disparity: np.ndarray) -> np.ndarray:
    """Scale to 16 bits and split into red (high) and green (low)."""
    low, high = float(disparity.min()), float(disparity.max())
    code = np.rint((disparity - low) / max(high - low, 1e-12) * 65535).astype(np.uint16)
    return np.dstack([code >> 8, code & 255, np.zeros_like(code)]).astype(np.uint8)


def _data_uri(rgb: np.ndarray, suffix: str) -> str:
    import cv2

    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if suffix == ".jpg" else []
    done, data = cv2.imencode(suffix, np.ascontiguousarray(rgb[..., ::-1]), options)
    if not done:
        raise UsageError("The picture of the living photo could not be encoded.")
    kind = "jpeg" if suffix == ".jpg" else "png"
    return f"data:image/{kind};base64,{base64.b64encode(data.tobytes()).decode()}"
