"""compare: several models or folders of results become one HTML file to be looked at.

result folders, run folders, models -> sources -> tables, curves, pictures -> report.html
"""

from pullfocus.lab.compare.report import write_report
from pullfocus.lab.compare.sources import ComparedSource, open_source

__all__ = ["ComparedSource", "open_source", "write_report"]
