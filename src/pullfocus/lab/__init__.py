"""The lab: where pullfocus's depth networks are trained, measured and exported.

Nothing at run time imports it; it needs the ``[lab]`` extra (torch, onnx, moderngl).
"""
