"""Let the modules of this folder import each other, and show what came of all inputs at the end."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))


def pytest_terminal_summary(terminalreporter):
    """Print how often each loader ended in what."""
    found = [
        value
        for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
        for name, value in report.user_properties
        if name == "outcomes" and report.when == "call"
    ]
    if found:
        terminalreporter.section("outcomes of damaged inputs")
        terminalreporter.write_line("\n".join(found))
