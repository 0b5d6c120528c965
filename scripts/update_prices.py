"""Write `laidian/data/prices.json` from the installed genai-prices, a development dependency.

    python scripts/update_prices.py           write the file
    python scripts/update_prices.py --check   exit 1 when the file is not what would be written

What changed goes to stderr. The run fails rather than guess: on a release without a known date, on a price that is no
whole number of nano-dollars per million, on a condition it does not understand.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import ROUND_CEILING, Decimal
from importlib.metadata import distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import msgspec  # noqa: E402
from genai_prices import types as source  # noqa: E402
from genai_prices.data import providers as source_providers  # noqa: E402

from laidian.domain.price import DEFAULT_TIER  # noqa: E402
from laidian.domain.price_book import (  # noqa: E402
    PROVIDER_ORDER,
    BookEntry,
    BookFile,
    BookRate,
    parse_book,
)
from laidian.domain.usage import UNITS  # noqa: E402

BOOK = ROOT / "laidian" / "data" / "prices.json"
SOURCE = "genai-prices"
SOURCE_URL = "https://github.com/pydantic/genai-prices"

RELEASED = {"0.2.3": "2026-11-10"}
"""Day each release was published, as its package index lists it; the package itself does not carry it."""

HOUR = Decimal(3600)
THOUSAND = Decimal(1000)
MILLION = Decimal(1_000_000)

UNIT_OF_KEY = {
    "input_mtok": ("input", MILLION),
    "cache_read_mtok": ("cached_input", MILLION),
    "cache_write_mtok": ("cache_write", MILLION),
    "cache_write_1h_mtok": ("cache_write_1h", MILLION),
    "input_image_mtok": ("image_input", MILLION),
    "cache_image_read_mtok": ("cached_image_input", MILLION),
    "input_audio_mtok": ("audio_input", MILLION),
    "cache_audio_read_mtok": ("cached_audio_input", MILLION),
    "output_mtok": ("output", MILLION),
    "output_reasoning_mtok": ("reasoning", MILLION),
    "output_image_mtok": ("image_output", MILLION),
    "output_audio_mtok": ("audio_output", MILLION),
    "audio_hours": ("seconds", HOUR),
    "input_mchars": ("characters", MILLION),
    "web_searches_kcount": ("web_searches", THOUSAND),
}
"""Our unit for the source's price key, and how many of it the source's price buys."""

SAME_AS = {"input_audio_hours": "audio_hours"}
"""Keys that repeat another one; the run fails when they differ."""

NOTED_KEYS = {
    "storage_searches_kcount": "file searches are not metered",
    "input_video_mtok": "video input is billed as input",
}
"""Keys without a unit of ours that an ordinary request does not meet: the model stays, with a note."""

REFUSED_KEYS = {
    "requests_kcount",
    "output_video_mtok",
    "output_citation_mtok",
    "input_document_kpages",
    "input_annotated_document_kpages",
    "input_text_messages_kcount",
}
"""Keys without a unit of ours that every request meets: the model is left out, since its other rates would undercharge."""

ROUNDED_KEYS = {("openrouter", "cache_write_mtok")}
"""(provider, key) whose prices the source has as cut-off thirds (0.0833333333333333): rounded up to the next nano-dollar."""

TIME_NOTE = "cheaper hours of the day are not modelled: the dearest rate counts"

ENDINGS = {
    "openai": (
        "",
        "-latest",
        "-preview",
        "-####-##-##",
        "-preview-####-##-##",
        "-####",
    ),
    "google": (
        *("", "-latest", "-preview", "-exp", "-###", "-##-####"),
        *("-preview-##-##", "-preview-##-####", "-exp-####", "-exp-##-##"),
    ),
    "anthropic": ("", "-latest", "-########", "@########"),
}
OTHER_ENDINGS = (
    "",
    "-latest",
    "-preview",
    "-####",
    "-########",
    "-####-##-##",
    "-##-##",
)
"""How providers name the versions of a model. A prefix of the source becomes these; any other rest could be another model."""

MODERATION_IDS = (
    *("omni-moderation-latest", "omni-moderation-2024-09-26"),
    *("text-moderation-latest", "text-moderation-stable", "text-moderation-007"),
)
"""The ids of OpenAI's moderation models; the source matches anything that has the word in it."""

SAMPLES = {
    "########": "20260102",
    "####-##-##": "2026-01-02",
    "##-####": "01-2026",
    "##-##": "01-02",
}

Steps = dict[int, int]
"""Nano-USD per million of a unit by prompt length above which it holds."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the shipped price book from genai-prices.")
    parser.add_argument(
        "--check",
        action="store_true",
        help="exit 1 when the file is out of date; write nothing",
    )
    options = parser.parse_args()
    book = build_book()
    data = encode_book(book)
    parse_book(data)
    old = BOOK.read_bytes() if BOOK.exists() else b""
    for line in changes(old, book):
        print(line, file=sys.stderr)
    print(
        f"{len(book.entries)} entries of {book.source}, {len(data)} bytes",
        file=sys.stderr,
    )
    if options.check:
        if old != data:
            print(
                f"{BOOK.name} is not what this script writes; run scripts/update_prices.py.",
                file=sys.stderr,
            )
        return int(old != data)
    BOOK.write_bytes(data)
    return 0


def build_book() -> BookFile:
    """The whole book. Raises SystemExit with a sentence when the source holds something not understood."""
    package = distribution(SOURCE)
    if package.version not in RELEASED:
        raise SystemExit(f"{SOURCE} {package.version} has no date in RELEASED; add the day it was published.")
    by_id = {provider.id: provider for provider in source_providers}
    entries = [
        entry
        for provider_id in PROVIDER_ORDER
        for model in sorted(by_id[provider_id].models, key=lambda model: model.id)
        for entry in model_entries(by_id[provider_id], model)
    ]
    licence = next(file for file in package.files or () if file.name == "LICENSE")
    return BookFile(
        source=f"{SOURCE} {package.version}",
        source_date=RELEASED[package.version],
        source_url=SOURCE_URL,
        notice=str(licence.read_text()).strip(),
        entries=tuple(entries),
    )


def encode_book(book: BookFile) -> bytes:
    """JSON with one entry per line, so that a change of price is a change of one line."""
    head = msgspec.json.encode(msgspec.structs.replace(book, entries=())).removesuffix(b"[]}")
    lines = b",\n".join(msgspec.json.encode(entry) for entry in book.entries)
    return head + b"[\n" + lines + b"\n]}\n"


def model_entries(provider: source.Provider, model: source.ModelInfo) -> Iterator[BookEntry]:
    """The entries of one model, oldest first; none when its price cannot be carried over."""
    if provider.id == "google" and model.id.startswith("claude"):
        return  # Vertex resells them; a bare name means the maker.
    keys = {key for prices in all_prices(model) for key in prices.__dict__}
    if keys & REFUSED_KEYS:
        return
    if unknown := keys - REFUSED_KEYS - UNIT_OF_KEY.keys() - SAME_AS.keys() - NOTED_KEYS.keys():
        raise SystemExit(f"{provider.id} {model.id}: unknown price keys {', '.join(sorted(unknown))}.")
    aliases, patterns = names(provider, model)
    notes = [NOTED_KEYS[key] for key in sorted(keys & NOTED_KEYS.keys())]
    if has_hours(model):
        notes.append(TIME_NOTE)
    before: tuple[BookRate, ...] = ()
    for day in start_days(model):
        rates = rates_on(provider, model, day)
        if rates and rates != before:
            yield BookEntry(
                provider=provider.id,
                model=model.id,
                rates=rates,
                aliases=aliases,
                patterns=patterns,
                effective_from="" if day == date.min else day.isoformat(),
                context_tokens=model.context_window,
                note="; ".join(notes),
            )
        before = rates


def all_prices(model: source.ModelInfo) -> Iterator[source.ModelPrice]:
    yield from (conditional.prices for conditional in conditionals(model))
    yield from (variant.prices for variant in model.price_variants or ())


def conditionals(model: source.ModelInfo) -> list[source.ConditionalPrice]:
    if isinstance(model.prices, source.ModelPrice):
        return [source.ConditionalPrice(prices=model.prices)]
    return model.prices


def has_hours(model: source.ModelInfo) -> bool:
    return any(isinstance(c.constraint, source.TimeOfDateConstraint) for c in conditionals(model))


def start_days(model: source.ModelInfo) -> list[date]:
    """The days on which some rate of the model may change, oldest first."""
    limits = [c.constraint for c in (*conditionals(model), *(model.price_variants or ()))]
    return sorted({date.min} | {c.start_date for c in limits if isinstance(c, source.StartDateConstraint)})


def rates_on(provider: source.Provider, model: source.ModelInfo, day: date) -> tuple[BookRate, ...]:
    """All rates that hold on a day, tier by tier in the order of the units."""
    tiers = {DEFAULT_TIER: standard_steps(provider, model, day)}
    if not tiers[DEFAULT_TIER]:
        return ()
    for variant in model.price_variants or ():
        tier = variant_tier(provider, model, variant)
        if tier == "" or not started(variant.constraint, day):
            continue
        steps = steps_of(provider, model, variant.prices)
        if not steps and tier != DEFAULT_TIER:
            steps = {"input": tiers[DEFAULT_TIER]["input"]}  # Published at the standard rates.
        for unit, by_start in steps.items():
            tiers.setdefault(tier, {}).setdefault(unit, by_start)
    return tuple(
        BookRate(unit, nano, tier, start)
        for tier in sorted(tiers, key=lambda tier: (tier != DEFAULT_TIER, tier))
        for unit in UNITS
        for start, nano in sorted(tiers[tier].get(unit, {}).items())
    )


def standard_steps(provider: source.Provider, model: source.ModelInfo, day: date) -> dict[str, Steps]:
    options = conditionals(model)
    plain = [c for c in options if started(c.constraint, day)]
    chosen = (plain or options[:1])[-1].prices
    steps = steps_of(provider, model, chosen)
    for option in options:
        if isinstance(option.constraint, source.TimeOfDateConstraint):
            for unit, by_start in steps_of(provider, model, option.prices).items():
                if by_start.keys() != steps.get(unit, by_start).keys():
                    raise SystemExit(f"{provider.id} {model.id}: {unit} has different tiers by the hour.")
                old = steps.get(unit, by_start)
                steps[unit] = {start: max(nano, old[start]) for start, nano in by_start.items()}
    return steps or free_steps(provider, model)


def free_steps(provider: source.Provider, model: source.ModelInfo) -> dict[str, Steps]:
    """The source writes "free" and "unknown" alike, as no price at all; free is what it or the name says is free."""
    says_free = "Free of charge" in (model.price_comments or "") or model.id.endswith(":free")
    if says_free:
        return {"input": {0: 0}, "output": {0: 0}}
    if (provider.id, model.id) == ("openai", "moderation"):
        return {"input": {0: 0}}  # Not billed, says OpenAI's moderation guide; the source has an empty price.
    return {}


def started(constraint: object, day: date) -> bool:
    if constraint is None:
        return True
    return isinstance(constraint, source.StartDateConstraint) and constraint.start_date <= day


def variant_tier(provider: source.Provider, model: source.ModelInfo, variant: source.PriceVariant) -> str:
    """The service tier a variant stands for; "" when it stands for something a request of ours cannot ask."""
    match dict(variant.when):
        case {"service_tier": tier, **rest} if not rest:
            if tier == DEFAULT_TIER and variant.prices.__dict__:
                raise SystemExit(f"{provider.id} {model.id}: the default tier has prices of its own.")
            return tier
        case {"processing": "batch", **rest} if not rest:
            return "batch"
        case {"speed": "fast", **rest} if not rest:
            return "fast"
        case {"route": _} | {"search_type": _}:
            return ""
        case when:
            raise SystemExit(f"{provider.id} {model.id}: unknown price condition {when}.")


def steps_of(
    provider: source.Provider, model: source.ModelInfo, prices: source.ModelPrice
) -> dict[str, Steps]:
    values = {key: value for key, value in prices.__dict__.items() if value is not None}
    for key, same in SAME_AS.items():
        if key in values and values.pop(key) != values.get(same):
            raise SystemExit(f"{provider.id} {model.id}: {key} and {same} differ.")
    steps: dict[str, Steps] = {}
    for key, value in values.items():
        if key not in UNIT_OF_KEY:
            continue
        unit, amount = UNIT_OF_KEY[key]
        tiers = (
            {0: value}
            if isinstance(value, Decimal)
            else {0: value.base, **{t.start: t.price for t in value.tiers}}
        )
        steps[unit] = {
            start: nano_per_million(provider.id, model.id, key, usd, amount) for start, usd in tiers.items()
        }
    for unit in answer_units(model):
        if "output" in steps:
            steps.setdefault(unit, steps["output"])
    return steps


def answer_units(model: source.ModelInfo) -> tuple[str, ...]:
    """What models that answer in one modality sell at their output price."""
    if re.match(r"(gpt|chatgpt)-image-", model.id):
        return ("image_output",)
    return ("audio_output",) if re.search(r"-tts\b", model.id) else ()


def nano_per_million(provider: str, model: str, key: str, usd: Decimal, amount: Decimal) -> int:
    """USD for `amount` units as nano-USD for a million of them. Prices by the hour are rounded up: a million seconds are
    eleven days, so that a request never sees the difference."""
    nano = usd * 1_000_000_000 * MILLION / amount
    whole = nano.to_integral_value(ROUND_CEILING)
    if nano != whole and amount != HOUR and (provider, key) not in ROUNDED_KEYS:
        raise SystemExit(
            f"{provider} {model}: {key} {usd} USD is no whole number of nano-dollars per million."
        )
    return int(whole)


def names(provider: source.Provider, model: source.ModelInfo) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Aliases and patterns of a model: those the source itself leads to this model and no other."""
    found: dict[str, str] = {}
    extra = MODERATION_IDS if model.id == "moderation" else ()
    for candidate in (*candidates(provider.id, model.match), *extra):
        sample = sample_of(candidate)
        if sample and provider.find_model(sample) is model:
            found.setdefault(candidate.lower(), candidate)
    found.pop(model.id.lower(), None)
    written = sorted(found.values())
    return tuple(n for n in written if not is_pattern(n)), tuple(n for n in written if is_pattern(n))


def is_pattern(name: str) -> bool:
    return "#" in name or name.endswith("*")


def sample_of(candidate: str) -> str:
    """An id the candidate stands for."""
    for placeholder, digits in SAMPLES.items():
        candidate = candidate.replace(placeholder, digits)
    return candidate.replace("#", "1").replace("*", "x")


def candidates(provider: str, clause: object) -> Iterator[str]:
    """Ids and patterns a match clause may be meant for. Never wider than ids, "latest" names and dated snapshots."""
    match clause:
        case source.ClauseOr(or_=parts) | source.ClauseAnd(and_=parts):
            for part in parts:
                yield from candidates(provider, part)
        case source.ClauseEquals(equals=text) | source.ClauseEndsWith(ends_with=text):
            yield text
        case source.ClauseStartsWith(starts_with=text) | source.ClauseContains(contains=text):
            yield from prefix_candidates(provider, text)
        case source.ClauseRegex(regex=text):
            yield from regex_candidates(provider, text)
        case _:
            raise SystemExit(f"{provider}: unknown match clause {clause}.")


def prefix_candidates(provider: str, prefix: str) -> Iterator[str]:
    if prefix.startswith("ft:"):
        yield prefix + "*"
        return
    if re.search(r"-20\d\d$", prefix):
        yield from (prefix + rest for rest in ("####", "-##-##"))
        return
    if prefix.endswith("-0"):
        yield prefix + "##"
    base = prefix.rstrip("-@:")
    for ending in ENDINGS.get(provider, OTHER_ENDINGS):
        if not (re.match("-(preview|exp)", ending) and re.search("-(preview|exp)", base)):
            yield base + ending


def regex_candidates(provider: str, regex: str) -> Iterator[str]:
    if regex.startswith("^(?!"):
        return  # An exception to its neighbours in an "and": the source is asked about each candidate anyway.
    text = re.sub(r"\\d\{(\d)\}", lambda digits: "#" * int(digits[1]), regex.removeprefix("^"))
    text = text.replace("\\.", ".")
    if text.endswith("-\\d"):
        yield from prefix_candidates(provider, text.removesuffix("\\d"))
        return
    text = text.removesuffix("$")
    for spelled in (text.replace("[-@]", "-"), text.replace("[-@]", "@")):
        if re.fullmatch(r"[A-Za-z0-9._:@/#-]+", spelled):
            yield spelled


def changes(old: bytes, new: BookFile) -> Iterator[str]:
    """What a new book changes, a line each: + added, - removed, ~ other rates."""
    before = by_place(msgspec.json.decode(old, type=BookFile).entries) if old else {}
    after = by_place(new.entries)
    for place in sorted(before.keys() | after.keys()):
        label = " ".join(part for part in place if part)
        if place not in before:
            yield f"+ {label}"
        elif place not in after:
            yield f"- {label}"
        elif before[place].rates != after[place].rates:
            gone = set(before[place].rates) - set(after[place].rates)
            come = set(after[place].rates) - set(before[place].rates)
            yield f"~ {label}: {written(gone)} -> {written(come)}"


def by_place(entries: Iterable[BookEntry]) -> dict[tuple[str, str, str], BookEntry]:
    return {(entry.provider, entry.model, entry.effective_from): entry for entry in entries}


def written(rates: Iterable[BookRate]) -> str:
    return ", ".join(sorted(f"{r.service_tier} {r.unit} {r.nano_per_million}" for r in rates)) or "nothing"


if __name__ == "__main__":
    sys.exit(main())
