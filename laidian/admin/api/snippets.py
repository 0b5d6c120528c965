"""/admin/v1/snippets: client settings for a key or a group, with the credential left open."""

from __future__ import annotations

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from laidian.admin.api.services import AdminServices
from laidian.admin.schema import Snippet, SnippetPart
from laidian.admin.service.keys import find_key
from laidian.admin.service.names import shown, unknown
from laidian.domain.group import Group
from laidian.domain.snippets import CLIENTS, Client, Usable, Written, examples, fits, written
from laidian.errors import BadRequest, NotFound
from laidian.relay.listing import usable


@get("/snippets")
async def list_snippets(
    services: NamedDependency[AdminServices],
    key: FromQuery[str] = "",
    group: FromQuery[str] = "",
    model: FromQuery[str] = "",
) -> tuple[Snippet, ...]:
    """Of every client that the group has a use for; without key and group, of `default` or the only group."""
    found = await _group(services, key, group)
    models = usable(services.catalog.current(), found, services.health.opened, services.now_ms())
    if model:
        _check_model(model, found, models)
    named = examples(models, model or None)
    texts = ((client, _written(services, client, found, named)) for client in CLIENTS)
    return tuple(_snippet(client, parts) for client, parts in texts if parts)


async def _group(services: AdminServices, key: str, group: str) -> Group:
    """Raises BadRequest, NotFound, or Conflict when the key's address means several."""
    known = {one.name: one for one in services.catalog.current().groups.values()}
    if key and group:
        raise BadRequest("Name a key or a group, not both: a key has its group.", param="group")
    if key:
        group = (await services.reader.read(lambda c: find_key(c, key))).group
    elif not group:
        group = "default" if "default" in known or len(known) != 1 else next(iter(known))
    if group not in known:
        raise unknown("group", group, known, param="group")
    return known[group]


def _check_model(model: str, group: Group, models: list[Usable]) -> None:
    if not fits(model):
        raise BadRequest(
            f"The model name {shown(model)} holds characters that a shell would read, so it cannot stand in a snippet."
            " Give it an alias in the group.",
            param="model",
        )
    if all(one.name != model for one in models):
        raise NotFound(
            f"The model {shown(model)} cannot be used by group `{group.name}` now. GET /v1/models/NAME?explain=1 with the key says why.",
            param="model",
        )


def _written(
    services: AdminServices, client: Client, group: Group, models: dict[str, str | None]
) -> tuple[Written, ...]:
    base_url, brand = services.base_url, services.config.pages.brand
    try:
        return written(client, group.capabilities, models, base_url=base_url, brand=brand)
    except ValueError as error:
        raise BadRequest(f"public_url in config.toml: {error}") from None


def _snippet(client: Client, parts: tuple[Written, ...]) -> Snippet:
    return Snippet(
        client=client.id,
        title=client.title,
        tested=client.tested,
        says=client.says,
        says_zh=client.says_zh,
        parts=tuple(
            SnippetPart(
                place=one.part.place,
                language=one.part.language,
                capability=one.part.capability,
                model=one.model,
                text=one.text,
            )
            for one in parts
        ),
    )


HANDLERS = [list_snippets]
