"""The renderer that people get: layers by blur radius, composited back to front."""
