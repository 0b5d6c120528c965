"""The operator's journal: every change leaves one sentence with it, and no secret."""

from __future__ import annotations

import msgspec

from laidian.admin.schema import Operation, Page
from tests.admin.conftest import TOKEN, Api
from tests.admin.desk import Desk


async def journal(api: Api) -> list[Operation]:
    return list(msgspec.convert(await api.ask("GET", "/operations"), Page[Operation]).items)


async def test_every_change_is_a_sentence_and_a_refused_one_is_none(api: Api, desk: Desk) -> None:
    made = await api.ask("POST", "/keys", {"name": "alice", "limit_usd": "5"}, expect=201)
    await api.ask("PATCH", "/keys/alice", {"limit_usd": None, "enabled": False})
    await api.ask("PATCH", f"/keys/{made['secret']}", {"name": "alba"})
    await api.ask("POST", "/keys", {"name": "alba"}, expect=409)
    await api.ask("POST", "/quotas", {"name": "team", "balance_usd": "5"}, expect=201)
    await api.ask("POST", "/quotas/team/credits", {"amount_usd": "2.50", "note": "May"}, expect=201)
    upstream = {
        "name": "one",
        "kind": "openai",
        "credentials": [{"api_key": "sk-upstream-secret"}],
        "proxy": "http://u:p@h:1",
    }
    await api.ask("POST", "/upstreams", upstream, expect=201)
    await api.ask("PATCH", "/upstreams/one/credentials/key-1", {"api_key": "sk-another-secret"})
    await api.ask("DELETE", "/keys/alba")
    told = [(one.who, one.action, one.name, one.sentence) for one in await journal(api)]
    assert told == [
        ("api", "key.delete", "alba", "deleted the key `alba`"),
        (
            "api",
            "upstream.credential.edit",
            "one",
            "changed the upstream credential `one`: api_key (a new one)",
        ),
        (
            "api",
            "upstream.create",
            "one",
            "created the upstream `one`: kind openai, credentials (a new one), proxy (a new one)",
        ),
        ("api", "quota.top_up", "team", "topped up the quota `team`: amount_usd 2.50, note May"),
        ("api", "quota.create", "team", "created the quota `team`: balance_usd 5"),
        ("api", "key.edit", "alba", "changed the key `alba`: name alba"),
        ("api", "key.edit", "alice", "changed the key `alice`: limit_usd none, enabled no"),
        ("api", "key.create", "alice", "created the key `alice`: limit_usd 5"),
    ]


async def test_who_asks_is_written_and_nothing_that_could_not_be_shown(api: Api, desk: Desk) -> None:
    for said, who in (("tui", "tui"), ("cli", "cli"), ("\x1b[31m", "api"), ("x" * 40, "api")):
        async with api.client() as client:
            response = await client.post(
                "/admin/v1/groups", content=msgspec.json.encode({"name": f"g{len(said)}{who}"}),
                headers={b"x-laidian-actor": said.encode(), b"authorization": f"Bearer {TOKEN}".encode()},
            )  # fmt: skip
        assert response.status_code == 201
        assert (await journal(api))[0].who == who


async def test_the_journal_comes_in_pages(api: Api, desk: Desk) -> None:
    for number in range(5):
        await api.ask("POST", "/groups", {"name": f"g{number}"}, expect=201)
    seen: list[str] = []
    cursor = ""
    while True:
        page = msgspec.convert(await api.ask("GET", f"/operations?limit=2&cursor={cursor}"), Page[Operation])
        seen += [one.name for one in page.items]
        if page.next is None:
            break
        cursor = page.next
    assert seen == ["g4", "g3", "g2", "g1", "g0"]
    await api.ask("GET", "/operations?cursor=x", expect=400)
