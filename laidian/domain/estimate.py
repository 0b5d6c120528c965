"""Counting tokens without a tokenizer.

A real vocabulary downloads itself or weighs 50 MB in memory (dependencies.md, "Tokens"), so two byte-class rules serve:
`bound_tokens` errs high and is what a hold is made of; `likely_tokens` is the best guess and is what a bill is made of when
the upstream did not say. Measured there against o200k: English +7 %, Chinese +1 %, code +11 %.
"""

from __future__ import annotations

from collections.abc import Iterator

_ASCII = bytes(range(128))

MESSAGE_OVERHEAD_TOKENS = 16
"""Added once per request for roles and framing, on the safe side of the 3 to 4 tokens a message that OpenAI documents."""

MEDIA_TOKENS = 2_000
"""Per embedded base64 payload. gpt-5 class models charge at most 1,536 patches x 1.2 for one image (2025-08 vision guide)."""

MEDIA_BYTES_PER_TOKEN = 400
"""Large payloads (audio, PDF) count at least this: 32 tokens a second of audio at 16 kB/s, base64."""

LONG_STRING_BYTES = 4096
"""Shorter strings are text whatever they hold: at 3 bytes a token they are held at less than a picture."""

MEDIA_KEYS = frozenset(
    {
        b"data",
        b"file_data",
        b"b64_json",
        b"bytesBase64Encoded",
        b"imageBytes",
        b"thoughtSignature",
        b"thought_signature",
        b"signature",
        b"encrypted_content",
    }
)
"""Fields whose value is base64 and no text: Gemini's and Anthropic's `data`, OpenAI's `input_audio.data` and files, and what stands
for thoughts of earlier turns (fields of google-genai 3.4, anthropic 2.12 and openai 3.54, seen 2026-11-22)."""

TEXT_KEYS = frozenset(
    {b"text", b"content", b"input", b"prompt", b"arguments", b"output", b"instructions", b"system"}
)
"""Fields whose value a model reads as text, also when it looks like a data URL."""

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_\\"
"""Both alphabets, and the backslash of encoders that write `\\/` or `\\n`."""
_MARK = b";base64,"
_URL_HEAD_BYTES = 128
"""Within which a data URL says its type."""
_KEY_BYTES = 64
"""How far before its value a field's name is looked for."""


def bound_tokens(text: bytes) -> int:
    """A number of tokens that UTF-8 text hardly ever exceeds: 3 ASCII bytes or 2 other bytes a token."""
    other = len(text.translate(None, _ASCII))
    return (len(text) - other) // 3 + other // 2 + 1


def likely_tokens(text: bytes) -> int:
    """The best guess: 4.2 ASCII characters a token, 0.75 tokens for every other character (3 UTF-8 bytes)."""
    other = len(text.translate(None, _ASCII))
    return -(-(len(text) - other) * 10 // 42) + other // 4


def split_media(body: bytes) -> tuple[bytes, int]:
    """A JSON body without its base64 payloads, and the tokens that those stand for.

    A 5 MB picture is about 1,500 tokens, not 1.7 million; without this every picture would be refused for lack of quota. A payload is
    a data URL, or the long base64 value of a field that holds nothing else (`MEDIA_KEYS`): Gemini's `inlineData.data`, Anthropic's
    `source.data`. The same characters in a text stay text, or a long word would be held at a hundredth of its price.
    """
    pieces: list[bytes] = []
    tokens = position = 0
    for start, end in _long_strings(body):
        payload = _payload(body, start, end)
        if payload < end:
            pieces.append(body[position:payload])
            tokens += max(MEDIA_TOKENS, (end - payload) // MEDIA_BYTES_PER_TOKEN)
            position = end
    pieces.append(body[position:] if position else body)
    return _split_short(b"".join(pieces) if position else body, tokens)


def _long_strings(body: bytes) -> Iterator[tuple[int, int]]:
    """Where quotes are at least `LONG_STRING_BYTES` apart: [start, end) between them.

    So long a stretch covers one of the places that are looked at, and what lies between them is never looked at: a text of short
    strings costs a step per 4 kB, a picture costs one search for its end.
    """
    place = LONG_STRING_BYTES
    while place < len(body):
        start = body.rfind(b'"', place - LONG_STRING_BYTES, place) + 1
        end = body.find(b'"', place) if start else place
        if end < 0:
            return
        if start and end - start >= LONG_STRING_BYTES:
            yield start, end
        place = (end // LONG_STRING_BYTES + 1) * LONG_STRING_BYTES


def _payload(body: bytes, start: int, end: int) -> int:
    """Where the base64 of a string begins; `end` when the string is no payload."""
    key = _key(body, start - 1)
    if body.startswith(b"data:", start):
        mark = body.find(_MARK, start, start + _URL_HEAD_BYTES)
        begins = end if mark < 0 or key in TEXT_KEYS else mark
        data = begins + len(_MARK)
    else:
        begins = data = start if key in MEDIA_KEYS else end
    return end if begins == end or body[data:end].translate(None, _BASE64) else begins


def _key(body: bytes, quote: int) -> bytes:
    """The name of the field whose value begins at that quote; empty for an element of an array."""
    head = body[max(0, quote - _KEY_BYTES) : quote].rstrip()
    if not head.endswith(b":"):
        return b""
    head = head[:-1].rstrip()
    return head[head.rfind(b'"', 0, -1) + 1 : -1] if head.endswith(b'"') else b""


def _split_short(body: bytes, tokens: int) -> tuple[bytes, int]:
    """The same for data URLs that are not long, which would be held too low as the text they look like."""
    mark = body.find(_MARK)
    if mark < 0:
        return body, tokens
    pieces: list[bytes] = []
    position = 0
    while mark >= 0:
        end = body.find(b'"', mark)
        end = len(body) if end < 0 else end
        if end - mark < LONG_STRING_BYTES:
            pieces.append(body[position:mark])
            tokens += MEDIA_TOKENS
            position = end
        mark = body.find(_MARK, end)
    pieces.append(body[position:])
    return b"".join(pieces), tokens


def bound_input_tokens(body: bytes) -> int:
    """Upper estimate of the input tokens of a JSON request, from its bytes."""
    text, media = split_media(body)
    return bound_tokens(text) + media + MESSAGE_OVERHEAD_TOKENS


def likely_input_tokens(body: bytes) -> int:
    """Best guess of the input tokens of a JSON request, from its bytes."""
    text, media = split_media(body)
    return likely_tokens(text) + media
