"""Settings: one value that defines the CLI's flags, keyword arguments, HTTP schema and sidecar."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from pullfocus.errors import UsageError
from pullfocus.json_files import brief

Style = Literal["lens", "graded"]
Method = Literal["gaussian", "average", "median", "bilateral", "disc", "mixed"]
DepthNear = Literal["bright", "dark"]
DepthUnit = Literal["disparity", "m", "mm", "inverse_m"]
Format = Literal["jpeg", "png", "tiff", "webp", "avif", "heic"]
METHODS: tuple[Method, ...] = get_args(Method)
FOCUS_FIELDS = frozenset({"at", "focus_m", "focus_disparity", "subject"})
LOCAL_FIELDS = frozenset({"depth_file", "max_megapixels"})
"""What names things on this machine: the HTTP server takes none of these from a client."""


def _pair(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.replace(";", ",").split(","))
    return value


def _f_number(value: Any) -> Any:
    return value.strip().lower().removeprefix("f").lstrip("/") if isinstance(value, str) else value


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.strip().isdigit() else value


def _subject(value: Any) -> Any:
    """Check a wish for a subject; a box may come as four numbers and becomes text."""
    if value is None:
        return None
    text = ",".join(str(part) for part in value) if isinstance(value, list | tuple) else str(value)
    text = text.replace(" ", "").replace(";", ",").lower()
    if text in ("person", "face", "nearest") or re.fullmatch(r"#[1-9][0-9]{0,3}", text):
        return text
    try:
        left, top, right, bottom = (float(part) for part in text.split(","))
    except ValueError:
        raise ValueError("it is person, face, nearest, an id such as #2, or a box") from None
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError("a box is left,top,right,bottom in fractions, left < right, top < bottom")
    return text


Fraction = Annotated[float, Field(ge=0, le=1)]
Point = Annotated[tuple[Fraction, Fraction], BeforeValidator(_pair)]
Positive = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Range = Annotated[tuple[Positive, Positive], BeforeValidator(_pair)]
SubjectWish = Annotated[str, BeforeValidator(_subject)]
Blades = Annotated[Literal[0, 5, 6, 7, 8, 9], BeforeValidator(_whole)]
FNumber = Annotated[float, Field(ge=0.5, le=256), BeforeValidator(_f_number)]


def _field(default: Any, description: str, group: str, metavar: str = "", **limits: Any) -> Any:
    extra: dict[str, Any] = {"group": group, "metavar": metavar}
    return Field(default, description=description, json_schema_extra=extra, **limits)


class Settings(BaseModel):
    """Everything that decides what a refocused picture looks like; frozen, checked, replayable.

    Where to focus: `focus_disparity`, else `focus_m`, else `at`, else the `subject` asked for, else
    the one that is found. What is sharp around it: `range`, else all people, else the `subject`.
    Unknown keys are refused, with the nearest known one named.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)  # JSON has neither
    version: ClassVar[int] = 1

    at: Point | None = _field(
        None, "Focus on this point: fractions from the left and from the top.", "Focus", "X,Y"
    )
    focus_m: float | None = _field(
        None, "Focus at this distance in metres (metric depth only).", "Focus", "METRES", gt=0
    )
    focus_disparity: float | None = _field(
        None,
        "Focus at this disparity, in the depth map's own unit; what a sidecar replays.",
        "Focus",
        "D",
        ge=0,
    )
    subject: SubjectWish | None = _field(
        None,
        "Focus on this subject and keep all of it sharp: person, face, nearest, an id such as #2 "
        "(`pullfocus subjects` lists them), or a box of fractions X0,Y0,X1,Y1.",
        "Focus",
        "WHO",
    )
    all_people_sharp: bool = _field(
        False, "Set the sharp range so that the face of every person is inside it.", "Focus"
    )
    range: Range | None = _field(
        None,
        "Keep everything between NEAR and FAR sharp: metres with metric depth, else relative "
        "disparity from 1 (nearest) to 0.",
        "Focus",
        "NEAR,FAR",
    )
    f_number: FNumber = _field(
        1.8, "Aperture: smaller blurs more, the radius goes with 1/N.", "Lens", "N"
    )
    focal_length_mm: float | None = _field(
        None,
        "Focal length; default: the camera's full-frame equivalent with metric depth, else 50.",
        "Lens",
        "MM",
        gt=0,
        lt=10000,
    )
    sensor_width_mm: float | None = _field(
        None, "Sensor width along the longer side; default 36 (full frame).", "Lens", "MM",
        gt=0, lt=10000,
    )  # fmt: skip
    blades: Blades = _field(0, "Aperture blades: 0 is round, else 5 to 9.", "Lens", "N")
    rotation_deg: float = _field(0.0, "Turn the aperture blades.", "Lens", "DEG", ge=-360, le=360)
    roundness: float = _field(
        0.0, "Bend the blades' edges: 0 straight, 1 a circle.", "Lens", "0..1", ge=0, le=1
    )
    cats_eye: float = _field(
        0.0, "Clip the discs towards the corners, as fast lenses do.", "Lens", "0..1", ge=0, le=1
    )
    squeeze: float = _field(
        1.0, "Anamorphic ratio: 2 makes discs twice as high as wide.", "Lens", "RATIO",
        ge=0.25, le=4,
    )  # fmt: skip
    ring: float = _field(
        0.0, "Central obstruction of a mirror lens: discs become rings.", "Lens", "0..0.9",
        ge=0, le=0.9,
    )  # fmt: skip
    edge_softness: float = _field(
        0.0, "Rim of the discs: -1 hard (soap bubble), 0 flat, 1 soft.", "Lens", "-1..1",
        ge=-1, le=1,
    )  # fmt: skip
    highlights: float = _field(
        0.5, "How strongly the light of clipped highlights is rebuilt.", "Lens", "0..1", ge=0, le=1
    )
    style: Style = _field(
        "lens", "lens: what a real lens would take; graded: the classic blur-and-stitch.", "Style"
    )
    method: Method = _field(
        "gaussian", "Blur of the graded style; mixed changes with the distance.", "Style"
    )
    strength: float = _field(
        1.0,
        "Blur of the graded style at the far end: 1 is a radius of 1 % of the longer side.",
        "Style",
        "S",
        ge=0,
        le=5,
    )
    depth_file: str | None = _field(
        None,
        "Use this depth map instead of estimating; docs/depth-files.md lists what is read.",
        "Depth",
        "FILE",
    )
    depth_near: DepthNear | None = _field(
        None,
        "Which end of the depth file is near, bright (large numbers) or dark; default: what the "
        "file says, else what the photo shows.",
        "Depth",
    )
    depth_unit: DepthUnit | None = _field(
        None,
        "What the numbers of the depth file are; disparity is relative, inverse_m is 1/m; default: "
        "what the file says.",
        "Depth",
    )
    depth_scale: float | None = _field(
        None,
        "Multiply the numbers of the depth file with this to be in its unit.",
        "Depth",
        "S",
        gt=0,
    )
    model: str | None = _field(
        None,
        "Depth model: a name from `pullfocus models`, a Hugging Face id, a folder or .onnx file.",
        "Depth",
        "NAME",
    )
    refine: bool = _field(True, "Snap the edges of the depth map to those of the photo.", "Depth")
    format: Format | None = _field(
        None, "Format of the output; default: by the output's name, else the photo's own.", "Output"
    )
    quality: int | None = _field(
        None, "Quality of JPEG, WebP, AVIF and HEIC output, 1 to 100.", "Output", "Q", ge=1, le=100
    )
    max_megapixels: float = _field(
        200.0, "Refuse photos with more pixels than this.", "Output", "MP", gt=0
    )

    def __init__(self, **given: Any) -> None:
        """Check the values.

        Raises:
            UsageError: a key or value that is none, in one sentence.
        """
        try:
            super().__init__(**given)
        except ValidationError as problem:
            raise UsageError(sentence(problem)) from None

    @model_validator(mode="before")
    @classmethod
    def _suggest(cls, given: Any) -> Any:
        if isinstance(given, Mapping):
            for key in given:
                if key not in cls.model_fields:
                    near = get_close_matches(str(key)[:60], cls.model_fields, n=1, cutoff=0.5)
                    hint = f": did you mean {near[0]!r}?" if near else "."
                    raise ValueError(f"there is no setting {brief(repr(key), 60)}{hint}")
        return given

    @model_validator(mode="after")
    def _one_focus(self) -> Settings:
        if self.at is not None and self.focus_m is not None:
            raise ValueError("choose a point (at) or a distance (focus_m), not both")
        if self.subject is not None and (self.at is not None or self.focus_m is not None):
            raise ValueError("choose a subject, or a point or distance, not both")
        if self.depth_near is not None and self.depth_unit not in (None, "disparity"):
            needed = "bright" if self.depth_unit == "inverse_m" else "dark"
            if self.depth_near != needed:
                raise ValueError(
                    f"depth in {self.depth_unit} has {needed} = near; leave depth_near away"
                )
        return self

    @classmethod
    def parse(cls, given: Mapping[str, Any] | None = None, **fields: Any) -> Settings:
        """Make settings from a mapping and keywords.

        Raises:
            UsageError: a key or value that is none, in one sentence.
        """
        return cls(**{str(key): value for key, value in {**(given or {}), **fields}.items()})

    def changed(self, **fields: Any) -> Settings:
        """Return settings with other values; a new focus replaces the old one whole.

        Raises:
            UsageError: a key or value that is none.
        """
        kept = self.model_dump()
        if FOCUS_FIELDS & fields.keys():
            kept.update(dict.fromkeys(FOCUS_FIELDS))
        return self.parse({**kept, **fields})


def sentence(problem: ValidationError) -> str:
    """Turn pydantic's first complaint into one sentence that names the setting."""
    error = problem.errors(include_url=False)[0]
    message = error["msg"].removeprefix("Value error, ")
    message = message.replace("Input should", "it should")
    where = brief(error["loc"][0], 60) if error["loc"] else ""
    if not where:
        return message[0].upper() + message[1:].rstrip(".") + ("" if message.endswith("?") else ".")
    if where == "at":
        return (
            f"The focus point {_shown(error)} is not inside the picture: give two fractions from 0 "
            "(left, top) to 1 (right, bottom), such as 0.42,0.61."
        )
    if where == "range":
        return (
            f"The sharp range cannot be {_shown(error)}: give its near and its far end, such as "
            "0.9,0.5 (1 is the nearest, 0 the farthest), or 1.2,3 in metres with a metric model."
        )
    return f"The setting {where} cannot be {_shown(error)}: {message[0].lower()}{message[1:]}."


def _shown(error: Any) -> str:
    value = error["input"]
    if isinstance(value, tuple | list):
        return brief(",".join(str(part) for part in value), 80)
    return brief(repr(value), 80)
