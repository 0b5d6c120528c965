"""Until when a gate is closed: the circuit that opens first."""

from __future__ import annotations

from laidian.domain.catalog import Catalog
from laidian.domain.group import CAPABILITIES, Group, RateLimits
from laidian.domain.key import Key
from laidian.domain.price import Price, Rate
from laidian.domain.selection import Opened
from laidian.domain.upstream import Credential, Secret, Upstream
from laidian.relay.explain import Availability, availability

NOW_MS = 1_795_000_000_000
KEY = Key(
    id=1, name="k", digest=b"", group_id=1, quota_id=1, enabled=True, expires_at_ms=None
)  # fmt: skip
GROUP = Group(1, "g", True, (), (), (), {}, frozenset(CAPABILITIES), 1_000_000, RateLimits(), "cancel")
CREDENTIALS = (Credential(1, "a", Secret("x")), Credential(2, "b", Secret("y")))
UPSTREAM = Upstream(
    1,
    "up",
    "openai",
    "http://127.0.0.1/v1",
    True,
    0,
    1,
    None,
    None,
    ("m",),
    {},
    frozenset(),
    CREDENTIALS,
    1.0,
    1.0,
    1.0,
)
PRICE = Price("m", 0, "operator", "2026-11-22", "v", (Rate("input", 1), Rate("output", 1)), None, None)


def catalog() -> Catalog:
    return Catalog(1, {b"": KEY}, {1: GROUP}, {}, {1: UPSTREAM}, [PRICE], None, set())


def test_one_credential_that_works_is_enough():
    def health(upstream_id: int, credential_id: int, model: str) -> Opened | None:
        return Opened(NOW_MS + 5_000, "it limits the rate") if credential_id == 1 else None

    assert availability(catalog(), KEY, "m", health, NOW_MS) == Availability("m", True)


def test_when_all_rest_the_first_to_wake_says_until_when():
    def health(upstream_id: int, credential_id: int, model: str) -> Opened | None:
        return Opened(NOW_MS + 60_000 * credential_id, "it limits the rate")

    told = availability(catalog(), KEY, "m", health, NOW_MS)
    assert (told.available, told.gate) == (False, "health")
    assert told.until == "2026-11-18T11:07:40Z"
    assert told.reason is not None
    assert "it limits the rate" in told.reason
