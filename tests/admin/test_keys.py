from __future__ import annotations

from typing import Any

import pytest

from laidian.admin.schema import KeyEdit, KeyQuery
from laidian.admin.service.keys import delete_key, edit_key, list_keys, rotate_key, show_key
from laidian.admin.service.usage import show_usage
from laidian.domain.key import digest
from laidian.domain.usage import Usage
from laidian.errors import BadRequest, Conflict, NotFound
from tests.admin.desk import NOW_MS, Desk


def test_a_new_key_is_shown_once_and_only_its_digest_is_kept(desk: Desk) -> None:
    made = desk.key("alice", limit_usd="12.50", expires_at="30d")
    assert made.secret.startswith("sk-")
    assert len(made.secret) == 46
    assert (made.key.group, made.key.quota, made.key.state) == ("default", "unlimited", "active")
    assert made.key.limit_usd == made.key.left_usd == "12.50"
    assert made.key.expires_at == "2026-12-22T10:00:00Z"
    catalog = desk.reader().current()
    assert catalog.keys[digest(made.secret)].name == "alice"
    assert made.secret.encode() not in desk.all_bytes()
    assert made.secret not in repr(made)


def test_every_change_of_a_key_tells_the_workers(desk: Desk) -> None:
    versions = [desk.version()]
    desk.key("alice")
    versions.append(desk.version())
    desk.do(lambda c: edit_key(c, "alice", KeyEdit(enabled=False), now_ms=NOW_MS))
    versions.append(desk.version())
    desk.do(lambda c: rotate_key(c, "alice", entropy=bytes(32), now_ms=NOW_MS))
    versions.append(desk.version())
    desk.do(lambda c: delete_key(c, "alice", now_ms=NOW_MS))
    versions.append(desk.version())
    assert versions == sorted(set(versions))


def test_a_key_is_found_by_name_id_start_or_whole_credential(desk: Desk) -> None:
    made = desk.key("alice")
    desk.key("bob")
    start = made.key.display.partition("…")[0]
    for address in ("alice", str(made.key.id), start, made.key.display, made.secret):
        assert show_key(desk.connection, address, NOW_MS).name == "alice"


def test_a_name_goes_before_an_id(desk: Desk) -> None:
    desk.key("alice")
    desk.key("1")
    assert show_key(desk.connection, "1", NOW_MS).name == "1"


def test_a_start_that_means_several_keys_is_a_conflict_that_names_them(desk: Desk) -> None:
    desk.key("alice")
    desk.key("bob")
    desk.do(lambda c: c.execute("UPDATE keys SET display = 'sk-AbCd…wxyz'"))
    with pytest.raises(Conflict, match="alice, bob"):
        show_key(desk.connection, "sk-AbCd", NOW_MS)


def test_a_key_nobody_has_is_not_found_with_the_nearest_name_and_never_repeated(desk: Desk) -> None:
    made = desk.key("alice")
    with pytest.raises(NotFound, match="Did you mean `alice`"):
        show_key(desk.connection, "alicia", NOW_MS)
    other = made.secret[:-6] + "AAAAAA"
    with pytest.raises(NotFound) as refusal:
        show_key(desk.connection, other, NOW_MS)
    assert other not in refusal.value.message
    assert other[8:40] not in refusal.value.message
    with pytest.raises(NotFound):
        show_key(desk.connection, "sk-", NOW_MS)


def test_a_rotated_key_keeps_everything_but_its_credential(desk: Desk) -> None:
    old = desk.key("alice", limit_usd="3")
    new = desk.do(lambda c: rotate_key(c, "alice", entropy=b"\x07" * 32, now_ms=NOW_MS))
    assert new.secret != old.secret
    assert (new.key.id, new.key.limit_usd) == (old.key.id, "3.00")
    keys = desk.reader().current().keys
    assert digest(old.secret) not in keys
    assert keys[digest(new.secret)].id == old.key.id


def test_a_deleted_key_is_dead_and_its_usage_stays(desk: Desk) -> None:
    made = desk.key("alice")
    desk.serve("req_1", Usage(input=100, output=10))
    gone = desk.do(lambda c: delete_key(c, "alice", now_ms=NOW_MS))
    assert gone.spent_usd == "0.0003"
    assert list_keys(desk.connection, KeyQuery(), limit=9, now_ms=NOW_MS).items == ()
    assert digest(made.secret) not in desk.reader().current().keys
    assert show_usage(desk.connection, "req_1").record.key == "alice"
    again = desk.key("alice")
    assert again.key.id != made.key.id
    assert again.key.spent_usd == "0.00"


def test_a_listing_has_the_counters_of_the_key_and_of_today(desk: Desk) -> None:
    desk.key("alice", limit_usd="0.0004")
    desk.serve("req_1", Usage(input=50, output=10))
    desk.serve("req_2", Usage(input=50), at_ms=NOW_MS - 86_400_000)
    desk.hold("req_3", nano=10_000)
    (key,) = list_keys(desk.connection, KeyQuery(), limit=9, now_ms=NOW_MS).items
    assert (key.spent_usd, key.held_usd, key.left_usd) == ("0.0003", "0.00001", "0.00009")
    assert (key.in_flight, key.requests_today, key.spent_today_usd) == (1, 1, "0.0002")


@pytest.mark.parametrize(
    ("edit", "field", "shown"),
    [
        (KeyEdit(limit_usd=None), "limit_usd", None),
        (KeyEdit(limit_usd="7"), "limit_usd", "7.00"),
        (KeyEdit(expires_at=None), "expires_at", None),
        (KeyEdit(name="bob"), "name", "bob"),
        (KeyEdit(enabled=False), "state", "disabled"),
        (KeyEdit(group="team"), "group", "team"),
        (KeyEdit(quota="plan"), "quota", "plan"),
    ],
)
def test_an_edit_changes_one_thing_and_nothing_else(
    desk: Desk, edit: KeyEdit, field: str, shown: Any
) -> None:
    desk.group("team")
    desk.quota("plan", limits_usd={"day": "1"})
    before = desk.key("alice", limit_usd="5", expires_at="30d").key
    after = desk.do(lambda c: edit_key(c, "alice", edit, now_ms=NOW_MS))
    assert getattr(after, field) == shown
    touched = {field, "enabled", "left_usd", "used_percent"}
    for name in before.__struct_fields__:
        if name not in touched:
            assert getattr(after, name) == getattr(before, name), name


def test_a_key_says_when_it_is_expired_or_used_up(desk: Desk) -> None:
    desk.key("alice", expires_at="1h")
    desk.key("bob", limit_usd="0")
    states = {
        key.name: key.state
        for key in list_keys(desk.connection, KeyQuery(), limit=9, now_ms=NOW_MS + 3_600_000).items
    }
    assert states == {"alice": "expired", "bob": "used_up"}


@pytest.mark.parametrize(
    "name", ["", " alice", "alice ", "a" * 65, "a\nb", "a/b", "..", "\x1b[31mred", "sk-alice", "a\u202eb"]
)
def test_a_name_that_could_not_be_typed_or_shown_is_refused(desk: Desk, name: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        desk.key(name)
    assert refusal.value.param == "name"
    assert "\x1b" not in refusal.value.message
    assert list_keys(desk.connection, KeyQuery(), limit=9, now_ms=NOW_MS).items == ()


def test_names_in_every_script_are_names(desk: Desk) -> None:
    desk.key("小王-笔记本")
    assert show_key(desk.connection, "小王-笔记本", NOW_MS).name == "小王-笔记本"


def test_a_taken_name_is_a_conflict_and_an_unknown_group_or_quota_is_not_found(desk: Desk) -> None:
    desk.key("alice")
    version = desk.version()
    with pytest.raises(Conflict, match="already a key `alice`"):
        desk.key("alice")
    with pytest.raises(NotFound, match="Did you mean `default`"):
        desk.key("bob", group="defualt")
    with pytest.raises(NotFound, match="There is no quota `gold`"):
        desk.key("bob", quota="gold")
    for limit in ("-1", "much", "1.0000000001"):
        with pytest.raises(BadRequest) as refusal:
            desk.key("bob", limit_usd=limit)
        assert refusal.value.param == "limit_usd"
    assert desk.version() == version
