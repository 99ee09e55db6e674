"""Entry point of ``python -m pullfocus.lab``, which every process of a torchrun group runs."""

from __future__ import annotations

import sys

from pullfocus.errors import PullfocusError
from pullfocus.lab.cli import main


def run() -> int:
    """Run the command; a failure is one sentence on stderr and an exit code."""
    try:
        return main()
    except PullfocusError as problem:
        print(f"pullfocus lab: {problem}", file=sys.stderr)
        return problem.exit_code
    except ModuleNotFoundError as problem:
        print(f"{problem}: pip install 'pullfocus[lab]'.", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(run())
