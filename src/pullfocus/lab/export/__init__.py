"""From a trained network to an ONNX file that says what it is, and to its int8 twin."""
