"""What a group lets through, by name."""

from __future__ import annotations

import msgspec
import pytest

from laidian.domain.group import CAPABILITIES, Group, RateLimits

OPEN = Group(
    id=1,
    name="default",
    enabled=True,
    upstreams=(),
    allow=(),
    deny=(),
    aliases={},
    capabilities=frozenset(CAPABILITIES),
    multiplier_ppm=1_000_000,
    rates=RateLimits(),
    on_abort="cancel",
)


def group(**changes: object) -> Group:
    return msgspec.structs.replace(OPEN, **changes)


@pytest.mark.parametrize(
    ("allow", "deny", "model", "permitted"),
    [
        ((), (), "anything/at:all", True),
        (("gpt-*",), (), "gpt-5.4", True),
        (("gpt-*",), (), "claude-sonnet-5", False),
        (("gpt-5.4",), (), "gpt-5.4-mini", False),
        ((), ("*-mini",), "gpt-5.4-mini", False),
        ((), ("*-mini",), "gpt-5.4", True),
        (("gpt-*",), ("gpt-*",), "gpt-5.4", False),
        (("gpt-5.4-mini",), ("*-mini",), "gpt-5.4-mini", False),
        (("GPT-*",), (), "gpt-5.4", False),
        (("gpt-5.[45]",), (), "gpt-5.5", True),
        (("gpt-5.?",), (), "gpt-5.45", False),
        (("openai/*",), (), "openai/gpt-5.4:free", True),
    ],
)
def test_a_denied_model_stays_denied_and_an_empty_list_allows_all(
    allow: tuple[str, ...], deny: tuple[str, ...], model: str, permitted: bool
) -> None:
    assert group(allow=allow, deny=deny).permits(model) is permitted


def test_a_name_without_an_alias_is_itself_and_an_alias_is_followed_once() -> None:
    named = group(aliases={"fast": "gpt-5.4-mini", "gpt-5.4-mini": "other"})
    assert named.resolve("fast") == "gpt-5.4-mini"
    assert named.resolve("gpt-5.4-mini") == "other"
    assert named.resolve("gpt-5.4") == "gpt-5.4"
    assert named.alias_of("gpt-5.4-mini") == ("fast",)
    assert named.alias_of("gpt-5.4") == ()


def test_patterns_judge_the_name_behind_the_alias() -> None:
    named = group(aliases={"fast": "gpt-5.4-mini"}, allow=("gpt-*",))
    assert named.permits(named.resolve("fast"))
    assert not named.permits("fast")


@pytest.mark.parametrize(
    ("rates", "by_minute"),
    [
        (RateLimits(), False),
        (RateLimits(concurrent_requests=1), False),
        (RateLimits(requests_per_minute=0), True),
        (RateLimits(tokens_per_minute=5), True),
    ],
)
def test_a_minute_is_kept_only_where_a_limit_needs_it(rates: RateLimits, by_minute: bool) -> None:
    assert rates.by_minute is by_minute
