"""`/`: the instance's own documentation. It is the seed's, word for word, with this instance's address and models.

What differs is what is not true here: there is no web console, models are those that exist, sections of what no group may use are left
out, and the multiplier is the groups' own. The words are in the catalogue; examples and tables are here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from laidian.domain.money import PPM, format_multiplier
from laidian.domain.snippets import (
    CLIENTS,
    NO_KEY,
    NO_MODEL,
    Client,
    Written,
    example_model,
    examples,
    root_of,
    written,
)
from laidian.pages import examples as runnable
from laidian.pages.frame import Frame, block, code, table
from laidian.pages.html import Child, Html, h
from laidian.pages.offer import Offers
from laidian.pages.words import Words

IMAGE_MODEL = "gpt-image-2"
"""What the texts name where no image model works now."""


class Instance(msgspec.Struct, frozen=True):
    """What the document is about."""

    base_url: str
    brand: str
    chat: str
    """The model of the examples."""
    second: str
    """Another one; empty when there is none."""
    image: str
    capabilities: frozenset[str]
    multiplier: str
    plain: bool
    """Whether everything costs what it costs at its provider."""
    models: dict[str, str | None]
    """Of the clients' settings, by capability."""


def instance(offers: Offers, base_url: str, brand: str) -> Instance:
    """What the examples say, from what is offered this moment."""
    usable = offers.usable()
    models = examples(usable)
    chat = models["chat"]
    others = [one for one in usable if one.name != chat]
    least, most = offers.multipliers[:1] or (PPM,), offers.multipliers[-1:] or (PPM,)
    low, high = format_multiplier(least[0]), format_multiplier(most[0])
    return Instance(
        base_url=base_url,
        brand=brand,
        chat=chat or NO_MODEL,
        second=example_model([one for one in others if "gpt-5.5" in one.name], "chat")
        or example_model(others, "chat")
        or "",
        image=models["images"] or IMAGE_MODEL,
        capabilities=offers.capabilities,
        multiplier=low if low == high else f"{low}–{high}",
        plain=(least[0], most[0]) == (PPM, PPM),
        models=models,
    )


def docs_page(frame: Frame, about: Instance) -> bytes:
    return frame.page(
        "docs",
        _hero(frame, about),
        _quick_start(frame, about),
        _endpoints(frame, about),
        _chat(frame, about),
        _responses(frame, about) if "responses" in about.capabilities else None,
        _images(frame, about) if "images" in about.capabilities else None,
        _clients(frame, about),
        _troubleshooting(frame, about),
        title=frame.words.plain("docs.title", brand=about.brand),
    )


def _hero(frame: Frame, about: Instance) -> Html:
    w, base = frame.words, code(about.base_url)
    cards = [
        (
            h("span", "/v1", class_="badge"),
            w("docs.one_base_url"),
            w("docs.one_base_url_text", base_url=base),
        ),
        (
            h("span", about.multiplier, class_="badge"),
            w("docs.multiplier", multiplier=about.multiplier),
            w("docs.multiplier_plain" if about.plain else "docs.multiplier_other", key=_key_link(frame)),
        ),
    ]
    if "images" in about.capabilities:
        paths = {"image": code(about.image), "path": code("/v1/images/generations")}
        cards.append(
            (h("span", "IMG", class_="badge"), w("docs.image_apis"), w("docs.image_apis_text", **paths))
        )
    return h(
        "section",
        h("p", w("docs.eyebrow"), class_="eyebrow"),
        h("h1", w("docs.title", brand=about.brand)),
        h("p", w("docs.lead", multiplier=about.multiplier), class_="lead"),
        h(
            "dl",
            h("div", h("dt", w("docs.base_url")), h("dd", code(about.base_url))),
            h(
                "div",
                h("dt", w("docs.authorization")),
                h("dd", code(f"Authorization: Bearer {NO_KEY}")),
            ),
            class_="facts",
        ),
        h(
            "ul",
            [h("li", badge, h("h2", title), h("p", says)) for badge, title, says in cards],
            class_="cards",
        ),
        class_="hero",
    )


def _quick_start(frame: Frame, about: Instance) -> Html:
    w = frame.words
    names: dict[str, Child] = {"model": code(about.chat), "second": code(about.second)}
    paths: dict[str, Child] = {
        "chat": code("/chat/completions"),
        "responses": code("/responses"),
        "base_url": code(about.base_url),
    }
    return _section(
        "quick-start", w("docs.quick_start"),
        h("p", w("docs.quick_start_text" if about.second else "docs.quick_start_one", **names)),
        block(runnable.quick_start(about.base_url, about.chat, about.brand), w.plain("docs.quick_start")),
        h("p", w("docs.base_url_only", **paths), class_="tip"),
    )  # fmt: skip


def _endpoints(frame: Frame, about: Instance) -> Html:
    w = frame.words
    rows: list[tuple[str, str, str, Html]] = [
        ("", "models", "GET /v1/models", w("docs.endpoint_models_text")),
        ("chat", "chat", "POST /v1/chat/completions", w("docs.endpoint_chat_text")),
        ("responses", "responses", "POST /v1/responses", w("docs.endpoint_responses_text")),
        ("images", "images", "POST /v1/images/generations", w("docs.endpoint_images_text", image=code(about.image))),
        ("images", "edits", "POST /v1/images/edits", w("docs.endpoint_edits_text")),
        ("gemini", "gemini", "/v1beta", w("docs.endpoint_gemini_text")),
        ("anthropic", "anthropic", "POST /v1/messages", w("docs.endpoint_anthropic_text")),
        ("embeddings", "embeddings", "POST /v1/embeddings", w("docs.endpoint_embeddings_text")),
        ("audio", "audio", "POST /v1/audio/…", w("docs.endpoint_audio_text")),
    ]  # fmt: skip
    heads = [w.plain(f"docs.{name}") for name in ("purpose", "method_and_path", "notes")]
    shown = [
        (w(f"docs.endpoint_{name}"), code(path), says)
        for capability, name, path, says in rows
        if not capability or capability in about.capabilities
    ]
    return _section("endpoints", w("docs.endpoints"), table(heads, shown, caption=w.plain("docs.endpoints")))


def _chat(frame: Frame, about: Instance) -> Html:
    w, base = frame.words, about.base_url
    model = about.second or about.chat
    return _section(
        "chat", w("docs.chat"),
        h("p", w("docs.chat_text")),
        block(runnable.stream(base, model), w.plain("docs.chat")),
        h("h3", "JavaScript"),
        block(runnable.javascript(base, about.chat, about.brand), "JavaScript"),
        h("h3", "Python"),
        block(runnable.python(base, about.chat), "Python"),
    )  # fmt: skip


def _responses(frame: Frame, about: Instance) -> Html:
    w = frame.words
    return _section(
        "responses", w("docs.responses"),
        h("p", w("docs.responses_text", path=code("/v1/responses"))),
        block(runnable.responses(about.base_url, about.chat), w.plain("docs.responses")),
    )  # fmt: skip


def _images(frame: Frame, about: Instance) -> Html:
    w, base = frame.words, about.base_url
    return _section(
        "images", w("docs.images"),
        h("p", w("docs.images_text", path=code("/v1/images/generations"), image=code(about.image))),
        block(runnable.images(base, about.image), w.plain("docs.images")),
        h("h3", w("docs.edits"), id="image-edits"),
        h("p", w("docs.edits_text", field=code("image"))),
        block(runnable.edits(base, about.image), w.plain("docs.edits")),
        h("p", w("docs.images_group"), class_="tip"),
    )  # fmt: skip


def _clients(frame: Frame, about: Instance) -> Html:
    w, base = frame.words, code(about.base_url)
    models = ", ".join(name for name in (about.chat, about.second) if name)
    rows: list[tuple[Child, Child, Child]] = [
        ("Chatbox", w("docs.chatbox", base_url=base), models),
        ("Cherry Studio", w("docs.cherry", base_url=base), w("docs.cherry_models")),
        ("LobeChat", w("docs.lobechat", brand=about.brand, key=code("sk-...")), w("docs.lobechat_models", path=code("/v1/models"))),
    ]  # fmt: skip
    if "gemini" in about.capabilities:
        address = code(f"{root_of(about.base_url)}/v1beta")
        rows.append(("Gemini SDK/CLI", w("docs.gemini", base_url=address), w("docs.gemini_models")))
    heads = [w.plain(f"docs.{name}") for name in ("client", "recommended", "models")]
    return _section(
        "clients", w("docs.clients"),
        table(heads, rows, caption=w.plain("docs.clients")),
        h("p", w("docs.tabs_text")),
        client_tabs(frame, about.capabilities, about.models, base_url=about.base_url, brand=about.brand, key=NO_KEY),
    )  # fmt: skip


def client_tabs(
    frame: Frame,
    capabilities: frozenset[str],
    models: Mapping[str, str | None],
    *,
    base_url: str,
    brand: str,
    key: str,
) -> Html:
    """Settings of every client that a group with these capabilities can use, one at a time, without a script. `key` stands in them."""
    options = {"base_url": base_url, "brand": brand}
    shown = [
        (client, parts) for client in CLIENTS if (parts := written(client, capabilities, models, **options))
    ]
    tabs = [
        _tab(frame, client, parts, key, first=number == 0) for number, (client, parts) in enumerate(shown)
    ]
    return h("fieldset", h("legend", frame.words("docs.tabs"), class_="unseen"), tabs, class_="tabs")


def _tab(frame: Frame, client: Client, parts: Sequence[Written], key: str, *, first: bool) -> Sequence[Html]:
    w = frame.words
    name, says = f"client-{client.id}", client.says_zh if w.language == "zh" else client.says
    texts = [
        (
            h("p", _place(w, one.part.place), class_="place"),
            block(one.text.replace("{key}", key), f"{client.title}: {one.part.place}"),
        )
        for one in parts
    ]
    return (
        h("input", type="radio", name="client", id=name, checked=first, class_="unseen"),
        h("label", _place(w, client.title), for_=name),
        h(
            "div",
            h("p", says),
            texts,
            h("p", w("docs.tested", version=client.tested), class_="small"),
            class_="panel",
        ),
    )


def _place(words: Words, place: str) -> Child:
    """Where a text goes, in the reader's language; paths and names are what they are in any."""
    name = f"place.{re.sub('[^a-z]+', '_', place.lower())}"
    return words(name) if name in words.texts else place


def _troubleshooting(frame: Frame, about: Instance) -> Html:
    w = frame.words
    questions: list[tuple[Html, Html]] = [
        (w("docs.q_chat", path=code("/chat")), w("docs.a_chat", base_url=code(about.base_url))),
        (w("docs.q_unavailable"), w("docs.a_unavailable", models=code("GET /v1/models"), explain=code(f"GET /v1/models/{about.chat}?explain=1"))),
    ]  # fmt: skip
    if "images" in about.capabilities:
        paths = {"path": code("/v1/images/generations"), "image": code(about.image)}
        questions.append((w("docs.q_images"), w("docs.a_images", **paths)))
    questions += [
        (w("docs.q_401"), w("docs.a_401", header=code(f"Authorization: Bearer {NO_KEY}"))),
        (w("docs.q_quota"), w("docs.a_quota", key=_key_link(frame))),
    ]
    asked = [h("div", h("h3", question), h("p", answer)) for question, answer in questions]
    return _section("troubleshooting", w("docs.troubleshooting"), h("div", asked, class_="questions"))


def _key_link(frame: Frame) -> Child:
    """Where a holder sees what was used: the page, or the endpoint where there is no page."""
    if frame.settings.key == "off":
        return code("GET /v1/usage")
    return h("a", frame.words("nav.key"), href=frame.link("key"))


def _section(name: str, title: Child, *content: Child) -> Html:
    return h(
        "section", h("h2", title, id=f"{name}-title"), *content, id=name, aria_labelledby=f"{name}-title"
    )
