"""The operator's journal: what was done, in a sentence without secrets, and reading it again.

The rule a newcomer would break: a sentence is made from the names of fields and from values that are not secret. What carries a
secret says that there is a new one, never which.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from laidian.admin.schema import Operation, Page, Provisioned
from laidian.admin.service.moments import iso
from laidian.admin.service.names import shown
from laidian.errors import BadRequest
from laidian.store.connection import Connection
from laidian.store.operations import OperationRow, insert_operation, read_operations

LARGEST_PAGE = 500
LONGEST = 400
_SECRET = frozenset({"api_key", "proxy", "credentials", "secret"})
_DONE = {"create": "created", "edit": "changed", "delete": "deleted", "rotate": "gave a new credential to", "top_up": "topped up",
         "set": "set", "retire": "retired", "adopt": "adopted", "reset": "reset", "add": "added", "end": "ended"}  # fmt: skip


def note(
    connection: Connection, action: str, name: str, change: msgspec.Struct | None, *, who: str, now_ms: int
) -> None:
    """Writes what was done; part of the transaction that did it. `action`: thing and verb, `key.create`."""
    thing, _, verb = action.rpartition(".")
    sentence = f"{_DONE[verb]} the {thing.replace('.', ' ')} {shown(name)}"
    if change is not None and (told := _told(change, without="" if verb == "edit" else "name")):
        sentence += f": {told}"
    insert_operation(connection, now_ms, who, action, name, sentence[:LONGEST])


def note_provisioned(connection: Connection, done: Provisioned, now_ms: int) -> None:
    """What config.toml changed at a start."""
    for verb, things in (("created", done.created), ("changed", done.updated), ("disabled", done.disabled)):
        for thing in things:
            what, _, name = thing.partition(" ")
            sentence = f"{verb} the {what} {shown(name)} as config.toml has it"
            insert_operation(connection, now_ms, "config", f"{what}.{verb}", name, sentence)


def _told(change: msgspec.Struct, *, without: str) -> str:
    """The fields that a change has, secrets only by name."""
    parts: list[str] = []
    for field in msgspec.structs.fields(change):
        value = getattr(change, field.name)
        usual = value == field.default or (field.default_factory is not msgspec.NODEFAULT and not value)
        if value is UNSET or usual or field.name == without:
            continue
        if field.name in _SECRET:
            parts.append(f"{field.name} (a new one)")
        else:
            parts.append(f"{field.name} {_value(value)}")
    return ", ".join(parts)


def _value(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return "".join(mark if mark.isprintable() else "�" for mark in value[:100]) or "empty"
    return msgspec.json.encode(value).decode()[:100]


def list_operations(connection: Connection, *, limit: int, cursor: str) -> Page[Operation]:
    """Newest first. Raises BadRequest."""
    if not 1 <= limit <= LARGEST_PAGE:
        raise BadRequest(f"A page has 1 to {LARGEST_PAGE} operations, not {limit}.", param="limit")
    if cursor and not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 19):
        raise BadRequest("The cursor is not one that a page gave. Start again without it.", param="cursor")
    found = read_operations(connection, limit + 1, int(cursor) if cursor else None)
    return Page(
        items=tuple(operation_wire(row) for row in found[:limit]),
        next=str(found[limit - 1].id) if len(found) > limit else None,
    )


def operation_wire(row: OperationRow) -> Operation:
    return Operation(at=iso(row.at_ms), who=row.who, action=row.action, name=row.name, sentence=row.sentence)
