"""The public networks that label training photos: disparity with features, and where people are.

``tcmonodepth-small.onnx`` (TCMonoDepth, MIT) was exported for one 192x320 picture. Its channel
shuffles are reshapes to constant sizes; they are rewritten here as channel gathers, so that it
takes batches of any height and width (multiples of 16).

``selfie-segmentation.onnx`` (MediaPipe, Apache-2.0) is given a picture resized to 256x256. It marks
many animals as people, so its masks are used only in folders where the foreground is people.

Both label; neither is shipped.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from pullfocus.telemetry import onnxruntime

if TYPE_CHECKING:
    import onnx

STAGE_TENSORS = {
    "e1": "/encoder/first_conv/first_conv.2/Relu_output_0",
    "e2": "/encoder/stage1/features.3/Concat_output_0",
    "e3": "/encoder/stage2/features.11/Concat_output_0",
    "e4": "/encoder/stage3/features.15/Concat_output_0",
    "d3": "/decoder/decoder3/last_conv/last_conv.2/Relu_output_0",
    "d2": "/decoder/decoder2/last_conv/last_conv.2/Relu_output_0",
    "d1": "/decoder/decoder1/last_conv/last_conv.2/Relu_output_0",
}
"""The teacher's tensor at each of ``networks.compact.STAGES``."""


def teacher_path(data: Path) -> Path:
    """Return where the teacher lies under the data folder."""
    return data / "networks" / "tcmonodepth-small.onnx"


def free_sizes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with batch, height and width made dynamic and stage outputs added."""
    import onnx
    from onnx import helper, numpy_helper

    graph = model.graph
    shapes = {
        v.name: [d.dim_value for d in v.type.tensor_type.shape.dim]
        for v in onnx.shape_inference.infer_shapes(model).graph.value_info
    }
    producer = {o: n for n in graph.node for o in n.output}
    nodes = []
    for node in graph.node:
        if node.op_type in ("Reshape", "Transpose"):
            continue
        if node.op_type == "Split":
            shuffled = node.input[0]
            source = producer[producer[producer[shuffled].input[0]].input[0]].input[0]
            channels = shapes[source][1]
            for half, out in enumerate(node.output):
                name = f"{out}_channels"
                index = np.arange(half, channels, 2)
                graph.initializer.append(numpy_helper.from_array(index, name))
                nodes.append(helper.make_node("Gather", [source, name], [out], axis=1))
            continue
        if node.op_type == "Resize":
            scale = f"{node.output[0]}_scale"
            graph.initializer.append(
                numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), scale)
            )
            del node.input[2:]
            node.input.append(scale)
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]
    for value in (*graph.input, *graph.output):
        for axis, name in ((0, "b"), (2, "h"), (3, "w")):
            value.type.tensor_type.shape.dim[axis].dim_param = name
    for name in STAGE_TENSORS.values():
        graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    return model


class Teacher:
    """Relative disparity and stage features for batches of pictures.

    Args:
        path: the public ONNX file.
        threads: cores to use.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        import onnx

        from pullfocus.telemetry import onnxruntime

        runtime = onnxruntime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        model = free_sizes(onnx.load(str(path)))
        self._session = runtime.InferenceSession(model.SerializeToString(), options)

    def __call__(self, rgb: np.ndarray) -> np.ndarray:
        """Return disparity b h w float32 for pictures b 3 h w in 0..1 (h, w multiples of 16)."""
        return self._session.run(["output"], {"input": rgb * np.float32(255)})[0][:, 0]

    def stages(self, rgb: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return disparity b h w and the features of every stage for pictures b 3 h w in 0..1."""
        names = list(STAGE_TENSORS.values())
        out = self._session.run(["output", *names], {"input": rgb * np.float32(255)})
        return out[0][:, 0], dict(zip(STAGE_TENSORS, out[1:], strict=True))


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
        """Return the probability SIDE SIDE float32 for rgb h w 3 uint8 (resized to a square)."""
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
        folder: name of the folder the photo lies in; decides how far the label is trusted.
    """
    half_wh = (max(1, rgb.shape[1] // 2), max(1, rgb.shape[0] // 2))
    soft = teacher.with_mirror(rgb)
    if folder in EMPTY_FOLDERS or soft.mean() < ABSENT_BELOW:
        return np.zeros(half_wh[::-1], np.float32)
    unsure = ((soft > 0.2) & (soft < 0.8)).mean()
    if folder not in PEOPLE_FOLDERS or unsure > UNSURE_ABOVE * soft.mean():
        return np.full(half_wh[::-1], np.nan, np.float32)
    return cv2.resize(soft, half_wh, interpolation=cv2.INTER_LINEAR)
