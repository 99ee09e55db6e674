"""Where the lab's pictures come from: truth to be measured against, photos to learn from."""
