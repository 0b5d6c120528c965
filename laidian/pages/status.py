"""`/status`: whether it works, in words, and how well it did for ninety days; the same as data at `/status.json`.

By model, or by upstream where the operator allows it. Models behind the same accounts share their history, so they share a card.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from laidian.clock import moment
from laidian.pages.bars import Bar, bars
from laidian.pages.frame import Frame, clock
from laidian.pages.html import Child, Html, h
from laidian.pages.markdown import markdown
from laidian.pages.models import GLYPHS, state_of
from laidian.pages.offer import Offer, State
from laidian.pages.uptime import DAYS, HOURS, Uptime, uptime
from laidian.pages.words import Words
from laidian.store.uptime import HOUR_MS, Demand, HourRow

ALONE = 24
"""Models with a card of their own."""
NAMED = 6
"""Models that a card names before it says how many more there are."""
RENEWED = "/view/status/public"
RSS = "/status.rss"


class Monitor(msgspec.Struct, frozen=True):
    """One card."""

    names: tuple[str, ...]
    state: State
    until_ms: int | None
    uptime: Uptime


class MonitorAnswer(msgspec.Struct, frozen=True):
    names: tuple[str, ...]
    """Models, or one upstream."""
    state: State
    until: str | None
    """When a rest ends."""
    uptime_90d: float | None
    """Share from 0 to 1; null: nothing is known."""
    uptime_24h: float | None
    first_byte_p50_ms: int | None
    """Of the last 24 hours' requests; null: none, or the card stands for several models."""
    days: dict[str, float | None]
    """By day, UTC; the last one is still running."""
    hours: dict[str, float | None]


class StatusAnswer(msgspec.Struct, frozen=True):
    at: str
    state: str
    """all_up, some_part, some_down, all_down or nothing."""
    incident: str
    data: tuple[MonitorAnswer, ...]
    object: str = "list"


def of_models(
    offers: Iterable[Offer], rows: Sequence[HourRow], demand: Mapping[str, Demand], now_ms: int
) -> list[Monitor]:
    """A card for each of the models that were asked for most; the others share one where they share their accounts and their state.

    What the operator took out of service is no disturbance, so it has none; /models says it.
    """
    counts = {model: sum(day.requests for day in asked.days.values()) for model, asked in demand.items()}
    alone = set(sorted(counts, key=lambda model: -counts[model])[:ALONE])
    shared: dict[tuple[frozenset[int], State, int | None], list[str]] = {}
    found: list[Monitor] = []
    for offer in offers:
        if offer.reason == "disabled":
            continue
        if offer.model in alone:
            times = uptime(rows, offer.upstreams, demand[offer.model], now_ms)
            found.append(Monitor((offer.name,), offer.state, offer.until_ms, times))
        else:
            shared.setdefault((offer.upstreams, offer.state, offer.until_ms), []).append(offer.name)
    for (upstreams, state, until_ms), names in shared.items():
        found.append(Monitor(tuple(names), state, until_ms, uptime(rows, upstreams, None, now_ms)))
    return found


def headline(monitors: Sequence[Monitor]) -> str:
    """The worst, in one word of the catalogue."""
    states = [one.state for one in monitors]
    if not states:
        return "nothing"
    if all(state == "up" for state in states):
        return "all_up"
    if any(state == "up" for state in states):
        return "some_down" if "down" in states else "some_part"
    return "all_down"


HEADLINE_STATES = {
    "all_up": "up",
    "some_part": "part",
    "some_down": "part",
    "all_down": "down",
    "nothing": "none",
}


def status_answer(monitors: Sequence[Monitor], incident: str, now_ms: int) -> StatusAnswer:
    return StatusAnswer(
        moment(now_ms), headline(monitors), incident, tuple(_answer(one, now_ms) for one in monitors)
    )


def _answer(monitor: Monitor, now_ms: int) -> MonitorAnswer:
    times, hour = monitor.uptime, now_ms // HOUR_MS
    return MonitorAnswer(
        names=monitor.names,
        state=monitor.state,
        until=None if monitor.until_ms is None else moment(monitor.until_ms),
        uptime_90d=_rounded(times.whole),
        uptime_24h=_rounded(times.last),
        first_byte_p50_ms=times.first_byte_ms,
        days={_day(hour, DAYS, at): _rounded(share) for at, share in enumerate(times.days)},
        hours={_hour(hour, at): _rounded(share) for at, share in enumerate(times.hours)},
    )


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 6)


def status_page(frame: Frame, content: Child) -> bytes:
    """`content`: `status_view`, or the field for a key where the operator wants one."""
    title = h("h1", frame.words("status.title"), class_="eyebrow")
    told = frame.settings.status == "public" and frame.settings.feed
    rss = f"{RSS}?lang={frame.words.language}"
    more = (
        h("p", h("a", frame.words("status.rss"), href=rss, type="application/rss+xml"), class_="small")
        if told
        else None
    )
    return frame.page(
        "status",
        h("section", title, _incident(frame), content, more, class_="hero"),
        feed=rss if told else "",
    )


def _incident(frame: Frame) -> Html | None:
    incident = frame.settings.incident
    return (
        h("aside", markdown(incident), class_="incident", aria_label=frame.words.plain("status.incident"))
        if incident
        else None
    )


def status_view(words: Words, monitors: Sequence[Monitor], now_ms: int, probe_every_s: float) -> Html:
    said = headline(monitors)
    state = HEADLINE_STATES[said]
    explained = words("status.explained", minutes=f"{probe_every_s / 60:g}", days=str(DAYS))
    return h(
        "div",
        h("p", h("span", GLYPHS[state], class_=f"state {state}", aria_hidden="true"), " ", words(f"status.{said}"), class_="headline"),
        h("p", words("status.updated", time=clock(now_ms)), class_="soft"),
        [_card(words, one, now_ms) for one in monitors],
        _legend(words) if monitors else None,
        h("p", explained, class_="small"),
    )  # fmt: skip


def _card(words: Words, monitor: Monitor, now_ms: int) -> Html:
    times, hour = monitor.uptime, now_ms // HOUR_MS
    days = [_bar(words, share, _day(hour, DAYS, at)) for at, share in enumerate(times.days)]
    hours = [_bar(words, share, _hour(hour, at)) for at, share in enumerate(times.hours)]
    more = len(monitor.names) - NAMED
    title, first = ", ".join(monitor.names[:NAMED]), times.first_byte_ms
    return h(
        "article",
        h(
            "div",
            h("div", h("h2", title), _rest(words, monitor.names, more)),
            state_of(words, monitor.state, monitor.until_ms),
            class_="monitor-head",
        ),
        h(
            "p",
            words("status.percent", days=str(DAYS), percent=percent(times.whole)),
            " · ",
            words("status.percent_hours", percent=percent(times.last)),
            [" · ", words("status.first_byte", seconds=f"{first / 1000:.2f}")] if first is not None else None,
            class_="soft",
        ),
        bars(days, words.plain("status.bars_label", name=title, period=words.plain("status.days"), percent=percent(times.whole)), "bars"),
        _scale(words, "status.ago_days", "status.today"),
        bars(hours, words.plain("status.bars_label", name=title, period=words.plain("status.hours"), percent=percent(times.last)), "bars hours"),
        _scale(words, "status.ago_hours", "status.now"),
        class_="card monitor",
    )  # fmt: skip


def _rest(words: Words, names: Sequence[str], more: int) -> Html | None:
    if more <= 0:
        return None
    return h(
        "details",
        h("summary", words("status.more", count=str(more))),
        h("span", ", ".join(names[NAMED:]), class_="small"),
    )


def _scale(words: Words, first: str, last: str) -> Html:
    return h("p", h("span", words(first)), h("span", words(last)), class_="scale")


def _bar(words: Words, share: float | None, when: str) -> Bar:
    """What did not work is shorter, so that it shows without its colour."""
    if share is None:
        return Bar("none", 1.0, words.plain("status.bar_none", when=when))
    kind = "up" if share >= 1 else "part" if share > 0 else "down"
    height = {"up": 1.0, "part": 0.8, "down": 0.5}[kind]
    return Bar(kind, height, words.plain("status.bar", when=when, percent=percent(share)))


def percent(share: float | None) -> str:
    """Never rounded up to 100 %: `99.99%`."""
    if share is None:
        return "–"
    return "100%" if share >= 1 else f"{int(share * 10_000) / 100:.2f}%"


def _legend(words: Words) -> Html:
    kinds = ("up", "part", "down", "none")
    return h(
        "ul",
        [h("li", h("span", GLYPHS[kind], class_=f"state {kind}", aria_hidden="true"), " ", words(f"status.legend_{kind}")) for kind in kinds],
        class_="legend",
    )  # fmt: skip


def _day(hour: int, days: int, at: int) -> str:
    return datetime.fromtimestamp((hour // 24 - days + 1 + at) * 86_400, UTC).date().isoformat()


def _hour(hour: int, at: int) -> str:
    return f"{datetime.fromtimestamp((hour - HOURS + 1 + at) * 3_600, UTC):%Y-%m-%dT%H:00Z}"
