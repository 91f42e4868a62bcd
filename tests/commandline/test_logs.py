"""Warnings of this package reach the terminal of a command."""


def test_a_run_names_letters_that_its_figure_lacks(command, overrides, tables, tmp_path):
    path = tmp_path / "trial.csv"
    path.write_text(tables["classes"].read_text().replace("dose", "\U0001f9ea dose", 1))
    done = command("run", *overrides(tmp_path, "classes", f"dataset.path={path}", "tracking.figure=true"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("no installed font has all characters of \U0001f9ea dose") == 1
