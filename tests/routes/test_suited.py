"""What a model is made for, told by the price book's own entries."""

from __future__ import annotations

import pytest

from laidian.data import price_book_bytes
from laidian.domain.price import Price, Rate
from laidian.domain.price_book import parse_book
from laidian.errors import NotFound
from laidian.protocol.dialect import CHAT_COMPLETIONS, Operation
from laidian.relay.suited import EVERYTHING, only_embeds, require_suited, suited

BOOK = parse_book(price_book_bytes())
NOW_MS = 1_795_000_000_000


def price(model: str) -> Price:
    found = BOOK.find(model, NOW_MS)
    assert found is not None, model
    return found


@pytest.mark.parametrize("model", ["gpt-image-2", "gpt-image-1.5", "chatgpt-image-latest"])
def test_a_model_that_only_draws_is_sent_to_the_images(model: str):
    assert suited(price(model)) == {"images"}
    with pytest.raises(NotFound) as refused:
        require_suited(CHAT_COMPLETIONS, model, price(model))
    assert "/v1/images/generations" in refused.value.message
    assert (refused.value.status, refused.value.code) == (404, "endpoint_not_supported")
    assert refused.value.param == "model"


@pytest.mark.parametrize(
    ("model", "capabilities"),
    [
        ("text-embedding-3-small", {"embeddings", "gemini", "moderations"}),
        ("gemini-embedding-001", {"embeddings", "gemini", "moderations"}),
        ("whisper-1", {"audio"}),
        ("gpt-4o-transcribe", {"audio"}),
        ("tts-1", {"audio"}),
        ("gpt-4o-mini-tts", {"audio"}),
        ("gemini-2.5-flash-tts", {"gemini"}),
    ],
)
def test_a_model_that_does_one_thing_suits_one_thing(model: str, capabilities: set[str]):
    assert suited(price(model)) == capabilities


@pytest.mark.parametrize(
    "model",
    ["gpt-5.4", "gpt-5.5", "gpt-4o", "gpt-audio", "gpt-realtime", "gemini-2.5-flash", "gemini-2.5-flash-image",
     "gemini-3-pro-image-preview", "claude-sonnet-4-5", "voxtral-small-24b-2507"],
)  # fmt: skip
def test_a_model_that_talks_is_refused_nothing(model: str):
    assert suited(price(model)) == EVERYTHING
    require_suited(CHAT_COMPLETIONS, model, price(model))


def test_a_price_that_tells_nothing_refuses_nothing():
    bare = Price("mine", 0, "operator", "2026-11-22", "v", (), None, None)
    assert suited(bare) == EVERYTHING
    searches = Price("mine", 0, "operator", "2026-11-22", "v", (Rate("web_searches", 1),), None, None)
    assert suited(searches) == EVERYTHING


def test_pictures_by_the_piece_are_pictures():
    piece = Price("dall-e-3", 0, "operator", "2026-11-22", "v", (Rate("images", 40),), None, None)
    assert suited(piece) == {"images"}


def test_every_refusal_names_an_endpoint():
    songs = Operation("songs", "openai", "openai.chat", "POST", "/v1/songs", "nothing")
    for entry in BOOK.entries:
        found = price(entry.model) if BOOK.find(entry.model, NOW_MS) else None
        if found is None or suited(found) == EVERYTHING:
            continue
        with pytest.raises(NotFound, match=r"Use (POST|the endpoints)"):
            require_suited(songs, entry.model, found)


def test_only_embedding_models_only_embed():
    assert only_embeds(price("text-embedding-3-small"))
    assert not only_embeds(price("gpt-5.4"))
    assert not only_embeds(price("gpt-image-2"))
