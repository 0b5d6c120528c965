"""Counting and making text. One token is 4 bytes of UTF-8, rounded up per text (package docstring).

Every word of the vocabulary is exactly one token, and some hold characters of 2, 3 and 4 bytes, so that a
text of N tokens can be made to measure and a split stream really does split characters.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator

BYTES_PER_TOKEN = 4
TOKENS_PER_MESSAGE = 4
LABEL = "[simulated] "
"""Three tokens."""

_WORDS = (
    "air ant arc ash bay bee bow cat cup day dew dog ear egg elm eye fig fir fog fox gem hat hay hen hue ice "
    "ink ivy jam jar jay key kit law leg map may mud net nut oak oar owl pad pea pen pie ray red rim rye sea "
    "sky sow sun tea tin toy urn van wax web yew zoo "
)
VOCABULARY: tuple[str, ...] = (
    *(_WORDS[start : start + BYTES_PER_TOKEN] for start in range(0, len(_WORDS), BYTES_PER_TOKEN)),
    *(f"{character} " for character in "月山水火木金土日"),
    "né ",
    "où ",
    "🙂",
)


def count_tokens(text: str) -> int:
    """Tokens of one text; 0 for an empty one."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)


def make_text(seed: str, tokens: int) -> str:
    """A labelled text of exactly `tokens` tokens, the same for the same seed."""
    label_tokens = count_tokens(LABEL)
    if tokens <= label_tokens:
        return LABEL[: tokens * BYTES_PER_TOKEN]
    draw = random.Random(_digest(seed))  # noqa: S311
    return LABEL + "".join(draw.choices(VOCABULARY, k=tokens - label_tokens))


def usual_length(seed: str) -> int:
    """Tokens of an answer whose length nobody asked for: 16 to 31."""
    return 16 + _digest(seed) % 16


def cut_text(text: str, tokens: int) -> str:
    """The longest beginning of at most `tokens` tokens that does not break a character."""
    return text.encode()[: max(tokens, 0) * BYTES_PER_TOKEN].decode("utf-8", "ignore")


def fragments(text: str, tokens_per_fragment: int) -> Iterator[str]:
    """The text in pieces of about so many tokens (exactly, when it was made by `make_text`)."""
    data = text.encode()
    step = max(tokens_per_fragment, 1) * BYTES_PER_TOKEN
    start = 0
    while start < len(data):
        end = min(start + step, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end += 1
        yield data[start:end].decode()
        start = end


def _digest(seed: str) -> int:
    return int.from_bytes(hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()[:8], "big")
