"""Entry point of ``python -m pullfocus.lab``."""

import sys

from pullfocus.lab.cli import main

if __name__ == "__main__":
    sys.exit(main())
