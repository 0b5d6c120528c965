"""OpenAI audio: text to speech (JSON in, sound out), and speech to text (a form in; JSON or text out).

Where the provider reports no usage, what the request itself says is billed: characters to speak, seconds to listen to. Seconds
are taken from the file's size and marked as estimated, since decoding sound is not the relay's business; subtitles say themselves
where they end.
"""

from __future__ import annotations

import math
import re

import msgspec

from laidian.domain.estimate import likely_tokens
from laidian.domain.usage import Usage
from laidian.errors import BadRequest
from laidian.protocol.dialect import Answer, Peek, StreamFault
from laidian.protocol.document import Fields, said
from laidian.protocol.event_stream import EventTap
from laidian.protocol.events import data_of
from laidian.protocol.form import Edit, Form
from laidian.protocol.openai_edits import NO_FIELDS, renamed
from laidian.protocol.openai_family import error_message
from laidian.protocol.openai_fields import checked_model, named_model
from laidian.protocol.openai_usage import ABSURD_TOKENS

AUDIO_TOKENS_PER_CHARACTER = 2
"""What speech is held at. 1,250 audio tokens a minute (gpt-4o-mini-tts: 0.015 USD a minute at 12 USD per million, OpenAI's price page,
2025) at some 15 characters a second are 1.4."""

AUDIO_BYTES_PER_TOKEN = 1_024
"""Base64 in a stream of speech: 128 kbit/s of mp3, OpenAI's usual rate, at 1,250 tokens a minute."""

SPOKEN_CHARACTERS = 100_000
"""OpenAI takes 4,096; other servers take more."""

WAV_BYTES_PER_S = 32_000
"""16 kHz, 16 bit, one channel: what speech is recorded at."""
COMPRESSED_BYTES_PER_S = 8_000
"""64 kbit/s, a common rate for mp3 and m4a."""

LISTENED_TOKENS = 16_000
"""Output tokens of a transcription at most (gpt-4o-transcribe, OpenAI's model page, 2025)."""


WHOLE_ANSWERS = "whisper"
"""Models whose name holds this ignore `stream` and answer whole (OpenAI's API reference of createTranscription, 2025)."""


class _Details(msgspec.Struct):
    audio_tokens: int | None = None


class _Usage(msgspec.Struct):
    type: str | None = None
    seconds: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_token_details: _Details | None = None


class _Answer(msgspec.Struct):
    type: str | None = None
    text: str | None = None
    delta: str | None = None
    duration: float | str | None = None
    """A string in the SDK's older types and in OpenAI's specification of translations."""
    usage: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder(_Answer).decode
_decode_usage = msgspec.json.Decoder(_Usage).decode
_FINAL = frozenset({"speech.audio.done", "transcript.text.done"})
_LONGEST_S = 10**6
_CUE_END = re.compile(rb"--> *(?:(\d{1,4}):)?(\d\d):(\d\d)[.,](\d{3})")
_PAGE = (b"<html", b"<!doctype")
"""How an error page of something in between begins."""


class OpenAISpeech:
    """The `Dialect` of /v1/audio/speech.

    Sound is handed on whole: a body of bytes has no way to say that it was broken off, and half a sentence must not look like a
    whole one. With `stream_format` "sse" it is a stream of events.
    """

    def peek(self, body: bytes, path: str) -> Peek:
        """Raises BadRequest naming the field that is wrong."""
        fields = Fields(body)
        text = fields.get("input", str)
        if text is None:
            raise BadRequest("The request holds no `input` to speak.", param="input", code="missing_input")
        if len(text) > SPOKEN_CHARACTERS:
            raise BadRequest(
                f"`input` has {len(text):,} characters; at most {SPOKEN_CHARACTERS:,}.", param="input"
            )
        fields.check_unique()
        return Peek(
            fields,
            named_model(fields),
            stream=fields.get("stream_format", str) == "sse",
            output_limit=len(text) * AUDIO_TOKENS_PER_CHARACTER,
            choices=1,
            wants_usage=True,
            service_tier="default",
            text_only=False,
            units=Usage(characters=len(text)),
        )

    def path(self, peek: Peek, model: str) -> str:
        return "/audio/speech"

    def splice(self, peek: Peek, model: str) -> bytes:
        if peek.model == model:
            return peek.fields.body
        return peek.fields.replaced({"model": msgspec.json.encode(model)})

    def read_answer(self, peek: Peek, body: bytes) -> Answer:
        """Raises StreamFault for what is no sound; raw samples may begin with any byte, so that one alone decides nothing."""
        if not body or _is_page(body) or _is_json(body):
            raise StreamFault("the upstream's answer is no sound")
        return Answer(None, "default", -(-peek.units.characters * 14 // 10), body)

    def tap(self, peek: Peek) -> AudioTap:
        return AudioTap(spoken=True)


class OpenAITranscriptions:
    """The `FormDialect` of /v1/audio/transcriptions and /v1/audio/translations."""

    def peek(self, body: bytes, path: str) -> Peek:
        raise BadRequest(
            "Send the sound as multipart/form-data, in the field `file`.", param="file", code="invalid_form"
        )

    def peek_form(self, form: Form, path: str) -> Peek:
        """Raises BadRequest naming the field that is wrong."""
        files = form.files()
        if not files:
            raise BadRequest(
                "The form holds no sound. Send it as the field `file`.", param="file", code="missing_file"
            )
        size = sum(part.end - part.start for part in files)
        rate = (
            WAV_BYTES_PER_S if (files[0].filename or "").lower().endswith(".wav") else COMPRESSED_BYTES_PER_S
        )
        model = checked_model(form.text("model"))
        return Peek(
            NO_FIELDS,
            model,
            stream=form.flag("stream") and WHOLE_ANSWERS not in model.lower(),
            output_limit=LISTENED_TOKENS,
            choices=1,
            wants_usage=True,
            service_tier="default",
            text_only=False,
            form=form,
            path=path,
            units=Usage(seconds=-(-size // rate)),
        )

    def path(self, peek: Peek, model: str) -> str:
        return (
            "/audio/translations"
            if peek.path.rstrip("/").endswith("translations")
            else "/audio/transcriptions"
        )

    def splice(self, peek: Peek, model: str) -> bytes:
        return b""

    def edits(self, peek: Peek, model: str) -> tuple[Edit, ...]:
        return renamed(peek, model)

    def read_answer(self, peek: Peek, body: bytes) -> Answer:
        """JSON with usage or a duration; or text, which says nothing of either; or subtitles, which say when the last one ends.

        Raises StreamFault for what is not of the format that was asked for.
        """
        wanted = peek.form.text("response_format") if peek.form is not None else None
        if wanted in ("text", "srt", "vtt"):
            if _is_page(body):
                raise StreamFault("the upstream's answer is a page and no transcript")
            if _is_json(body):
                _read(body)  # an error with status 200; a transcript may well look like JSON otherwise
            usage = None if wanted == "text" else _until_last_cue(body)
            return Answer(usage, "default", likely_tokens(body), body)
        answer = _read(body)
        reported = said(answer.usage)
        usage = None if reported is None else _usage(reported, spoken=False)
        if usage is None and answer.duration is not None:
            usage = _seconds(answer.duration)
        return Answer(usage, "default", likely_tokens((answer.text or "").encode()), body)

    def tap(self, peek: Peek) -> AudioTap:
        return AudioTap(spoken=False)


class AudioTap(EventTap):
    """Speech or transcription events; usage stands in the last one, which is what a client takes for the end. See `Tap`."""

    begun_usage = None
    made_id = ""

    __slots__ = ("_final", "_spoken", "ended", "finished", "service_tier")

    def __init__(self, *, spoken: bool) -> None:
        super().__init__()
        self._spoken = spoken
        """Whether what comes out is sound."""
        self._final = b""
        self.service_tier = "default"
        self.finished = False
        self.ended = False

    def end(self) -> bytes:
        if not self.finished:
            raise StreamFault("the upstream ended the stream before it was finished")
        return self._final

    def _see(self, event: bytes) -> bytes:
        if self.ended:
            return b""
        data = data_of(event)
        if data is None:
            return event
        if data.strip() == b"[DONE]":
            return b""
        told = _read(data)
        if told.type not in _FINAL:
            self.output_tokens += (
                -(-len(data) // AUDIO_BYTES_PER_TOKEN)
                if self._spoken
                else likely_tokens((told.delta or "").encode())
            )
            return event
        reported = said(told.usage)
        self.usage = None if reported is None else _usage(reported, spoken=self._spoken)
        self.finished = self.ended = True
        self._final = event
        return b""


def _usage(raw: bytes, *, spoken: bool) -> Usage | None:
    """Tokens with their sound part apart, or seconds; None when it says nothing that can be believed."""
    try:
        usage = _decode_usage(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    if usage.type == "duration":
        return None if usage.seconds is None else _seconds(usage.seconds)
    into, out = usage.input_tokens, usage.output_tokens
    heard = (usage.input_token_details.audio_tokens or 0) if usage.input_token_details is not None else 0
    if into is None or out is None or min(into - heard, heard, out) < 0 or into + out > ABSURD_TOKENS:
        return None
    if spoken:
        return Usage(input=into - heard, audio_input=heard, audio_output=out)
    return Usage(input=into - heard, audio_input=heard, output=out)


def _seconds(said_: float | str) -> Usage | None:
    """Begun seconds count whole; None for what is no length of time. No sound is not free: it is what nothing was said of."""
    try:
        length = float(said_)
    except ValueError:
        return None
    return Usage(seconds=math.ceil(length)) if 0 < length < _LONGEST_S else None


def _until_last_cue(body: bytes) -> Usage | None:
    """Seconds until the last subtitle ends; None without one."""
    last = None
    for last in _CUE_END.finditer(body):  # noqa: B007 - the last one is what is wanted
        pass
    if last is None:
        return None
    hours, minutes, seconds, milliseconds = (int(one or 0) for one in last.groups())
    return _seconds(hours * 3600 + minutes * 60 + seconds + milliseconds / 1000)


def _is_page(body: bytes) -> bool:
    return body.lstrip()[:9].lower().startswith(_PAGE)


def _is_json(body: bytes) -> bool:
    if not body.lstrip().startswith(b"{"):
        return False
    try:
        _decode(body)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _read(body: bytes) -> _Answer:
    try:
        answer = _decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise StreamFault("the upstream's answer is not JSON of this operation") from None
    error = said(answer.error)
    if error is not None:
        raise StreamFault(error_message(error) or "the upstream answered 200 with an error inside")
    return answer
