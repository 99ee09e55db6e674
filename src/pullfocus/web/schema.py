"""The shapes of answers: what the page and scripts get back, as OpenAPI shows it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from pullfocus.web.queue import Job


class Health(BaseModel):
    """The server is up."""

    status: Literal["ok"] = "ok"


class Version(BaseModel):
    """Which program this is, and which run of it."""

    name: str = "pullfocus"
    version: str
    run: str = Field(description="Changes when the server is restarted.")


class Failure(BaseModel):
    """Why something did not work, in one sentence."""

    kind: str
    message: str


class ErrorAnswer(BaseModel):
    """The body of every answer that is not 2xx."""

    error: Failure


class JobView(BaseModel):
    """How far a job is."""

    id: str
    kind: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    progress: float = Field(ge=0, le=1)
    message: str
    result: Any = None
    error: Failure | None = None

    @classmethod
    def of(cls, job: Job) -> JobView:
        """Show a job."""
        from pullfocus.web.failures import describe

        error = describe(job.error)[1] if job.error is not None and job.state == "failed" else None
        result = job.result if job.state == "done" else None
        return cls(
            id=job.id,
            kind=job.kind,
            state=job.state,
            progress=job.progress,
            message=job.message,
            result=result if isinstance(result, dict) else None,
            error=error,
        )


class PhotoView(BaseModel):
    """A photo the server holds."""

    id: str
    name: str
    width: int
    height: int
    preview_width: int
    preview_height: int
    bit_depth: int
    notes: list[str] = []
    camera: str = ""
    suggested_name: str = ""


class SubjectView(BaseModel):
    """Something in the photo to focus on; its frame is that of its face, where it shows one."""

    id: str
    kind: Literal["person", "salient", "nearest", "box"]
    face: bool
    box: tuple[float, float, float, float] = Field(description="Left, top, right, bottom: 0..1.")
    x: float
    y: float
    disparity: float
    near: float = Field(description="Disparity of its near end.")
    far: float


class FocusView(BaseModel):
    """Where a new photo is focused."""

    x: float | None
    y: float | None
    disparity: float
    chosen: str


class DepthView(BaseModel):
    """A depth map the server holds, as the page needs it."""

    kind: Literal["relative", "metric"]
    source: str
    licence: str | None = None
    notes: list[str] = []
    focal_length_mm: float
    sensor_width_mm: float
    edited: bool = False
    subject: FocusView
    subjects: list[SubjectView]


class ReplayRequest(BaseModel):
    """Settings or a whole sidecar from elsewhere."""

    settings: dict[str, Any] = {}


class RenderRequest(ReplayRequest):
    """What to save."""

    format: Literal["jpeg", "png", "tiff", "webp", "avif", "heic"] | None = None
    quality: int | None = Field(None, ge=1, le=100)


class DepthRequest(BaseModel):
    """Which depth to work out."""

    model: str | None = None
    refine: bool = True


class DepthSaveRequest(DepthRequest):
    """Which depth to save, and how."""

    format: Literal["png", "exr", "npy", "pfm"] = "png"


class AnimationRequest(BaseModel):
    """A focus pull from one plane to another."""

    settings: dict[str, Any] = {}
    start_disparity: float = Field(ge=0, allow_inf_nan=False)
    end_disparity: float = Field(ge=0, allow_inf_nan=False)
    frames: int = Field(24, ge=2, le=120)
    seconds: float = Field(2.0, gt=0.1, le=20)
    long_side_px: int = Field(960, ge=64, le=1920)
    format: Literal["gif", "webp", "mp4"] = "webp"
    there_and_back: bool = True


class LivingRequest(BaseModel):
    """A picture that anyone can refocus, in one HTML file."""

    settings: dict[str, Any] = {}
    long_side_px: int = Field(1280, ge=64, le=2560)


class FilmView(BaseModel):
    """A video the server holds."""

    id: str
    name: str
    width: int
    height: int
    start_s: float = Field(description="When the first frame is shown.")
    duration_s: float = Field(description="From the first frame on.")
    frames: int = Field(description="0 where nobody knows.")


class StillRequest(BaseModel):
    """Which moment of a video."""

    at_s: float = Field(0.0, ge=0, allow_inf_nan=False)


class FilmRequest(ReplayRequest):
    """How to pull focus in a video: a focus script (see docs/video.md); the subject without.

    preview: small, for the page, as WebM.
    """

    script: dict[str, Any] | None = None
    preview: bool = False


class ScriptRequest(BaseModel):
    """A focus script (see docs/video.md) to be checked."""

    script: dict[str, Any]


class ScriptView(BaseModel):
    """A focus script that makes sense, with its defaults written out."""

    script: dict[str, Any]


class SampleView(BaseModel):
    """A bundled photo to start with."""

    name: str
    words: str
    x: float
    y: float


class Info(BaseModel):
    """What this installation can do."""

    version: str
    run: str
    max_upload_mb: float
    max_megapixels: float
    models: list[dict[str, Any]]
    samples: list[SampleView]
    formats: list[str]
    animation_formats: list[str]
    settings_schema: dict[str, Any]
    defaults: dict[str, Any]
