"""Display of a search on a terminal and in a pipe."""

from types import SimpleNamespace

from trisynth.recommend.screen import Screen


def test_a_pipe_gets_a_line_from_time_to_time(capsys):
    times = iter([1.0, 29.0, 31.0, 45.0, 60.0, 70.0])
    search = SimpleNamespace(
        elapsed=lambda: next(times), settings=SimpleNamespace(budget=120.0), done=3, total=20, stage="confirm"
    )
    with Screen(120.0) as screen:
        for _ in range(6):
            screen.update(search)
    assert capsys.readouterr().err.splitlines() == [
        "confirming: 3/20 trials, left: 1 min 29 s",
        "confirming: 3/20 trials, left: 50 s",
    ]
