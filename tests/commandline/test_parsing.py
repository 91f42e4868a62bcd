"""Files of configurations are parsed once, again where they have changed, and nothing that is composed is shared."""

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import OmegaConf

from trisynth.commandline import parsing
from trisynth.config import CONF


@pytest.fixture
def parsed(monkeypatch):
    """Return the number of yaml files that have been parsed."""
    monkeypatch.setattr(parsing, "_parsed", {})
    count, load = [0], OmegaConf.load

    def counted(file):
        count[0] += 1
        return load(file)

    monkeypatch.setattr(OmegaConf, "load", counted)
    return lambda: count[0]


def loader(folder):
    return initialize_config_dir(str(folder), version_base="1.3")


def load(*overrides):
    return GlobalHydra.instance().config_loader().load_configuration("config", list(overrides), RunMode.RUN)


def test_a_job_is_composed_as_without_and_its_files_are_parsed_once(parsed):
    jobs = [["generator=vae", "loss.alpha=2"], ["generator=vae", "dataset=pima"], ["generator=vae", "loss.alpha=2"]]
    with loader(CONF):
        expected = [load(*job) for job in jobs]
        assert parsed() > 30
        with parsing.parsed_once():
            before = parsed()
            found = [load(*job) for job in jobs]
            assert found == expected
            assert parsed() - before < 30
            before = parsed()
            # What a job does to its configuration must not reach the next one.
            found[0].loss.alpha = 100.0
            found[0].hydra.job.name = "other"
            assert load(*jobs[0]) == expected[0]
            assert parsed() == before
        load(*jobs[0])
        assert parsed() > before


def test_a_file_that_has_changed_is_parsed_again(parsed, tmp_path):
    (tmp_path / "kind").mkdir()
    (tmp_path / "config.yaml").write_text("defaults: [_self_, {kind: one}]\na: 1\n")
    (tmp_path / "kind" / "one.yaml").write_text("b: 1\n")
    with loader(tmp_path), parsing.parsed_once():
        assert load().kind.b == 1
        other = tmp_path / "new"
        other.write_text("b: 2\n")
        other.replace(tmp_path / "kind" / "one.yaml")
        assert load().kind.b == 2
        (tmp_path / "kind" / "one.yaml").unlink()
        with pytest.raises(Exception, match="Could not find 'kind/one'"):
            load()


def test_a_list_of_defaults_may_refer_to_a_choice(tmp_path):
    for group, names in {"kind": ("one", "two"), "of": ("one", "two")}.items():
        (tmp_path / group).mkdir()
        for number, name in enumerate(names):
            (tmp_path / group / f"{name}.yaml").write_text(f"{group}: {number}\n")
    (tmp_path / "config.yaml").write_text("defaults: [_self_, {kind: one}, {of: '${kind}'}]\n")
    with loader(tmp_path), parsing.parsed_once():
        assert [load(*given).of.of for given in ([], ["kind=two"])] == [0, 1]
