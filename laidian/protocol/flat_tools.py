"""Custom tools and namespaces, told to protocols that have neither, and their calls told apart again.

A custom tool (free text input) is offered as a function with one string `input`; a tool in a namespace as `namespace__name`
(protocol.md 6.2). An upstream's reader does not know the request and gives such calls as they are; the writer of the client's dialect has
the request and turns them back.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from laidian.protocol.canonical import Tool

CUSTOM_SCHEMA = b'{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}'


class _Input(msgspec.Struct):
    input: str


def flat_name(namespace: str, name: str) -> str:
    return f"{namespace}__{name}" if namespace else name


def wrapped_input(text: str) -> str:
    """A custom tool's input as the arguments of the function that stands for it."""
    return msgspec.json.encode(_Input(text)).decode()


def plain_input(arguments: str) -> str:
    """The other way; arguments of another form are taken for the input itself."""
    try:
        return msgspec.json.decode(arguments, type=_Input).input
    except (msgspec.DecodeError, RecursionError):
        return arguments


def by_flat_name(tools: Iterable[Tool]) -> dict[str, Tool]:
    """What a called name stands for."""
    return {flat_name(tool.namespace, tool.name): tool for tool in tools}
