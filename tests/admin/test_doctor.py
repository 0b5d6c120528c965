"""The examination, the settings, and a test request through a whole server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import msgspec
import pytest

from laidian.admin.client import AdminClient, AdminError
from laidian.admin.schema import Doctor, Settings, Trial
from laidian.config import Config, ServerSettings
from tests.admin.conftest import Api
from tests.admin.desk import Desk
from tests.served import Served, Setup, served
from tests.simulated_provider import simulated_provider


async def states(api: Api) -> dict[str, str]:
    found = msgspec.convert(await api.ask("GET", "/doctor"), Doctor)
    for check in found.checks:
        assert (check.fix == "") == (check.state == "ok"), check
    return {check.id: check.state for check in found.checks}


async def test_every_check_has_its_id_and_says_what_to_do(api: Api, desk: Desk) -> None:
    desk.upstream("one", credentials=({"api_key": "sk-one"},))
    desk.upstream("two")
    desk.folder.chmod(0o700)
    for path in desk.folder.glob("laidian.db*"):
        path.chmod(0o600)
    found = await states(api)
    assert set(found) == {
        "config", "database", "log", "disk", "files", "sqlite", "workers", "sums", "upstream:one", "upstream:two", "prices", "clock",
        "backups", "public-url",
    }  # fmt: skip
    expected = {"config": "ok", "database": "ok", "log": "ok", "files": "ok", "sums": "ok", "upstream:one": "warn", "upstream:two": "fail",
                "prices": "ok", "clock": "ok", "backups": "warn", "public-url": "ok", "workers": "warn"}  # fmt: skip
    assert {name: found[name] for name in expected} == expected


async def test_a_folder_that_others_can_read_is_a_failure(api: Api, desk: Desk) -> None:
    desk.path.chmod(0o644)
    assert (await states(api))["files"] == "fail"


async def test_settings_are_told_without_what_the_file_provisions(api: Api) -> None:
    api.services = msgspec.structs.replace(api.services, config=Config(server=ServerSettings(port=9)))
    found = msgspec.convert(await api.ask("GET", "/settings"), Settings)
    names = {one.name: one for one in found.settings}
    assert names["server.port"].value == "8080"
    assert not names["server.port"].changed
    assert not any(name.startswith(("upstream", "group", "price")) for name in names)


async def test_without_a_server_there_is_no_test_request(api: Api) -> None:
    answer = await api.ask("POST", "/test", {"model": "gpt-5.4"}, expect=409)
    assert "laidian serve" in answer["error"]["message"]


@pytest.fixture(scope="module")
def laidian() -> Iterator[Served]:
    with simulated_provider() as provider, served(provider, setup=Setup(credited_nano=10**10)) as running:
        yield running


@pytest.fixture
async def admin(laidian: Served) -> AsyncIterator[AdminClient]:
    async with AdminClient.over_http(laidian.base_url, laidian.folder.token()) as client:
        yield client


async def test_a_test_request_goes_through_the_whole_path_and_is_on_the_books(
    laidian: Served, admin: AdminClient
) -> None:
    outcome = await admin.test(Trial(model="gpt-5.4", api_key=laidian.key))
    assert (outcome.ok, outcome.status, outcome.upstream, outcome.code) == (True, 200, "sim", "")
    assert outcome.input_tokens > 0
    assert outcome.output_tokens > 0
    assert outcome.cost_usd != "0.00"
    detail = await admin.usage_detail(outcome.request_id)
    assert (detail.record.key, detail.record.cost_usd, detail.record.client) == (
        "key-1",
        outcome.cost_usd,
        "laidian-test",
    )


async def test_without_a_credential_a_key_is_made_for_it_and_gone_after_it(
    laidian: Served, admin: AdminClient
) -> None:
    before = [key.name for key in await admin.keys()]
    outcome = await admin.test(Trial(model="gpt-5.4", key="key-1"))
    assert outcome.ok
    assert [key.name for key in await admin.keys()] == before
    assert (await admin.usage_detail(outcome.request_id)).record.key.startswith("test-")


async def test_a_closed_gate_is_told_in_its_own_words(laidian: Served, admin: AdminClient) -> None:
    outcome = await admin.test(Trial(model="no-such-model", api_key=laidian.key))
    assert (outcome.ok, outcome.status, outcome.code, outcome.upstream) == (False, 404, "model_not_found", "")
    assert "no-such-model" in outcome.message
    wrong = await admin.test(Trial(model="gpt-5.4", api_key="sk-" + "x" * 43))
    assert (wrong.status, wrong.code) == (401, "invalid_api_key")
    with pytest.raises(AdminError, match="no key"):
        await admin.test(Trial(model="gpt-5.4", key="nobody"))


async def test_the_first_screen_of_a_real_server_is_complete(laidian: Served, admin: AdminClient) -> None:
    await admin.test(Trial(model="gpt-5.4", key="key-1"))
    found = await admin.overview()
    assert found.setup.requests
    assert [one.name for one in found.upstreams] == ["sim"]
    assert (await admin.doctor()).checks[1].state == "ok"
    assert (await admin.upstream_health("sim")).upstream == "sim"
    assert await admin.upstream_errors("sim", limit=5) == ()
    assert (await admin.serving("default")).group == "default"
    assert (await admin.settings()).data == str(laidian.folder.root)
    assert "gpt-5.4" in {one.model for one in await admin.models()}
    assert "key.create" in {one.action for one in (await admin.operations(limit=5)).items}
