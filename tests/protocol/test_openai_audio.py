"""OpenAI audio: what is said is billed by characters or tokens, what is heard by seconds or tokens, and nothing by chance at zero."""

import json
from collections.abc import Mapping
from types import MappingProxyType

import pytest

from laidian.domain.usage import Usage
from laidian.errors import BadRequest
from laidian.protocol.dialect import Peek, StreamFault
from laidian.protocol.event_stream import EVENT_BYTES
from laidian.protocol.form import FormReader
from laidian.protocol.openai_audio import (
    COMPRESSED_BYTES_PER_S,
    SPOKEN_CHARACTERS,
    WAV_BYTES_PER_S,
    AudioTap,
    OpenAISpeech,
    OpenAITranscriptions,
)

SPEECH = OpenAISpeech()
LISTEN = OpenAITranscriptions()
SAID = SPEECH.peek('{"model":"tts-1","voice":"alloy","input":"港 at dawn"}'.encode(), "/v1/audio/speech")


def heard(
    size: int = 80_000,
    filename: str = "a.mp3",
    path: str = "/v1/audio/transcriptions",
    fields: Mapping[str, str] = MappingProxyType({}),
    **more: str,
) -> Peek:
    reader = FormReader(b"multipart/form-data; boundary=b")
    for name, value in {"model": "gpt-4o-transcribe", **fields, **more}.items():
        reader.feed(f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    reader.feed(f'--b\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n\r\n'.encode())
    reader.feed(bytes(size) + b"\r\n--b--\r\n")
    return LISTEN.peek_form(reader.form(), path)


def event(kind: str, **more: object) -> bytes:
    return b"data: " + json.dumps({"type": kind, **more}).encode() + b"\n\n"


# Speech


def test_characters_are_counted_and_not_bytes():
    assert SAID.units == Usage(characters=9)
    assert (SAID.output_limit, SAID.stream) == (18, False)
    assert SPEECH.peek(b'{"model":"m","input":"x","stream_format":"sse"}', "").stream


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"model":"m"}', "input"),
        (b'{"model":"m","input":5}', "input"),
        (b'{"input":"x"}', "model"),
        (b'{"model":"m","input":"' + b"x" * (SPOKEN_CHARACTERS + 1) + b'"}', "input"),
        (b'{"model":"m","input":"x","input":"y"}', "input"),
    ],
)
def test_a_wrong_field_of_speech_is_named(body: bytes, param: str):
    with pytest.raises(BadRequest) as refused:
        SPEECH.peek(body, "")
    assert refused.value.param == param


@pytest.mark.parametrize(
    "sound", [b"ID3\x04", b"\xff\xfb", b"RIFF", b"{\x00<\x01\x7f", b"<\x00<\x01", b"  \x00"]
)
def test_sound_is_sound_whatever_its_first_byte(sound: bytes):
    answer = SPEECH.read_answer(SAID, sound)
    assert (answer.body, answer.usage) == (sound, None)
    assert 9 <= answer.output_tokens <= 18


@pytest.mark.parametrize(
    "body", [b"", b"<!DOCTYPE html><p>", b"\n<HTML>", b'{"error":{"message":"no"}}', b"{}"]
)
def test_what_is_no_sound_is_a_fault(body: bytes):
    with pytest.raises(StreamFault):
        SPEECH.read_answer(SAID, body)


def test_spoken_tokens_are_audio_tokens_and_the_last_event_waits():
    tap = SPEECH.tap(SAID)
    delta = event("speech.audio.delta", audio="A" * 3_000)
    done = event("speech.audio.done", usage={"input_tokens": 14, "output_tokens": 101, "total_tokens": 115})
    assert tap.feed(delta + done[:9]) == delta
    assert tap.output_tokens == 3
    assert tap.feed(done[9:] + b"data: [DONE]\n\n") == b""
    assert (tap.finished, tap.usage) == (True, Usage(input=14, audio_output=101))
    assert tap.end() == done


# Listening


def test_seconds_are_guessed_from_the_size():
    assert heard(COMPRESSED_BYTES_PER_S * 10).units == Usage(seconds=10)
    assert heard(COMPRESSED_BYTES_PER_S * 10 + 1).units == Usage(seconds=11)
    assert heard(WAV_BYTES_PER_S * 10, "A.WAV").units == Usage(seconds=10)


def test_both_operations_keep_their_path():
    assert LISTEN.path(heard(), "m") == "/audio/transcriptions"
    assert LISTEN.path(heard(path="/v1/audio/translations/"), "m") == "/audio/translations"


def test_a_model_that_never_streams_is_not_waited_for_as_a_stream():
    assert heard(stream="true").stream
    for model in ("whisper-1", "Systran/faster-Whisper-large"):
        assert not heard(stream="true", model=model).stream


@pytest.mark.parametrize(("fields", "param"), [({"model": ""}, "model"), ({"stream": "yes"}, "stream")])
def test_a_wrong_field_of_a_form_is_named(fields: dict[str, str], param: str):
    with pytest.raises(BadRequest) as refused:
        heard(fields=fields)
    assert refused.value.param == param


def test_a_form_without_a_file_and_json_are_refused():
    reader = FormReader(b"multipart/form-data; boundary=b")
    reader.feed(b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n--b--')
    for ask in (lambda: LISTEN.peek_form(reader.form(), ""), lambda: LISTEN.peek(b"{}", "")):
        with pytest.raises(BadRequest) as refused:
            ask()
        assert refused.value.param == "file"


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        ({"type": "duration", "seconds": 7}, Usage(seconds=7)),
        ({"type": "duration", "seconds": 7.01}, Usage(seconds=8)),
        (
            {
                "type": "tokens",
                "input_tokens": 14,
                "output_tokens": 5,
                "input_token_details": {"audio_tokens": 10},
            },
            Usage(input=4, audio_input=10, output=5),
        ),
        (
            {"type": "tokens", "input_tokens": 14, "output_tokens": 5, "input_token_details": None},
            Usage(input=14, output=5),
        ),
        ({"input_tokens": 14, "output_tokens": 5}, Usage(input=14, output=5)),
        ({"type": "duration"}, None),
        ({"type": "duration", "seconds": 0}, None),
        ({"type": "duration", "seconds": -5}, None),
        ({"type": "duration", "seconds": 10**9}, None),
        ({"type": "tokens"}, None),
        ({"type": "tokens", "input_tokens": -1, "output_tokens": 5}, None),
        ({"type": "tokens", "input_tokens": "14", "output_tokens": 5}, None),
        (
            {
                "type": "tokens",
                "input_tokens": 4,
                "output_tokens": 5,
                "input_token_details": {"audio_tokens": 10},
            },
            None,
        ),
        ({"type": "tokens", "input_tokens": 10**18, "output_tokens": 5}, None),
        (5, None),
    ],
)
def test_usage_of_what_was_heard(usage: object, read: Usage | None):
    """None is an estimate from the file, never nothing."""
    answer = LISTEN.read_answer(heard(), json.dumps({"text": "hi", "usage": usage}).encode())
    assert answer.usage == read


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        (8.47, 9),
        ("8.47", 9),
        (8, 8),
        (0, None),
        ("soon", None),
        (-1, None),
        ("nan", None),
        ("inf", None),
        (None, None),
    ],
)
def test_a_duration_serves_where_usage_is_missing(duration: object, seconds: int | None):
    answer = LISTEN.read_answer(
        heard(response_format="verbose_json"), json.dumps({"text": "hi", "duration": duration}).encode()
    )
    assert answer.usage == (None if seconds is None else Usage(seconds=seconds))


def test_text_passes_whatever_it_looks_like():
    asked = heard(response_format="text")
    for text in (b"hello\n", b"", b"{laughs} hello", b'{"quoted": "json"}', "<音>".encode(), b"<i>hm</i>"):
        answer = LISTEN.read_answer(asked, text)
        assert (answer.body, answer.usage) == (text, None)
    for fault in (b'{"error":{"message":"no"}}', b"<html><body>502", b"<!doctype html>"):
        with pytest.raises(StreamFault):
            LISTEN.read_answer(asked, fault)


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (b"1\n00:00:00,000 --> 00:00:03,000\nhi\n\n2\n00:00:03,000 --> 00:01:04,500\nyou\n", 65),
        (b"WEBVTT\n\n00:00.000 --> 00:07.000\nhi\n", 7),
        (b"WEBVTT\n\n01:00:00.000 --> 01:00:02.000\nhi --> you\n", 3602),
        (b"WEBVTT\n", None),
        (b"", None),
    ],
)
def test_subtitles_say_how_long_it_was(body: bytes, seconds: int | None):
    for wanted in ("srt", "vtt"):
        usage = LISTEN.read_answer(heard(response_format=wanted), body).usage
        assert usage == (None if seconds is None else Usage(seconds=seconds))


@pytest.mark.parametrize("body", [b"hello", b"<html>", b"", b"[]", b'{"error":{"message":"no"}}'])
def test_json_that_is_none_is_a_fault(body: bytes):
    for wanted in ({}, {"response_format": "json"}, {"response_format": "verbose_json"}):
        with pytest.raises(StreamFault):
            LISTEN.read_answer(heard(fields=wanted), body)


def test_transcript_events_pass_and_the_last_one_waits():
    tap = LISTEN.tap(heard(stream="true"))
    deltas = event("transcript.text.delta", delta="four words are here") + event(
        "transcript.text.segment", text="x"
    )
    done = event("transcript.text.done", text="x", usage={"type": "duration", "seconds": 3})
    assert tap.feed(deltas) == deltas
    assert tap.output_tokens == 5
    assert tap.feed(done + deltas) == b""
    assert (tap.usage, tap.end()) == (Usage(seconds=3), done)


def test_a_stream_cut_short_or_in_error_or_without_end_is_a_fault():
    for sent in (b"data: {\n\n", event("error", error={"message": "no"}), b"x" * (EVENT_BYTES + 1)):
        tap = AudioTap(spoken=False)
        tap.feed(sent)
        assert tap.fault is not None
        with pytest.raises(StreamFault):
            tap.end()
