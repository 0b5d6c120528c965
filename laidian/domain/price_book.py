"""The shipped price book: which published price a model name means at a point in time.

Owns the shape of the book and the look-up by name. It reads no file (`laidian.data` does) and does not decide what is
charged: at run time the price table of the database rules, and the book only proposes. The rule a newcomer would break:
a name is never guessed. A price serves an id, its aliases and dated snapshots of them; `gpt-5.4` says nothing about
`gpt-5.4-mini`, and a model the book does not know has no price.
"""

import re
from datetime import UTC, datetime

import msgspec

from laidian.domain.price import DEFAULT_TIER, Price, Rate

PROVIDER_ORDER = (
    "openai",
    "google",
    "anthropic",
    "deepseek",
    "mistral",
    "x-ai",
    "moonshotai",
    "zai",
    "zhipuai",
    "minimax",
    "cohere",
    "voyageai",
    "meta",
    "perplexity",
    "groq",
    "openrouter",
)
"""Whose price a bare name means, first found first: those who make a model before those who host it."""

VENDORS = {
    "openai": "openai",
    "google": "google",
    "models": "google",
    "anthropic": "anthropic",
    "deepseek": "deepseek",
    "mistral": "mistral",
    "mistralai": "mistral",
    "x-ai": "x-ai",
    "xai": "x-ai",
    "moonshot": "moonshotai",
    "moonshotai": "moonshotai",
    "z-ai": "zai",
    "zai": "zai",
    "zhipu": "zhipuai",
    "zhipuai": "zhipuai",
    "minimax": "minimax",
    "cohere": "cohere",
    "voyage": "voyageai",
    "voyageai": "voyageai",
    "meta": "meta",
    "perplexity": "perplexity",
    "groq": "groq",
}
"""What stands before the slash in "vendor/model", and the provider it names. "models/" is Gemini's own way to write ids."""

_HUB = ("openrouter",)
_DIRECT = tuple(provider for provider in PROVIDER_ORDER if provider not in _HUB)

_DIGITS = re.compile(r"[0-9]")


class BookRate(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """A `Rate` as the book writes it, without the field names: [unit, nano per million, tier, above input tokens]."""

    unit: str
    nano_per_million: int
    service_tier: str = DEFAULT_TIER
    above_input_tokens: int = 0


class BookEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """The price of one model at one provider from one date on."""

    provider: str
    """One of `PROVIDER_ORDER`."""

    model: str
    """The id the source files it under."""

    rates: tuple[BookRate, ...]
    """Never empty; see `Rate` for units."""

    aliases: tuple[str, ...] = ()
    """Other ids of the same model, exact but for upper and lower case."""

    patterns: tuple[str, ...] = ()
    """Ids of its snapshots: "#" is one digit; a "*" at the end is any rest (fine-tunes only)."""

    effective_from: str = ""
    """First day it holds, UTC, YYYY-MM-DD; "": since ever, as far as the source knows."""

    context_tokens: int | None = None
    """Largest prompt plus answer; None: the source does not say."""

    max_output_tokens: int | None = None
    """Largest answer; None: the source does not say."""

    note: str = ""
    """What the rates leave out or simplify, for the operator."""

    @property
    def effective_from_ms(self) -> int:
        """The first moment it holds, in epoch milliseconds; 0: since ever."""
        if not self.effective_from:
            return 0
        return int(datetime.fromisoformat(self.effective_from).replace(tzinfo=UTC).timestamp()) * 1000


class BookFile(msgspec.Struct, frozen=True):
    """`prices.json` as a whole."""

    source: str
    """Name and version of the source."""

    source_date: str
    """Day that version was published, YYYY-MM-DD."""

    source_url: str
    notice: str
    """The source's licence, which must travel with the data."""

    entries: tuple[BookEntry, ...]
    """Entries of one model follow each other, oldest first."""


class PriceBook:
    """The book arranged for look-up by name."""

    def __init__(self, book: BookFile) -> None:
        self.source = book.source
        self.source_date = book.source_date
        self.entries = book.entries
        self._prices: dict[tuple[str, str, str], Price] = {}
        self._models: dict[str, dict[str, list[BookEntry]]] = {}
        self._aliases: dict[str, dict[str, str]] = {}
        self._patterns: dict[str, dict[str, str]] = {}
        self._prefixes: dict[str, dict[str, str]] = {}
        for entry in book.entries:
            self._add(entry)
        shapes = {
            pattern[_placeholder_start(pattern) :] for found in self._patterns.values() for pattern in found
        }
        self._shapes = tuple(sorted(shapes, key=lambda shape: (-len(shape), shape)))

    def find(self, model: str, at_ms: int, *, provider: str | None = None) -> Price | None:
        """The price of `model` at a moment (epoch milliseconds), or None when the book knows none.

        Upper and lower case do not matter. An exact id beats an alias, an alias a pattern, and at the same rank the
        provider earlier in `PROVIDER_ORDER` wins. OpenRouter, which repeats everybody's models, is asked last for a bare
        name and first for "vendor/model", before that vendor itself. `provider` looks nowhere else. A moment before the
        first entry gets the first entry.
        """
        name = model.lower()
        for providers in _search_groups(name, provider):
            if entry := self._entry(name, at_ms, providers):
                return self._price(entry)
        vendor, slash, rest = name.partition("/")
        if provider is None and slash and vendor in VENDORS:
            entry = self._entry(rest, at_ms, (VENDORS[vendor],))
            return None if entry is None else self._price(entry)
        return None

    def _entry(self, name: str, at_ms: int, providers: tuple[str, ...]) -> BookEntry | None:
        for rank in (self._by_id, self._by_alias, self._by_pattern):
            for provider in providers:
                key = rank(provider, name)
                if key is not None:
                    return _in_force(self._models[provider][key], at_ms)
        return None

    def _by_id(self, provider: str, name: str) -> str | None:
        return name if name in self._models.get(provider, {}) else None

    def _by_alias(self, provider: str, name: str) -> str | None:
        return self._aliases.get(provider, {}).get(name)

    def _by_pattern(self, provider: str, name: str) -> str | None:
        found = self._patterns.get(provider, {})
        for shape in () if "#" in name else self._shapes:
            tail = name[-len(shape) :]
            if _DIGITS.sub("#", tail) == shape and (key := found.get(name[: -len(shape)] + shape)):
                return key
        prefixes = self._prefixes.get(provider, {})
        matching = [prefix for prefix in prefixes if name.startswith(prefix) and len(name) > len(prefix)]
        return prefixes[max(matching, key=len)] if matching else None

    def _add(self, entry: BookEntry) -> None:
        key = entry.model.lower()
        self._models.setdefault(entry.provider, {}).setdefault(key, []).append(entry)
        for alias in entry.aliases:
            self._aliases.setdefault(entry.provider, {})[alias.lower()] = key
        for pattern in entry.patterns:
            if pattern.endswith("*"):
                self._prefixes.setdefault(entry.provider, {})[pattern[:-1].lower()] = key
            else:
                self._patterns.setdefault(entry.provider, {})[pattern.lower()] = key

    def _price(self, entry: BookEntry) -> Price:
        """One `Price` per entry, always the same object: it keeps its look-up tables."""
        key = (entry.provider, entry.model, entry.effective_from)
        price = self._prices.get(key)
        if price is None:
            price = self._prices[key] = _price_of(entry, self.source, self.source_date)
        return price


def parse_book(data: bytes) -> PriceBook:
    """Read `prices.json`. Raises ValueError, a sentence with the place, when the data is not a price book."""
    try:
        book = msgspec.json.decode(data, type=BookFile)
    except msgspec.DecodeError as error:
        raise ValueError(
            f"The price book cannot be read: {error}. Reinstall, or run scripts/update_prices.py."
        ) from None
    for entry in book.entries:
        if entry.provider not in PROVIDER_ORDER:
            raise ValueError(f'The price book has a model of an unknown provider "{entry.provider}".')
    return PriceBook(book)


def _price_of(entry: BookEntry, source: str, source_date: str) -> Price:
    version = f"{source.replace(' ', '-')}/{entry.provider}/{entry.model}"
    return Price(
        model=entry.model,
        effective_from_ms=entry.effective_from_ms,
        source=source,
        source_date=source_date,
        version=f"{version}/{entry.effective_from}" if entry.effective_from else version,
        rates=tuple(
            Rate(
                rate.unit,
                rate.nano_per_million,
                rate.service_tier,
                rate.above_input_tokens,
            )
            for rate in entry.rates
        ),
        context_tokens=entry.context_tokens,
        max_output_tokens=entry.max_output_tokens,
    )


def _search_groups(name: str, provider: str | None) -> tuple[tuple[str, ...], ...]:
    """The providers to ask, best group first; a match of any rank in one group beats the next group."""
    if provider is not None:
        return ((provider,),)
    return (_HUB, _DIRECT) if "/" in name else (_DIRECT, _HUB)


def _in_force(entries: list[BookEntry], at_ms: int) -> BookEntry:
    started = [entry for entry in entries if entry.effective_from_ms <= at_ms]
    return started[-1] if started else entries[0]


def _placeholder_start(pattern: str) -> int:
    """Where the snapshot's suffix begins: at the first "#"."""
    start = pattern.find("#")
    return len(pattern) if start < 0 else start
