"""Starts the command line: ``undercut`` and ``python -m undercut``."""

import sys

from undercut.cli import main

if __name__ == "__main__":
    sys.exit(main())
