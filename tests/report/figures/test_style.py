import itertools
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import colors, font_manager

from trisynth.errors import InputError
from trisynth.report.figures import style


def drawing():
    with style.applied():
        figure = style.blank(2, 1)
        figure.subplots().plot([0, 1], [0, 1])
        style.heading(figure, "a $ in a title")
    return figure


@pytest.fixture(autouse=True)
def _heading(monkeypatch):
    whole = style.heading
    monkeypatch.setattr(style, "heading", lambda figure, title, legend=None: whole(figure, title, legend or {}))


def test_files_have_the_same_bytes_each_time_and_no_date(tmp_path):
    for name in ("one", "two"):
        style.save(drawing(), tmp_path / name)
    for suffix in ("png", "pdf"):
        one, two = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in ("one", "two"))
        assert one == two
        assert b"matplotlib" not in one.lower().replace(b"matplotlib/mpl-data", b"")
        assert b"CreationDate" not in one


def test_a_dot_in_the_name_is_no_suffix(tmp_path):
    style.save(drawing(), tmp_path / "v1.5")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["v1.5.pdf", "v1.5.png"]


def test_the_users_settings_neither_matter_nor_change(tmp_path):
    style.save(drawing(), tmp_path / "one")
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "savefig.dpi": 20, "pdf.fonttype": 3}):
        before = {name: mpl.rcParams[name] for name in mpl.rcParams if name != "backend"}
        style.save(drawing(), tmp_path / "two")
        assert {name: mpl.rcParams[name] for name in before} == before
    for suffix in ("png", "pdf"):
        assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()


def test_the_font_is_the_one_that_comes_with_matplotlib():
    assert Path(font_manager.findfont("DejaVu Sans")).resolve().is_relative_to(Path(mpl.get_data_path()).resolve())


def test_an_unwritable_folder_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        style.save(drawing(), tmp_path / "file" / "figure")


def test_every_arm_has_its_own_colour_that_colour_blind_readers_tell_apart():
    # Simulation of deuteranopia in linear RGB (Viénot, Brettel and Mollon 1999).
    deuteranopia = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])
    seen = {name: deuteranopia @ np.array(colors.to_rgb(colour)) ** 2.2 for name, colour in style.COLOURS.items()}
    for one, other in itertools.combinations(seen, 2):
        assert np.abs(seen[one] - seen[other]).max() > 0.03, (one, other)
    assert len(set(style.MARKERS.values())) == len(style.COLOURS)


def test_short_texts_stay_and_long_ones_keep_both_ends():
    assert style.shortened("abc", 3) == "abc"
    text = style.shortened("a very long name", 9)
    assert len(text) <= 9
    assert text.startswith("a ver")
    assert text.endswith("ame")


def test_letters_go_on_after_z():
    assert [style.letter(i) for i in (0, 25, 26, 27)] == ["a", "z", "aa", "ab"]
