"""Steps of a job on stderr: one line each, when it has ended."""

import io
import itertools

import pytest
from rich.console import Console

from trisynth.report.steps import Steps


@pytest.fixture
def screen():
    return Console(file=io.StringIO(), width=80, highlight=False)


def lines(screen):
    return screen.file.getvalue().splitlines()


def test_each_step_ends_with_its_seconds(screen):
    with Steps(screen, itertools.count(0, 2.5).__next__) as steps:
        steps("data")
        assert lines(screen) == []
        steps("fit")
        assert lines(screen) == ["data                    2.5 s"]
        steps("arm real [x]")
    assert [line.split() for line in lines(screen)] == [
        ["data", "2.5", "s"],
        ["fit", "2.5", "s"],
        ["arm", "real", "[x]", "2.5", "s"],
    ]


def test_a_step_that_fails_has_no_line(screen):
    with pytest.raises(ValueError, match="planted"), Steps(screen, itertools.count().__next__) as steps:
        steps("data")
        steps("fit")
        raise ValueError("planted")
    assert [line.split()[0] for line in lines(screen)] == ["data"]


def test_a_cached_job_has_no_steps(screen):
    with Steps(screen):
        pass
    assert lines(screen) == []


def test_a_terminal_shows_the_present_step():
    screen = Console(file=io.StringIO(), width=80, force_terminal=True, highlight=False)
    with Steps(screen, itertools.count().__next__) as steps:
        steps("fit")
    assert "fit ..." in screen.file.getvalue()
