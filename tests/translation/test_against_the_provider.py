"""Every pair against the simulated provider over real sockets: the answer arrives, and what is metered is what the provider bills."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from laidian.protocol.codec import Translation
from laidian.protocol.dialect import StreamFault
from laidian.upstream.providers import ANTHROPIC_VERSION, credential_headers
from tests.simulated_provider import BilledUsage, SimulatedProvider, simulated_provider
from tests.translation.codecs import PAIRS, Body, Spoken, pair_id
from tests.translation.meaning import Meaning, meaning
from tests.translation.requests import MODELS, TOOLS
from tests.translation.test_answers import read

KEY = "sim-test-key-000001"


@pytest.fixture(scope="module")
def running_provider() -> Iterator[SimulatedProvider]:
    with simulated_provider() as provider:
        yield provider


@pytest.fixture
def provider(running_provider: SimulatedProvider) -> SimulatedProvider:
    running_provider.reset()
    return running_provider


def asked(client: Spoken, text: str, *, tools: bool = False) -> Body:
    words: dict[str, Body] = {
        "chat": {"messages": [{"role": "user", "content": text}]},
        "responses": {"input": text},
        "gemini": {"contents": [{"role": "user", "parts": [{"text": text}]}]},
        "anthropic": {"messages": [{"role": "user", "content": text}]},
    }
    return {**MODELS[client.name], **(TOOLS[client.name] if tools else {}), **words[client.name]}


def exchanged(
    provider: SimulatedProvider, upstream: Spoken, translation: Translation, *, stream: bool
) -> Iterator[bytes]:
    """What the provider answers, in the pieces in which it comes."""
    path = translation.upstream.stream_path(upstream.model, stream=stream)
    url = f"{provider.base_url}/{'v1beta' if upstream.name == 'gemini' else 'v1'}{path}"
    headers = [(b"content-type", b"application/json"), *credential_headers(upstream.family.name, KEY)]
    if upstream.name == "anthropic":
        headers.append((b"anthropic-version", ANTHROPIC_VERSION))
    with (
        httpx2.Client(timeout=20, trust_env=False) as http,
        http.stream("POST", url, content=translation.encoded.body, headers=headers) as response,
    ):
        if response.status_code != 200:
            raise AssertionError(response.read())
        yield from response.iter_raw()


def answered(
    provider: SimulatedProvider, client: Spoken, upstream: Spoken, body: Body, *, stream: bool
) -> Meaning:
    """What the client reads; fails when what was metered is not on the provider's bill to the token."""
    translation = client.translated(client.peek(body, stream=stream), upstream)
    pieces = exchanged(provider, upstream, translation, stream=stream)
    if stream:
        tap = translation.tap()
        written = b"".join(tap.feed(piece) for piece in pieces)
        got, usage = meaning(read(client, written + tap.end())), tap.usage
    else:
        answer = translation.read_answer(b"".join(pieces))
        got, usage = meaning(client.codec.read_whole(answer.body)), answer.usage
    (row,) = provider.bill(rows=1).rows
    assert usage is not None
    assert got.usage == usage
    assert row.usage == BilledUsage(
        input_tokens=usage.total_input_tokens,
        cached_input_tokens=usage.cached_input,
        output_tokens=usage.total_output_tokens,
        reasoning_tokens=usage.reasoning,
    )
    return got


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(("client", "upstream"), PAIRS, ids=pair_id)
def test_what_is_metered_is_what_is_billed(
    provider: SimulatedProvider, client: Spoken, upstream: Spoken, stream: bool
):
    body = asked(client, "[[say:Grüße, 世界]] [[reasoning:7]] [[cached:5]]")
    got = answered(provider, client, upstream, body, stream=stream)
    assert got.text == "[simulated] Grüße, 世界"
    assert got.reason == "stop"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(("client", "upstream"), PAIRS, ids=pair_id)
def test_parallel_calls_arrive(provider: SimulatedProvider, client: Spoken, upstream: Spoken, stream: bool):
    got = answered(provider, client, upstream, asked(client, "[[tools:2]]", tools=True), stream=stream)
    assert [name for name, _ in got.calls] == ["get_weather", "get_time"]
    assert [set(arguments) for _, arguments in got.calls] == [{"city"}, {"zone"}]
    assert got.reason == "tool_calls"


@pytest.mark.parametrize("quirk", ["split", "merge", "crlf", "comments", "usage-twice"])
@pytest.mark.parametrize(("client", "upstream"), PAIRS, ids=pair_id)
def test_quirks_of_the_transport_change_nothing(
    provider: SimulatedProvider, client: Spoken, upstream: Spoken, quirk: str
):
    body = asked(client, f"[[say:世界]] [[fault:{quirk}]]")
    assert answered(provider, client, upstream, body, stream=True).text == "[simulated] 世界"


@pytest.mark.parametrize("fault", ["error-event", "eof-mid-stream"])
@pytest.mark.parametrize(("client", "upstream"), PAIRS, ids=pair_id)
def test_a_failing_provider_is_a_fault(
    provider: SimulatedProvider, client: Spoken, upstream: Spoken, fault: str
):
    translation = client.translated(
        client.peek(asked(client, f"[[tokens:40]] [[fault:{fault}]]"), stream=True), upstream
    )
    tap = translation.tap()
    written = b"".join(tap.feed(piece) for piece in exchanged(provider, upstream, translation, stream=True))
    if tap.fault is None:
        with pytest.raises(StreamFault):
            tap.end()
    with pytest.raises(StreamFault):
        read(client, written)
