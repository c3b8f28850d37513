"""Starts the command line: ``undercut`` and ``python -m undercut``."""

import sys

INTERRUPTED = 130


def main() -> int:
    """Run one command, or say what is wrong with an installation that cannot run any."""
    try:
        from undercut.cli import main as command_line
    except ImportError as error:
        from undercut.health import without_command_line

        return without_command_line(error)
    except KeyboardInterrupt:
        print("undercut: interrupted", file=sys.stderr)
        return INTERRUPTED
    return command_line()


if __name__ == "__main__":
    sys.exit(main())
