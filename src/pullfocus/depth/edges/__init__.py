"""Edge refinement: a small disparity map gets the edges of the photo."""
