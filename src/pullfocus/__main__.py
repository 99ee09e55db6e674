"""`python -m pullfocus` is the `pullfocus` command."""

from pullfocus.cli import main

if __name__ == "__main__":
    main()
