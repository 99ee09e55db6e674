"""Video: the straight line over the frames of a clip; needs the [video] extra (PyAV)."""
