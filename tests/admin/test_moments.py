from __future__ import annotations

import pytest

from laidian.admin.service.moments import iso, iso_exact, parse_expiry, parse_when
from laidian.errors import BadRequest
from tests.admin.desk import NOW_MS

DAY_MS = 86_400_000


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("30d", NOW_MS + 30 * DAY_MS),
        ("12h", NOW_MS + DAY_MS // 2),
        ("90m", NOW_MS + 90 * 60_000),
        ("45s", NOW_MS + 45_000),
        ("2w", NOW_MS + 14 * DAY_MS),
        ("2026-12-31", 1_798_675_200_000),
        ("2026-12-31T01:00:00Z", 1_798_678_800_000),
        ("2026-12-31T01:00:00", 1_798_678_800_000),
        ("2026-12-31T02:00:00+01:00", 1_798_678_800_000),
        (1_798_678_800, 1_798_678_800_000),
        ("1798678800", 1_798_678_800_000),
        (1_798_678_800_000, 1_798_678_800_000),
    ],
)
def test_a_moment_is_read_in_every_spelling(written: str | int, meant: int) -> None:
    assert parse_when(written, NOW_MS, param="expires_at") == meant


def test_a_duration_goes_back_from_now_where_the_past_is_asked_for() -> None:
    assert parse_when("24h", NOW_MS, param="since", back=True) == NOW_MS - DAY_MS


@pytest.mark.parametrize(
    "written", ["", "soon", "-3d", "30 days", "2026-13-01", "1e9", "99999999999999999", "0001-01-01", "٣d"]
)
def test_what_is_no_moment_is_refused_with_the_field_and_examples(written: str) -> None:
    with pytest.raises(BadRequest, match="write 2026-12-31") as refusal:
        parse_when(written, NOW_MS, param="since")
    assert refusal.value.param == "since"


def test_an_expiry_in_the_past_is_refused() -> None:
    with pytest.raises(BadRequest, match="over already"):
        parse_expiry("2026-11-22T10:00:00Z", NOW_MS)
    assert parse_expiry(None, NOW_MS) is None


def test_moments_are_shown_in_utc() -> None:
    assert iso(NOW_MS + 999) == "2026-11-22T10:00:00Z"
    assert iso_exact(NOW_MS + 7) == "2026-11-22T10:00:00.007Z"
