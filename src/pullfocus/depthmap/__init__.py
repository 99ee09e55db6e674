"""Depth maps as files: ours and those of other programs, their layouts, polarity and units."""
