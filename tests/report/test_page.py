from trisynth.report.__main__ import main


def test_the_page_shows_every_folder_with_links_that_lead_there(tmp_path, capsys):
    for name in ("b", "studies/a"):
        (tmp_path / name).mkdir(parents=True)
        text = f"# Title {name}\n\n![caption](picture.png) [site](https://example.org)\n"
        (tmp_path / name / "README.md").write_text(text)
    assert main(["index", str(tmp_path)]) == 0
    page = (tmp_path / "README.md").read_text()
    assert page.index("## Title b") < page.index("## Title studies/a")
    for place in ("b", "studies/a"):
        assert f"![caption]({place}/picture.png) [site](https://example.org)" in page
    assert f"python -m trisynth.report index {tmp_path}" in page
    assert main(["index", str(tmp_path)]) == 0
    assert (tmp_path / "README.md").read_text() == page


def test_nothing_to_show_is_one_clear_line(tmp_path, capsys):
    assert main(["index", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
