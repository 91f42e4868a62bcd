"""``python -m trisynth.tracking``: add to MLflow every result that it lacks."""

import sys

from trisynth.tracking.replay import main

if __name__ == "__main__":
    sys.exit(main())
