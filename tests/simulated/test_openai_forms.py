"""The simulated provider reads forms, and what else came late to OpenAI's surface, as strictly as the rest."""

from __future__ import annotations

import http.client
import json

import pytest

from tests.simulated_provider import SimulatedProvider

TYPE = "multipart/form-data; boundary=b"
PNG = b"\x89PNG\r\n\x1a\n"


def text(name: str, value: str) -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def file(name: str, filename: str, content: bytes, kind: str = "image/png") -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\nContent-Type: {kind}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def ask(
    provider: SimulatedProvider, path: str, body: bytes, kind: str = TYPE
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(provider.host, provider.port, timeout=30)
    try:
        connection.request("POST", path, body, {"Authorization": "Bearer sim-test", "Content-Type": kind})
        response = connection.getresponse()
        return (
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            response.read(),
        )
    finally:
        connection.close()


PROMPT, PICTURE, END = text("prompt", "a hat"), file("image", "港.png", PNG), b"--b--\r\n"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (PROMPT + PICTURE + END, 200),
        (PICTURE + PROMPT + text("n", "2") + END, 200),
        (PROMPT + file("image[]", "a.png", PNG) * 2 + file("mask", "m.png", PNG) + END, 200),
        (PROMPT + END, 400),
        (PICTURE + END, 400),
        (PROMPT + PICTURE * 2 + END, 400),
        (PROMPT * 2 + PICTURE + END, 400),
        (PROMPT + PICTURE + text("n", "two") + END, 400),
        (PROMPT + PICTURE + text("stream", "True") + END, 400),
        (PROMPT + PICTURE + text("colour", "red") + END, 400),
        (PROMPT + PICTURE + file("picture", "a.png", PNG) + END, 400),
        (PROMPT + file("image", "a.png", b"GIF") + END, 400),
        (PROMPT + file("image", "a.png", PNG, "text/plain") + END, 400),
        (PROMPT + PICTURE, 400),
        (PROMPT + PICTURE + END + PROMPT, 400),
        (b"\r\n" + PROMPT + PICTURE + END, 400),
        (PROMPT.replace(b"\r\n", b"\n") + PICTURE + END, 400),
        (PROMPT.replace(b'"prompt"', b"prompt") + PICTURE + END, 400),
        (b"", 400),
    ],
)
def test_edits_take_a_form_and_nothing_like_it(provider: SimulatedProvider, body: bytes, status: int) -> None:
    provider.reset()
    assert ask(provider, "/v1/images/edits", body)[0] == status
    (row,) = provider.bill(rows=1).rows
    assert (row.usage.output_tokens > 0) == (status == 200)


@pytest.mark.parametrize(
    ("images", "status"),
    [
        ([{"image_url": "https://example.org/a.png"}], 200),
        ([{"image_url": "data:image/png;base64,aGk="}, {"file_id": "f"}], 200),
        ([], 400),
        ([{}], 400),
        (["https://example.org/a.png"], 400),
        ([{"image_url": "https://example.org/a.png", "file_id": "f"}], 400),
        ([{"image_url": "ftp://example.org/a.png"}], 400),
        (None, 400),
    ],
)
def test_edits_in_json_name_each_picture_once(
    provider: SimulatedProvider, images: object, status: int
) -> None:
    body = json.dumps({"prompt": "a hat", "images": images}).encode()
    assert ask(provider, "/v1/images/edits", body, "application/json")[0] == status


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"model": "whisper-1"}, 200),
        ({"model": "whisper-1", "response_format": "srt"}, 200),
        ({"model": "whisper-1", "timestamp_granularities[]": "word"}, 200),
        ({"model": "gpt-4o-transcribe", "response_format": "text"}, 400),
        ({"model": "tts-1"}, 404),
        ({"model": "whisper-1", "response_format": "html"}, 400),
        ({}, 400),
    ],
)
def test_transcriptions_know_their_models_and_formats(
    provider: SimulatedProvider, fields: dict[str, str], status: int
) -> None:
    body = b"".join(text(name, value) for name, value in fields.items())
    sound = file("file", "a.mp3", bytes(16_001), "audio/mpeg")
    assert ask(provider, "/v1/audio/transcriptions", sound + body + END)[0] == status
    assert ask(provider, "/v1/audio/transcriptions", body + END)[0] >= 400


def test_what_is_heard_and_said_is_billed_in_its_own_units(provider: SimulatedProvider) -> None:
    provider.reset()
    sound = file("file", "a.mp3", bytes(16_001), "audio/mpeg")
    for model in ("whisper-1", "gpt-4o-transcribe"):
        ask(provider, "/v1/audio/transcriptions", text("model", model) + sound + END)
    for model in ("tts-1", "gpt-4o-mini-tts"):
        body = json.dumps({"model": model, "voice": "alloy", "input": "hello"}).encode()
        status, headers, answer = ask(provider, "/v1/audio/speech", body, "application/json")
        assert (status, headers["content-type"], answer[:3]) == (200, "audio/mpeg", b"ID3")
    listened, heard, spoken, said = (row.usage for row in provider.bill(rows=4).rows)
    assert (listened.seconds, listened.input_tokens, heard.seconds) == (2, 0, 0)
    assert (heard.input_audio_tokens, heard.output_tokens) == (20, 6)
    assert (spoken.characters, spoken.output_tokens) == (5, 0)
    assert (said.characters, said.output_audio_tokens, said.output_tokens) == (0, 5, 5)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"prompt": "x"}, 200),
        ({"prompt": ["x", "y"], "n": 2, "best_of": 3}, 200),
        ({"prompt": [1, 2]}, 200),
        ({"prompt": "x", "n": 2, "best_of": 1}, 400),
        ({"prompt": "x", "best_of": 2, "stream": True}, 400),
        ({"prompt": "x", "stream_options": {"include_usage": True}}, 400),
        ({"prompt": [1, "x"]}, 400),
        ({"prompt": "x", "messages": []}, 400),
        ({"prompt": "x", "model": "gpt-5.4"}, 404),
    ],
)
def test_legacy_completions_know_their_fields(
    provider: SimulatedProvider, fields: dict[str, object], status: int
) -> None:
    body = json.dumps({"model": "gpt-3.5-turbo-instruct", **fields}).encode()
    assert ask(provider, "/v1/completions", body, "application/json")[0] == status
