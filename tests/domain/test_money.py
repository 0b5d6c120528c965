"""Amounts and multipliers survive the way from text to integers and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laidian.domain.money import (
    LARGEST_USD,
    NANO_PER_USD,
    PPM,
    format_multiplier,
    format_usd,
    parse_multiplier,
    parse_usd,
)


@pytest.mark.parametrize(
    ("text", "amount_nano"),
    [
        ("12.50", 12_500_000_000),
        ("$3", 3_000_000_000),
        (" 0.000001 ", 1_000),
        ("0.000000001", 1),
        ("0.1000000000000", 100_000_000),
        ("0", 0),
        ("9000000", 9_000_000 * NANO_PER_USD),
    ],
)
def test_an_amount_is_read_exactly(text: str, amount_nano: int) -> None:
    assert parse_usd(text) == amount_nano


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not an amount"),
        ("NaN", "is not an amount"),
        ("inf", "is not an amount"),
        ("1e3", "is not an amount"),
        ("1,000", "is not an amount"),
        ("1.", "is not an amount"),
        ("٣", "is not an amount"),
        ("1\n2", "is not an amount"),
        ("0.0000000001", "more than 9 decimals"),
        ("-1", "is negative"),
        ("9000000.01", "above the largest"),
        ("9" * 400, "is not an amount"),
    ],
)
def test_a_bad_amount_is_refused_with_a_sentence(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refused:
        parse_usd(text)
    assert len(str(refused.value)) < 200
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("text", ["-2.5", "-$2.5"])
def test_a_negative_amount_needs_permission(text: str) -> None:
    assert parse_usd(text, allow_negative=True) == -2_500_000_000
    with pytest.raises(ValueError, match="negative"):
        parse_usd(text)


@pytest.mark.parametrize(
    ("amount_nano", "text"),
    [
        (18_622_000, "0.018622"),
        (12_500_000_000, "12.50"),
        (-10_000_000, "-0.01"),
        (0, "0.00"),
        (1, "0.000000001"),
        (-1, "-0.000000001"),
        (10**24, "1000000000000000.00"),
    ],
)
def test_an_amount_is_written_as_an_exact_decimal(amount_nano: int, text: str) -> None:
    assert format_usd(amount_nano) == text


@given(st.integers(-LARGEST_USD * NANO_PER_USD, LARGEST_USD * NANO_PER_USD))
def test_every_amount_written_is_read_back_unchanged(amount_nano: int) -> None:
    assert parse_usd(format_usd(amount_nano), allow_negative=True) == amount_nano


@pytest.mark.parametrize(
    ("text", "multiplier_ppm", "written"),
    [
        ("1", PPM, "1x"),
        ("1x", PPM, "1x"),
        ("1.25X", 1_250_000, "1.25x"),
        ("0", 0, "0x"),
        ("0.000001", 1, "0.000001x"),
        ("1000", 1_000 * PPM, "1000x"),
    ],
)
def test_a_multiplier_is_read_and_written_exactly(text: str, multiplier_ppm: int, written: str) -> None:
    assert parse_multiplier(text) == multiplier_ppm
    assert format_multiplier(multiplier_ppm) == written
    assert parse_multiplier(written) == multiplier_ppm


@pytest.mark.parametrize("text", ["", "x", "-1", "NaN", "1.0000001", "1000.1", "2xx", "1e2"])
def test_a_bad_multiplier_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="multiplier"):
        parse_multiplier(text)


def test_a_negative_multiplier_is_not_written() -> None:
    with pytest.raises(ValueError, match="negative"):
        format_multiplier(-1)
