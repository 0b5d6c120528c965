"""A usage is priced line by line, never free by mistake and never above its upper bound."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laidian.domain.money import PPM
from laidian.domain.price import Price, Rate, Unpriced, price_usage, upper_bound
from laidian.domain.usage import INPUT_UNITS, OUTPUT_UNITS, UNITS, Usage

USD = 1_000_000_000
"""One USD per million, as a rate."""

TOKEN_UNITS = (*INPUT_UNITS, *OUTPUT_UNITS)


def price_of(*rates: Rate) -> Price:
    return Price(
        model="some-model",
        effective_from_ms=0,
        source="test",
        source_date="2026-11-10",
        version="test/some-model",
        rates=rates,
        context_tokens=None,
        max_output_tokens=None,
    )


def rate(unit: str, usd: float, tier: str = "default", above: int = 0) -> Rate:
    return Rate(unit, int(usd * USD), tier, above)


CHAT = price_of(
    rate("input", 2.5),
    rate("input", 5, above=272_000),
    rate("cached_input", 0.25),
    rate("cached_input", 0.5, above=272_000),
    rate("output", 15),
    rate("output", 22.5, above=272_000),
    rate("input", 1.25, "flex"),
    rate("output", 7.5, "flex"),
    rate("input", 5, "priority"),
    rate("output", 30, "priority"),
)


def test_the_units_are_the_fields_of_a_usage_in_order() -> None:
    assert Usage.__struct_fields__ == UNITS


def test_a_usage_counts_its_tokens_by_side() -> None:
    usage = Usage(**dict.fromkeys(UNITS, 1))
    assert usage.total_input_tokens == len(INPUT_UNITS)
    assert usage.total_output_tokens == len(OUTPUT_UNITS)
    assert list(Usage(output=3, input=2).quantities()) == [("input", 2), ("output", 3)]


def test_a_negative_usage_is_refused() -> None:
    with pytest.raises(ValueError, match="output -1"):
        Usage(input=1, output=-1)
    with pytest.raises(msgspec.ValidationError, match="negative"):
        msgspec.json.decode(b'{"input":-5}', type=Usage)


def test_each_class_is_a_line_at_its_own_rate() -> None:
    receipt = price_usage(CHAT, Usage(input=1_000, cached_input=500, output=300, reasoning=200))
    assert [
        (line.unit, line.quantity, line.nano_per_million, line.amount_nano) for line in receipt.lines
    ] == [
        ("input", 1_000, 2_500_000_000, 2_500_000),
        ("cached_input", 500, 250_000_000, 125_000),
        ("output", 300, 15_000_000_000, 4_500_000),
        ("reasoning", 200, 15_000_000_000, 3_000_000),
    ]
    assert receipt.amount_nano == 10_125_000
    assert (receipt.service_tier, receipt.note) == ("default", "")


def test_an_empty_usage_costs_nothing_and_has_no_lines() -> None:
    receipt = price_usage(CHAT, Usage())
    assert (receipt.lines, receipt.amount_nano) == ((), 0)


@pytest.mark.parametrize(
    ("nano_per_million", "multiplier_ppm", "amount_nano"),
    [
        (499_999, PPM, 0),
        (500_000, PPM, 1),
        (1_499_999, PPM, 1),
        (1_500_000, PPM, 2),
        (1_000_000, 1_499_999, 1),
        (1_000_000, 1_500_000, 2),
        (
            400_000,
            1_250_000,
            1,
        ),  # 0.4 -> 0.5 by the multiplier, then one rounding; two roundings would give 0.
        (1_000_000, 0, 0),
    ],
)
def test_a_line_is_rounded_once_and_half_up(
    nano_per_million: int, multiplier_ppm: int, amount_nano: int
) -> None:
    price = price_of(Rate("input", nano_per_million))
    assert price_usage(price, Usage(input=1), multiplier_ppm=multiplier_ppm).amount_nano == amount_nano


def test_the_long_context_tier_holds_for_the_whole_request_strictly_above_its_start() -> None:
    at_start = price_usage(CHAT, Usage(input=172_000, cached_input=100_000, output=10))
    above = price_usage(CHAT, Usage(input=172_001, cached_input=100_000, output=10))
    assert [line.nano_per_million for line in at_start.lines] == [2_500_000_000, 250_000_000, 15_000_000_000]
    assert [line.nano_per_million for line in above.lines] == [5_000_000_000, 500_000_000, 22_500_000_000]


def test_a_long_answer_does_not_reach_the_long_context_tier() -> None:
    receipt = price_usage(CHAT, Usage(input=1, output=300_000))
    assert receipt.lines[1].nano_per_million == 15_000_000_000


def test_a_service_tier_uses_its_own_rates_and_the_default_ones_it_leaves_alone() -> None:
    receipt = price_usage(CHAT, Usage(input=1, cached_input=1, output=1), service_tier="Priority")
    assert [line.nano_per_million for line in receipt.lines] == [5_000_000_000, 250_000_000, 30_000_000_000]
    assert (receipt.service_tier, receipt.note) == ("priority", "")


def test_a_service_tier_with_one_rate_has_no_long_context_tier_for_it() -> None:
    receipt = price_usage(CHAT, Usage(input=300_000), service_tier="priority")
    assert receipt.lines[0].nano_per_million == 5_000_000_000


@pytest.mark.parametrize("name", ["", "default", "standard", "STANDARD"])
def test_the_names_of_the_default_tier_mean_the_same(name: str) -> None:
    receipt = price_usage(CHAT, Usage(input=1_000_000), service_tier=name)
    assert (receipt.service_tier, receipt.note) == ("default", "")
    assert CHAT.has_service_tier(name)


def test_an_unknown_service_tier_is_priced_at_the_default_rates_and_says_so() -> None:
    receipt = price_usage(CHAT, Usage(input=1_000_000), service_tier="ultrafast")
    assert receipt.service_tier == "default"
    assert receipt.note == "no rates for service tier ultrafast: default rates used"
    assert not CHAT.has_service_tier("ultrafast")


@pytest.mark.parametrize(
    ("unit", "rates", "served_by", "note"),
    [
        ("cached_input", {"input": 2}, "input", ""),
        ("cache_write", {"input": 2}, "input", ""),
        ("cache_write_1h", {"input": 2, "cache_write": 3}, "cache_write", "no rate for cache_write_1h"),
        ("cache_write_1h", {"input": 2}, "input", "no rate for cache_write_1h"),
        ("image_input", {"input": 2}, "input", ""),
        ("cached_image_input", {"input": 2, "cached_input": 1, "image_input": 8}, "image_input", ""),
        ("cached_image_input", {"input": 2, "cached_input": 1}, "cached_input", ""),
        ("audio_input", {"input": 2}, "input", "no rate for audio_input: input rate used"),
        ("cached_audio_input", {"input": 2, "audio_input": 9, "cached_input": 1}, "audio_input", ""),
        ("cached_audio_input", {"input": 2}, "input", "no rate for cached_audio_input"),
        ("reasoning", {"output": 5}, "output", ""),
        ("image_output", {"output": 5}, "output", "no rate for image_output"),
        ("audio_output", {"output": 5}, "output", "no rate for audio_output"),
    ],
)
def test_a_missing_rate_is_served_by_another_and_never_free(
    unit: str, rates: dict[str, int], served_by: str, note: str
) -> None:
    price = price_of(*(rate(other, usd) for other, usd in rates.items()))
    receipt = price_usage(price, Usage(**{unit: 1_000_000}))
    assert receipt.lines[0].unit == unit
    assert receipt.amount_nano == rates[served_by] * USD
    assert receipt.note.startswith(note)
    assert bool(receipt.note) == bool(note)


def test_a_rate_of_zero_is_a_price() -> None:
    price = price_of(rate("input", 2), rate("cached_input", 0), rate("output", 0))
    receipt = price_usage(price, Usage(cached_input=1_000_000, output=1_000_000))
    assert receipt.amount_nano == 0
    assert len(receipt.lines) == 2
    assert upper_bound(price_of(rate("input", 0), rate("output", 0)), input_tokens=9, output_tokens=9) == 0


@pytest.mark.parametrize("unit", ["output", "reasoning", "images", "seconds", "characters", "web_searches"])
def test_a_unit_without_any_rate_is_refused_by_name(unit: str) -> None:
    price = price_of(rate("input", 2))
    with pytest.raises(Unpriced, match=f"some-model has no price for {unit}") as refused:
        price_usage(price, Usage(input=1, **{unit: 1}))
    assert (refused.value.model, refused.value.unit) == ("some-model", unit)


def test_a_bad_price_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match='no unit "tokens"'):
        Rate("tokens", 1)
    with pytest.raises(ValueError, match="negative"):
        Rate("input", -1)
    with pytest.raises(ValueError, match="two rates for input"):
        price_of(rate("input", 1), rate("input", 2))
    with pytest.raises(ValueError, match="negative"):
        price_usage(CHAT, Usage(input=1), multiplier_ppm=-1)


def test_a_price_keeps_its_look_up_tables_out_of_its_text_form() -> None:
    price_usage(CHAT, Usage(input=1))
    again = msgspec.json.decode(msgspec.json.encode(CHAT), type=Price)
    assert again == CHAT
    assert b"index" not in msgspec.json.encode(CHAT)


def test_the_upper_bound_counts_the_dearest_class_of_each_side() -> None:
    claude = price_of(
        rate("input", 3), rate("cache_write", 3.75), rate("cache_write_1h", 6), rate("output", 15)
    )
    bound = upper_bound(claude, input_tokens=1_000_000, output_tokens=1_000_000)
    assert 21 * USD <= bound <= 21 * USD + 6


def test_the_upper_bound_of_a_text_request_leaves_audio_out() -> None:
    voice = price_of(rate("input", 4), rate("audio_input", 32), rate("output", 16), rate("audio_output", 64))
    text = upper_bound(voice, input_tokens=1_000_000, output_tokens=1_000_000, text_only=True)
    anything = upper_bound(voice, input_tokens=1_000_000, output_tokens=1_000_000)
    assert 20 * USD <= text <= 20 * USD + 6
    assert 96 * USD <= anything <= 96 * USD + 6


def test_the_upper_bound_of_an_unknown_service_tier_is_that_of_the_dearest() -> None:
    def bound(service_tier: str) -> int:
        return upper_bound(CHAT, input_tokens=1_000, output_tokens=1_000, service_tier=service_tier)

    assert bound("auto") == bound("priority") > bound("default") > bound("flex")
    assert upper_bound(CHAT, input_tokens=0, output_tokens=1_000, service_tier="auto") >= 30_000_000


def test_the_upper_bound_counts_every_long_context_tier_the_prompt_may_stay_below() -> None:
    odd = price_of(
        rate("input", 9), rate("input", 7, above=10), rate("input", 8, above=100), rate("output", 0)
    )
    for input_tokens in (1, 10, 11, 100, 101, 1_000_000):
        bound = upper_bound(odd, input_tokens=input_tokens, output_tokens=0)
        assert 9_000 * input_tokens <= bound <= 9_000 * input_tokens + 4
    rising = price_of(rate("input", 1), rate("input", 2, above=100), rate("output", 1))
    assert 100_000 <= upper_bound(rising, input_tokens=100, output_tokens=0) <= 100_004
    assert 202_000 <= upper_bound(rising, input_tokens=101, output_tokens=0) <= 202_004


def test_an_upper_bound_without_a_rate_for_a_side_is_refused() -> None:
    embedding = price_of(rate("input", 0.02))
    assert upper_bound(embedding, input_tokens=1_000, output_tokens=0) >= 20_000
    with pytest.raises(Unpriced, match="output"):
        upper_bound(embedding, input_tokens=1, output_tokens=1)
    with pytest.raises(ValueError, match="0 or more"):
        upper_bound(embedding, input_tokens=-1, output_tokens=0)


@st.composite
def prices(draw: st.DrawFn) -> Price:
    """Prices that have at least the plain rates, so that every token class can be served."""
    places = {("input", "default", 0), ("output", "default", 0)} | draw(
        st.sets(
            st.tuples(
                st.sampled_from(TOKEN_UNITS),
                st.sampled_from(["default", "flex", "priority"]),
                st.sampled_from([0, 20, 100]),
            ),
            max_size=12,
        )
    )
    amounts = st.integers(0, 200_000_000_000)
    return price_of(*(Rate(unit, draw(amounts), tier, above) for unit, tier, above in sorted(places)))


token_usages = st.builds(Usage, **{unit: st.integers(0, 60) for unit in TOKEN_UNITS})
tiers = st.sampled_from(["default", "flex", "priority", "auto", "ultrafast"])
multipliers = st.integers(0, 3 * PPM)


@given(prices(), token_usages, tiers, multipliers, st.integers(0, 50), st.integers(0, 50))
def test_no_receipt_exceeds_its_upper_bound(
    price: Price, usage: Usage, tier: str, multiplier_ppm: int, spare_input: int, spare_output: int
) -> None:
    receipt = price_usage(price, usage, service_tier=tier, multiplier_ppm=multiplier_ppm)
    bound = upper_bound(
        price,
        input_tokens=usage.total_input_tokens + spare_input,
        output_tokens=usage.total_output_tokens + spare_output,
        service_tier=tier,
        multiplier_ppm=multiplier_ppm,
    )
    assert receipt.amount_nano <= bound


@given(prices(), token_usages, multipliers)
def test_an_unknown_tier_bounds_whatever_tier_is_served(
    price: Price, usage: Usage, multiplier_ppm: int
) -> None:
    bound = upper_bound(
        price,
        input_tokens=usage.total_input_tokens,
        output_tokens=usage.total_output_tokens,
        service_tier="auto",
        multiplier_ppm=multiplier_ppm,
    )
    for tier in ("default", "flex", "priority"):
        receipt = price_usage(price, usage, service_tier=tier, multiplier_ppm=multiplier_ppm)
        assert receipt.amount_nano <= bound


@given(prices(), token_usages, multipliers)
def test_no_text_receipt_exceeds_its_text_bound(price: Price, usage: Usage, multiplier_ppm: int) -> None:
    media = {unit: 0 for unit in TOKEN_UNITS if "image" in unit or "audio" in unit}
    text = msgspec.structs.replace(usage, **media)
    bound = upper_bound(
        price,
        input_tokens=text.total_input_tokens,
        output_tokens=text.total_output_tokens,
        multiplier_ppm=multiplier_ppm,
        text_only=True,
    )
    assert price_usage(price, text, multiplier_ppm=multiplier_ppm).amount_nano <= bound


@given(prices(), token_usages, tiers, multipliers)
def test_the_lines_add_up_to_the_amount(price: Price, usage: Usage, tier: str, multiplier_ppm: int) -> None:
    receipt = price_usage(price, usage, service_tier=tier, multiplier_ppm=multiplier_ppm)
    assert sum(line.amount_nano for line in receipt.lines) == receipt.amount_nano
    assert [(line.unit, line.quantity) for line in receipt.lines] == list(usage.quantities())


@given(prices(), token_usages, st.sampled_from(OUTPUT_UNITS), multipliers, st.integers(0, PPM))
def test_more_output_or_a_higher_multiplier_never_costs_less(
    price: Price, usage: Usage, unit: str, multiplier_ppm: int, more_ppm: int
) -> None:
    amount_nano = price_usage(price, usage, multiplier_ppm=multiplier_ppm).amount_nano
    longer = msgspec.structs.replace(usage, **{unit: getattr(usage, unit) + 7})
    assert price_usage(price, longer, multiplier_ppm=multiplier_ppm).amount_nano >= amount_nano
    assert price_usage(price, usage, multiplier_ppm=multiplier_ppm + more_ppm).amount_nano >= amount_nano


@given(prices(), st.integers(0, 200), st.integers(0, 200), tiers)
def test_a_larger_request_never_has_a_lower_bound(
    price: Price, input_tokens: int, output_tokens: int, tier: str
) -> None:
    bound = upper_bound(price, input_tokens=input_tokens, output_tokens=output_tokens, service_tier=tier)
    assert (
        upper_bound(price, input_tokens=input_tokens + 1, output_tokens=output_tokens, service_tier=tier)
        >= bound
    )
    assert (
        upper_bound(price, input_tokens=input_tokens, output_tokens=output_tokens + 1, service_tier=tier)
        >= bound
    )
