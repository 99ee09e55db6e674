"""Evaluation protocols of the literature, with any model that the registry opens.

set -> cases -> model (and its mirror image) -> alignment -> scores -> Summary, CSV, sheet
"""

from pullfocus.lab.protocols.options import Options
from pullfocus.lab.protocols.run import PROTOCOLS, evaluate
from pullfocus.lab.protocols.summary import Summary, read_summary

__all__ = ["PROTOCOLS", "Options", "Summary", "evaluate", "read_summary"]
