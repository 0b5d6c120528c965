"""Signatures of Gemini's calls, kept for clients that cannot: bounded, and only for the key and the credential that they belong to."""

from __future__ import annotations

from laidian.protocol.canonical import Event, Message, Request, Text, ToolCall, ToolStarted
from laidian.protocol.signatures import Signatures

HERE = (1, 2, 3)


def started(call_id: str, signature: str) -> list[Event]:
    return [ToolStarted(0, call_id, "f", signature=signature)]


def history(*calls: ToolCall) -> Request:
    return Request((Message("user", (Text("x"),)), Message("assistant", (Text("y"), *calls))))


def signatures_of(request: Request) -> list[str]:
    return [part.signature for part in request.messages[1].parts if isinstance(part, ToolCall)]


def test_a_call_gets_back_what_it_was_signed_with():
    kept = Signatures()
    kept.note(HERE, started("a", "sig-a"))
    asked = history(
        ToolCall("a", "f", "{}"), ToolCall("b", "f", "{}"), ToolCall("a", "f", "{}", signature="own")
    )
    assert signatures_of(kept.recalled(HERE, asked)) == ["sig-a", "", "own"]
    assert kept.recalled(HERE, asked).messages[0] is asked.messages[0]


def test_another_key_and_another_credential_get_nothing():
    kept = Signatures()
    kept.note(HERE, started("a", "sig-a"))
    asked = history(ToolCall("a", "f", "{}"))
    for place in ((9, 2, 3), (1, 9, 3), (1, 2, 9)):
        assert signatures_of(kept.recalled(place, asked)) == [""]


def test_what_is_kept_is_bounded_and_the_oldest_goes_first():
    kept = Signatures(most_bytes=25)
    for name in "abc":
        kept.note(HERE, started(name, name * 10))
    assert len(kept) == 2
    asked = history(*(ToolCall(name, "f", "{}") for name in "abc"))
    assert signatures_of(kept.recalled(HERE, asked)) == ["", "b" * 10, "c" * 10]
    kept.note(HERE, started("b", "B" * 10))
    kept.note(HERE, started("d", "d" * 10))
    assert signatures_of(
        kept.recalled(HERE, history(ToolCall("b", "f", "{}"), ToolCall("c", "f", "{}")))
    ) == ["B" * 10, ""]


def test_what_was_not_signed_and_what_is_no_call_is_not_kept():
    kept = Signatures()
    kept.note(HERE, [ToolStarted(0, "a", "f"), ToolStarted(1, "", "f", signature="s")])
    assert len(kept) == 0
    asked = history(ToolCall("a", "f", "{}"))
    assert kept.recalled(HERE, asked) is asked
