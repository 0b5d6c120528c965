"""OpenAI audio: text to speech (JSON in, sound out), and speech to text (a form in; JSON or text out).

Where the provider reports no usage, what the request itself says is billed: characters to speak, seconds to listen to. Seconds
are taken from the file's size and marked as estimated, since decoding sound is not the relay's business.
"""

from __future__ import annotations

import msgspec

from laidian.domain.estimate import likely_tokens
from laidian.domain.usage import Usage
from laidian.errors import BadRequest, LaidianError
from laidian.protocol.dialect import Answer, Peek, StreamFault
from laidian.protocol.document import Fields, said
from laidian.protocol.events import EventCutter, data_of
from laidian.protocol.form import Edit, Form
from laidian.protocol.openai_edits import NO_FIELDS, renamed
from laidian.protocol.openai_family import error_message
from laidian.protocol.openai_fields import checked_model, named_model

AUDIO_TOKENS_PER_CHARACTER = 2
"""Speech: 1,250 audio tokens a minute (gpt-4o-mini-tts: 0.015 USD a minute at 12 USD per million, OpenAI's price page, 2025) at some 15
characters a second are 1.4; rounded up."""

SPOKEN_CHARACTERS = 100_000
"""OpenAI takes 4,096; other servers take more."""

WAV_BYTES_PER_S = 32_000
"""16 kHz, 16 bit, one channel: what speech is recorded at."""
COMPRESSED_BYTES_PER_S = 8_000
"""64 kbit/s, a common rate for mp3 and m4a."""

LISTENED_TOKENS = 16_000
"""Output tokens of a transcription at most (gpt-4o-transcribe, OpenAI's model page, 2025)."""


class _Usage(msgspec.Struct):
    type: str = "tokens"
    seconds: float = 0
    input_tokens: int = 0
    output_tokens: int = 0
    input_token_details: dict[str, int] | None = None


class _Answer(msgspec.Struct):
    type: str = ""
    text: str = ""
    duration: float | None = None
    usage: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder(_Answer).decode
_decode_usage = msgspec.json.Decoder(_Usage).decode
_FINAL = frozenset({"speech.audio.done", "transcript.text.done"})


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
        if not body or body.lstrip()[:1] in (b"{", b"<"):
            raise StreamFault("the upstream's answer is no sound")
        return Answer(None, "default", peek.output_limit or 0, body)

    def tap(self, peek: Peek) -> AudioTap:
        return AudioTap()


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
        return Peek(
            NO_FIELDS,
            checked_model(form.text("model")),
            stream=form.text("stream") == "true",
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
        """JSON with usage or a duration, or plain text, which says nothing of either."""
        if not body.lstrip().startswith(b"{"):
            return Answer(None, "default", likely_tokens(body), body)
        answer = _read(body)
        reported = said(answer.usage)
        usage = None if reported is None else _usage(reported)
        if usage is None and answer.duration is not None and 0 <= answer.duration < 10**6:
            usage = Usage(seconds=int(-(-answer.duration // 1)))
        return Answer(usage, "default", likely_tokens(answer.text.encode()), body)

    def tap(self, peek: Peek) -> AudioTap:
        return AudioTap()


class AudioTap:
    """Speech or transcription events; usage stands in the last one, which is what a client takes for the end. See `Tap`."""

    begun_usage = None

    def __init__(self) -> None:
        self._cutter = EventCutter()
        self._final = b""
        self.usage: Usage | None = None
        self.service_tier = "default"
        self.finished = False
        self.ended = False
        self.output_tokens = 0
        self.fault: StreamFault | None = None

    def feed(self, data: bytes) -> bytes:
        seen: list[bytes] = []
        try:
            for event in self._cutter.feed(data):
                seen.append(self._see(event))
        except StreamFault as fault:
            self.fault = fault
        return b"".join(seen)

    def failure(self, error: LaidianError) -> None:
        """The family's error event will do."""

    def end(self) -> bytes:
        if not self.finished:
            raise StreamFault("the upstream ended the stream before it was finished")
        return self._final

    def _see(self, event: bytes) -> bytes:
        data = data_of(event)
        if data is None or data.strip() == b"[DONE]":
            return event
        told = _read(data)
        if told.type not in _FINAL:
            self.output_tokens += 1
            return event
        reported = said(told.usage)
        self.usage = None if reported is None else _usage(reported)
        self.finished = self.ended = True
        self._final = event
        return b""


def _usage(raw: bytes) -> Usage | None:
    """Tokens with their sound part apart, or seconds; None when it says nothing that can be believed."""
    try:
        usage = _decode_usage(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    if usage.type == "duration":
        return Usage(seconds=int(-(-usage.seconds // 1))) if 0 <= usage.seconds < 10**6 else None
    heard = (usage.input_token_details or {}).get("audio_tokens", 0)
    if (
        min(usage.input_tokens - heard, heard, usage.output_tokens) < 0
        or usage.input_tokens + usage.output_tokens > 10**8
    ):
        return None
    return Usage(input=usage.input_tokens - heard, audio_input=heard, output=usage.output_tokens)


def _read(body: bytes) -> _Answer:
    try:
        answer = _decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise StreamFault("the upstream's answer is not JSON of this operation") from None
    error = said(answer.error)
    if error is not None:
        raise StreamFault(error_message(error) or "the upstream answered 200 with an error inside")
    return answer
