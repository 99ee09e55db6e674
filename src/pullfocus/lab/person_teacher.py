"""Where people are, said by a public network: the teacher of the person mask.

``selfie-segmentation.onnx`` (MediaPipe, Apache-2.0) looks at a picture squeezed to 256x256. It
knows nothing of animals and marks many of them, so its word counts only in folders where people
are what is in front. It teaches; it is never shipped.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from pullfocus.telemetry import onnxruntime

SIDE = 256
PEOPLE_FOLDERS = (
    "clothing-co-parsing",
    "sic_translator",
    "sports-type-classifier",
    "mmpose",
    "coco128_yolo",
    "cognitive-services-sample-data-files",
    "everyday",
)
"""Folders whose foreground is nearly always people."""
EMPTY_FOLDERS = (
    "image-classification-using-cnn",
    "kangaroo",
    "raccoon_dataset",
    "imagenet",
    "houses-dataset",
    "ikea",
    "indoor-scene-detector",
    "grocerystoredataset",
    "optimizing_cbir_for_geolocation_estimation",
    "selfexsr",
    "weather_dataset",
    "doordetect-dataset",
    "wallpapers",
    "archcraft-wallpapers",
    "budgie-backgrounds",
    "deepin-wallpapers",
)
"""Folders of animals, things and places, where people are so rare that what stands in front counts
as nobody; the teacher marks whatever stands in front."""
ABSENT_BELOW = 0.005
"""Mean probability under which the teacher is believed that nobody is there, in any folder."""
UNSURE_ABOVE = 0.4
"""Share of in-between pixels, relative to the person's own, above which it is not believed."""


def person_teacher_path(data: Path) -> Path:
    """Return where the teacher lies under the data folder."""
    return data / "networks" / "selfie-segmentation.onnx"


class PersonTeacher:
    """The probability of a person at every pixel of one picture.

    Source: MediaPipe selfie segmentation, input 1 256 256 3 in 0..1.
    """

    def __init__(self, path: Path) -> None:
        runtime = onnxruntime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = runtime.InferenceSession(str(path), options)
        self._name = self._session.get_inputs()[0].name

    def __call__(self, rgb: np.ndarray) -> np.ndarray:
        """Return the probability SIDE SIDE float32 for rgb h w 3 uint8 (squeezed to a square)."""
        small = cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        image = small[None].astype(np.float32) / 255
        return self._session.run(None, {self._name: image})[0][0, :, :, 0]

    def with_mirror(self, rgb: np.ndarray) -> np.ndarray:
        """Return the mean with the mirrored picture's answer, SIDE SIDE float32."""
        return (self(rgb) + self(rgb[:, ::-1])[:, ::-1]) / 2


def person_label(teacher: PersonTeacher, rgb: np.ndarray, folder: str) -> np.ndarray:
    """Return the label h/2 w/2 float32 in 0..1 of a training photo, NaN where nothing is known.

    Args:
        teacher: the public network.
        rgb: h w 3 uint8.
        folder: name of the folder the photo lies in; decides what the teacher's word is worth.
    """
    half_wh = (max(1, rgb.shape[1] // 2), max(1, rgb.shape[0] // 2))
    soft = teacher.with_mirror(rgb)
    if folder in EMPTY_FOLDERS or soft.mean() < ABSENT_BELOW:
        return np.zeros(half_wh[::-1], np.float32)
    unsure = ((soft > 0.2) & (soft < 0.8)).mean()
    if folder not in PEOPLE_FOLDERS or unsure > UNSURE_ABOVE * soft.mean():
        return np.full(half_wh[::-1], np.nan, np.float32)
    return cv2.resize(soft, half_wh, interpolation=cv2.INTER_LINEAR)
