"""Rendered scenes with exact disparity: truth that no sensor and no teacher gives.

seed -> layouts (what stands where) -> render (moderngl over EGL) -> picture, disparity
"""
