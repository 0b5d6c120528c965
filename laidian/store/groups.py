"""Rows of groups and of the upstreams they rank."""

from __future__ import annotations

import msgspec

from laidian.store.connection import Connection


class GroupRow(msgspec.Struct, frozen=True):
    id: int
    name: str
    enabled: int
    allow: str
    deny: str
    aliases: str
    capabilities: str
    """The four are JSON."""
    multiplier_ppm: int
    requests_per_minute: int | None
    tokens_per_minute: int | None
    concurrent_requests: int | None
    on_abort: str
    from_config: int
    created_at_ms: int
    keys: int


class GroupValues(msgspec.Struct, frozen=True):
    """The columns an edit may change; lists and aliases as values."""

    name: str
    enabled: bool
    allow: tuple[str, ...]
    deny: tuple[str, ...]
    aliases: dict[str, str]
    capabilities: tuple[str, ...]
    multiplier_ppm: int
    requests_per_minute: int | None
    tokens_per_minute: int | None
    concurrent_requests: int | None
    on_abort: str
    from_config: bool


class Ranked(msgspec.Struct, frozen=True):
    """One upstream of a group."""

    upstream_id: int
    upstream: str
    rank: int


_SELECT = """
    SELECT g.id, g.name, g.enabled, g.allow, g.deny, g.aliases, g.capabilities, g.multiplier_ppm, g.requests_per_minute,
           g.tokens_per_minute, g.concurrent_requests, g.on_abort, g.from_config, g.created_at_ms,
           (SELECT count(*) FROM keys k WHERE k.group_id = g.id AND k.deleted_at_ms IS NULL)
    FROM groups g
"""


def read_groups(connection: Connection) -> list[GroupRow]:
    """Every group that is not deleted, by name."""
    return [
        GroupRow(*row)
        for row in connection.execute(f"{_SELECT} WHERE g.deleted_at_ms IS NULL ORDER BY g.name")
    ]


def read_group(connection: Connection, group_id: int) -> GroupRow:
    return GroupRow(*connection.execute(f"{_SELECT} WHERE g.id = ?", (group_id,)).fetchone())


def read_ranks(connection: Connection) -> dict[int, list[Ranked]]:
    """The upstreams of every group by group id, in order."""
    ranks: dict[int, list[Ranked]] = {}
    for group_id, upstream_id, name, rank in connection.execute(
        "SELECT r.group_id, r.upstream_id, u.name, r.rank FROM group_upstreams r JOIN upstreams u ON u.id = r.upstream_id "
        "ORDER BY r.group_id, r.rank, u.name"
    ):
        ranks.setdefault(group_id, []).append(Ranked(upstream_id, name, rank))
    return ranks


def insert_group(connection: Connection, values: GroupValues, now_ms: int) -> int:
    """The new group's id."""
    cursor = connection.execute(
        "INSERT INTO groups (name, enabled, allow, deny, aliases, capabilities, multiplier_ppm, requests_per_minute, "
        "tokens_per_minute, concurrent_requests, on_abort, from_config, created_at_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*_columns(values), now_ms),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def update_group(connection: Connection, group_id: int, values: GroupValues) -> None:
    connection.execute(
        "UPDATE groups SET name = ?, enabled = ?, allow = ?, deny = ?, aliases = ?, capabilities = ?, multiplier_ppm = ?, "
        "requests_per_minute = ?, tokens_per_minute = ?, concurrent_requests = ?, on_abort = ?, from_config = ? WHERE id = ?",
        (*_columns(values), group_id),
    )


def replace_ranks(connection: Connection, group_id: int, ranks: list[tuple[int, int]]) -> None:
    """(upstream id, rank) each; none means every upstream."""
    connection.execute("DELETE FROM group_upstreams WHERE group_id = ?", (group_id,))
    connection.executemany(
        "INSERT INTO group_upstreams (group_id, upstream_id, rank) VALUES (?, ?, ?)",
        [(group_id, upstream_id, rank) for upstream_id, rank in ranks],
    )


def keys_of_group(connection: Connection, group_id: int) -> list[str]:
    rows = connection.execute(
        "SELECT name FROM keys WHERE group_id = ? AND deleted_at_ms IS NULL ORDER BY name", (group_id,)
    )
    return [name for (name,) in rows]


def delete_group(connection: Connection, group_id: int, now_ms: int) -> None:
    """Soft: records name it."""
    connection.execute("UPDATE groups SET deleted_at_ms = ?, enabled = 0 WHERE id = ?", (now_ms, group_id))


def _columns(values: GroupValues) -> tuple[object, ...]:
    def text(value: object) -> str:
        return msgspec.json.encode(value).decode()

    return (
        values.name, values.enabled, text(values.allow), text(values.deny), text(values.aliases), text(values.capabilities),
        values.multiplier_ppm, values.requests_per_minute, values.tokens_per_minute, values.concurrent_requests,
        values.on_abort, values.from_config,
    )  # fmt: skip
