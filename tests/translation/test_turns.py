"""A conversation goes on: what a client was answered, it sends back, and the upstream takes it for its own."""

from __future__ import annotations

import json

import pytest

from laidian.simulated.anthropic_thinking import SIGNATURE as ANTHROPIC_SIGNATURE
from tests.translation import answers
from tests.translation.answers_gemini import SIGNATURE as GEMINI_SIGNATURE
from tests.translation.codecs import BY_NAME, PAIRS, Body, Spoken, pair_id
from tests.translation.requests import REASONING, TOOLS, asked, follow_up
from tests.translation.test_answers import CALLS, translation
from tests.translation.test_requests import arrived, carried

RESULTS = {"get_weather": "18 °C", "get_time": '{"hour": 9}'}


def answered(client: Spoken, upstream: Spoken, scenario: str) -> Body:
    answer = translation(client, upstream, scenario, stream=False).read_answer(
        answers.whole(upstream.name, scenario)
    )
    return json.loads(answer.body)


@pytest.mark.parametrize(("client", "upstream"), PAIRS, ids=pair_id)
def test_the_results_of_parallel_tools_come_back_to_their_calls(client: Spoken, upstream: Spoken):
    answer = answered(client, upstream, "tools")
    body = follow_up(client.name, asked(TOOLS, client.name), answer, RESULTS)
    got = arrived(upstream, carried(client, upstream, body))
    assert got.turns == (
        ("user", "Weather and time in Paris?"),
        ("assistant", *(("call", name, arguments) for name, arguments in CALLS)),
        ("user", ("result", "get_weather", "18 °C"), ("result", "get_time", '{"hour": 9}')),
    )


def calls_sent_to_gemini(client: Spoken) -> list[Body]:
    """The calls of the second turn, as Gemini gets its own first answer back through this client."""
    gemini = BY_NAME["gemini"]
    answer = answered(client, gemini, "tools")
    body = follow_up(client.name, asked(TOOLS, client.name), answer, RESULTS)
    sent = json.loads(carried(client, gemini, body).encoded.body)
    return [part for part in sent["contents"][1]["parts"] if "functionCall" in part]


@pytest.mark.parametrize("client", [BY_NAME["chat"], BY_NAME["responses"], BY_NAME["gemini"]], ids=pair_id)
def test_geminis_thought_signature_survives_the_client(client: Spoken):
    """Gemini 3 refuses a history whose calls lack it (protocol.md 0.13)."""
    first, second = calls_sent_to_gemini(client)
    assert first["thoughtSignature"] == GEMINI_SIGNATURE
    assert second.get("thoughtSignature") != GEMINI_SIGNATURE


def test_a_client_that_cannot_keep_geminis_signature_does_not_break_the_conversation():
    """Anthropic's clients have no place for it on a call; Google documents a value for histories from elsewhere (protocol.md 6.3)."""
    first, _ = calls_sent_to_gemini(BY_NAME["anthropic"])
    assert first["thoughtSignature"] in (GEMINI_SIGNATURE, "skip_thought_signature_validator")


@pytest.mark.parametrize("client", [BY_NAME["chat"], BY_NAME["responses"], BY_NAME["anthropic"]], ids=pair_id)
def test_anthropics_signed_thinking_survives_the_client(client: Spoken):
    """A Gemini client would be handed it as Google's own signature, so it is left out there."""
    anthropic = BY_NAME["anthropic"]
    answer = answered(client, anthropic, "reasoning")
    body = follow_up(client.name, asked(REASONING, client.name), answer, {})
    sent = json.loads(carried(client, anthropic, body).encoded.body)
    thinking = {"type": "thinking", "thinking": "Six by nine? No.", "signature": ANTHROPIC_SIGNATURE}
    assert thinking in sent["messages"][1]["content"]


@pytest.mark.parametrize(
    ("client", "maker", "upstream"),
    [
        (client, maker, upstream)
        for client, upstream in PAIRS
        for maker in (BY_NAME["gemini"], BY_NAME["anthropic"])
        if maker is not upstream
    ],
    ids=pair_id,
)
def test_no_upstream_is_shown_the_signature_of_another(client: Spoken, maker: Spoken, upstream: Spoken):
    """A conversation that moves to another provider leaves its proofs behind: they would be refused there."""
    scenario, bodies = ("tools", TOOLS) if maker.name == "gemini" else ("reasoning", REASONING)
    answer = answered(client, maker, scenario)
    body = follow_up(client.name, asked(bodies, client.name), answer, RESULTS)
    sent = carried(client, upstream, body).encoded.body
    assert GEMINI_SIGNATURE.encode() not in sent
    assert ANTHROPIC_SIGNATURE.encode() not in sent
