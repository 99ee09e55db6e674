"""Subjects of a video: found, followed, lost and found again."""
