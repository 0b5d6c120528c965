"""Which objects a request names, and what an answer says of one: read from bytes alone."""

from __future__ import annotations

import json
import time

import pytest

from laidian.errors import BadRequest
from laidian.protocol.document import Fields
from laidian.protocol.family import FamilyName
from laidian.protocol.stored import file_of_uri, references, session_of
from laidian.protocol.stored_answers import (
    kept_tokens,
    note_of,
    read_completed_upload,
    read_google,
    read_openai,
    read_uploaded,
    response_id,
    streamed_response_id,
)

HOSTS = ("proxy.example",)
GOOGLE = "https://generativelanguage.googleapis.com/v1beta"


def named(family: FamilyName, body: object) -> list[tuple[str, str, str]]:
    found = references(family, Fields(json.dumps(body).encode()), HOSTS)
    return [(one.kind, one.id, one.param) for one in found]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"input": "about file_id and \\u0066"}, []),
        ({"previous_response_id": None, "conversation": None}, []),
        ({"previous_response_id": "resp_1"}, [("response", "resp_1", "previous_response_id")]),
        ({"conversation": {"id": "conv_1"}}, [("conversation", "conv_1", "conversation")]),
        (
            {"input": [{"type": "function_call_output", "output": [{"type": "input_image", "file_id": "f1"}]}]},
            [("file", "f1", "input[0].output[0].file_id")],
        ),
        (
            {"input": [{"type": "computer_call_output", "output": {"type": "computer_screenshot", "file_id": "f1"}}]},
            [("file", "f1", "input[0].output.file_id")],
        ),
        (
            {"tools": [{"type": "image_generation", "input_image_mask": {"file_id": "f1"}}], "mask": {"file_id": "f1"}},
            [("file", "f1", "tools[0].input_image_mask.file_id")],
        ),
        ({"input": [{"content": [{"annotations": [{"file_id": "cited"}]}]}]}, []),
        ({"input": [{"type": "file_search_call", "results": [{"file_id": "found"}]}]}, []),
        ({"tools": [{"parameters": {"properties": {"file_id": {"type": "string"}}}}]}, []),
        ({"text": {"format": {"schema": {"default": {"file_id": "x"}}}}}, []),
        ({"input": [{"content": [{"type": "input_file", "file_id": None, "file_data": "x"}]}]}, []),
    ],
)  # fmt: skip
def test_what_an_openai_request_names(body: object, found: list[tuple[str, str, str]]):
    assert named("openai", body) == found


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (
            {"messages": [{"content": [{"type": "document", "source": {"type": "file", "file_id": "f"}}]}]},
            ["messages[0].content[0].source.file_id"],
        ),
        ({"messages": [{"content": [{"type": "tool_use", "input": {"file_id": "my own"}}]}]}, []),
        ({"messages": [{"content": [{"type": "bash_code_execution_output", "file_id": "made"}]}]}, []),
    ],
)
def test_what_an_anthropic_request_names(body: object, found: list[str]):
    assert [param for _, _, param in named("anthropic", body)] == found


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"cached_content": "cachedContents/c"}, [("gemini.cache", "c", "cached_content")]),
        (
            {"generateContentRequest": {"cachedContent": "cachedContents/c"}},
            [("gemini.cache", "c", "generateContentRequest.cachedContent")],
        ),
        (
            {
                "contents": {
                    "parts": [{"functionResponse": {"parts": [{"fileData": {"fileUri": "files/f"}}]}}]
                }
            },
            [("gemini.file", "f", "contents.parts[0].functionResponse.parts[0].fileData.fileUri")],
        ),
        (
            {"requests": [{"content": {"parts": [{"file_data": {"file_uri": f"{GOOGLE}/files/f"}}]}}]},
            [("gemini.file", "f", "requests[0].content.parts[0].file_data.file_uri")],
        ),
        ({"contents": [{"parts": [{"functionCall": {"args": {"fileUri": "files/f"}}}]}]}, []),
        ({"contents": [{"parts": [{"text": "fileUri cachedContent"}]}]}, []),
    ],
)
def test_what_a_gemini_request_names(body: object, found: list[tuple[str, str, str]]):
    assert named("gemini", body) == found


@pytest.mark.parametrize(
    ("uri", "file_id"),
    [
        ("files/abc-1", "abc-1"),
        (f"{GOOGLE}/files/abc", "abc"),
        ("https://proxy.example/v1/files/abc", "abc"),
        ("https://user@PROXY.example.:443/v1beta/files/abc", "abc"),
        ("https://example.com/files/abc", None),
        ("https://www.youtube.com/watch?v=1", None),
        (f"{GOOGLE}/files/abc?x=1", f"{GOOGLE}/files/abc?x=1"),
        (f"{GOOGLE}/../files/abc", f"{GOOGLE}/../files/abc"),
        ("gs://bucket/abc", "gs://bucket/abc"),
        ("//generativelanguage.googleapis.com/v1beta/files/abc", "//generativelanguage.googleapis.com/v1beta/files/abc"),
        ("https://[broken/files/abc", "https://[broken/files/abc"),
        ("abc", "abc"),
    ],
)  # fmt: skip
def test_a_file_address_is_the_providers_unless_it_is_surely_not(uri: str, file_id: str | None):
    assert file_of_uri(uri, (*HOSTS, "generativelanguage.googleapis.com")) == file_id


def test_one_that_stands_twice_or_is_no_text_is_refused():
    for body in (
        b'{"input":[{"content":[{"file_id":"a","file_id":"b"}]}]}',
        rb'{"input":[{"content":[{"file_id":"a","file\u005fid":"b"}]}]}',
        b'{"previous_response_id":5}',
        b'{"conversation":{"id":5}}',
        b'{"conversation":{"id":"a","id":"b"}}',
    ):
        with pytest.raises(BadRequest):
            references("openai", Fields(body))


@pytest.mark.parametrize("shift", range(0, 9_000, 997))
@pytest.mark.parametrize("before", [0, 3, 70_000])
def test_a_name_is_found_wherever_it_stands_between_large_payloads(shift: int, before: int):
    parts = [
        {"type": "input_text", "text": 'say "it" ' * (before // 9)},
        {"type": "input_image", "image_url": "data:image/png;base64," + "A" * (90_000 + shift)},
        {"type": "input_file", "file_id": "file-1"},
        {"type": "input_image", "image_url": "B" * (5_000 + shift)},
    ]
    assert named("openai", {"input": [{"content": parts}]}) == [
        ("file", "file-1", "input[0].content[2].file_id")
    ]
    assert named("openai", {"input": [{"content": [*parts[:2], parts[3]]}]}) == []


def test_a_picture_is_not_searched_through():
    body = Fields(json.dumps({"input": [{"image_url": "A" * 20_000_000}]}).encode())
    begun = time.process_time()
    assert references("openai", body) == ()
    assert time.process_time() - begun < 0.02


def test_deep_nesting_costs_no_time():
    deep = b'{"input":' + b"[" * 900 + b'{"file_id":"x"}' + b"]" * 900 + b"}"
    body = Fields(deep)
    begun = time.process_time()
    assert references("openai", body) == ()
    assert time.process_time() - begun < 0.1


def test_a_session_is_named_by_its_text_only():
    assert session_of(Fields(b'{"prompt_cache_key":"k","conversation":"c"}')) == "prompt_cache_key:k"
    assert session_of(Fields(b'{"conversation":"c"}')) == "conversation:c"
    for body in (
        b"{}",
        b'{"prompt_cache_key":5}',
        b'{"prompt_cache_key":null}',
        b'{"prompt_cache_key":"%s"}' % (b"k" * 300),
    ):
        assert session_of(Fields(body)) is None


def test_what_answers_say():
    file = read_openai(b'{"id":"file-1","expires_at":1700000000,"bytes":5}')
    assert file is not None
    assert (file.id, file.expires_at_ms) == ("file-1", 1_700_000_000_000)
    done = read_completed_upload(b'{"id":"u","file":{"id":"file-2"}}')
    assert done is not None
    assert (done.id, done.raw) == ("file-2", b'{"id":"file-2"}')
    google = read_uploaded(b'{"file":{"name":"files/f","expirationTime":"2023-11-14T22:13:20.000000000Z"}}')
    assert google is not None
    assert (google.id, google.expires_at_ms) == ("f", 1_700_000_000_000)
    for junk in (b"", b"[]", b"{}", b"<html>", b'{"file":null}'):
        assert (
            read_openai(junk)
            is read_google(junk)
            is read_completed_upload(junk)
            is read_uploaded(junk)
            is None
        )
        assert response_id(junk) is streamed_response_id(b"data: " + junk + b"\n\n") is None


def test_a_response_that_its_provider_did_not_store_has_no_id_for_us():
    assert response_id(b'{"id":"resp_1","store":true}') == "resp_1"
    assert response_id(b'{"id":"resp_1"}') == "resp_1"
    assert response_id(b'{"id":"resp_1","store":false}') is None
    last = b'event: response.completed\ndata: {"type":"response.completed","response":{"id":"resp_1"}}\n\n'
    assert streamed_response_id(last) == "resp_1"


def test_what_an_object_weighs():
    assert kept_tokens(note_of(123)) == 123
    assert kept_tokens('{"bytes":8000000}') == kept_tokens('{"sizeBytes":"8000000"}') == 20_000
    assert kept_tokens('{"usageMetadata":{"totalTokenCount":77}}') == 77
    assert kept_tokens("{}") == kept_tokens('{"tokens":-5}') == kept_tokens("junk") == 0
