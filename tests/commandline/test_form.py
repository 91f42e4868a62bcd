"""Form of a command line: what Hydra's grammar would refuse is quoted or explained in one line."""

import subprocess
import sys

import pytest

from trisynth.commandline import checked, composed, form
from trisynth.errors import InputError


@pytest.mark.parametrize(
    "arguments",
    [
        ["-m", "seed=1,2"],
        ["--multirun", "--config-dir", "mine", "seed=1"],
        ["--config-dir=mine"],
        ["--cfg", "job"],
        ["--info", "defaults-tree"],
        ["~metrics.copying", "+experiment=smoke"],
        [],
    ],
)
def test_hydras_own_forms_pass(arguments):
    form.check(arguments)


@pytest.mark.parametrize("read", [composed, checked])
@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--n=3", "^option='--n=3': no such option; settings have no dashes: n=3$"),
        ("--out", "^option='--out': .*: out=VALUE$"),
        ("--multirum=3", r"^option='--multirum=3': no such option; did you mean --multirun\?$"),
        ("--multrun", r"did you mean --multirun\?$"),
        ("seed", "^argument='seed': must have the form NAME=VALUE$"),
        ("rows.parquet", "add dataset=parquet dataset.path=rows.parquet dataset.target=COLUMN$"),
    ],
)
def test_other_forms_are_refused_with_the_remedy(read, argument, message):
    with pytest.raises(InputError, match=message):
        read([argument])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-m"], "^option='-m': has nothing to vary; add values"),
        (["--config-dir", "mine", "--multirun"], "^option='-m': has nothing to vary; add values"),
        (["--config-name"], "^--config-name='': must be followed by its value$"),
        (["--package", "--resolve"], "^--package='--resolve': must be followed by its value$"),
        (["--cfg", "jobs"], "^--cfg='jobs': must be followed by one of job, hydra, all$"),
    ],
)
def test_options_without_their_value_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        form.check(arguments)


@pytest.mark.parametrize("option", ["--taget", "--targt=y", "-target"])
def test_an_option_of_a_new_user_is_suggested(option):
    with pytest.raises(InputError, match=rf"^option='{option}': no such option; did you mean --target\?$"):
        form.named([option, "y", "mine.csv"])
    assert form.named(["-m", "--resolve", "-c", "job"]) == ["-m", "--resolve", "-c", "job"]


@pytest.mark.parametrize("target", ["Größe (cm)", "7", "no", "it's", "plain"])
def test_a_name_of_a_column_or_file_needs_no_quotes_of_hydra(target):
    path = f"my data (1) {target}.csv"
    dataset = composed(["dataset=csv", f"dataset.path={path}", f"dataset.target={target}"])["dataset"]
    assert dataset["target"] == target and dataset["path"] == path


@pytest.mark.parametrize("value", ["a,b", "my results (1), old", "range(3)", "plain/folder"])
def test_a_place_has_one_value_whatever_is_in_its_name(value):
    given = [f"paths.sweeps={value}", f"tracking.uri=sqlite:///{value}.db"]
    config = composed(given)
    assert config["paths"]["sweeps"] == value and config["tracking"]["uri"] == f"sqlite:///{value}.db"


def test_what_hydra_understands_is_left_alone():
    given = ["dataset.path=a.csv,b.csv", "dataset.target='my target'", "seed=7", "dataset.target=null"]
    given += ["paths.raw='a,b'", "paths.runs=plain", "hydra.sweep.dir=${paths.sweeps}/mine", "tracking.uri=null"]
    assert form.quoted(given) == given


def test_a_closed_pipe_ends_without_a_traceback():
    program = subprocess.Popen(
        [sys.executable, "-m", "trisynth", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    program.stdout.close()
    assert program.stderr.read() == b""
    assert program.wait() == 141
    program.stderr.close()


def test_the_name_of_a_table_and_its_target_are_settings():
    given = form.named(["mine.csv", "--target", "y (mg)", "report=html"])
    assert given == ["dataset=csv", "dataset.path=mine.csv", "dataset.target=y (mg)", "report=html"]
    assert form.named(["seed=1", "mine.parquet", "--target=null"])[:2] == [
        "dataset=parquet",
        "dataset.path=mine.parquet",
    ]
    assert form.named(["-m", "--config-dir", "mine.txt", "seed=1"]) == ["-m", "--config-dir", "mine.txt", "seed=1"]
    assert form.named(["generator"]) == ["generator"]


def test_a_second_table_is_refused():
    with pytest.raises(InputError, match="is a second table besides a"):
        form.named(["a.csv", "b.csv"])
