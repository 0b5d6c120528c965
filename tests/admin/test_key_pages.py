"""Keys in pages: every order both ways, filters as they are typed, cursors that survive changes."""

from __future__ import annotations

from typing import Any

import pytest

from laidian.admin.schema import Key, KeyEdit, KeyQuery, Page
from laidian.admin.service.keys import delete_key, edit_key, list_keys
from laidian.domain.usage import Usage
from laidian.errors import BadRequest
from laidian.store.rollups import fold
from tests.admin.desk import NOW_MS, Desk

DAY_MS = 86_400_000


@pytest.fixture
def five(desk: Desk) -> Desk:
    """a … e: e spent most in all, d most today, a is disabled, b expired, c near its limit."""
    desk.group("team")
    for number, name in enumerate("abcde"):
        fields: dict[str, Any] = {"group": "team"} if name in "de" else {}
        desk.key(name, **fields)
        desk.connection.execute("UPDATE keys SET created_at_ms = ? WHERE name = ?", (NOW_MS - number, name))
    desk.do(lambda c: edit_key(c, "a", KeyEdit(enabled=False), now_ms=NOW_MS))
    desk.do(lambda c: edit_key(c, "b", KeyEdit(expires_at=NOW_MS + 1_000), now_ms=NOW_MS))
    desk.do(lambda c: edit_key(c, "c", KeyEdit(limit_usd="0.001"), now_ms=NOW_MS))
    desk.serve("req_1", Usage(input=450), key="c", at_ms=NOW_MS - 2 * DAY_MS)
    desk.serve("req_2", Usage(input=9_000), key="e", at_ms=NOW_MS - 2 * DAY_MS)
    desk.serve("req_3", Usage(input=500), key="d", at_ms=NOW_MS)
    return desk


def page(
    desk: Desk, limit: int = 100, cursor: str = "", offset: int | None = None, **query: Any
) -> Page[Key]:
    return list_keys(
        desk.connection, KeyQuery(**query), limit=limit, cursor=cursor, offset=offset, now_ms=NOW_MS + 2_000
    )


def names(found: Page[Key]) -> str:
    return "".join(key.name for key in found.items)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", "abcde"), ("-name", "edcba"), ("-spent", "edcab"), ("spent", "abcde"), ("-today", "dabce"), ("-last_used", "dceab"),
        ("created", "edcba"), ("-created", "abcde"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("folded", [False, True])
def test_keys_come_in_every_order(five: Desk, sort: str, expected: str, folded: bool) -> None:
    if folded:
        five.do(fold)
    assert names(page(five, sort=sort)) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"filter": "TEA"}, "de"), ({"filter": "sk-"}, "abcde"), ({"filter": "%"}, ""), ({"group": "team"}, "de"), ({"quota": "nobody"}, ""),
        ({"state": "active"}, "cde"), ({"state": "near"}, "c"), ({"state": "disabled"}, "a"), ({"state": "expired"}, "b"),
        ({"state": "used_up"}, ""),
    ],
)  # fmt: skip
def test_keys_are_filtered_as_one_types(five: Desk, query: dict[str, Any], expected: str) -> None:
    found = page(five, **query)
    assert (names(found), found.total) == (expected, len(expected))


def test_pages_go_both_ways_and_know_how_many_there_are(five: Desk) -> None:
    first = page(five, 2)
    second = page(five, 2, first.next or "")
    third = page(five, 2, second.next or "")
    assert [names(one) for one in (first, second, third)] == ["ab", "cd", "e"]
    assert (first.previous, third.next, third.total) == (None, None, 5)
    assert names(page(five, 2, third.previous or "")) == "cd"
    assert names(page(five, 2, offset=3)) == "de"
    assert names(page(five, 2, offset=9)) == ""


def test_a_cursor_stays_beyond_its_key_and_survives_its_end(five: Desk) -> None:
    first = page(five, 2)
    five.do(lambda c: delete_key(c, "a", now_ms=NOW_MS))
    assert names(page(five, 2, first.next or "")) == "cd"
    five.do(lambda c: delete_key(c, "b", now_ms=NOW_MS))
    assert names(page(five, 2, first.next or "")) == "e"


def test_what_a_page_cannot_be_is_said(five: Desk) -> None:
    for query, word in (
        ({"sort": "nam"}, "Did you mean `name`"),
        ({"state": "of"}, "state"),
        ({"limit": 0}, "1 to 500"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "1.1", "offset": 1}, "not at both"),
    ):
        with pytest.raises(BadRequest, match=word):
            page(five, **query)  # pyright: ignore[reportArgumentType]


def test_a_page_says_how_much_of_its_own_limit_a_key_has_used(five: Desk) -> None:
    assert [key.used_percent for key in page(five).items] == [None, None, 90, None, None]
