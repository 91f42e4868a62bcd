"""One table goes through the rooms from left to right: a room calls to its right only what it was given."""

import inspect
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from types import FrameType

from tests.test_imports import LAYERS

import trisynth
from trisynth import commandline
from trisynth.experiment.run import run_job
from trisynth.report.steps import Steps

SOURCE = Path(trisynth.__file__).parent
PLACE = {name: place for place, names in enumerate(LAYERS) for name in names}
# What a room is given, by the room that calls it: objects that are built from the configuration, what makes and reads
# an entry of the cache, the generator's further draws, the comparison whose references are scored, and the display of
# the steps.
GIVEN = {
    ("config", "__init__"),
    ("config", "__new__"),
    ("config", "__post_init__"),
    ("cache", "<lambda>"),
    ("cache", "make"),
    ("cache", "read"),
    ("data", "draw"),
    ("evaluation", "compare"),
    ("experiment", "__call__"),
}


@cache
def room_of_file(name: str) -> str | None:
    """Room of a file, None outside the package."""
    path = Path(name)
    return path.relative_to(SOURCE).parts[0].removesuffix(".py") if path.is_relative_to(SOURCE) else None


def room_of(frame: FrameType) -> str | None:
    """Room of a function, None outside the package and for the bodies of modules and classes, which imports run."""
    code = frame.f_code
    function = code.co_flags & inspect.CO_OPTIMIZED and code.co_name != "__getattr__"
    return room_of_file(code.co_filename) if function else None


def climbs(run) -> Counter:
    """Calls of a function into a room on the right of the caller's, by the caller's room and the called function."""
    found = Counter()

    def note(frame: FrameType, event: str, _) -> None:
        room, caller = room_of(frame) if event == "call" else None, frame.f_back
        while room and caller and room_of(caller) is None:
            caller = caller.f_back
        if room and caller and PLACE[room] > PLACE[room_of(caller)]:
            found[room_of(caller), frame.f_code.co_name] += 1

    former = sys.getprofile()
    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(former)
    return found


def test_a_job_climbs_back_to_no_room(config, capsys):
    given = config("generator=copula", "report=none")
    found = climbs(lambda: commandline.show(run_job(given, progress=Steps())[0], given))
    assert set(found) - GIVEN == set() != set(found)
    assert "Combined rows score" in capsys.readouterr().out


def test_a_planted_climb_is_found():
    def planted():
        Steps()("planted")

    planted.__code__ = planted.__code__.replace(co_filename=str(SOURCE / "data" / "planted.py"))
    assert climbs(planted)["data", "__init__"] == 1
