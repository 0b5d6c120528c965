"""What the simulated provider keeps for its customers: responses, chat completions, conversations, files, uploads, cached contents.

Kept by account, and an account is a credential: another credential's objects do not exist. Nothing survives the process.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from .values import Event, Json, JsonObject

T = TypeVar("T")

MARK = secrets.token_hex(4)
"""Part of every id, so that two providers never give the same one, as in the world."""


def new_id(prefix: str) -> str:
    return f"{prefix}{MARK}{secrets.token_hex(8)}"


class Running(msgspec.Struct):
    """The making of a response that nobody waits for; times are the loop's."""

    begins_at_s: float
    pace_s: float
    """Between two events that bring something new."""
    ended_at_s: float | None = None
    """When it was cancelled."""
    settle: Callable[[bool], None] | None = None
    """Puts it on the bill: whole, or as far as it has come. Called once."""


class StoredResponse(msgspec.Struct, frozen=True):
    body: JsonObject
    """The response as it was answered at its end."""
    events: tuple[Event, ...]
    """Its stream, for those who ask for it again."""
    input_items: tuple[JsonObject, ...]
    texts: tuple[str, ...]
    """Everything in its context, what it said included: input of whatever continues it."""
    messages: int
    call_ids: frozenset[str]
    """Tool calls it made or knew."""
    running: Running | None = None
    """Of a response in the background; still there when it is done."""


class StoredCompletion(msgspec.Struct):
    body: JsonObject
    messages: list[JsonObject]
    """What it answers, with ids."""


class StoredConversation(msgspec.Struct):
    body: JsonObject
    items: list[JsonObject]
    texts: list[str]
    messages: int = 0


class StoredFile(msgspec.Struct):
    body: JsonObject
    content: bytes


class StoredUpload(msgspec.Struct):
    body: JsonObject
    mime_type: str
    parts: dict[str, bytes]


class RunningUpload(msgspec.Struct):
    """One of Google's resumable ones."""

    account: str
    file: JsonObject
    content: bytes = b""
    state: str = "active"


class Shelf(Generic[T]):
    def __init__(self) -> None:
        self._things: dict[tuple[str, str], T] = {}

    def put(self, account: str, thing_id: str, thing: T) -> None:
        self._things[(account, thing_id)] = thing

    def get(self, account: str, thing_id: str) -> T | None:
        return self._things.get((account, thing_id))

    def take(self, account: str, thing_id: str) -> T | None:
        """Gives it and keeps it no more."""
        return self._things.pop((account, thing_id), None)

    def all(self, account: str) -> list[T]:
        return [thing for (owner, _), thing in self._things.items() if owner == account]


class Shelves:
    def __init__(self) -> None:
        self.responses: Shelf[StoredResponse] = Shelf()
        self.completions: Shelf[StoredCompletion] = Shelf()
        self.conversations: Shelf[StoredConversation] = Shelf()
        self.files: Shelf[StoredFile] = Shelf()
        self.uploads: Shelf[StoredUpload] = Shelf()
        self.google_files: Shelf[StoredFile] = Shelf()
        self.google_caches: Shelf[JsonObject] = Shelf()
        self.google_continuations: Shelf[str] = Shelf()
        """Tokens by themselves."""
        self.google_uploads: dict[str, RunningUpload] = {}
        """By the id in their address, which is all that their data brings along."""


def with_id(item: JsonObject) -> JsonObject:
    """An item as it is kept: with an id, and a message's text as a list of parts."""
    kept = {"id": new_id("msg_"), "type": "message", "status": "completed", **item}
    content = kept.get("content")
    if isinstance(content, str):
        kind = "output_text" if kept.get("role") == "assistant" else "input_text"
        kept["content"] = [{"type": kind, "text": content}]
    return kept


def page(things: list[Json], asked: dict[str, str], usual: int, newest_first: bool) -> JsonObject:
    """A page of objects with `id`, by OpenAI's cursors."""
    ordered = things[::-1] if newest_first else things
    if asked.get("order") in ("asc", "desc"):
        ordered = things[::-1] if asked["order"] == "desc" else things
    after = asked.get("after")
    if after is not None:
        places = [
            place for place, one in enumerate(ordered) if isinstance(one, dict) and one.get("id") == after
        ]
        ordered = ordered[places[0] + 1 :] if places else []
    limit = int(asked["limit"]) if asked.get("limit", "").isdigit() else usual
    shown = ordered[:limit]
    ids = [one.get("id") for one in shown if isinstance(one, dict)]
    return {
        "object": "list",
        "data": shown,
        "first_id": ids[0] if ids else None,
        "last_id": ids[-1] if ids else None,
        "has_more": len(ordered) > limit,
    }
