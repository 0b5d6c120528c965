from __future__ import annotations

import pytest

from laidian.admin.schema import GroupEdit
from laidian.admin.service.groups import delete_group, edit_group, list_groups, show_group
from laidian.domain.group import CAPABILITIES
from laidian.errors import BadRequest, Conflict, NotFound
from tests.admin.desk import NOW_MS, Desk


def test_a_group_without_words_may_use_everything(desk: Desk) -> None:
    desk.group("team")
    group = show_group(desk.connection, "team")
    assert group.capabilities == CAPABILITIES
    assert (group.upstreams, group.multiplier, group.on_abort, group.keys) == ("", "1x", "cancel", 0)
    assert group.requests_per_minute is None


def test_upstreams_are_taken_in_order_and_may_share(desk: Desk) -> None:
    for name in ("a", "b", "c"):
        desk.upstream(name)
    desk.group("team", upstreams=" c + b , a ")
    assert show_group(desk.connection, "team").upstreams == "b+c,a"
    catalog = desk.reader().current()
    (group,) = [one for one in catalog.groups.values() if one.name == "team"]
    ranks = {catalog.upstreams[rank.upstream_id].name: rank.rank for rank in group.upstreams}
    assert ranks == {"c": 0, "b": 0, "a": 1}


@pytest.mark.parametrize(
    ("text", "error"), [("a,,b", BadRequest), ("a,a", BadRequest), ("a+", BadRequest), ("a,z", NotFound)]
)
def test_upstreams_that_make_no_sense_are_refused(desk: Desk, text: str, error: type[Exception]) -> None:
    desk.upstream("a")
    desk.upstream("b")
    with pytest.raises(error):
        desk.group("team", upstreams=text)
    assert [group.name for group in list_groups(desk.connection)] == ["default"]


def test_an_edit_replaces_lists_and_leaves_the_rest(desk: Desk) -> None:
    desk.upstream("a")
    desk.group(
        "team",
        upstreams="a",
        allow=("gpt-*",),
        requests_per_minute=60,
        multiplier="1.25x",
        aliases={"fast": "gpt-5.4"},
    )
    version = desk.version()
    edit = GroupEdit(allow=(), deny=("*-pro",), requests_per_minute=None, capabilities=("images", "chat"))
    group = desk.do(lambda c: edit_group(c, "team", edit))
    assert (group.allow, group.deny, group.capabilities) == ((), ("*-pro",), ("chat", "images"))
    assert (group.upstreams, group.multiplier, group.aliases) == ("a", "1.25x", {"fast": "gpt-5.4"})
    assert group.requests_per_minute is None
    assert desk.version() > version
    assert desk.do(lambda c: edit_group(c, "team", GroupEdit(upstreams=""))).upstreams == ""


def test_a_group_that_keys_use_is_not_deleted_and_the_keys_are_named(desk: Desk) -> None:
    desk.group("team")
    desk.key("alice", group="team")
    desk.key("bob", group="team")
    with pytest.raises(Conflict, match="alice, bob"):
        desk.do(lambda c: delete_group(c, "team", now_ms=NOW_MS))
    desk.group("empty")
    assert desk.do(lambda c: delete_group(c, "empty", now_ms=NOW_MS)).name == "empty"
    assert [group.name for group in list_groups(desk.connection)] == ["default", "team"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"capabilities": ("chat", "video")}, "capabilities"),
        ({"multiplier": "twice"}, "multiplier"),
        ({"requests_per_minute": 0}, "requests_per_minute"),
        ({"tokens_per_minute": 10**30}, "tokens_per_minute"),
        ({"allow": ("",)}, "allow[0]"),
        ({"deny": ("a\x00b",)}, "deny"),
        ({"on_abort": "explode"}, "on_abort"),
    ],
)
def test_values_outside_their_bounds_are_refused_with_the_field(
    desk: Desk, fields: dict[str, object], param: str
) -> None:
    with pytest.raises(BadRequest) as refusal:
        desk.group("team", **fields)
    assert refusal.value.param == param
