"""Where light comes from: warps, cameras and poses that the self-supervised losses look through."""
