"""`laidian help`: topics that belong to no single command, and the help of any command."""

from __future__ import annotations

import difflib

import click
from rich_click import RichCommand

from laidian.cli.topics import TOPICS, topic


@click.command("help", cls=RichCommand, epilog="Topics: " + ", ".join(TOPICS))
@click.argument("words", nargs=-1, metavar="[TOPIC | COMMAND...]")
@click.pass_context
def help_command(context: click.Context, words: tuple[str, ...]) -> None:
    """Explain a topic or a command. Alone: which there are.

    \b
    laidian help exit-codes
    laidian help key create
    laidian help topics
    """
    if words == ("topics",):
        click.echo("Topics\n\n" + "\n".join(f"  {name:<12} {about}" for name, (_, about) in TOPICS.items()))
        return
    if len(words) == 1 and words[0] in TOPICS and not _is_command(context, words[0]):
        click.echo(topic(words[0]))
        return
    current: click.Context = context.find_root()
    for word in words:
        command = current.command
        found = command.get_command(current, word) if isinstance(command, click.Group) else None
        if found is None:
            raise click.UsageError(_unknown(words), context)
        current = found.make_context(word, [], parent=current, resilient_parsing=True)
    click.echo(current.get_help())
    if len(words) == 1 and words[0] in TOPICS:
        click.echo(f"\n{topic(words[0])}")


def _is_command(context: click.Context, name: str) -> bool:
    root = context.find_root().command
    return isinstance(root, click.Group) and name in root.list_commands(context)


def _unknown(words: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(words[0], TOPICS, n=1)
    hint = f"Did you mean {near[0]}?" if near and len(words) == 1 else f"Topics: {', '.join(TOPICS)}."
    return f"there is no topic or command `{' '.join(words)}`. {hint}"
