"""What the shipped file says about itself; ``depth/weights/MODEL_CARD.md`` says it at length."""

METADATA = {
    "model_id": "pullfocus-compact-v4",
    "licence": "MIT",
    "training_data": (
        "Pseudo-labels of TCMonoDepth small (MIT) on public photo collections, BSDS500 and "
        "imagenet-sample-images (pictures used for pseudo-labels only); RGB-D frames of "
        "deep-video-mvs HoloLens (MIT), slambook2 Kinect (MIT) and TUM (CC BY 4.0); scenes "
        "rendered by pullfocus.lab.scenes; person masks: pseudo-labels of MediaPipe selfie "
        "segmentation (Apache-2.0) on the same photos"
    ),
    "recipe": "python -m pullfocus.lab train compact, compact-more twice, compact-truth, average",
}
"""metadata_props of compact.onnx beside kind, polarity and preprocessing."""
