"""Photos in and out: the first and the last step of the line.

    load: bytes -> sniff -> decode (one module a format) -> upright -> linear light -> Photo
    save: Photo -> encode by the tone curve -> one module a format -> metadata put back -> file

The only room that touches image files. Heavy libraries are imported by the decoders.
"""

from pullfocus.photo.read import as_photo, load
from pullfocus.photo.write import save

__all__ = ["as_photo", "load", "save"]
