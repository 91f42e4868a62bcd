import math

import numpy as np
import pandas as pd
import pytest

from trisynth.errors import InputError
from trisynth.report import markup
from trisynth.report.__main__ import main
from trisynth.report.jobs import by_method, read, scores
from trisynth.report.markup import Column, Table
from trisynth.report.tables import all_tables
from trisynth.statistics.estimate import Estimate

LIFT = {
    "synthetic": -0.05,
    "combined": 0.02,
    "balanced": 0.03,
    "duplicated": 0.0,
    "oversampled": 0.01,
    "threshold": 0.04,
}
METRICS = ("accuracy", "precision_macro", "recall_macro", "f1_macro")


def sweep(seeds=5, datasets=("pima", "paper_cohort"), generators=("copula", "vae"), classifiers=("forest", "svm")):
    """A sweep with known scores: real is 0.6 + 0.01 seed, every arm has its lift, classifiers differ by 0.1."""
    rows = []
    for dataset in datasets:
        for generator in generators:
            for k, classifier in enumerate(classifiers):
                for seed in range(seeds):
                    row = {"key": f"{len(rows)}", "dataset": dataset, "generator": generator}
                    row |= {"classifier": classifier, "seed": seed, "loss.alpha": 1.0 if generator == "vae" else None}
                    for metric in METRICS:
                        real = 0.6 + 0.01 * seed + 0.1 * k
                        row[f"real/{metric}"] = real
                        row |= {f"{arm}/{metric}": real + lift for arm, lift in LIFT.items()}
                        row[f"gain/{metric}"] = LIFT["combined"]
                    row |= {"fidelity/ks": 0.02 + 0.001 * seed, "fidelity/ks_floor": 0.01, "fidelity/ks_ceiling": 0.0}
                    rows.append(row | {"copying/dcr_share": 0.51})
    return pd.DataFrame(rows)


def made(frame, share=1 / 3):
    return {table.name: table for table in all_tables(by_method(frame), share)}


def test_scores_are_means_over_classifiers_and_baselines_count_once():
    found = scores(by_method(sweep()), "f1_macro")
    assert found["pima", "", "real"].to_dict() == pytest.approx({s: 0.65 + 0.01 * s for s in range(5)})
    assert ("pima", "", "threshold") in found
    assert ("pima", "copula", "threshold") not in found
    assert ("pima", "copula", "balanced") in found
    assert not any(arm == "gain" for _, _, arm in found)


def test_a_seed_without_all_classifiers_does_not_count():
    frame = sweep(generators=("copula",))
    gone = (frame["dataset"] == "pima") & (frame["seed"] == 3) & (frame["classifier"] == "svm")
    found = scores(by_method(frame[~gone]), "f1_macro")
    assert 3 not in found["pima", "copula", "combined"]
    assert 3 in found["paper_cohort", "copula", "combined"]


def test_loss_weights_name_the_method_where_they_vary():
    frame = pd.concat([sweep(generators=("vae",)), sweep(generators=("vae", "copula")).assign(**{"loss.alpha": 0.5})])
    assert set(by_method(frame)["method"]) == {"vae (alpha 1)", "vae (alpha 0.5)", "copula"}


def test_jobs_that_the_table_cannot_tell_apart_are_refused():
    with pytest.raises(InputError, match="duplicate rows"):
        by_method(pd.concat([sweep(), sweep()]))


@pytest.mark.parametrize("frame", [pd.DataFrame({"a": [1]}), sweep().iloc[:0]])
def test_a_file_that_is_not_a_sweep_is_refused(frame, tmp_path):
    frame.to_csv(tmp_path / "results.csv", index=False)
    with pytest.raises(InputError, match=r"give the results\.csv of a sweep"):
        read(tmp_path / "results.csv")


def test_the_main_table_has_gains_over_real_and_over_the_best_baseline():
    table = made(sweep())["main_combined"]
    row = dict(zip([column.key for column in table.columns], table.rows[0], strict=True))
    assert row["dataset"] == "pima"
    assert row["gain"].mean == pytest.approx(0.02)
    assert row["baseline"] == "threshold"
    assert row["gain_over_baseline"].mean == pytest.approx(0.02 - 0.04)
    assert len(table.rows) == 4


def test_bold_needs_an_interval_above_zero():
    frame = sweep()
    places = {key.key: i for i, key in enumerate(made(frame)["main_combined"].columns)}
    assert (0, places["gain"]) in made(frame)["main_combined"].bold
    assert (0, places["gain_over_baseline"]) not in made(frame)["main_combined"].bold
    noise = np.where(frame["seed"] % 2, 0.3, -0.3)
    assert not made(frame.assign(**{"combined/f1_macro": frame["combined/f1_macro"] + noise}))["main_combined"].bold


def test_the_best_score_is_bold_only_if_it_beats_the_runner_up():
    frame = sweep(generators=("copula",))
    table = made(frame)["scores_pima"]
    f1 = [column.key for column in table.columns].index("f1_macro")
    assert [table.rows[r][0] for r, c in table.bold if c == f1] == ["threshold"]
    level = frame.assign(**{f"balanced/{metric}": frame[f"threshold/{metric}"] for metric in METRICS})
    assert not made(level)["scores_pima"].bold


def test_two_seeds_that_agree_make_nothing_bold():
    assert not any(table.bold for table in made(sweep(seeds=2)).values())


def test_one_seed_makes_tables_without_intervals_or_bold():
    tables = made(sweep(seeds=1))
    assert not any(table.bold for table in tables.values())
    assert "±" not in markup.markdown(tables["scores_pima"], "c").split("\n\n")[1]


def test_each_generator_stands_between_floor_and_ceiling():
    table = made(sweep())["fidelity_copying"]
    assert [row[1] for row in table.rows[:4]] == ["floor", "copula", "vae", "ceiling"]
    assert table.rows[1][2].mean == pytest.approx(0.022)
    assert table.rows[0][3] is None  # no floor was given for it


def test_regression_sets_have_their_own_scores():
    frame = sweep(datasets=("pima",))
    names = {f"{arm}/f1_macro": f"{arm}/r2" for arm in ("real", *LIFT)}
    numbers = frame.rename(columns=names).filter(regex="/r2$|^(key|generator|classifier|seed)$|fidelity|copying")
    tables = made(pd.concat([frame, numbers.assign(dataset="insurance")]))
    assert [column.key for column in tables["scores_insurance"].columns[3:]] == ["r2"]
    assert {row[1] for row in tables["main_combined"].rows} == {"Macro-F1", "R²"}


TABLE = Table(
    "t",
    "Cap_tion",
    "100 % of it",
    [Column("name", "Name"), Column("x", "X & Y", signed=True)],
    [["a_b", Estimate(0.123456789, 0.01, 5)], ["50% {x}", Estimate(-1234.5, 9.0, 5)], ["paper_cohort", None]],
    {(0, 1)},
    {1},
)


def test_latex_escapes_every_special_letter():
    special = r"\ { } ~ ^ < > | & % $ # _" + ' "'
    found = markup.escaped(special)
    for letter in "&%$#_{}":
        assert f"\\{letter}" in found
    assert markup.escaped("a_b & 50%") == r"a\_b \& 50\%"
    assert markup.escaped("\\") == r"\textbackslash{}"
    assert markup.escaped("−0.1 ± 0.2") == r"$-$0.1 $\pm$ 0.2"


def test_latex_is_a_whole_booktabs_table():
    text = markup.latex(TABLE, "python -m x")
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 4
    assert all(row.replace(r"\&", "").count("&") == 1 for row in rows)
    for name in ("table*", "tabular"):
        assert text.count(f"\\begin{{{name}}}") == text.count(f"\\end{{{name}}}") == 1
    assert text.count(r"\midrule") == 2
    assert r"\textbf{+0.123 $\pm$ 0.010}" in text
    assert r"50\% \{x\}" in text


def test_markdown_escapes_pipes_and_marks_bold():
    table = Table("t", "c", "n", [Column("a", "A|B")], [["x|y*z"]])
    assert r"| x\|y\*z |" in markup.markdown(table, "c")
    assert "**+0.123 ± 0.010**" in markup.markdown(TABLE, "c")
    assert "paper cohort (simulated)" in markup.markdown(TABLE, "c")


def test_csv_has_raw_names_and_six_decimals():
    assert markup.csv(TABLE).splitlines() == [
        "name,x,x_low,x_high",
        "a_b,0.123457,0.113457,0.133457",
        "50% {x},-1234.5,-1243.5,-1225.5",
        "paper_cohort,,,",
    ]


def test_the_command_writes_the_same_bytes_twice(tmp_path):
    sweep().to_csv(tmp_path / "results.csv", index=False)
    for name in ("one", "two"):
        assert main(["tables", str(tmp_path / "results.csv"), str(tmp_path / name)]) == 0
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert {"main_combined.tex", "scores_pima.csv", "fidelity_copying.md", "README.md"} <= set(names)
    for name in names:
        one, two = ((tmp_path / run / name).read_bytes() for run in ("one", "two"))
        assert one.replace(b"/one", b"/two") == two
        assert name.endswith(".csv") or b"python -m trisynth.report" in one


def test_the_test_size_widens_the_intervals_and_is_part_of_the_command(tmp_path):
    sweep().to_csv(tmp_path / "results.csv", index=False)
    widths = {}
    for share in ("1/3", "1/2"):
        out = tmp_path / share.replace("/", "")
        assert main(["tables", str(tmp_path / "results.csv"), str(out), "--test-size", share]) == 0
        cells = pd.read_csv(out / "scores_pima.csv")
        widths[share] = (cells["f1_macro_high"] - cells["f1_macro_low"])[0]
    assert widths["1/2"] / widths["1/3"] == pytest.approx(math.sqrt((1 / 5 + 1) / (1 / 5 + 1 / 2)), rel=1e-4)
    assert "--test-size 1/2" in (tmp_path / "12" / "main_combined.md").read_text()


@pytest.mark.parametrize("share", ["0", "1", "-1/3"])
def test_an_invalid_test_size_is_one_clear_line(tmp_path, capsys, share):
    sweep().to_csv(tmp_path / "results.csv", index=False)
    assert main(["tables", str(tmp_path / "results.csv"), str(tmp_path / "out"), f"--test-size={share}"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("content", [None, "", 'a,b\n1,"2'])
def test_results_that_cannot_be_read_are_one_clear_line(tmp_path, capsys, content):
    if content is not None:
        (tmp_path / "results.csv").write_text(content)
    assert main(["tables", str(tmp_path / "results.csv"), str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
