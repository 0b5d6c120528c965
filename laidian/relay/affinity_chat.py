"""Chat completions that OpenAI keeps (`store: true`): asked for where they are, by the key that made them.

They are not listed: an upstream's list would show every key's, and what one says of itself is known to the upstream only.
"""

from __future__ import annotations

from urllib.parse import quote

from laidian.domain.affinity import Held
from laidian.relay.affinity_errand import Errand, admit
from laidian.relay.affinity_openai import Params, delete, pass_on
from laidian.relay.client import Client
from laidian.relay.context import Context

CAPABILITY = "chat"


async def retrieve_completion(context: Context, client: Client, params: Params) -> None:
    """GET /v1/chat/completions/{id}."""
    visit = admit(context, client, CAPABILITY)
    held, home = await visit.find("completion", params["completion_id"])
    await pass_on(visit, home, Errand(b"GET", _completion(held)))


async def update_completion(context: Context, client: Client, params: Params) -> None:
    """POST /v1/chat/completions/{id}: new metadata."""
    visit = admit(context, client, CAPABILITY)
    held, home = await visit.find("completion", params["completion_id"])
    await pass_on(visit, home, Errand(b"POST", _completion(held), await visit.body()))


async def delete_completion(context: Context, client: Client, params: Params) -> None:
    """DELETE /v1/chat/completions/{id}."""
    visit = admit(context, client, CAPABILITY)
    await delete(visit, "completion", params["completion_id"], "/chat/completions")


async def list_messages(context: Context, client: Client, params: Params) -> None:
    """GET /v1/chat/completions/{id}/messages: the prompt that it answered."""
    visit = admit(context, client, CAPABILITY)
    held, home = await visit.find("completion", params["completion_id"])
    path = f"{_completion(held)}/messages{visit.query('after', 'limit', 'order')}"
    await pass_on(visit, home, Errand(b"GET", path))


def _completion(held: Held) -> str:
    return f"/chat/completions/{quote(held.id, safe='')}"
