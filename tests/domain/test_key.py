"""How a key is spelled, recognised and shown."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laidian.domain.key import ENTROPY_BYTES, digest, display, spell

entropies = st.binary(min_size=ENTROPY_BYTES, max_size=ENTROPY_BYTES)


@given(entropies)
def test_a_key_is_sk_and_43_letters_and_digits(entropy: bytes) -> None:
    assert re.fullmatch(r"sk-[0-9A-Za-z]{43}", spell(entropy))


@given(entropies, entropies)
def test_different_chance_gives_different_keys(one: bytes, other: bytes) -> None:
    assert (spell(one) == spell(other)) == (one == other)


def test_the_smallest_and_the_largest_key_have_the_same_length() -> None:
    assert spell(b"\0" * 32) == "sk-" + "0" * 43
    assert len(spell(b"\xff" * 32)) == 46
    assert spell(bytes(31) + b"\x3d") == "sk-" + "0" * 42 + "z"
    assert spell(bytes(31) + b"\x3e") == "sk-" + "0" * 41 + "10"


@given(st.binary(max_size=64).filter(lambda raw: len(raw) != ENTROPY_BYTES))
def test_any_other_amount_of_chance_is_refused_and_not_repeated(raw: bytes) -> None:
    with pytest.raises(ValueError) as refused:
        spell(raw)
    assert len(raw) < 4 or raw.hex() not in str(refused.value)


@given(entropies)
def test_a_digest_is_sha_256_of_the_whole_credential(entropy: bytes) -> None:
    key = spell(entropy)
    assert digest(key) == digest(key.encode()) == hashlib.sha256(key.encode()).digest()
    assert digest(key + " ") != digest(key)
    assert digest(key[:-1]) != digest(key)


@given(entropies)
def test_what_is_shown_hides_all_but_eight_characters(entropy: bytes) -> None:
    key = spell(entropy)
    shown = display(key)
    assert shown == f"sk-{key[3:7]}…{key[-4:]}"
    assert key[7:-4] not in shown


@given(st.text(max_size=19))
def test_what_is_too_short_to_hide_enough_is_not_shown_at_all(credential: str) -> None:
    assert display(credential) == "…"
