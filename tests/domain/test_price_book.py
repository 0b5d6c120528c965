"""The shipped price book says what its source says, and never prices one model as another."""

import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import genai_prices
import msgspec
import pytest

from laidian.data import price_book_bytes
from laidian.domain.price import Price, Unpriced, price_usage
from laidian.domain.price_book import (
    PROVIDER_ORDER,
    VENDORS,
    BookEntry,
    BookFile,
    BookRate,
    PriceBook,
    parse_book,
)
from laidian.domain.usage import Usage

ROOT = Path(__file__).parents[2]
USD = 1_000_000_000


def at(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1000


NOW_MS = at("2026-11-20")


@pytest.fixture(scope="module")
def book() -> PriceBook:
    return parse_book(price_book_bytes())


def found(book: PriceBook, model: str, at_ms: int = NOW_MS) -> Price:
    price = book.find(model, at_ms)
    assert price is not None, f"{model} has no price"
    return price


def usd_per_million(price: Price, tier: str = "default", above: int = 0) -> dict[str, Decimal]:
    return {
        rate.unit: Decimal(rate.nano_per_million) / USD
        for rate in price.rates
        if (rate.service_tier, rate.above_input_tokens) == (tier, above)
    }


def test_the_book_names_its_source_date_and_licence() -> None:
    book = msgspec.json.decode(price_book_bytes(), type=BookFile)
    assert book.source == "genai-prices 0.2.3"
    assert date.fromisoformat(book.source_date) == date(2026, 11, 10)
    assert book.notice.startswith("The MIT License (MIT)")
    assert "Copyright (c) Pydantic Services Inc." in book.notice


def test_the_book_is_what_the_script_writes() -> None:
    script = [sys.executable, str(ROOT / "scripts" / "update_prices.py"), "--check"]
    run = subprocess.run(script, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout == ""


def test_every_entry_becomes_a_price_that_its_own_id_finds(book: PriceBook) -> None:
    versions: set[str] = set()
    for entry in book.entries:
        price = book.find(entry.model, entry.effective_from_ms, provider=entry.provider)
        assert price is not None
        assert price.version not in versions
        versions.add(price.version)
        assert price.effective_from_ms == entry.effective_from_ms
        assert any(rate.service_tier == "default" for rate in price.rates)
        assert (price.source, price.source_date) == ("genai-prices 0.2.3", "2026-11-10")


def test_every_provider_of_the_order_is_in_the_book_and_every_vendor_is_one(book: PriceBook) -> None:
    assert {entry.provider for entry in book.entries} == set(PROVIDER_ORDER)
    assert set(VENDORS.values()) <= set(PROVIDER_ORDER)


def test_gpt_5_4_costs_more_above_272_000_input_tokens(book: PriceBook) -> None:
    price = found(book, "gpt-5.4")
    assert usd_per_million(price) == {
        "input": Decimal("2.5"),
        "cached_input": Decimal("0.25"),
        "output": Decimal(15),
        "web_searches": Decimal(10_000),
    }
    assert usd_per_million(price, above=272_000) == {
        "input": Decimal(5),
        "cached_input": Decimal("0.5"),
        "output": Decimal("22.5"),
    }
    assert usd_per_million(price, "priority")["output"] == Decimal(30)
    assert usd_per_million(price, "flex")["output"] == Decimal("7.5")
    assert price.context_tokens == 1_050_000
    assert price.max_output_tokens is None


def test_gemini_3_pro_costs_more_above_200_000_input_tokens(book: PriceBook) -> None:
    price = found(book, "gemini-3-pro-preview")
    cheap = price_usage(price, Usage(input=200_000, output=1_000))
    dear = price_usage(price, Usage(input=200_001, output=1_000))
    assert [line.nano_per_million for line in cheap.lines] == [2 * USD, 12 * USD]
    assert [line.nano_per_million for line in dear.lines] == [4 * USD, 18 * USD]


def test_gpt_image_2_sells_text_images_and_pictures_at_three_rates(book: PriceBook) -> None:
    price = found(book, "gpt-image-2")
    receipt = price_usage(price, Usage(input=1_000_000, image_input=1_000_000, image_output=1_000_000))
    assert [line.amount_nano for line in receipt.lines] == [5 * USD, 8 * USD, 30 * USD]
    assert receipt.note == ""
    with pytest.raises(Unpriced, match="images"):
        price_usage(price, Usage(images=1))


def test_a_claude_model_has_rates_for_reading_and_writing_the_cache(book: PriceBook) -> None:
    rates = usd_per_million(found(book, "claude-opus-4-5-20251101"))
    assert rates == {
        "input": Decimal(5),
        "cached_input": Decimal("0.5"),
        "cache_write": Decimal("6.25"),
        "cache_write_1h": Decimal(10),
        "output": Decimal(25),
        "web_searches": Decimal(10_000),
    }


def test_an_embedding_model_has_only_input(book: PriceBook) -> None:
    assert usd_per_million(found(book, "text-embedding-3-small")) == {"input": Decimal("0.02")}
    with pytest.raises(Unpriced, match="output"):
        price_usage(found(book, "text-embedding-3-small"), Usage(input=1, output=1))


def test_audio_is_sold_by_the_second_and_speech_by_the_character(book: PriceBook) -> None:
    assert price_usage(found(book, "whisper-1"), Usage(seconds=3_600)).amount_nano == 360_000_000
    assert price_usage(found(book, "tts-1"), Usage(characters=1_000)).amount_nano == 15_000_000


def test_a_dated_change_of_price_holds_from_its_day_on(book: PriceBook) -> None:
    last = found(book, "gemini-4-argon", at("2026-12-01") - 1)
    first = found(book, "gemini-4-argon", at("2026-12-01"))
    assert (usd_per_million(last)["input"], usd_per_million(first)["input"]) == (Decimal(2), Decimal(4))
    assert first.effective_from_ms == at("2026-12-01")
    assert last.version != first.version


def test_peak_hours_count_all_day_where_the_price_depends_on_the_hour(book: PriceBook) -> None:
    assert usd_per_million(found(book, "deepseek-v4-pro"))["output"] == Decimal("3.96")
    assert "dearest rate" in next(entry.note for entry in book.entries if entry.model == "deepseek-v4-pro")


def test_free_models_have_a_rate_of_zero_and_unknown_prices_are_left_out(book: PriceBook) -> None:
    free = {entry.model for entry in book.entries if all(rate.nano_per_million == 0 for rate in entry.rates)}
    others = {model for model in free if not model.endswith(":free")}
    assert others == {"moderation", "gemma-4-26b-a4b-it", "gemma-4-31b-it"}


@pytest.mark.parametrize(
    "model",
    [
        "gemma-3-1b-it",  # no price in the source, and nothing that says free
        "google/lyria-3-pro-preview",
        "stealth/crouton-alpha",
        "mistral-ocr-latest",  # sold by the page, which is not metered
        "gemini-omni-flash-preview",  # video output is dearer than its text and is not metered
        "sonar-pro",  # a fee per request on top
    ],
)
def test_a_model_that_cannot_be_priced_fully_has_no_price(book: PriceBook, model: str) -> None:
    assert book.find(model, NOW_MS) is None


@pytest.mark.parametrize(
    ("model", "provider", "filed_as"),
    [
        ("gpt-5.4", "openai", "gpt-5.4"),
        ("GPT-5.4", "openai", "gpt-5.4"),
        ("gpt-5.4-2026-03-05", "openai", "gpt-5.4"),
        ("gpt-5.4-mini", "openai", "gpt-5.4-mini"),
        ("gpt-5.6-sol-2026-12-24", "openai", "gpt-5.6-sol"),
        ("gpt-image-2-2026-04-21", "openai", "gpt-image-2"),
        ("omni-moderation-latest", "openai", "moderation"),
        ("ft:gpt-4o-mini-2024-07-18:acme::abc", "openai", "ft:gpt-4o-mini"),
        ("ft:gpt-4o-2024-08-06:acme::abc", "openai", "ft:gpt-4o"),
        ("gemini-2.5-pro-preview-06-05", "google", "gemini-2.5-pro"),
        ("gemini-2.5-pro-preview-tts", "google", "gemini-2.5-pro-tts"),
        ("gemini-2.0-flash-001", "google", "gemini-2.0-flash"),
        ("gemini-2.0-flash-lite-001", "google", "gemini-2.0-flash-lite"),
        ("models/gemini-2.5-flash", "google", "gemini-2.5-flash"),
        ("claude-opus-4-1-20250805", "anthropic", "claude-opus-4-1"),
        ("claude-sonnet-4-20250514", "anthropic", "claude-sonnet-4-0"),
        ("claude-opus-4-1@20250805", "anthropic", "claude-opus-4-1"),
        ("mistralai/mistral-large-4", "mistral", "mistral-large-4"),
        ("openai/gpt-5.4", "openrouter", "openai/gpt-5.4"),
        ("openai/text-embedding-3-small", "openai", "text-embedding-3-small"),
        ("deepseek-r1-distill-llama-70b", "groq", "deepseek-r1-distill-llama-70b"),
        ("qwen/qwen3-coder", "openrouter", "qwen/qwen3-coder"),
    ],
)
def test_a_name_finds_the_model_it_means(book: PriceBook, model: str, provider: str, filed_as: str) -> None:
    price = found(book, model)
    assert (price.version.split("/")[1], price.model) == (provider, filed_as)


@pytest.mark.parametrize(
    "model",
    [
        "",
        "gpt-5.4-turbo",
        "gpt-5.4-2026-03-05-mini",
        "gpt-5.4-9999",
        "gemini-2.5-pro-image",
        "claude-opus-4-1-mini",
        "acme/gpt-5.4",
        "openai/claude-opus-4-5-20251101",
        "ft:gpt-4o-2024-",
        "####",
        "claude-opus-4-1-########",
    ],
)
def test_a_name_is_never_guessed(book: PriceBook, model: str) -> None:
    assert book.find(model, NOW_MS) is None


def test_no_alias_or_pattern_of_a_provider_leads_to_two_models(book: PriceBook) -> None:
    owner: dict[tuple[str, str], str] = {}
    for entry in book.entries:
        for name in (entry.model, *entry.aliases, *entry.patterns):
            assert owner.setdefault((entry.provider, name.lower()), entry.model) == entry.model


SOURCE_USAGES = [
    (Usage(input=1_000, output=500), {"input_tokens": 1_000, "output_tokens": 500}),
    (
        Usage(input=150_000, cached_input=123_001, output=4_321, reasoning=1_000),
        {
            "input_tokens": 273_001,
            "cache_read_tokens": 123_001,
            "output_tokens": 5_321,
            "output_reasoning_tokens": 1_000,
        },
    ),
    (
        Usage(input=100, cached_input=50, cache_write=77, cache_write_1h=33, output=9),
        {
            "input_tokens": 260,
            "cache_read_tokens": 50,
            "cache_write_tokens": 110,
            "cache_write_1h_tokens": 33,
            "output_tokens": 9,
        },
    ),
]
SOURCE_MODELS = [
    ("openai", "gpt-5.4"),
    ("openai", "gpt-5.4-mini-2026-03-17"),
    ("openai", "gpt-5.5"),
    ("openai", "gpt-5.6-sol"),
    ("openai", "gpt-6.1-terra"),
    ("openai", "o3"),
    ("google", "gemini-3-pro-preview"),
    ("google", "gemini-2.5-pro"),
    ("google", "gemini-4-argon"),
    ("anthropic", "claude-sonnet-4-5-20250929"),
    ("anthropic", "claude-haiku-5-5"),
    ("anthropic", "claude-fable-5-2"),
    ("x-ai", "grok-4.7"),
    ("moonshotai", "kimi-k3"),
    ("mistral", "mistral-large-4"),
    ("minimax", "MiniMax-M3"),
    ("openrouter", "anthropic/claude-haiku-4.5"),
]
CONTEXTS = [
    ("default", None),
    ("flex", {"service_tier": "flex"}),
    ("priority", {"service_tier": "priority"}),
    ("batch", {"processing": "batch"}),
    ("fast", {"speed": "fast", "service_tier": "fast"}),
]


@pytest.mark.parametrize(("provider", "model"), SOURCE_MODELS)
@pytest.mark.parametrize("day", ["2026-01-10", "2026-11-20", "2027-02-01"])
def test_amounts_equal_those_of_the_source(book: PriceBook, provider: str, model: str, day: str) -> None:
    price = book.find(model, at(day), provider=provider)
    assert price is not None
    for usage, source_usage in SOURCE_USAGES:
        for tier, context in CONTEXTS:
            receipt = price_usage(price, usage, service_tier=tier)
            expected = genai_prices.calc_price(
                genai_prices.Usage(**source_usage),
                model,
                provider_id=provider,
                genai_request_timestamp=datetime.fromisoformat(day).replace(tzinfo=UTC),
                price_context=context,
            )
            difference_nano = abs(receipt.amount_nano - expected.total_price * USD)
            assert difference_nano <= Decimal(len(receipt.lines)) / 2, (usage, tier, receipt)


def test_media_tokens_cost_what_the_source_says(book: PriceBook) -> None:
    expected = genai_prices.calc_price(
        genai_prices.Usage(
            input_tokens=1_500,
            input_audio_tokens=900,
            cache_read_tokens=300,
            cache_audio_read_tokens=200,
            output_tokens=700,
        ),
        "gemini-2.5-flash",
        provider_id="google",
        genai_request_timestamp=datetime(2026, 11, 20, tzinfo=UTC),
    )
    usage = Usage(input=500, cached_input=100, audio_input=700, cached_audio_input=200, output=700)
    receipt = price_usage(found(book, "gemini-2.5-flash"), usage)
    assert abs(receipt.amount_nano - expected.total_price * USD) <= 3


def test_an_exact_id_beats_an_alias_and_an_alias_a_pattern() -> None:
    def entry(
        provider: str, model: str, usd: int, aliases: tuple[str, ...] = (), patterns: tuple[str, ...] = ()
    ) -> BookEntry:
        return BookEntry(provider, model, (BookRate("input", usd * USD),), aliases, patterns)

    shelf = PriceBook(
        BookFile(
            "test 1",
            "2026-11-10",
            "",
            "",
            (
                entry("openai", "a", 1, aliases=("b",), patterns=("x-##",)),
                entry("groq", "b", 2, aliases=("x-10",)),
                entry("groq", "c", 3, aliases=("x-20",)),
                entry("openrouter", "x-30", 4),
                entry("openrouter", "only-there", 5),
            ),
        )
    )
    names = {
        "a": "a",
        "b": "b",
        "x-10": "b",
        "x-20": "c",
        "x-30": "a",
        "x-11": "a",
        "only-there": "only-there",
    }
    for name, model in names.items():
        assert found(shelf, name).model == model
    assert shelf.find("x-1", NOW_MS) is None
    assert shelf.find("yx-11", NOW_MS) is None
    assert shelf.find("b", NOW_MS, provider="openai") is found(shelf, "a")
    assert shelf.find("a", NOW_MS, provider="nobody") is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "cannot be read"),
        (b"[]", "cannot be read"),
        (
            b'{"source":"s","source_date":"d","source_url":"","notice":"","entries":[{"provider":"openai"}]}',
            "model",
        ),
        (
            b'{"source":"s","source_date":"d","source_url":"","notice":"",'
            b'"entries":[{"provider":"acme","model":"m","rates":[["input",1]]}]}',
            "acme",
        ),
    ],
)
def test_data_that_is_no_price_book_is_refused_with_a_sentence(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_book(data)
