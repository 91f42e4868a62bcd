"""The command line: choices with suggestions, a folder named for its sweep, and one line for each mistake."""

from concurrent.futures.process import BrokenProcessPool

import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from trisynth import commandline
from trisynth.commandline import checked, composed, one_line_errors, resolved
from trisynth.commandline.choices import check
from trisynth.errors import InputError
from trisynth.sweeps import callback as callbacks


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("dataset=framinghm", "did you mean framingham"),
        ("generator=copla,smote", "did you mean copula"),
        ("classifier=zzz", "classifier='zzz': no such choice. The choices are boosting"),
        ("generator=null", "The choices are adasyn"),
        ("+experiment=smok", "did you mean smoke"),
    ],
)
def test_an_unknown_choice_is_refused_with_the_nearest_known_one(argument, message):
    with pytest.raises(InputError, match=message):
        check(argument)


@pytest.mark.parametrize(
    "argument",
    [
        "dataset=stroke",
        "dataset=stroke,pima",
        "generator=glob(*)",
        "seed=1",
        "-m",
        "dataset.path=x",
        "experiment=smoke",
    ],
)
def test_what_is_no_choice_or_a_known_one_passes(argument):
    check(argument)


def sweep_folder(*arguments: str) -> str:
    (found,) = (a for a in checked(list(arguments)) if a.startswith("hydra.sweep.dir="))
    return found.rpartition("/")[2]


def test_a_sweep_is_named_for_what_it_is():
    assert sweep_folder("-m", "experiment=smoke") == "smoke"
    assert sweep_folder("-m", "experiment=smoke", "seed=1") == sweep_folder("seed=1", "experiment=smoke", "--multirun")
    assert sweep_folder("-m", "seed=1") != sweep_folder("-m", "seed=2")


@pytest.mark.parametrize(
    "where", ["tracking=none", "tracking.uri=x", "paths.runs=y", "hydra.launcher.n_jobs=3", "hydra/launcher=basic"]
)
def test_where_and_how_a_sweep_runs_is_not_what_it_is(where):
    assert sweep_folder("-m", "seed=1,2", where) == sweep_folder("-m", "seed=1,2")


@pytest.mark.parametrize("how", ["hydra/sweeper/sampler=random", "hydra.sweeper.n_trials=7", "hydra/sweeper=search"])
def test_how_a_search_searches_is_what_it_is(how):
    assert sweep_folder("-m", "experiment=pareto", how) != sweep_folder("-m", "experiment=pareto")


def test_settings_may_stand_on_both_sides_of_a_flag(tmp_path):
    given = ["seed=1", "--config-dir", str(tmp_path), "generator=vae"]
    assert checked(given) == ["seed=1", "generator=vae", "--config-dir", str(tmp_path)]


def test_single_runs_and_given_folders_stay_as_they_are():
    for arguments in (["seed=1"], ["hydra.sweep.dir=mine", "-m"]):
        assert checked(arguments) == arguments


@pytest.mark.parametrize(
    ("argument", "line"),
    [
        ("sed=1", "sed='1': no such setting; did you mean seed? To add a new one, write +sed=1"),
        (
            "test_sise=0.5",
            "test_sise='0.5': no such setting; did you mean test_size? To add a new one, write +test_sise=0.5",
        ),
        (
            "path.runs=x",
            "path.runs='x': no such setting; did you mean paths.runs? To add a new one, write +path.runs=x",
        ),
        ("seed=[1", "seed='[1': cannot be read as a value; close all quotes and brackets"),
        ("seed='1", 'seed="\'1": cannot be read as a value; close all quotes and brackets'),
        ("seed=1,2", "seed='1,2': must be one value for this command"),
        ("seed=range(2)", "seed='range(2)': must be one value for this command"),
        ("+generator=vae", "generator='vae': is chosen already; leave out the + before it"),
        ("hydra/launcher=nope", "hydra/launcher='nope': no such choice"),
        ("~generator=vae", "generator='vae': is not chosen, so it cannot be removed"),
        ("~nothing", "nothing='': is not set, so it cannot be removed"),
        ("=3", "argument='=3': must have the form NAME=VALUE"),
        (
            "metrics.utility=[accuracy]",
            "metrics.utility='[accuracy]': has the wrong type; a mapping can only",
        ),
        ("dataset=csv", "dataset.path='???': is missing; add dataset.path=... to the command"),
        ("paths.runs=${nowhere}", "paths.runs='${nowhere}': Interpolation key 'nowhere' not found; name an existing"),
        ("seed=${nowhere:1}", "seed='${nowhere:1}': Unsupported interpolation type nowhere; name an existing"),
        ("dataset.target=${nowhere}", "dataset.target='${nowhere}': Interpolation key 'nowhere' not found; name"),
        ("paths.cache=${oc.env:NO_SUCH}", "paths.cache='${oc.env:NO_SUCH}': KeyError raised while resolving"),
        ("paths.cache=null", "paths.cache=None: must name a folder"),
    ],
)
def test_hydras_own_errors_are_one_line_too(argument, line, capsys):
    with pytest.raises(SystemExit) as exit_, one_line_errors():
        composed([argument])
    err = capsys.readouterr().err
    assert exit_.value.code == 2
    assert err.startswith(f"error: {line}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("n", 1, "is\ntoo small"), 2, "error: n=1: is too small"),
        (BrokenProcessPool("long\nstory"), 1, "error: a worker process died"),
        (KeyboardInterrupt(), 130, "error: interrupted"),
    ],
)
def test_what_a_user_can_mend_is_one_line(error, code, line, capsys):
    with pytest.raises(SystemExit) as exit_, one_line_errors():
        raise error
    err = capsys.readouterr().err
    assert exit_.value.code == code
    assert err.startswith(line)
    assert err.count("\n") == 1


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError), one_line_errors():
        1 / 0  # noqa: B018


def test_one_setting_moves_all_folders():
    names = {"raw": "data/raw", "cache": "cache", "runs": "runs", "sweeps": "sweeps"}
    assert composed(["dataset=pima"])["paths"] == {"root": ".", **names}
    moved = composed(["dataset=pima", "paths.root=/shared/a/", "paths.cache=local"])["paths"]
    assert moved == {"root": "/shared/a", **{k: f"/shared/a/{v}" for k, v in names.items()}, "cache": "local"}
    for root, remedy in {
        "null": "must name a folder",
        "": "must name a folder",
        "'~/a'": "write the folder of ~ in",
    }.items():
        with pytest.raises(InputError, match=rf"^paths\.root=.*{remedy}"):
            composed(["dataset=pima", f"paths.root={root}"])


@pytest.mark.parametrize("name", ["paths.root", "hydra.sweep.dir"])
def test_a_sweep_refuses_what_cannot_be_resolved(command, tmp_path, name):
    line = ["-m", "dataset=pima", f"{name}=${{nowhere}}", "seed=1,2"]
    done = command("run", *line, cwd=tmp_path)
    assert done.returncode == 2 and not any(tmp_path.iterdir())
    assert done.stderr.startswith(f"error: {name}='${{nowhere}}': ") and done.stderr.count("\n") == 1


def test_resolved_values_are_plain():
    cfg = OmegaConf.create({"a": {"b": 1}, "c": "${a.b}"})
    assert resolved(cfg) == {"a": {"b": 1}, "c": 1}


@pytest.mark.parametrize("value", ["[1]", "1", "yes please", "null"])
def test_a_report_is_made_or_not(value):
    with pytest.raises(InputError, match=r"^report\.html=.*: must be true or false$"):
        composed(["dataset=framingham", f"report.html={value}"])


@pytest.mark.parametrize(
    ("overrides", "params", "jobs"),
    [
        (["seed=0,1,2"], {}, 3),
        (["seed=range(4)", "generator=copula,smote", "test_size=0.5"], {}, 8),
        (["seed=7"], {"seed": "range(5)", "generator": "copula,smote"}, 2),
        (["generator=glob(c*)"], {}, None),
        (["seed=1"], {}, 1),
    ],
)
def test_jobs_are_counted_before_they_start(overrides, params, jobs):
    from hydra import initialize_config_dir

    with initialize_config_dir(str(commandline.CONF), version_base="1.3"):
        cfg = OmegaConf.create(
            {
                "hydra": {
                    "sweeper": {"_target_": "trisynth_sweeps.Sweeper", "params": params},
                    "overrides": {"task": overrides},
                }
            }
        )
        counted = callbacks.count_jobs(cfg)
        if jobs is None:
            parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
            (override,) = parser.parse_overrides(overrides)
            jobs = len(list(override.sweep_string_iterator()))
            assert jobs >= 2
        assert counted == jobs


def test_a_searching_sweeper_decides_as_it_goes():
    assert callbacks.count_jobs(OmegaConf.create({"hydra": {"sweeper": {"_target_": "x.OtherSweeper"}}})) is None


@pytest.mark.parametrize(("sampler", "jobs"), [("NSGAIISampler", 40), ("GridSampler", None)])
def test_a_search_has_as_many_jobs_as_trials_unless_it_walks_a_grid(sampler, jobs):
    sweeper = {"_target_": "hydra_plugins.trisynth_sweeps.Search", "n_trials": 40, "sampler": {"_target_": sampler}}
    assert callbacks.count_jobs(OmegaConf.create({"hydra": {"sweeper": sweeper}})) == jobs


def test_help_lists_the_groups(command, tmp_path):
    done = command("run", "--help", cwd=tmp_path)
    assert done.returncode == 0
    for group in ("arms", "classifier", "dataset", "experiment", "generator", "loss", "metrics", "preprocessing"):
        assert f"\n{group}: " in done.stdout
    assert list(tmp_path.iterdir()) == []
