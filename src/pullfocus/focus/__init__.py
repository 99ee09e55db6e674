"""Focus: the third step of the line, from a DepthMap and a wish to a Focus."""

from __future__ import annotations

from pullfocus.focus.at_point import check_focus, focus_at, focus_on_box, sharp_range
from pullfocus.focus.subject import choose_subject, focus_on, focus_on_subject, people_range
from pullfocus.focus.subjects import Subject, find_subjects

__all__ = [
    "Subject",
    "check_focus",
    "choose_subject",
    "find_subjects",
    "focus_at",
    "focus_on",
    "focus_on_box",
    "focus_on_subject",
    "people_range",
    "sharp_range",
]
