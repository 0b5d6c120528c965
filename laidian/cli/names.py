"""Names for a shell that asks for completions: those of the running server, at once or not at all.

The rule a newcomer would break: nothing is said and nothing is raised here, whatever goes wrong; a person is in the middle of a line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient
    from laidian.admin.schema import Group, Key, Quota, Upstream

    _Named = Key | Group | Quota | Upstream

Noun = Literal["keys", "groups", "quotas", "upstreams"]
WAIT_S = 1.0


def named(noun: Noun) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """What click asks for the completions of an argument."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        try:
            names = asyncio.run(_names(context, noun))
        except Exception:
            return []
        return [name for name in names if name.startswith(incomplete)]

    return complete


async def _names(context: click.Context, noun: Noun) -> list[str]:
    from laidian.cli.call import said
    from laidian.cli.reach import reach, target

    call = said(context)
    whom = target(call)
    if whom.folder is not None and not whom.folder.served():
        return []  # to open the data folder for it would take a second
    async with asyncio.timeout(WAIT_S), reach(call) as client:
        return sorted([one.name for one in await _asked(client, noun)])


def _asked(client: AdminClient, noun: Noun) -> Awaitable[tuple[_Named, ...]]:
    questions: dict[Noun, Callable[[], Awaitable[tuple[_Named, ...]]]] = {
        "keys": client.keys,
        "groups": client.groups,
        "quotas": client.quotas,
        "upstreams": client.upstreams,
    }
    return questions[noun]()
