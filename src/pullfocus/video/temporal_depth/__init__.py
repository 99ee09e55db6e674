"""Depth that is steady over the frames of a video, in one pass or two."""
