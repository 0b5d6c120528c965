"""Takes a provider's credential from a pipe, a variable or a hidden prompt; never from the command line, which others can see."""

from __future__ import annotations

import os
import sys

import click

from laidian.cli.call import Call


def read_api_key(call: Call, *, stdin: bool, variable: str | None) -> str:
    """Raises UsageError when there is none, or it cannot be one."""
    context = click.get_current_context()
    if stdin and variable:
        raise click.UsageError("--api-key-stdin and --api-key-env exclude each other.", context)
    if variable:
        if variable not in os.environ:
            raise click.UsageError(f"the variable {variable} is not set.", context)
        return _checked(os.environ[variable], f"the variable {variable}")
    if stdin:
        return _checked(sys.stdin.read(), "standard input")
    if call.may_ask():
        return _checked(click.prompt("API key (not shown)", hide_input=True, err=True), "what was typed")
    raise click.UsageError(
        "no API key: pipe it in with --api-key-stdin, or name a variable with --api-key-env.", context
    )


def _checked(text: str, place: str) -> str:
    key = text.strip()
    if not key:
        raise click.UsageError(f"{place} holds no API key: it is empty.", click.get_current_context())
    if any(letter.isspace() or not letter.isprintable() for letter in key):
        raise click.UsageError(
            f"{place} holds more than one word, so it is not an API key.", click.get_current_context()
        )
    return key
