"""The command: help that fits a terminal and lists what exists, one line for mistakes, completion in three shells."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from trisynth.__main__ import main
from trisynth.commandline import completion, doors
from trisynth.commandline.choices import groups, options

OWN = [name for name, door in doors.DOORS.items() if not door.parses]


@pytest.fixture
def shown(capsys):
    """Runs the command and returns what it printed."""

    def run(*arguments: str) -> str:
        assert main(list(arguments)) == 0
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize("arguments", [[], ["--help"], *([name, "--help"] for name in OWN), ["run", "seed=1", "-h"]])
def test_help_fits_a_terminal(shown, arguments):
    text = shown(*arguments)
    assert text.startswith("usage: trisynth ")
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("name", OWN)
def test_help_has_an_example_and_the_choices_of_each_group(shown, name):
    text = " ".join(shown(name, "--help").split())
    assert f" trisynth {name} " in text.partition("examples:")[2]
    for group in doors.DOORS[name].groups:
        assert f" {group}: {', '.join(options(group))}" in text


def test_help_of_run_has_every_group(shown):
    missing = {"ablation"}  # chosen by experiments only
    assert set(doors.DOORS["run"].groups) == set(groups()) - missing


@pytest.mark.parametrize("name", [name for name, door in doors.DOORS.items() if door.parses])
def test_commands_that_parse_by_themselves_have_help_too(name, capsys):
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert "usage: " in capsys.readouterr().out


def test_every_command_is_in_the_overview(shown):
    text = shown()
    assert all(f"\n  {name} " in text for name in doors.DOORS)


def test_version(shown):
    assert shown("--version").startswith("trisynth 0.")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["rum"], "error: command='rum': no such command; did you mean run? The commands are run, "),
        (["run", "generator=circut"], "error: generator='circut': no such choice; did you mean circuit?"),
        (["run", "generator=vae", "generator.epocs=3"], "error: generator.epocs='3': no such setting; did you mean "),
        (
            ["synthesize", "generator=gan", "generator.latent=3", "out=x.csv"],
            "error: generator.latent='3': is now called ",
        ),
        (["run", "--config-dir", "nowhere"], "error: --config-dir='nowhere': no such folder"),
        (["run", "allow=[mygen_x]"], "error: allow='mygen_x': no package of this name is installed"),
        (
            ["run", "generator._target_=json.loads"],
            "error: generator._target_='json.loads': must be a class or function",
        ),
        (["run", f"seed={'9' * 5000}"], "error: arguments='seed=999"),
        (["search"], "error: searches=None: must list values"),
        (["--completion", "csh"], "error: --completion='csh': must be one of bash, zsh, fish"),
    ],
)
def test_mistakes_are_one_line(arguments, line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["trisynth", *arguments])
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    err = capsys.readouterr().err
    assert ended.value.code == 2
    assert err.startswith(line)
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["trisynth", "sy."], ["synthesize"]),
        (["trisynth", "run", "gen."], ["generator="]),
        (["trisynth", "run", "generator=ci."], ["generator=circuit"]),
        (["trisynth", "run", "-m", "generator=vae,ci."], ["generator=vae,circuit"]),
        (["trisynth", "run", "dataset=pima", "dataset.."], ["dataset.path=", "dataset.target="]),
        (["trisynth", "nothing", "x."], []),
        (["trisynth", "collect", "generator=."], []),
    ],
)
def test_completion_offers_commands_groups_and_choices(words, found):
    assert completion.candidates(words) == found


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script_and_the_overview_shows_how_to_load_it(shell, shown):
    assert "trisynth --complete" in shown("--completion", shell)
    assert completion.HINT[shell] in shown()


def test_bash_completes_after_an_equals_sign(tmp_path):
    """Only this shell is sure to be there; what follows the last equals sign is all that it replaces."""
    program = tmp_path / "trisynth"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m trisynth "$@"\n')
    program.chmod(0o755)
    script = (
        f'PATH={tmp_path}:$PATH; eval "$(trisynth --completion bash)"; compopt() {{ :; }}\n'
        'COMP_LINE="trisynth run -m generator=vae,cop"; COMP_POINT=${#COMP_LINE}; _trisynth; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run([shutil.which("bash"), "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["vae,copula", "vae,copy"], done.stderr


def test_no_module_of_the_current_folder_is_imported(tmp_path):
    for name in ("hydra_plugins/planted.py", "lz4.py", "planted/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"open({str(tmp_path / 'called')!r}, 'w')")
    # As the installed command does, which has no current folder in its path.
    code = "import sys; sys.argv[0] = 'trisynth'; from trisynth.__main__ import main; sys.exit(main())"
    line = [sys.executable, "-P", "-c", code, "run", "--cfg", "job", "hydra.searchpath=[pkg://planted]"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p and p != str(Path.cwd()))}
    done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith("error: hydra.searchpath='pkg://planted': would import")
    assert not (tmp_path / "called").exists()
