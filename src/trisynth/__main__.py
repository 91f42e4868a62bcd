"""The command ``trisynth``, which is ``python -m trisynth``: one subcommand for each task."""

import os
import sys
from pathlib import Path

from trisynth.commandline import completion, doors
from trisynth.commandline.mistakes import one_line_errors


def main(argv: list[str] | None = None) -> int:
    """Run a subcommand; return the exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    if argv is None and not {"", str(Path.cwd())} & set(sys.path):
        # Workers, too, import nothing from the current folder but packages that the user allows.
        os.environ["PYTHONSAFEPATH"] = "1"
    if arguments[:1] == ["--complete"]:
        print("\n".join(completion.candidates(arguments[1:])))
        return 0
    with one_line_errors():
        first = arguments[0] if arguments else "--help"
        if first in doors.HELP_FLAGS:
            print(doors.overview())
        elif first == "--version":
            print(doors.version())
        elif first == "--completion":
            print(completion.script("".join(arguments[1:2])))
        else:
            doors.enter(first, arguments[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main())
