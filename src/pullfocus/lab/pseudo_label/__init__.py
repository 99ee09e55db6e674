"""Pseudo-labels: any folder of photos labelled by any registered estimator, with a confidence.

photo -> several sizes, each with its mirror image -> least squares merge -> label, confidence
      -> shard (a tar of JPEG, PNG and JSON) -> read without stalling training
"""

from pullfocus.lab.pseudo_label.label import Label, label_photo
from pullfocus.lab.pseudo_label.read import LabelledPhoto, read_shards, shard_paths
from pullfocus.lab.pseudo_label.write import label_folder

__all__ = [
    "Label",
    "LabelledPhoto",
    "label_folder",
    "label_photo",
    "read_shards",
    "shard_paths",
]
