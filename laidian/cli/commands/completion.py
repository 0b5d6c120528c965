"""`laidian completion SHELL`: click's own completion script, on stdout."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class
from rich_click import RichCommand


@click.command(cls=RichCommand)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    eval "$(laidian completion bash)"     in ~/.bashrc
    eval "$(laidian completion zsh)"      in ~/.zshrc
    laidian completion fish | source      in ~/.config/fish/config.fish
    """
    from laidian.cli.root import root

    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(root, {}, "laidian", "_LAIDIAN_COMPLETE")
    # Not source(): click's bash class starts a bash to warn of old versions, and fails where there is none.
    click.echo(script.source_template % script.source_vars())
