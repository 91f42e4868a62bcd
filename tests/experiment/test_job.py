"""A job's keys move with what its steps depend on, and with nothing else."""

import pytest

from trisynth import config as config_module
from trisynth.errors import InputError
from trisynth.experiment.job import Job

KEYS = ("split_key", "generator_key", "key")


def keys(job: Job) -> dict[str, str]:
    return {name: getattr(job, name) for name in KEYS} | {
        "arm": job.arm_key("real", None),
        "comparison": job.comparison_key("rows"),
    }


@pytest.mark.parametrize(
    ("override", "moved"),
    [
        ("seed=1", {"split_key", "generator_key", "key", "arm", "comparison"}),
        ("test_size=0.25", {"split_key", "generator_key", "key", "arm", "comparison"}),
        ("dataset.note=another", {"split_key", "generator_key", "key", "arm", "comparison"}),
        ("generator=copy", {"generator_key", "key"}),
        ("classifier=forest", {"key", "arm"}),
        ("classifier.classification.C=2.0", {"key", "arm"}),
        ("preprocessing=minmax", {"key", "arm", "comparison"}),
        ("arms.real._target_=trisynth.evaluation.arms.ClassWeight", {"key", "arm"}),
        ("arms.combined.ratio=2.0", {"key"}),
        ("~metrics.utility.ranking", {"key", "arm"}),
        ("~metrics.fidelity", {"key", "comparison"}),
        ("metrics.utility.probabilities.n_bins=10", {"key", "arm"}),
        ("loss.alpha=7", set()),
        ("objective=real/accuracy", set()),
        ("paths.runs=elsewhere", set()),
        ("tracking.experiment=other", set()),
    ],
)
def test_keys_move_with_what_they_depend_on(config, override, moved):
    before, after = (keys(Job.from_config(config(*more))) for more in ((), (override,)))
    assert {name for name in before if before[name] != after[name]} == moved


def test_loss_weights_move_the_key_of_a_generator_that_has_them(config):
    light, heavy = (Job.from_config(config("generator=vae", f"loss.alpha={alpha}")) for alpha in (1, 2))
    assert light.generator_key != heavy.generator_key
    assert light.split_key == heavy.split_key


def test_the_encoder_moves_the_key_of_a_generator_that_has_one(config):
    one, other = (Job.from_config(config("generator=vae", f"preprocessing={p}")) for p in ("standard", "minmax"))
    assert one.generator_key != other.generator_key


def test_where_a_users_file_lies_does_not_count_but_its_content_does(config, tables, tmp_path):
    moved = tmp_path / "elsewhere.csv"
    moved.write_bytes(tables["classes"].read_bytes())
    before, same = (Job.from_config(config(*more)) for more in ((), (f"dataset.path={moved}",)))
    assert (before.split_key, before.generator_key) == (same.split_key, same.generator_key)
    moved.write_bytes(moved.read_bytes().replace(b"female", b"woman", 1))
    assert Job.from_config(config(f"dataset.path={moved}")).split_key != before.split_key


def test_code_moves_only_the_keys_of_those_who_run_it(config, monkeypatch):
    before = keys(Job.from_config(config()))
    source = config_module._source
    changed = "trisynth.generators.independent"
    monkeypatch.setattr(config_module, "_source", lambda m: ("new", []) if m == changed else source(m))
    after = keys(Job.from_config(config()))
    # The floor of every metric is made by independent columns, so the comparison depends on it as well.
    assert {name for name in before if before[name] != after[name]} == {"generator_key", "key", "comparison"}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed=-1", "seed=-1: must be a whole number"),
        ("seed=true", "seed=True: must be a whole number"),
        ("seed=1.5", "seed=1.5: must be a whole number"),
        ("seed=abc", "seed='abc': must be a whole number"),
        ("test_size=2", "test_size=2: must lie between 0 and 1"),
        ("test_size=0.0", "test_size=0.0: must lie between 0 and 1"),
        ("test_size=.nan", "test_size=nan: must lie between 0 and 1|test_size='.nan'"),
    ],
)
def test_numbers_out_of_range_are_refused(config, override, message):
    with pytest.raises(InputError, match=message):
        Job.from_config(config(override))


def test_a_part_that_is_no_mapping_is_named(config):
    with pytest.raises(InputError, match=r"generator=None: must name a file of conf/generator"):
        Job.from_config(config() | {"generator": None})


def test_names_are_readable(config):
    assert Job.from_config(config("seed=4")).name == "classes independent logistic seed=4"
    vae = Job.from_config(config("generator=vae", "loss.beta=0.5"))
    assert vae.name.startswith("classes vae logistic alpha=")
    assert "beta=0.5" in vae.name
