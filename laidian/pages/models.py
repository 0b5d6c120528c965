"""`/models`: what each model costs here, what it is for, and whether it works this moment; the same as data at `/models.json`."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from laidian.admin.schema import Rate as RateAnswer
from laidian.clock import moment
from laidian.domain.group import CAPABILITIES
from laidian.domain.money import format_multiplier, format_usd
from laidian.domain.selection import BlockCause
from laidian.pages.frame import Frame, clock, table
from laidian.pages.html import Child, Html, h
from laidian.pages.money import TEXT, long_rates, plain_rates, service_tiers, shown_rate
from laidian.pages.offer import Offer, Offers, State
from laidian.pages.words import Words

GLYPHS: dict[str, str] = {"up": "●", "resting": "▲", "part": "▲", "down": "✕", "none": "○"}
"""A state is a glyph, a word and a colour, never the colour alone."""


SEARCHED = 8
"""Rows that need no search."""
STEP = 100
"""Rows that a page with a script shows at first: a thousand are too many for a phone."""


class ModelAnswer(msgspec.Struct, frozen=True):
    id: str
    state: State
    """up: works now. resting: tried again at `until`. down: until the operator changes something."""
    reason: BlockCause | None
    """resting: its provider failed or asked to wait. disabled: taken out of service by the operator. no_credential: the operator's
    account for it has none. Null: it works."""
    until: str | None
    capabilities: tuple[str, ...]
    multipliers: tuple[str, ...]
    """Of the groups that may use it."""
    context_tokens: int | None
    max_output_tokens: int | None
    price_source: str
    price_source_date: str
    rates: tuple[RateAnswer, ...]
    """Before the multiplier."""
    object: str = "model"


class ModelsAnswer(msgspec.Struct, frozen=True):
    at: str
    data: tuple[ModelAnswer, ...]
    currency: str = "USD"
    object: str = "list"


def models_answer(offers: Offers, now_ms: int) -> ModelsAnswer:
    return ModelsAnswer(moment(now_ms), tuple(_answer(one) for one in offers.models))


def _answer(offer: Offer) -> ModelAnswer:
    price = offer.price
    return ModelAnswer(
        id=offer.name,
        state=offer.state,
        reason=offer.reason,
        until=None if offer.until_ms is None else moment(offer.until_ms),
        capabilities=offer.capabilities,
        multipliers=tuple(format_multiplier(one) for one in offer.multipliers),
        context_tokens=price.context_tokens,
        max_output_tokens=price.max_output_tokens,
        price_source=price.source,
        price_source_date=price.source_date,
        rates=tuple(
            RateAnswer(
                unit=one.unit,
                usd_per_million=format_usd(one.nano_per_million),
                service_tier=one.service_tier,
                above_input_tokens=one.above_input_tokens,
            )
            for one in price.rates
        ),
    )


def models_page(frame: Frame, content: Child) -> bytes:
    """`content`: `models_view`, or what is said instead while nobody has entered a key."""
    w = frame.words
    lead = h("p", w("models.lead"), class_="lead")
    return frame.page("models", h("section", h("h1", w("models.title")), lead, content, class_="hero"))


def models_view(words: Words, offers: Offers, now_ms: int, *, name: str = "prices") -> Html:
    """The table, with a field to search it that a script brings to life."""
    if not offers.models:
        return h("p", words("models.none"), class_="tip")
    works = sum(one.state == "up" for one in offers.models)
    return h(
        "div",
        h(
            "p", words("models.count", works=str(works), all=str(len(offers.models)), at=clock(now_ms)), " ", _sources(words, offers),
            class_="soft",
        ),
        searched_table(words, offers.models, name),
        h("p", words("models.explained"), class_="small"),
        id=name,
    )  # fmt: skip


def searched_table(words: Words, models: Sequence[Offer], name: str) -> Sequence[Child]:
    """The table in an element of the id `name`, with what a script finds rows by where there are more than a glance takes in."""
    return [_search(words, models, name) if len(models) > SEARCHED else None, _models_table(words, models)]


def _search(words: Words, models: Sequence[Offer], name: str) -> Html:
    """A script brings it to life, and shows `data-step` rows at first."""
    field, choice, only = f"{name}-search", f"{name}-capability", f"{name}-up"
    capabilities = [one for one in CAPABILITIES if any(one in offer.capabilities for offer in models)]
    options = [
        h("option", words(f"capability.{one}"), value=words.plain(f"capability.{one}"))
        for one in capabilities
    ]
    return h(
        "div",
        h(
            "div",
            h("label", words("models.search"), for_=field, class_="name"),
            h("input", type="search", id=field, autocomplete="off", spellcheck="false"),
        ),
        h(
            "div",
            h("label", words("models.capability"), for_=choice, class_="name"),
            h("select", h("option", words("models.any_capability"), value=""), options, id=choice),
        ),
        h("label", h("input", type="checkbox", id=only), " ", words("models.only_up"), for_=only),
        h("output", for_=f"{field} {choice} {only}", class_="small"),
        h("button", words("models.all"), type="button", class_="quiet", hidden=True),
        hidden=True,
        class_="search",
        data_finds=name,
        data_step=STEP,
    )


def _sources(words: Words, offers: Offers) -> Html:
    """Where the prices are from, with the date, once for all that share it."""
    known = sorted({(one.price.source, one.price.source_date) for one in offers.models})
    said = [
        words("models.source_dated", source=source, date=date) if date else h("span", source)
        for source, date in known[:4]
    ]
    shown: list[Child] = []
    for one in said:
        shown += [", ", one] if shown else [one]
    return words("models.sources", sources=shown)


def _models_table(words: Words, models: Sequence[Offer]) -> Html:
    heads = [
        words.plain(f"models.{name}")
        for name in ("model", "input", "cached_input", "output", "other", "multiplier", "now")
    ]
    rows = [_row(words, one) for one in models]
    return table(
        heads, rows, caption=words.plain("models.title"), numbers=(1, 2, 3, 5), short=(6,), name="models"
    )


def _row(words: Words, offer: Offer) -> Sequence[Child]:
    rates = plain_rates(offer.price)
    texts = [shown_rate(rates[unit])[0] if unit in rates else "–" for unit in TEXT]
    multipliers = [format_multiplier(one) for one in offer.multipliers]
    return (
        [offer.name, _about(words, offer)],
        *texts,
        _other(words, offer),
        multipliers[0] if len(multipliers) == 1 else f"{multipliers[0]}–{multipliers[-1]}",
        state_of(words, offer.state, offer.until_ms, offer.reason),
    )


def _about(words: Words, offer: Offer) -> Html:
    tags = h("ul", [h("li", words(f"capability.{one}")) for one in offer.capabilities], class_="tags")
    tokens = offer.price.context_tokens
    return h(
        "div",
        tags,
        h("span", words("models.context", tokens=f"{tokens:,}"), class_="small") if tokens else None,
    )


def _other(words: Words, offer: Offer) -> Child:
    """Every other unit, long prompts, and the names of service tiers with rates of their own."""
    lines: list[Html] = []
    for unit, rate in plain_rates(offer.price).items():
        if unit not in TEXT:
            amount, per = shown_rate(rate)
            lines.append(
                words(
                    "models.other_rate", unit=words(f"unit.{unit}"), amount=amount, per=words(f"models.{per}")
                )
            )
    for above, long in long_rates(offer.price).items():
        said = ", ".join(
            f"{words.plain(f'unit.{unit}')} {shown_rate(rate)[0]}" for unit, rate in long.items()
        )
        lines.append(words("models.long", tokens=f"{above:,}", rates=said))
    if tiers := service_tiers(offer.price):
        lines.append(words("models.tiers", tiers=", ".join(tiers)))
    return [h("span", one, class_="small") for one in lines] or "–"


def state_of(words: Words, state: str, until_ms: int | None = None, reason: BlockCause | None = None) -> Html:
    """Glyph and word; what does not work also says why, and a rest when it ends."""
    until = (
        h("span", words("state.until", time=clock(until_ms)), class_="small")
        if until_ms is not None
        else None
    )
    why = h("span", words(f"state.why_{reason}"), class_="small") if reason else None
    return h("span", f"{GLYPHS[state]} ", words(f"state.{state}"), why, until, class_=f"state {state}")
