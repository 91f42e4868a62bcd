"""Writes all tables into a folder: ``python -m benchmarks.cases.made FOLDER``."""

import sys
from pathlib import Path

from benchmarks.cases.made import answers, exports, files, forms, numbers, people, relations, shapes, times
from benchmarks.cases.made.base import MADE, write

__all__ = ["MADE", "answers", "exports", "files", "forms", "numbers", "people", "relations", "shapes", "times"]

if __name__ == "__main__":
    write(Path(sys.argv[1]))
