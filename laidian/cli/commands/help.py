"""`laidian help`: topics that belong to no single command, and the help of any command."""

from __future__ import annotations

import click
from rich_click import RichCommand

from laidian.cli.topics import TOPICS


@click.command("help", cls=RichCommand, epilog="Topics: " + ", ".join(TOPICS))
@click.argument("words", nargs=-1, metavar="[TOPIC | COMMAND...]")
@click.pass_context
def help_command(context: click.Context, words: tuple[str, ...]) -> None:
    """Explain a topic or a command.

    \b
    laidian help exit-codes
    laidian help key create
    """
    if len(words) == 1 and words[0] in TOPICS:
        click.echo(TOPICS[words[0]]())
        return
    current: click.Context = context.find_root()
    for word in words:
        command = current.command
        found = command.get_command(current, word) if isinstance(command, click.Group) else None
        if found is None:
            raise click.UsageError(
                f"there is no topic or command `{' '.join(words)}`. Topics: {', '.join(TOPICS)}.", context
            )
        current = found.make_context(word, [], parent=current, resilient_parsing=True)
    click.echo(current.get_help())
