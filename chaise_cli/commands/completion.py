"""`chaise completion`."""

from __future__ import annotations

import sys
from string import Template
from typing import Annotated, Final

import typer

from chaise_cli.commands.registry import PLAIN
from chaise_cli.errors import Usage
from chaise_cli.render.terminal import put
from chaise_cli.result import VERBS

app = typer.Typer(**PLAIN)

# Words come from the table of verbs, so TAB starts no Python; ids are asked for only after `kind-`.
_BASH: Final = Template("""_chaise() {
  local cur="${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "$verbs" -- "$cur"));
  else case "$cur" in
    post-*) COMPREPLY=($(compgen -W "$(chaise posts --ids --no-input 2>/dev/null)" -- "$cur"));;
    deal-*) COMPREPLY=($(compgen -W "$(chaise deals --ids --no-input 2>/dev/null)" -- "$cur"));;
    book-*) COMPREPLY=($(compgen -W "$(chaise bookings --ids --no-input 2>/dev/null)" -- "$cur"));;
    board-*) COMPREPLY=($(compgen -W "$(chaise boards --ids --no-input 2>/dev/null)" -- "$cur"));;
    *) COMPREPLY=($(compgen -f -- "$cur"));;
  esac; fi
}
complete -o default -F _chaise chaise
""")
_ZSH: Final = Template("""#compdef chaise
_chaise() {
  if (( CURRENT == 2 )); then compadd -- ${=:-"$verbs"}; return; fi
  case "$words[CURRENT]" in
    post-*) compadd -- $(chaise posts --ids --no-input 2>/dev/null);;
    deal-*) compadd -- $(chaise deals --ids --no-input 2>/dev/null);;
    book-*) compadd -- $(chaise bookings --ids --no-input 2>/dev/null);;
    board-*) compadd -- $(chaise boards --ids --no-input 2>/dev/null);;
    *) _files;;
  esac
}
compdef _chaise chaise
""")
_FISH: Final = Template("""complete -c chaise -n __fish_use_subcommand -f -a "$verbs"
for kind in post deal booking board
  complete -c chaise -n 'not __fish_use_subcommand' -f -a "(chaise $${kind}s --ids --no-input 2>/dev/null)"
end
""")
SHELLS: Final = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


class NoSuchShell(Usage):
    """A shell without a completion script."""

    code = "completion.unknown_shell"
    message = "no completion for {shell}"
    hint = "choose bash, zsh or fish"
    shell: str


@app.command("completion")
def completion(shell: Annotated[str, typer.Argument(help="bash, zsh or fish.")]) -> None:
    """Print a completion script for your shell."""
    script = SHELLS.get(shell)
    if script is None:
        raise NoSuchShell(shell=shell[:40])
    put(sys.stdout, script.safe_substitute(verbs=" ".join(words())))


def words() -> list[str]:
    """The words that may follow `chaise`."""
    return sorted({*(name.partition(" ")[0] for name in VERBS), "help", "batch", "schema", "completion"})
