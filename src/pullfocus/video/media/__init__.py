"""Containers, streams and colours of videos: reading, writing, going on."""
