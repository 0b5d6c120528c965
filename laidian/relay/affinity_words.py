"""The sentences about objects at upstreams: unknown ones, and ones whose upstream cannot be asked."""

from __future__ import annotations

from laidian.clock import moment
from laidian.domain.affinity import ObjectKind, Unreachable
from laidian.errors import BadRequest, LaidianError, NotFound, NoUpstream

_CALLED: dict[ObjectKind, str] = {
    "response": "response",
    "completion": "chat completion",
    "conversation": "conversation",
    "file": "file",
    "upload": "upload",
    "gemini.file": "file",
    "gemini.upload": "upload",
    "gemini.cache": "cached content",
    "gemini.continuation": "continuation",
}

SHOWN_CHARS = 120


def no_such_object(kind: ObjectKind, object_id: str, param: str | None) -> LaidianError:
    """The same for an id that never was, one that is gone, and one of another key.

    404, but 400 for a `previous_response_id`, as OpenAI has it.
    """
    shown = object_id[:SHOWN_CHARS]
    what = _CALLED[kind]
    if kind == "response" and param is not None:
        return BadRequest(
            f"Previous response with id `{shown}` not found. A response is found by the key that made it, while its provider keeps it.",
            param=param,
            code="previous_response_not_found",
        )
    return NotFound(
        f"This key has no {what} `{shown}`. It was deleted, has expired, or was never made with this key.",
        param=param or "id",
        code=f"{what.replace(' ', '_')}_not_found",
    )


def out_of_reach(kind: ObjectKind, object_id: str, why: Unreachable, at_ms: int) -> NoUpstream:
    """503: the one upstream that has it cannot be asked now, and no other would know it."""
    until = f" (next try {moment(why.until_ms)})" if why.until_ms else ""
    named = f"{why.upstream}: " if why.upstream else ""
    wait_s = max(1.0, (why.until_ms - at_ms) / 1000) if why.until_ms else None
    return NoUpstream(
        f"The {_CALLED[kind]} `{object_id[:SHOWN_CHARS]}` can only be used at the upstream that holds it. {named}{why.reason}{until}. "
        "This is not your key's fault.",
        retry_after_s=wait_s,
        retry=wait_s is not None and wait_s <= 60,
    )
