"""Start of the subcommands of ``trisynth``, and their help."""

import difflib
import importlib
import importlib.metadata
import re
import sys
import textwrap

from trisynth.commandline import choices, form
from trisynth.commandline.mistakes import one_line_errors
from trisynth.commandline.subcommands import DOORS
from trisynth.errors import InputError

HELP_FLAGS = ("-h", "--help")
# Most digits of a number: neither Hydra nor Python reads many more.
DIGITS = 1_000
_WIDTH = 80


def enter(name: str, arguments: list[str]) -> None:
    """Run a subcommand, or print its help; end the program if it fails.

    Parameters
    ----------
    name : str
        Name of the subcommand.
    arguments : list of str
        What follows it on the command line.
    """
    with one_line_errors():
        if name not in DOORS:
            close = difflib.get_close_matches(name, DOORS, n=1)
            hint = f"; did you mean {close[0]}?" if close else "."
            raise InputError("command", name, f"no such command{hint} The commands are {', '.join(DOORS)}")
        if long := next((each for each in arguments if re.search(rf"\d{{{DIGITS + 1}}}", each)), None):
            raise InputError("arguments", long, f"contains a number of more than {DIGITS:,} digits; shorten it")
        door = DOORS[name]
        if not door.parses and set(HELP_FLAGS) & set(arguments):
            print(page(name, arguments))
            return
        module = importlib.import_module(door.module)
        if any(setting == "dataset.path" for setting, _ in door.settings):
            arguments = form.named(arguments)
        status = module.main([name, *arguments] if door.module == "trisynth.stages" else arguments)
    if status:
        sys.exit(status)


def version() -> str:
    """Return name and version of this package."""
    return f"trisynth {importlib.metadata.version('trisynth')}"


def overview() -> str:
    """Return the help of ``trisynth`` itself."""
    lines = [
        "usage: trisynth COMMAND [ARGUMENTS]",
        "",
        "Synthetic tabular data: generate it, and measure whether it improves a model.",
        "",
        "commands:",
        *(f"  {name:<12}{door.summary}" for name, door in DOORS.items()),
        "",
        "options:",
        "  --help               Show this text; after a command, its own help.",
        "  --version            Show the version.",
        "  --completion SHELL   Print the completion of bash, zsh or fish.",
        "",
        "To complete commands and choices with the tab key, add one line to the",
        "start-up file of your shell:",
        '  bash   eval "$(trisynth --completion bash)"',
        '  zsh    eval "$(trisynth --completion zsh)"',
        "  fish   trisynth --completion fish | source",
        "",
        "First steps:",
        "  trisynth run --help",
        "  trisynth run mine.csv --target outcome",
    ]
    return "\n".join(lines)


def page(name: str, arguments: list[str]) -> str:
    """Return the help of a subcommand, with the choices of its groups; folders of ``--config-dir`` count."""
    door = DOORS[name]
    lines = [f"usage: trisynth {name} {door.usage}", "", *_wrapped(door.text), ""]
    if door.examples:
        lines.append("examples:")
        for call, effect in door.examples:
            lines += [f"  # {effect}", f"  trisynth {name} {call}"]
        lines.append("")
    if door.groups:
        lines += ["groups and their choices (GROUP=CHOICE):", ""]
        for group in door.groups:
            lines += _wrapped(f"{group}: {', '.join(choices.options(group, arguments))}", "    ")
        lines.append("")
    installed = [(group, choice, content) for group in door.groups for choice, content in _installed(group)]
    if installed:
        lines.append("from installed packages:")
        for group, choice, content in installed:
            lines.append(f"  {group}={choice} allow=[{','.join(sorted(set(choices.packages(content))))}]")
        lines.append("")
    if door.settings:
        lines.append("settings (SETTING=VALUE):")
        for setting, meaning in door.settings:
            lines += _wrapped(f"  {setting:<23}{meaning}", " " * 25)
        lines.append("")
    lines += _wrapped(
        "Every key of the yaml files is a setting. A file mine.yaml beside mine.csv declares columns, target and task. "
        "With --config-dir DIR, yaml files of your own add choices: generator=mine is DIR/generator/mine.yaml."
    )
    if name == "run":
        lines += _wrapped("All settings: trisynth run --cfg job. Hydra's own help: trisynth run --hydra-help.")
    return "\n".join(lines)


def _installed(group: str) -> list[tuple[str, dict]]:
    return sorted(choices.installed(group).items())


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, subsequent_indent=indent, drop_whitespace=True, break_long_words=False, break_on_hyphens=False
    )
