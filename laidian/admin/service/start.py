"""The first start: the price book, a group, a quota; and where the environment holds provider keys, upstreams and a client key."""

from __future__ import annotations

from collections.abc import Mapping

from laidian.admin.schema import (
    CredentialCreate,
    FirstStart,
    GroupCreate,
    KeyCreate,
    QuotaCreate,
    UpstreamCreate,
)
from laidian.admin.service.book import adopt
from laidian.admin.service.groups import create_group
from laidian.admin.service.keys import create_key
from laidian.admin.service.quotas import create_quota
from laidian.admin.service.upstreams import add_upstream
from laidian.errors import BadRequest
from laidian.store.connection import Connection
from laidian.store.firststart import first_start_done, mark_first_start
from laidian.store.groups import read_groups
from laidian.store.prices import adopted_book
from laidian.store.quotas import read_quotas
from laidian.store.vault import Vault
from laidian.upstream.providers import PROVIDERS, Provider

GROUP = "default"
QUOTA = "unlimited"
KEY = "default"
_OTHER_BASE_URLS = {"GEMINI": "GOOGLE_GEMINI_BASE_URL"}
"""What Google's own SDK reads (google-genai 3.4.0)."""


def first_start(
    connection: Connection,
    vault: Vault,
    *,
    shipped_book: bytes,
    environment: Mapping[str, str],
    entropy: bytes,
    now_ms: int,
) -> FirstStart | None:
    """Everything a fresh database needs, in one transaction; None when it was done before.

    `environment` may name provider keys (OPENAI_API_KEY with OPENAI_BASE_URL, and so on); `entropy`: 32 random bytes for the key.
    Raises BadRequest naming the variable that cannot be used; nothing is then written.
    """
    if first_start_done(connection):
        return None
    book = lay_ground(connection, shipped_book=shipped_book, now_ms=now_ms)
    made = [
        provider.kind
        for provider in PROVIDERS.values()
        if provider.environment and _from_environment(connection, vault, provider, environment, now_ms)
    ]
    key = None
    if made:
        key = create_key(
            connection, KeyCreate(name=KEY, group=GROUP, quota=QUOTA), entropy=entropy, now_ms=now_ms
        )
    mark_first_start(connection)
    return FirstStart(price_book=book, group=GROUP, quota=QUOTA, upstreams=tuple(made), key=key)


def lay_ground(connection: Connection, *, shipped_book: bytes, now_ms: int) -> str:
    """The price book, a group and a quota, as far as a fresh database has none; the book's name.

    What a command needs that comes before the first start: it must not take the first start's own part, the environment.
    """
    ruling = adopted_book(connection)
    book = ruling.source if ruling else adopt(connection, shipped_book, now_ms)
    if not read_groups(connection):
        create_group(connection, GroupCreate(name=GROUP), now_ms=now_ms)
    if not read_quotas(connection):
        create_quota(connection, QuotaCreate(name=QUOTA, kind="unlimited"), now_ms=now_ms)
    return book


def _from_environment(
    connection: Connection, vault: Vault, provider: Provider, environment: Mapping[str, str], now_ms: int
) -> bool:
    name = provider.environment
    secret = environment.get(f"{name}_API_KEY", "").strip()
    if not secret:
        return False
    variables = (f"{name}_BASE_URL", _OTHER_BASE_URLS.get(name, ""))
    variable = next((one for one in variables if one and environment.get(one, "").strip()), "")
    change = UpstreamCreate(
        name=provider.kind,
        kind=provider.kind,
        base_url=environment.get(variable, "").strip(),
        credentials=(CredentialCreate(api_key=secret, label="environment"),),
    )
    try:
        add_upstream(connection, vault, change, now_ms=now_ms)
    except BadRequest as error:
        which = variable if error.param == "base_url" and variable else f"{name}_API_KEY"
        raise BadRequest(
            f"The environment variable {which} cannot be used: {error.message}", param=which
        ) from None
    return True
