"""OpenAI audio: speech (sound, or events with pieces of it), transcriptions and translations (JSON, text, subtitles, or events).

The simulated provider's rules, not a price list: what is spoken is charged by the character (tts-1) or by one audio token a character
(gpt-4o-mini-tts), and is `BYTES_PER_CHARACTER` bytes of sound a character; what is heard lasts a second per `BYTES_PER_S` bytes, and is
charged by the second (whisper-1) or by `AUDIO_TOKENS_PER_S` audio tokens a second.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator

from .call import Call, Operation, with_usage
from .directives import read_directives
from .models import Model
from .multipart import read_multipart
from .openai_checks import Rule, bad_value, check_parameters, invalid, maybe_string, missing
from .openai_errors import bearer, openai_error, openai_model
from .streaming import ErrorEvent, stream_events
from .tokens import count_tokens, fragments, make_text
from .values import Event, JsonObject, Usage

BYTES_PER_CHARACTER = 600
BYTES_PER_S = 16_000
AUDIO_TOKENS_PER_S = 10
TRANSCRIPT_TOKENS_PER_S = 3
MOST_CHARACTERS = 4_096
MOST_TRANSCRIPT_TOKENS = 2_000

SPEECH: dict[str, Rule] = {
    "input": Rule("string", required=True),
    "model": Rule("string", required=True),
    "voice": Rule("any", required=True),
    "instructions": Rule("string"),
    "response_format": Rule("string", values=("mp3", "opus", "aac", "flac", "wav", "pcm")),
    "speed": Rule("number", 0.25, 4),
    "stream_format": Rule("string", values=("sse", "audio")),
}
LISTEN: dict[str, Rule] = {
    "model": Rule("string", required=True),
    "language": Rule("string"),
    "prompt": Rule("string"),
    "response_format": Rule("string", values=("json", "text", "srt", "verbose_json", "vtt")),
    "temperature": Rule("number", 0, 1),
}
TRANSCRIBE: dict[str, Rule] = {
    **LISTEN,
    "chunking_strategy": Rule("string"),
    "include": Rule("array"),
    "known_speaker_names": Rule("array"),
    "stream": Rule("boolean"),
    "timestamp_granularities": Rule("array"),
}
_ARRAYS = ("include", "known_speaker_names", "timestamp_granularities")
_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
_HEARD = re.compile(r".+\.(flac|m4a|mp3|mp4|mpeg|mpga|oga|ogg|wav|webm)", re.IGNORECASE)


# Speech


async def answer_speech(call: Call, match: re.Match[str]) -> None:
    body = call.object()
    call.model = str(body.get("model", ""))
    check_parameters(body, SPEECH)
    model = openai_model(call.model, "speech", "v1/audio/speech")
    text = str(body["input"])
    if not 1 <= len(text) <= MOST_CHARACTERS:
        raise invalid("input", f"Invalid 'input': 1 to {MOST_CHARACTERS} characters, but got {len(text)}.")
    directives = read_directives(text)
    by_tokens = model.id != "tts-1"
    stream = body.get("stream_format") == "sse"
    if stream and not by_tokens:
        raise bad_value("stream_format", "sse", ("audio",))
    usage = Usage(characters=len(text))
    if by_tokens:
        said = count_tokens(text) + count_tokens(maybe_string(body, "instructions") or "")
        usage = Usage(input_tokens=said, output_tokens=len(text), output_audio_tokens=len(text))
    await call.begin(model.id, stream=stream, fault=directives.fault)
    await call.think(usage.until(0), directives.delay_ms)
    sound = sound_of(text)
    if stream:
        events = list(_spoken(call, sound, usage))
        await stream_events(call, events, usage, _error_event(call), pace_ms=directives.pace_ms)
        return
    call.usage = usage
    kind = _TYPES[maybe_string(body, "response_format") or "mp3"]
    await call.answer_bytes(sound, kind)


def sound_of(text: str) -> bytes:
    """What is spoken: an ID3 mark and bytes that depend on the text alone."""
    size = len(text) * BYTES_PER_CHARACTER
    noise = hashlib.shake_256(text.encode("utf-8", "surrogatepass")).digest(size)
    return b"ID3\x04\x00\x00\x00\x00\x00\x00" + noise


def _spoken(call: Call, sound: bytes, usage: Usage) -> Iterator[Event]:
    pieces = [sound[start : start + 4_800] for start in range(0, len(sound), 4_800)]
    for number, piece in enumerate(pieces, start=1):
        tokens = usage.output_tokens * number // len(pieces)
        delta: JsonObject = {"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()}
        yield Event(delta, output_tokens=tokens, content=True)
    done: JsonObject = {"type": "speech.audio.done"}
    report = call.distorted(
        {
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "total_tokens": usage.input_tokens + usage.output_tokens,
        }
    )
    yield Event(with_usage(done, "usage", report), output_tokens=usage.output_tokens, terminal=True)


# Listening


async def answer_transcription(call: Call, match: re.Match[str]) -> None:
    await _listen(call, TRANSCRIBE, "v1/audio/transcriptions", translated=False)


async def answer_translation(call: Call, match: re.Match[str]) -> None:
    await _listen(call, LISTEN, "v1/audio/translations", translated=True)


async def _listen(call: Call, rules: dict[str, Rule], endpoint: str, *, translated: bool) -> None:
    form = read_multipart(call.exchange.headers.get("content-type", ""), call.body)
    body = form.parameters(rules, _ARRAYS)
    call.model = str(body.get("model", ""))
    check_parameters(body, rules)
    model = openai_model(call.model, "listening", endpoint)
    files = form.files_of("file")
    if len(files) != 1 or len(form.files) != 1:
        raise missing("file") if not files else invalid("file", "Exactly one file is expected.")
    sound = files[0].content
    if _HEARD.fullmatch(files[0].filename) is None or not sound:
        raise invalid("file", "Invalid file format.", "invalid_file_format")
    by_time = model.id == "whisper-1"
    wanted = maybe_string(body, "response_format") or "json"
    if (translated and not by_time) or (not by_time and wanted != "json"):
        raise invalid("response_format", f"response_format '{wanted}' is not compatible with '{model.id}'.")
    directives = read_directives(maybe_string(body, "prompt") or "")
    seconds = -(-len(sound) // BYTES_PER_S)
    text = _heard(sound, seconds)
    usage = _heard_usage(model, seconds, text, maybe_string(body, "prompt") or "")
    # whisper-1 ignores `stream`, as OpenAI's reference says
    stream = body.get("stream") is True and not by_time
    await call.begin(model.id, stream=stream, fault=directives.fault)
    await call.think(usage.until(0), directives.delay_ms)
    if stream:
        events = list(_transcribed(call, text, usage))
        await stream_events(call, events, usage, _error_event(call), pace_ms=directives.pace_ms)
        return
    call.usage = usage
    if wanted in ("text", "srt", "vtt"):
        kind = "text/vtt; charset=utf-8" if wanted == "vtt" else "text/plain; charset=utf-8"
        await call.answer_bytes(_written(text, wanted, seconds).encode(), kind)
        return
    answer: JsonObject = {"text": text}
    if wanted == "verbose_json":
        answer |= {
            "task": "translate" if translated else "transcribe",
            "language": "english",
            "duration": seconds - 0.5,
            "segments": [],
        }
    await call.answer(answer if translated else with_usage(answer, "usage", _heard_report(call, usage)))


def _heard(sound: bytes, seconds: int) -> str:
    tokens = min(TRANSCRIPT_TOKENS_PER_S * seconds, MOST_TRANSCRIPT_TOKENS)
    return make_text(hashlib.sha256(sound).hexdigest(), max(tokens, 4))


def _heard_usage(model: Model, seconds: int, text: str, prompt: str) -> Usage:
    if model.id == "whisper-1":
        return Usage(seconds=seconds)
    heard = seconds * AUDIO_TOKENS_PER_S
    return Usage(
        input_tokens=heard + count_tokens(prompt), input_audio_tokens=heard, output_tokens=count_tokens(text)
    )


def _heard_report(call: Call, usage: Usage) -> JsonObject | None:
    if usage.seconds:
        return call.distorted({"type": "duration", "seconds": usage.seconds})
    heard = usage.input_audio_tokens
    return call.distorted(
        {
            "type": "tokens",
            "input_tokens": usage.input_tokens,
            "input_token_details": {"text_tokens": usage.input_tokens - heard, "audio_tokens": heard},
            "output_tokens": usage.output_tokens,
            "total_tokens": usage.input_tokens + usage.output_tokens,
        }
    )


def _transcribed(call: Call, text: str, usage: Usage) -> Iterator[Event]:
    tokens = 0
    for fragment in fragments(text, 1):
        tokens += count_tokens(fragment)
        delta: JsonObject = {"type": "transcript.text.delta", "delta": fragment}
        yield Event(delta, output_tokens=min(tokens, usage.output_tokens), content=True)
    done: JsonObject = {"type": "transcript.text.done", "text": text}
    yield Event(
        with_usage(done, "usage", _heard_report(call, usage)),
        output_tokens=usage.output_tokens,
        terminal=True,
    )


def _written(text: str, wanted: str, seconds: int) -> str:
    if wanted == "text":
        return f"{text}\n"
    comma = "," if wanted == "srt" else "."
    end = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{comma}000"
    head = "1\n" if wanted == "srt" else "WEBVTT\n\n"
    return f"{head}00:00:00{comma}000 --> {end}\n{text}\n\n"


def _error_event(call: Call) -> ErrorEvent:
    return lambda refusal: Event(openai_error(refusal, call.request_id))


OPERATIONS = (
    Operation("POST", re.compile(r"/v1/audio/speech"), answer_speech, "openai-speech", openai_error, bearer),
    Operation(
        "POST",
        re.compile(r"/v1/audio/transcriptions"),
        answer_transcription,
        "openai-transcriptions",
        openai_error,
        bearer,
    ),
    Operation(
        "POST",
        re.compile(r"/v1/audio/translations"),
        answer_translation,
        "openai-translations",
        openai_error,
        bearer,
    ),
)
