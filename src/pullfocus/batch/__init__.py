"""The line over many files: one broken photo stops nothing, a second run does what is left."""

from __future__ import annotations

from pullfocus.batch.plan import Job, plan_jobs, told_apart
from pullfocus.batch.run import BatchReport, Outcome, refocus_many

__all__ = ["BatchReport", "Job", "Outcome", "plan_jobs", "refocus_many", "told_apart"]
