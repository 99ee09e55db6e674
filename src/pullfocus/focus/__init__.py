"""Focus: the third step of the line, from a DepthMap and a wish to a Focus."""

from __future__ import annotations

from pullfocus.focus.at_point import check_focus, focus_at, focus_on_box, sharp_range
from pullfocus.focus.subject import focus_on_subject

__all__ = ["check_focus", "focus_at", "focus_on_box", "focus_on_subject", "sharp_range"]
