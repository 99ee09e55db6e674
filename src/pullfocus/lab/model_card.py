"""What the shipped file says about itself; ``depth/weights/MODEL_CARD.md`` says it at length."""

METADATA = {
    "model_id": "pullfocus-compact-v1",
    "licence": "MIT",
    "training_data": (
        "Pseudo-labels of TCMonoDepth small (MIT) on public photo collections, BSDS500 and "
        "imagenet-sample-images (pictures used for pseudo-labels only); RGB-D frames of "
        "deep-video-mvs HoloLens (MIT), slambook2 Kinect (MIT) and TUM (CC BY 4.0); scenes "
        "rendered by pullfocus.lab.scenes"
    ),
    "recipe": "python -m pullfocus.lab train compact",
}
"""metadata_props of compact.onnx beside kind, polarity and preprocessing."""
