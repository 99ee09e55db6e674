"""The depth map that a photo carries inside."""
