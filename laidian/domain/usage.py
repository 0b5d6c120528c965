"""What one request used, in classes that do not overlap.

Owns the list of units and nothing about money or wire formats: a dialect fills in a `Usage`, `price.py` prices it.
The rule a newcomer would break: the classes are disjoint. OpenAI's `prompt_tokens` include the cached ones and
`completion_tokens` the reasoning ones; whoever reads them subtracts, so that every token is in exactly one class.
"""

from collections.abc import Iterator

import msgspec

INPUT_UNITS = (
    "input",
    "cached_input",
    "cache_write",
    "cache_write_1h",
    "image_input",
    "cached_image_input",
    "audio_input",
    "cached_audio_input",
)
"""Token classes of the prompt; together they decide the long-context tier."""

OUTPUT_UNITS = ("output", "reasoning", "image_output", "audio_output")
"""Token classes of the answer."""

UNITS = (*INPUT_UNITS, *OUTPUT_UNITS, "images", "seconds", "characters", "web_searches")
"""Every class, in the order a receipt lists them and in the order of the fields of `Usage`."""


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Quantities of one request, each an int >= 0; a negative one raises ValueError."""

    input: int = 0
    """Prompt tokens that are in no other class."""

    cached_input: int = 0
    """Prompt tokens read from the provider's cache."""

    cache_write: int = 0
    """Prompt tokens written to the cache with the short lifetime (Anthropic 5 minutes, OpenAI 30 minutes)."""

    cache_write_1h: int = 0
    """Prompt tokens written to the cache with the long lifetime (Anthropic 1 hour, OpenAI 12 hours)."""

    image_input: int = 0
    """Image tokens of the prompt, not from the cache."""

    cached_image_input: int = 0
    """Image tokens of the prompt read from the cache."""

    audio_input: int = 0
    """Audio tokens of the prompt, not from the cache."""

    cached_audio_input: int = 0
    """Audio tokens of the prompt read from the cache."""

    output: int = 0
    """Answer tokens that are in no other class."""

    reasoning: int = 0
    """Answer tokens the model spent on thinking."""

    image_output: int = 0
    """Image tokens of the answer."""

    audio_output: int = 0
    """Audio tokens of the answer."""

    images: int = 0
    """Images sold by the piece."""

    seconds: int = 0
    """Seconds of audio sold by time, begun seconds counted whole."""

    characters: int = 0
    """Characters of text to speech sold by the character."""

    web_searches: int = 0
    """Searches the provider made on the web for this request."""

    def __post_init__(self) -> None:
        quantities = msgspec.structs.astuple(self)
        if min(quantities) < 0:
            negative = ", ".join(f"{unit} {n}" for unit, n in zip(UNITS, quantities, strict=True) if n < 0)
            raise ValueError(f"A usage cannot be negative, but this one has {negative}.")

    @property
    def total_input_tokens(self) -> int:
        """Tokens of the prompt in every class, cached ones included."""
        return sum(msgspec.structs.astuple(self)[: len(INPUT_UNITS)])

    @property
    def total_output_tokens(self) -> int:
        """Tokens of the answer in every class, reasoning included."""
        return sum(msgspec.structs.astuple(self)[len(INPUT_UNITS) : len(INPUT_UNITS) + len(OUTPUT_UNITS)])

    def quantities(self) -> Iterator[tuple[str, int]]:
        """The classes that were used, as (unit, quantity > 0), in the order of a receipt."""
        for unit, quantity in zip(UNITS, msgspec.structs.astuple(self), strict=True):
            if quantity:
                yield unit, quantity
