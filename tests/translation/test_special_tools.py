"""Tools that only one protocol knows: Codex' namespaces, custom tools, the provider's web search, calls one at a time."""

from __future__ import annotations

import json

import pytest

from laidian.protocol.canonical import (
    Event,
    Finished,
    Message,
    Request,
    Started,
    Text,
    ToolDelta,
    ToolFinished,
    ToolStarted,
    Used,
)
from laidian.protocol.codec import translate
from tests.translation.answers import USAGE
from tests.translation.codecs import BY_NAME, NOW_S, Body, Spoken, pair_id
from tests.translation.requests import CITY, TEXT, TOOLS, asked
from tests.translation.test_answers import read
from tests.translation.test_requests import arrived, carried

PATCH = "*** Begin Patch\n+ “quoted” \\ text\n*** End Patch"
COMMAND = '{"city": "ls"}'
UPSTREAMS = [BY_NAME["chat"], BY_NAME["gemini"], BY_NAME["anthropic"]]

CODEX: Body = {
    "model": "gpt-5.4",
    "input": "Patch it.",
    "tools": [
        {
            "type": "namespace",
            "name": "shell",
            "description": "Commands",
            "tools": [{"type": "function", "name": "run", "parameters": CITY, "strict": False}],
        },
        {"type": "custom", "name": "apply_patch", "description": "Patches", "format": {"type": "text"}},
        {"type": "web_search"},
    ],
    "store": False,
}
"""Of what Codex CLI 0.169.0 offers (protocol.md 1.5)."""

CUSTOM: Body = {
    "model": "gpt-5.4",
    "messages": [{"role": "user", "content": "Patch it."}],
    "tools": [
        {"type": "custom", "custom": {"name": "apply_patch", "description": "Patches"}},
        {"type": "function", "function": {"name": "shell__run", "parameters": CITY}},
    ],
}


def called(upstream: Spoken) -> list[Event]:
    """The upstream calls both tools by the only names that it was told."""
    return [
        Started("id_1", upstream.model, 1_795_000_000),
        ToolStarted(0, "call_1", "shell__run"),
        ToolDelta(0, COMMAND),
        ToolFinished(0),
        ToolStarted(1, "call_2", "apply_patch"),
        ToolDelta(1, json.dumps({"input": PATCH})[:20]),
        ToolDelta(1, json.dumps({"input": PATCH})[20:]),
        ToolFinished(1),
        Finished("tool_calls"),
        Used(USAGE),
    ]


def written(upstream: Spoken, *, stream: bool) -> bytes:
    """The upstream's answer, in its own dialect."""
    peek = upstream.peek(asked(TEXT, upstream.name), stream=stream)
    request = Request((Message("user", (Text("Patch it."),)),), stream=stream)
    if not stream:
        return upstream.codec.write_whole(peek, request, called(upstream))
    writer = upstream.codec.writer(peek, request)
    return writer.write(called(upstream)) + writer.end()


def shape(events: list[Event]) -> list[tuple[str, str, bool, str]]:
    """(namespace, name, custom, arguments) of every call."""
    opened = [event for event in events if isinstance(event, ToolStarted)]
    return [
        (
            one.namespace,
            one.name,
            one.custom,
            "".join(two.arguments for two in events if isinstance(two, ToolDelta) and two.index == one.index),
        )
        for one in opened
    ]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("upstream", UPSTREAMS, ids=pair_id)
def test_codex_gets_its_namespaces_and_custom_tools_back(upstream: Spoken, stream: bool):
    client = BY_NAME["responses"]
    translation = carried(client, upstream, CODEX, stream=stream)
    sent = translation.encoded.body
    assert b"shell__run" in sent
    assert b"apply_patch" in sent
    if stream:
        tap = translation.tap()
        events = read(client, tap.feed(written(upstream, stream=True)) + tap.end())
    else:
        events = client.codec.read_whole(translation.read_answer(written(upstream, stream=False)).body)
    (first, second) = shape(events)
    assert first[:3] == ("shell", "run", False)
    assert json.loads(first[3]) == json.loads(COMMAND)
    assert second == ("", "apply_patch", True, PATCH)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("upstream", UPSTREAMS, ids=pair_id)
def test_a_chat_client_gets_its_custom_tools_back(upstream: Spoken, stream: bool):
    client = BY_NAME["chat"]
    translation = carried(client, upstream, CUSTOM, stream=stream)
    if stream:
        tap = translation.tap()
        events = read(client, tap.feed(written(upstream, stream=True)) + tap.end())
    else:
        events = client.codec.read_whole(translation.read_answer(written(upstream, stream=False)).body)
    (first, second) = shape(events)
    assert first[:3] == ("", "shell__run", False)
    assert second == ("", "apply_patch", True, PATCH)


def test_a_web_search_that_an_upstream_cannot_make_is_reported():
    translation = carried(BY_NAME["responses"], BY_NAME["chat"], CODEX)
    assert [name for name in translation.dropped if "tools" in name or "web_search" in name]
    assert b"web_search" not in translation.encoded.body


ONE_AT_A_TIME: dict[str, Body] = {
    "chat": {"parallel_tool_calls": False, "tool_choice": "auto"},
    "responses": {"parallel_tool_calls": False, "tool_choice": "auto"},
    "anthropic": {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
}


@pytest.mark.parametrize("upstream", BY_NAME.values(), ids=pair_id)
@pytest.mark.parametrize("client", [BY_NAME[name] for name in ONE_AT_A_TIME], ids=pair_id)
def test_one_call_at_a_time_is_asked_for_or_reported(client: Spoken, upstream: Spoken):
    translation = carried(client, upstream, asked(TOOLS, client.name) | ONE_AT_A_TIME[client.name])
    if upstream.name == "gemini":
        assert translation.dropped, "Gemini cannot be told so"
        return
    again = upstream.codec.decode_request(upstream.read(translation.encoded.body))
    assert again.parallel_tool_calls is False
    assert arrived(upstream, translation).choice == ("auto", ())


@pytest.mark.parametrize("upstream", BY_NAME.values(), ids=pair_id)
def test_legacy_functions_are_tools_to_the_upstream_and_functions_to_the_client(upstream: Spoken):
    client = BY_NAME["chat"]
    function = {"name": "get_weather", "description": "d", "parameters": CITY}
    body: Body = {
        "model": "gpt-5.4",
        "messages": [
            {"role": "user", "content": "Weather?"},
            {
                "role": "assistant",
                "content": None,
                "function_call": {"name": "get_weather", "arguments": '{"city":"Rome"}'},
            },
            {"role": "function", "name": "get_weather", "content": "18 °C"},
        ],
        "functions": [function],
        "function_call": {"name": "get_weather"},
    }
    translation = carried(client, upstream, body)
    got = arrived(upstream, translation)
    assert got.turns == (
        ("user", "Weather?"),
        ("assistant", ("call", "get_weather", {"city": "Rome"})),
        ("user", ("result", "get_weather", "18 °C")),
    )
    assert got.choice == ("named", ("get_weather",))
    assert got.tools == (("get_weather", "d", CITY),)
    peek = client.peek(body)
    chosen = translate(client.codec, upstream.codec, peek, upstream.model, NOW_S)
    answer = json.loads(chosen.read_answer(written(upstream, stream=False)).body)["choices"][0]
    assert answer["message"]["function_call"]["name"] == "shell__run"
    assert json.loads(answer["message"]["function_call"]["arguments"]) == json.loads(COMMAND)
    assert "tool_calls" not in answer["message"]
    assert answer["finish_reason"] == "function_call"
