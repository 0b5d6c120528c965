"""`/key`: what the holder of a key may know of it: what is left, what was spent on what, every receipt, what works now, client settings.

Drawn from one Standing and the records, as the endpoints of `routes/holder*.py` are; it calculates nothing. The rule a newcomer would
break: the key itself is nowhere in the answer, only what may be shown of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from laidian.admin.schema import Receipt
from laidian.domain.group import CAPABILITIES, Group
from laidian.domain.money import format_multiplier
from laidian.domain.quota import window_end_ms
from laidian.domain.snippets import NO_KEY, examples
from laidian.pages.bars import Bar, bars
from laidian.pages.docs import client_tabs
from laidian.pages.frame import Frame, clock, table
from laidian.pages.html import Child, Html, h
from laidian.pages.models import searched_table
from laidian.pages.money import dollars
from laidian.pages.offer import Offers
from laidian.pages.sheet import sheet_address
from laidian.pages.words import Words
from laidian.relay.holder import Day, Period, Spending, Standing
from laidian.relay.holder_request import holder_request
from laidian.store.holder import Window
from laidian.store.usage import RecordRow

DAYS = 30
RECENT = 100
"""Requests with their receipts."""
AT_HAND = 20
"""Of them in sight; the others wait behind a word."""
DAY_MS = 86_400_000


class Seen(msgspec.Struct, frozen=True):
    """Everything that a look at a key finds."""

    shown: str
    """What may be shown of the credential."""
    standing: Standing
    group: Group | None
    """None: it is disabled."""
    offers: Offers | None
    recent: Sequence[tuple[RecordRow, Receipt]]
    base_url: str


def last_days(now_ms: int) -> Period:
    """The last 30 days in UTC, today included."""
    today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
    dates = [today - timedelta(days=number) for number in reversed(range(DAYS))]
    starts = [int(datetime(one.year, one.month, one.day, tzinfo=UTC).timestamp()) * 1000 for one in dates]
    days = tuple(
        Day(one.isoformat(), start, start + DAY_MS) for one, start in zip(dates, starts, strict=True)
    )
    return Period("UTC", days, days[-1])


def key_page(frame: Frame, content: Child) -> bytes:
    """`content`: the field, and the view of a key that was entered without a script."""
    return frame.page("key", h("div", h("h1", frame.words("key.title")), content, class_="hero page"))


def key_view(frame: Frame, seen: Seen) -> Html:
    w = frame.words
    return h(
        "div",
        _head(w, seen),
        _windows(w, seen.standing),
        _limits(w, seen),
        _chart(w, seen.standing),
        _by_model(w, seen.standing),
        _recent(w, seen.recent),
        _models(w, seen),
        _clients(frame, seen),
    )


def _head(w: Words, seen: Seen) -> Html:
    standing = seen.standing
    state = "up" if standing.status == "active" else "down"
    glyph = {"up": "● ", "down": "✕ "}[state]
    breakdown = standing.breakdown
    assert breakdown is not None
    left_nano = standing.unspent_nano
    limit = standing.key_limit_nano
    today = h("span", w("key.requests", count=f"{breakdown.today.requests:,}"), class_="small")
    in_flight = h("span", w("key.in_flight", count=str(standing.in_flight)), class_="small")
    figures: list[tuple[str, Child]] = [
        (
            "left",
            [
                w("key.no_limit") if left_nano is None else dollars(left_nano),
                h("span", w("key.own_limit", limit=dollars(limit)), class_="small")
                if limit is not None
                else None,
            ],
        ),
        ("today", [dollars(breakdown.today.charged_nano), today]),
        (
            "spent",
            [
                dollars(standing.spent_nano),
                h("span", w("key.requests", count=f"{breakdown.requests:,}"), class_="small"),
            ],
        ),
        ("held", [dollars(standing.held_nano), in_flight]),
        (
            "group",
            [
                standing.group,
                h(
                    "span",
                    w("key.multiplier", multiplier=format_multiplier(standing.multiplier_ppm)),
                    class_="small",
                ),
            ],
        ),
        ("plan", standing.quota),
        ("expires", w("key.never") if standing.expires_at_ms is None else clock(standing.expires_at_ms)),
    ]
    return h(
        "section",
        h("h2", standing.key, tabindex=-1),
        h("p", h("code", seen.shown), " ", h("span", glyph, w(f"key.status_{standing.status}"), class_=f"state {state}")),
        h("dl", [h("div", h("dt", w(f"key.{name}")), h("dd", value)) for name, value in figures], class_="figures"),
    )  # fmt: skip


def _windows(w: Words, standing: Standing) -> Html | None:
    if not standing.windows:
        return None
    rows = [_window(w, window) for window in standing.windows]
    return h("section", h("h2", w("key.windows")), h("ul", rows, class_="windows"))


def _window(w: Words, window: Window) -> Html:
    name, start_ms = w.plain(f"key.window_{window.kind}"), window.start_ms
    ends = (
        w("key.window_opens")
        if start_ms is None
        else w("key.window_resets", time=clock(window_end_ms(window.kind, start_ms)))
    )
    amounts = {
        "spent": dollars(window.spent_nano),
        "limit": dollars(window.limit_nano),
        "left": dollars(window.unspent_nano),
    }
    share = min(100, window.spent_nano * 100 // window.limit_nano) if window.limit_nano else 100
    said = w("key.window_of", **amounts)
    meter = h("meter", f"{share} %", min=0, max=100, value=share, high=90, aria_label=name)
    return h(
        "li", h("div", h("strong", name), h("span", said), class_="row"), meter, h("p", ends, class_="small")
    )


def _limits(w: Words, seen: Seen) -> Html | None:
    """What the group allows, and how much of it is used this minute."""
    group, breakdown = seen.group, seen.standing.breakdown
    if group is None or breakdown is None:
        return h("p", w("key.closed"), class_="tip")
    rates, pace = group.rates, breakdown.last_minute
    limits = [
        ("requests", pace.requests, rates.requests_per_minute),
        ("tokens", pace.tokens, rates.tokens_per_minute),
        ("concurrent", seen.standing.in_flight, rates.concurrent_requests),
    ]
    shown = [
        h(
            "div",
            h("dt", w(f"key.limit_{name}")),
            h("dd", w("key.limit_of", used=f"{used:,}", limit=f"{limit:,}")),
        )
        for name, used, limit in limits
        if limit is not None
    ]
    tags = [h("li", w(f"capability.{one}")) for one in CAPABILITIES if one in group.capabilities]
    return h(
        "section",
        h("h2", w("key.capabilities")),
        h("ul", tags, class_="tags"),
        [h("h3", w("key.limits")), h("dl", shown, class_="figures")] if shown else None,
    )


def _chart(w: Words, standing: Standing) -> Html:
    """A bar a day; its height is the share of the dearest day."""
    breakdown = standing.breakdown
    assert breakdown is not None
    days, nothing = breakdown.period.days, Spending()
    spent = [(day.name, breakdown.days.get(day.name, nothing)) for day in days]
    most = max(one.charged_nano for _, one in spent)
    total = breakdown.total
    if not total.requests:
        return h("section", h("h2", w("key.chart")), h("p", w("key.chart_empty"), class_="soft"))
    shown = [
        Bar(
            "spent" if one.requests else "empty",
            one.charged_nano / most if most else 0.0,
            w.plain(
                "key.chart_day", date=name, amount=dollars(one.charged_nano), requests=f"{one.requests:,}"
            ),
        )
        for name, one in spent
    ]
    said = {"amount": dollars(total.charged_nano), "requests": f"{total.requests:,}", "date": days[0].name}
    label = w.plain("key.chart_total", **said)
    scale = h(
        "p",
        h("span", days[0].name),
        h("span", w("key.chart_most", amount=dollars(most))),
        h("span", days[-1].name),
        class_="scale",
    )
    return h(
        "section",
        h("h2", w("key.chart")),
        h("p", w("key.chart_total", **said)),
        bars(shown, label, "chart"),
        scale,
    )


def _by_model(w: Words, standing: Standing) -> Html | None:
    breakdown = standing.breakdown
    if breakdown is None or not breakdown.models:
        return None
    heads = [
        w.plain(f"key.column_{name}") for name in ("model", "count", "input", "cached", "output", "cost")
    ]
    rows = [
        (name, f"{one.requests:,}", f"{one.prompt_tokens:,}", f"{one.read_tokens:,}", f"{one.output_tokens:,}", dollars(one.charged_nano))
        for name, one in breakdown.models.items()
    ]  # fmt: skip
    return h(
        "section",
        h("h2", w("key.by_model")),
        table(heads, rows, caption=w.plain("key.by_model"), numbers=range(1, 6)),
    )


def _recent(w: Words, recent: Sequence[tuple[RecordRow, Receipt]]) -> Html:
    if not recent:
        return h("section", h("h2", w("key.recent")), h("p", w("key.recent_none"), class_="soft"))
    drawn = [_request(w, row, receipt) for row, receipt in recent]
    earlier = len(drawn) - AT_HAND
    address = sheet_address([holder_request(row) for row, _ in recent])
    return h(
        "section",
        h("h2", w("key.recent")),
        h("div", drawn[:AT_HAND], class_="receipts"),
        h(
            "details",
            h("summary", w("key.recent_earlier", count=str(earlier))),
            h("div", drawn[AT_HAND:], class_="receipts"),
        )
        if earlier > 0
        else None,
        h(
            "p",
            h("a", w("key.sheet", count=str(len(drawn))), href=address, download="laidian-requests.csv"),
            class_="small",
        ),
    )


def _request(w: Words, row: RecordRow, receipt: Receipt) -> Html:
    failed = row.status >= 400 or row.status == 0
    state = h("span", "✕ ", row.error_code or str(row.status), class_="state down") if failed else None
    summary = h(
        "summary",
        h("span", clock(row.started_at_ms)),
        h("span", row.asked_model, " ", state),
        h("span", f"${receipt.charged_usd}", class_="number"),
    )
    said = {
        "operation": row.operation,
        "status": str(row.status),
        "duration": f"{row.duration_ms / 1000:.2f} s",
    }
    source = f"{receipt.price_source} {receipt.price_source_date}".strip()
    about = w(
        "key.receipt_about",
        source=source,
        multiplier=receipt.multiplier,
        id=h("code", row.request_id),
        **said,
    )
    notes: list[Child] = []
    if row.error_code:
        notes.append(h("p", w("key.receipt_error", code=h("code", row.error_code)), class_="small"))
    if row.usage_from == "estimated":
        notes.append(h("p", w("key.receipt_estimated"), class_="small"))
    if row.shortfall_nano:
        notes.append(h("p", w("key.receipt_shortfall", amount=dollars(row.shortfall_nano)), class_="small"))
    if receipt.note:
        notes.append(h("p", receipt.note, class_="small", lang="en"))
    return h("details", summary, h("p", about, class_="small"), notes, _lines(w, receipt))


def _lines(w: Words, receipt: Receipt) -> Html:
    if not receipt.lines:
        return (
            h("p", w("key.receipt_free"), class_="small")
            if receipt.amount_usd == "0.00"
            else h("p", f"${receipt.amount_usd}")
        )
    heads = [w.plain(f"key.line_{name}") for name in ("unit", "quantity", "rate", "amount")]
    rows = [
        (w(f"unit.{one.unit}"), f"{one.quantity:,}", f"${one.usd_per_million}", f"${one.cost_usd}")
        for one in receipt.lines
    ]
    return table(heads, rows, caption=w.plain("key.receipt"), numbers=(1, 2, 3))


def _models(w: Words, seen: Seen) -> Html | None:
    if seen.offers is None:
        return None
    models = seen.offers.models
    works = sum(one.state == "up" for one in models)
    said = w("key.models_count", works=str(works), all=str(len(models)))
    return h(
        "section",
        h("h2", w("key.models")),
        h("details", h("summary", said), searched_table(w, models, "key-models"), id="key-models"),
    )


def _clients(frame: Frame, seen: Seen) -> Html | None:
    w = frame.words
    if seen.offers is None or seen.group is None:
        return None
    fill = h(
        "p",
        h(
            "label",
            h("input", type="checkbox", data_fills=NO_KEY, id="fill-key"),
            " ",
            w("key.fill"),
            for_="fill-key",
        ),
        hidden=True,
    )
    tabs = client_tabs(
        frame,
        seen.group.capabilities,
        examples(seen.offers.usable()),
        base_url=seen.base_url,
        brand=frame.settings.brand,
        key=NO_KEY,
    )
    return h("section", h("h2", w("key.clients")), fill, tabs)
