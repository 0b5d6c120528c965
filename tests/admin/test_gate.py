"""Who may use the admin API."""

from __future__ import annotations

import pytest

from laidian.relay.backoff import FAILURES, PEERS, REFILL_S, Backoff
from tests.admin.conftest import TOKEN, Api, Clock, Make

STATUS = "/admin/v1/status"


async def test_the_token_opens_the_api_and_nothing_else_does(api: Api) -> None:
    wrong = ("", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", TOKEN)
    async with api.client(token=None) as client:
        for header in wrong[: FAILURES - 1]:
            response = await client.get(STATUS, headers={"authorization": header})
            assert response.status_code == 401
            assert response.headers["www-authenticate"] == "Bearer"
            assert response.json()["error"]["code"] == "invalid_admin_token"
            assert TOKEN not in response.text
        response = await client.get(STATUS, headers={"authorization": f"bearer {TOKEN}"})
        assert response.status_code == 200


async def test_two_authorization_headers_are_one_too_many(api: Api) -> None:
    async with api.client(token=None) as client:
        headers = [("authorization", f"Bearer {TOKEN}"), ("authorization", "Bearer other")]
        assert (await client.get(STATUS, headers=headers)).status_code == 401


@pytest.mark.parametrize(
    "path", ["/admin/v1/nothing", "/admin/v1", "/admin", "/admin/v1/openapi.json", "/admin/v2/keys"]
)
async def test_not_even_the_shape_of_the_api_is_shown_without_the_token(api: Api, path: str) -> None:
    async with api.client(token=None) as client:
        assert (await client.get(path)).status_code == 401


@pytest.mark.parametrize("peer", ["203.0.113.7", "10.0.0.1", "192.168.1.1", "2001:db8::1", "::ffff:10.0.0.1"])
async def test_another_machine_is_refused_even_with_the_token(api: Api, peer: str) -> None:
    async with api.client(peer=peer) as client:
        response = await client.get(STATUS)
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "not_local"
    assert "admin.remote" in response.json()["error"]["message"]


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
async def test_every_loopback_address_is_this_machine(api: Api, peer: str) -> None:
    async with api.client(peer=peer) as client:
        assert (await client.get(STATUS)).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "Forwarded",
        "X-Forwarded-For",
        "x-forwarded-host",
        "X-Forwarded-Anything",
        "X-Real-IP",
        "Via",
        "CF-Connecting-IP",
    ],
)
async def test_a_forwarded_request_is_refused_even_from_here(api: Api, header: str) -> None:
    async with api.client() as client:
        response = await client.get(STATUS, headers={header: "127.0.0.1"})
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "forwarded"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example"]
)
async def test_a_host_that_is_a_name_is_refused_since_a_web_page_could_have_chosen_it(
    api: Api, host: str
) -> None:
    async with api.client(host=host) as client:
        response = await client.get(STATUS)
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "unknown_host"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1", "[::1]:8080"])
async def test_addresses_and_localhost_are_hosts(api: Api, host: str) -> None:
    async with api.client(host=host) as client:
        assert (await client.get(STATUS)).status_code == 200


async def test_a_remote_instance_asks_for_the_token_alone(make_api: Make) -> None:
    api = make_api(remote=True)
    async with api.client(peer="203.0.113.7", host="relay.example") as client:
        assert (await client.get(STATUS, headers={"x-forwarded-for": "198.51.100.9"})).status_code == 200
        assert (await client.get(STATUS, headers={"authorization": "Bearer wrong"})).status_code == 401


async def test_after_five_wrong_tokens_the_address_waits_and_others_do_not(
    make_api: Make, clock: Clock
) -> None:
    api = make_api(remote=True)
    async with api.client(peer="203.0.113.7", token="wrong") as guesser:
        statuses = [(await guesser.get(STATUS)).status_code for _ in range(FAILURES + 2)]
        assert statuses == [401] * FAILURES + [429] * 2
        response = await guesser.get(STATUS, headers={"authorization": f"Bearer {TOKEN}"})
        assert response.status_code == 429, (
            "a right guess is not told from a wrong one while the address waits"
        )
        assert response.headers["retry-after"] == str(int(REFILL_S))
        assert response.json()["error"]["code"] == "too_many_failures"
        async with api.client(peer="203.0.113.8") as other:
            assert (await other.get(STATUS)).status_code == 200
        clock.ms += int(REFILL_S * 1000)
        assert (await guesser.get(STATUS, headers={"authorization": f"Bearer {TOKEN}"})).status_code == 200
        assert (await guesser.get(STATUS)).status_code == 401
        assert (await guesser.get(STATUS)).status_code == 429


async def test_the_addresses_of_one_ipv6_host_count_as_one(make_api: Make) -> None:
    api = make_api(remote=True)
    statuses: list[int] = []
    for number in range(FAILURES + 1):
        async with api.client(peer=f"2001:db8::{number:x}", token="wrong") as client:
            statuses.append((await client.get(STATUS)).status_code)
    assert statuses == [401] * FAILURES + [429]


def test_the_backoff_forgets_in_time_and_keeps_its_memory_bounded() -> None:
    now_s = 0.0
    backoff = Backoff(lambda: now_s)
    for number in range(PEERS + 10):
        backoff.failed(f"peer-{number}")
    assert len(backoff) == PEERS
    for _ in range(FAILURES):
        backoff.failed("guesser")
    assert backoff.wait_s("guesser") == pytest.approx(REFILL_S)
    now_s = FAILURES * REFILL_S + 1
    assert backoff.wait_s("guesser") == 0
    assert backoff.wait_s("nobody") == 0
