"""What a photo says about itself: EXIF, TIFF directories, ICC, XMP, colour codes, camera."""
