"""Completion of subcommands, groups and choices in bash, zsh and fish."""

from trisynth.commandline import choices, doors
from trisynth.errors import InputError

# Each shell hands over the words before the cursor and gets whole words back.
_SCRIPTS = {
    "bash": """\
_trisynth() {
  local line="${COMP_LINE:0:COMP_POINT}" word="${COMP_LINE:0:COMP_POINT}"
  word="${word##* }"
  mapfile -t COMPREPLY < <(trisynth --complete $line. 2>/dev/null)
  # bash completes only what follows the last "=".
  case "$word" in *=*) COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*=}"}"}") ;; esac
  case "${COMPREPLY[0]}" in *=) compopt -o nospace ;; esac
}
complete -F _trisynth trisynth""",
    "zsh": """\
_trisynth() {
  local -a found
  found=("${(@f)$(trisynth --complete ${words[1,CURRENT]}. 2>/dev/null)}")
  compadd -Q -S '' -- $found
}
(( $+functions[compdef] )) || { autoload -U compinit; compinit }
compdef _trisynth trisynth""",
    "fish": """\
complete -c trisynth -f -a '(trisynth --complete (commandline -opc) (commandline -ct). 2>/dev/null)'""",
}
HINT = {
    "bash": 'eval "$(trisynth --completion bash)"',
    "zsh": 'eval "$(trisynth --completion zsh)"',
    "fish": "trisynth --completion fish | source",
}


def script(shell: str) -> str:
    """Return the lines that switch completion on in a shell.

    Raises
    ------
    InputError
        If the shell is not one of bash, zsh and fish.
    """
    if shell not in _SCRIPTS:
        raise InputError("--completion", shell, f"must be one of {', '.join(_SCRIPTS)}, as in {HINT['bash']}")
    return _SCRIPTS[shell]


def candidates(words: list[str]) -> list[str]:
    """Return the words that the last of ``words`` may become.

    Parameters
    ----------
    words : list of str
        The command line up to the cursor, its first word the program's name; a final dot marks the cursor.
    """
    *before, word = words or ["."]
    word = word.removesuffix(".")
    if len(before) < 2:
        return [name for name in [*doors.DOORS, "--help", "--version"] if name.startswith(word)]
    if before[1] not in doors.DOORS:
        return []
    door = doors.DOORS[before[1]]
    group, equals, value = word.partition("=")
    if not equals:
        given = {argument.partition("=")[0] for argument in before[2:]}
        settings = (*door.groups, *(name for name, _ in door.settings))
        names = [*(f"{name}=" for name in settings if name not in given), *door.words, "--help"]
        return [name for name in names if name.startswith(word)]
    if group not in door.groups:
        return []
    done, comma, start = value.rpartition(",")
    return [f"{group}={done}{comma}{name}" for name in choices.options(group, before) if name.startswith(start)]
