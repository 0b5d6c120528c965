from __future__ import annotations

import msgspec
import pytest

from laidian.admin.client import AdminClient, AdminError
from laidian.admin.schema import CredentialCreate, UpstreamEdit
from laidian.admin.service.upstreams import edit_upstream
from tests.admin.conftest import TOKEN, Api
from tests.admin.desk import NOW_MS, Desk

IDS = [
    "curl",
    "python",
    "javascript",
    "chatbox",
    "cherry-studio",
    "lobechat",
    "opencode",
    "aider",
    "llm",
    "env",
]
"""What a group that may only chat has a use for."""


@pytest.fixture
def relay(desk: Desk) -> Desk:
    desk.upstream(
        "sim",
        models=("gpt-5.4", "gpt-5.5", "gpt-image-2", "my-unpriced"),
        credentials=(CredentialCreate(api_key="provider-secret"),),
    )
    desk.group("chatters", capabilities=("chat",), allow=("gpt-5.5",))
    desk.key("bob", group="chatters")
    return desk


def client_of(api: Api) -> AdminClient:
    return AdminClient.in_process(api.app, TOKEN, "here")


async def test_a_key_gets_the_clients_of_its_group_and_a_model_that_it_can_use(relay: Desk, api: Api) -> None:
    async with client_of(api) as client:
        snippets = await client.snippets(key="bob")
    assert [one.client for one in snippets] == IDS
    curl = snippets[0].parts[0]
    assert curl.model == "gpt-5.5"
    assert '"model": "gpt-5.5"' in curl.text
    assert "http://127.0.0.1:8080/v1/chat/completions" in curl.text
    assert "Bearer {key}" in curl.text


async def test_without_a_name_the_default_group_is_meant(relay: Desk, api: Api) -> None:
    async with client_of(api) as client:
        snippets = await client.snippets()
        assert snippets == await client.snippets(group="default")
    assert {"codex", "claude-code", "gemini-cli", "cc-switch"} < {one.client for one in snippets}


async def test_a_key_is_found_by_its_display_form_too(relay: Desk, api: Api) -> None:
    shown = relay.key("carol", group="chatters").key.display
    async with client_of(api) as client:
        assert await client.snippets(key=shown.partition("…")[0]) == await client.snippets(key="carol")


async def test_no_credential_is_in_any_of_it(relay: Desk, api: Api) -> None:
    secret = relay.key("dave").secret
    async with client_of(api) as client:
        told = msgspec.json.encode(await client.snippets(key="dave"))
    assert secret.encode() not in told
    assert b"sk-" not in told
    assert b"{key}" in told


async def test_a_wanted_model_is_named_when_it_can_be_used(relay: Desk, api: Api) -> None:
    async with client_of(api) as client:
        snippets = await client.snippets(group="default", model="gpt-5.5")
        assert {part.model for one in snippets for part in one.parts} == {"gpt-5.5", "gpt-image-2", None}
        for model in ("my-unpriced", "nobody-knows"):
            with pytest.raises(AdminError, match="cannot be used by group `default`") as refused:
                await client.snippets(model=model)
            assert refused.value.status == 404
        with pytest.raises(AdminError, match="shell"):
            await client.snippets(model="'; id; '")


async def test_what_does_not_exist_or_contradicts_is_refused(relay: Desk, api: Api) -> None:
    async with client_of(api) as client:
        for named in ({"key": "nobody"}, {"group": "nobody"}):
            with pytest.raises(AdminError, match="nobody") as refused:
                await client.snippets(**named)
            assert refused.value.status == 404
        with pytest.raises(AdminError, match="not both"):
            await client.snippets(key="bob", group="default")


async def test_a_model_whose_upstream_is_disabled_is_not_named(relay: Desk, api: Api) -> None:
    relay.do(
        lambda c: edit_upstream(c, relay.vault, "sim", UpstreamEdit(enabled=False), now_ms=NOW_MS, busy={})
    )
    async with client_of(api) as client:
        snippets = await client.snippets(key="bob")
    assert snippets[0].parts[0].model is None
    assert "your-model" in snippets[0].parts[0].text
