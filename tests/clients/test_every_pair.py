"""The contract of translation, from end to end: every client's protocol on every kind of upstream, over real sockets, to the token.

The codecs alone are judged by tests/translation; here the same requests go through the door, the gates, the ledger and the
transport to the simulated provider, and each test ends with the shared comparison of its bill with our records (`Meter`).
The client's side reads its own dialect with its own codec, so what it got is compared by its meaning.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from laidian.domain.group import CAPABILITIES
from laidian.protocol.canonical import Event, Finished, ToolDelta, ToolStarted
from laidian.protocol.dialect import StreamFault
from tests.clients.billing import Meter
from tests.served import Place, Served, Setup, served
from tests.simulated_provider import SimulatedProvider
from tests.translation import requests
from tests.translation.codecs import BY_NAME, Spoken
from tests.translation.meaning import Meaning, meaning

UPSTREAMS = {
    "chat": ("compatible", "/v1", "gpt-5.4-mini"),
    "responses": ("responses", "/v1", "gpt-5.4"),
    "gemini": ("gemini", "/v1beta", "gemini-3-flash-preview"),
    "anthropic": ("anthropic", "/v1", "claude-opus-4-5"),
}
"""Dialect to a kind of upstream that speaks nothing else, where it is, and a model that only it serves."""

THINKERS = {"anthropic": "claude-sonnet-5"}
"""Models that take an effort of thinking, where the other one does not."""

ORDERED = [(client, upstream) for client in BY_NAME.values() for upstream in UPSTREAMS]
WAYS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


def pair_id(value: object) -> str | None:
    return value.name if isinstance(value, Spoken) else None


PAIRS = pytest.mark.parametrize(("client", "upstream"), ORDERED, ids=pair_id)

SETUP = Setup(
    upstreams=tuple(
        Place(f"sim-{name}", kind, path, (model, THINKERS.get(name, model)))
        for name, (kind, path, model) in UPSTREAMS.items()
    ),  # type: ignore[arg-type]
    capabilities=CAPABILITIES,
)


@pytest.fixture(scope="module")
def instance(provider_process: SimulatedProvider) -> Iterator[Served]:
    with served(provider_process, setup=SETUP) as running:
        yield running


class Got(msgspec.Struct, frozen=True):
    """What came back, as bytes."""

    status: int
    headers: dict[str, str]
    body: bytes

    def error(self) -> dict[str, Any]:
        return json.loads(self.body)["error"]


class Speaker:
    """One client of one dialect, asking for a model of one upstream."""

    def __init__(self, laidian: Served, client: Spoken, upstream: str, model: str = "") -> None:
        self._laidian = laidian
        self._client = client
        self._model = model or UPSTREAMS[upstream][2]

    def send(self, body: dict[str, Any], *, stream: bool) -> Got:
        client, model = self._client, self._model
        path = client.path
        if client.name == "gemini":
            verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
            path = f"/v1beta/models/{model}:{verb}"
        else:
            body = {**body, "model": model, "stream": stream}
        if client.name == "chat" and stream:
            body["stream_options"] = {"include_usage": True}
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._laidian.key}"}
        if client.name == "anthropic":
            headers["anthropic-version"] = "2023-06-01"
        connection = http.client.HTTPConnection("127.0.0.1", self._laidian.port, timeout=60)
        try:
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Got(answer.status, told, answer.read())
        finally:
            connection.close()

    def events(self, body: dict[str, Any], *, stream: bool) -> list[Event]:
        got = self.send(body, stream=stream)
        assert got.status == 200, got.body
        return self.read(got.body, stream=stream)

    def read(self, body: bytes, *, stream: bool) -> list[Event]:
        """Raises StreamFault for what is no whole answer."""
        if not stream:
            return self._client.codec.read_whole(body)
        reader = self._client.codec.reader()
        return [*reader.feed(body), *reader.end()]


@pytest.fixture
def speaker(laidian: Served, client: Spoken, upstream: str) -> Speaker:
    return Speaker(laidian, client, upstream)


def asked(client: Spoken, bodies: dict[str, Any], text: str) -> dict[str, Any]:
    """One of the shared requests, its last words followed by directives for the provider."""
    body = json.loads(json.dumps({**requests.MODELS[client.name], **bodies[client.name]}))
    last = (body.get("messages") or body.get("contents") or body["input"])[-1]
    if isinstance(last, str):
        body["input"] += f" {text}"
        return body
    parts = last.get("parts") or last["content"]
    if isinstance(parts, str):
        last["content"] = f"{parts} {text}"
        return body
    words = next(part for part in parts if "text" in part)
    words["text"] += f" {text}"
    return body


def metered(meter: Meter, got: Meaning) -> None:
    """The client was told the usage that is on the books, and those agree with the bill."""
    assert got.usage is not None
    usage = got.usage
    meter.same(
        input=usage.total_input_tokens,
        output=usage.total_output_tokens,
        cached=usage.cached_input,
        reasoning=usage.reasoning,
    )
    meter.check(requests=1)


@WAYS
@PAIRS
def test_text(speaker: Speaker, client: Spoken, stream: bool, meter: Meter):
    body = asked(client, requests.TEXT, "[[say:Grüße, 世界]] [[cached:5]]")
    got = meaning(speaker.events(body, stream=stream))
    assert (got.text, got.reason) == ("[simulated] Grüße, 世界", "stop")
    metered(meter, got)


@WAYS
@PAIRS
def test_parallel_tools_and_their_results(
    speaker: Speaker, client: Spoken, upstream: str, stream: bool, meter: Meter
):
    """Two calls, with arguments in pieces where the upstream streams them so, and the conversation goes on with their results."""
    body = asked(client, requests.TOOLS, "[[tools:2]]")
    events = speaker.events(body, stream=stream)
    got = meaning(events)
    assert [name for name, _ in got.calls] == ["get_weather", "get_time"]
    assert [set(arguments) for _, arguments in got.calls] == [{"city"}, {"zone"}]
    assert got.reason == "tool_calls"
    if stream and "gemini" not in (client.name, upstream):
        assert sum(isinstance(event, ToolDelta) for event in events) > 2, "the arguments came in pieces"
    metered(meter, got)
    answer = json.loads(speaker.send(body, stream=False).body)
    again = requests.follow_up(client.name, body, answer, {"get_weather": "18 °C", "get_time": "9:00"})
    assert meaning(speaker.events(again, stream=stream)).text.startswith("[simulated]")
    meter.check(requests=3)


@WAYS
@pytest.mark.parametrize("client", BY_NAME.values(), ids=pair_id)
def test_geminis_signature_comes_back_through_every_client_also_those_that_cannot_keep_it(
    laidian: Served, client: Spoken, provider: SimulatedProvider, stream: bool, meter: Meter
):
    speaker = Speaker(laidian, client, "gemini")
    body = asked(client, requests.TOOLS, "[[tools:2]]")
    if stream:
        # a client without a word for it: what it puts together from the stream has no signature
        events = speaker.events(body, stream=True)
        answer = json.loads(
            client.codec.write_whole(
                client.peek(body),
                client.codec.decode_request(client.peek(body)),
                [
                    msgspec.structs.replace(one, signature="") if isinstance(one, ToolStarted) else one
                    for one in events
                ],
            )
        )
    else:
        answer = json.loads(speaker.send(body, stream=False).body)
    again = requests.follow_up(client.name, body, answer, {"get_weather": "18 °C", "get_time": "9:00"})
    if client.name == "gemini" and stream:
        return  # Google's own clients keep it, and what they send is not touched
    assert meaning(speaker.events(again, stream=stream)).text.startswith("[simulated]")
    sent = provider.requests()[-1].json()
    (content,) = [one for one in sent["contents"] if one["role"] == "model"]  # type: ignore[index, call-overload]
    calls = [part for part in content["parts"] if "functionCall" in part]
    assert [part.get("thoughtSignature") for part in calls] == ["c2ltdWxhdGVk"] * 2
    meter.check()


@WAYS
@PAIRS
def test_a_structured_answer(speaker: Speaker, client: Spoken, stream: bool, meter: Meter):
    got = meaning(speaker.events(asked(client, requests.SCHEMA, "?"), stream=stream))
    assert set(json.loads(got.text)) == {"colour", "sure"}
    metered(meter, got)


@WAYS
@PAIRS
def test_a_picture_goes_in(
    speaker: Speaker, client: Spoken, provider: SimulatedProvider, stream: bool, meter: Meter
):
    got = meaning(speaker.events(asked(client, requests.IMAGE, "?"), stream=stream))
    assert got.text.startswith("[simulated]")
    assert requests.PNG.encode() in provider.requests()[-1].body
    metered(meter, got)


@WAYS
@PAIRS
def test_a_document_goes_in(
    speaker: Speaker, client: Spoken, provider: SimulatedProvider, stream: bool, meter: Meter
):
    got = meaning(speaker.events(asked(client, requests.DOCUMENT, "?"), stream=stream))
    assert got.text.startswith("[simulated]")
    assert requests.PDF.encode() in provider.requests()[-1].body
    metered(meter, got)


@pytest.mark.parametrize(
    ("client", "upstream"),
    # Responses has a type for it and no place to put it (openai 3.54.0): it is sent on, and the provider says what it makes of it
    [
        (client, upstream)
        for client, upstream in ORDERED
        if client.name in requests.SOUND and upstream != "responses"
    ],
    ids=pair_id,
)
def test_sound_goes_in_where_both_have_it_and_is_refused_by_name_elsewhere(
    speaker: Speaker, client: Spoken, upstream: str, provider: SimulatedProvider, meter: Meter
):
    got = speaker.send(asked(client, requests.SOUND, "?"), stream=False)
    if upstream in requests.SOUND:
        assert requests.WAV.encode() in provider.requests()[-1].body
        metered(meter, meaning(speaker.read(got.body, stream=False)))
        return
    assert got.status == 400
    assert "sound cannot be sent" in got.error()["message"]
    assert [seen for seen in provider.requests() if seen.method == "POST"] == []
    meter.check(requests=1)


@WAYS
@PAIRS
def test_reasoning(laidian: Served, client: Spoken, upstream: str, stream: bool, meter: Meter):
    speaker = Speaker(laidian, client, upstream, THINKERS.get(upstream, ""))
    got = meaning(speaker.events(asked(client, requests.REASONING, "[[reasoning:7]]"), stream=stream))
    assert got.text.startswith("[simulated]")
    metered(meter, got)
    (record,) = meter.records()
    assert record.reasoning == 7


@WAYS
@PAIRS
def test_a_refusal_of_the_model(speaker: Speaker, client: Spoken, upstream: str, stream: bool, meter: Meter):
    """Its words arrive; as a refusal where both protocols can tell one from text, else with a reason that is not success."""
    body = asked(client, requests.TEXT, "[[refuse:I cannot help with that.]]")
    got = meaning(speaker.events(body, stream=stream))
    assert got.refusal + got.text == "[simulated] I cannot help with that."
    if {client.name, upstream} <= {"chat", "responses"}:
        assert (got.refusal, got.reason) == ("[simulated] I cannot help with that.", "stop")
    elif upstream in ("gemini", "anthropic"):
        assert got.reason == "content_filter"
    metered(meter, got)


@WAYS
@PAIRS
def test_the_output_limit(speaker: Speaker, client: Spoken, stream: bool, meter: Meter):
    body = asked(client, requests.TEXT, "[[tokens:500]]")
    got = meaning(speaker.events(body, stream=stream))
    assert (got.reason, got.usage is not None and got.usage.total_output_tokens) == ("length", 300)
    metered(meter, got)


@WAYS
@PAIRS
def test_an_upstreams_refusal_of_the_request_is_the_clients_400_and_costs_nothing(
    speaker: Speaker, client: Spoken, provider: SimulatedProvider, stream: bool, meter: Meter
):
    provider.fault("http-400")
    got = speaker.send(asked(client, requests.TEXT, "x"), stream=stream)
    assert got.status == 400
    assert got.headers["content-type"] == "application/json"
    assert got.error()["message"]
    (record,) = meter.check(requests=1)
    assert (record.ended, record.amount_nano) == ("refused", 0)


@pytest.fixture
def mended(laidian: Served) -> Iterator[None]:
    """Tests that make an upstream fail leave no rest behind."""
    yield
    laidian.write("DELETE FROM circuits")


@WAYS
@PAIRS
def test_an_error_before_the_answer(
    speaker: Speaker, client: Spoken, provider: SimulatedProvider, stream: bool, meter: Meter, mended: None
):
    provider.fault("http-500")
    got = speaker.send(asked(client, requests.TEXT, "x"), stream=stream)
    assert got.status in (502, 503), got.body
    assert str(provider.port) not in got.error()["message"]
    provider.clear_faults()
    meter.check(requests=1)


@PAIRS
@pytest.mark.parametrize("fault", ["error-event", "eof-mid-stream", "cut-mid-stream", "reset-mid-stream"])
def test_an_error_in_the_middle_of_a_stream(
    speaker: Speaker, client: Spoken, fault: str, meter: Meter, mended: None
):
    got = speaker.send(asked(client, requests.TEXT, f"[[tokens:40]] [[fault:{fault}]]"), stream=True)
    assert got.status == 200
    with pytest.raises(StreamFault):
        speaker.read(got.body, stream=True)
    (record,) = meter.check(requests=1)
    assert (record.ended, record.amount_nano > 0) == ("upstream_fault", True)


@PAIRS
@pytest.mark.parametrize("quirk", ["split", "merge", "crlf", "comments", "usage-twice"])
def test_quirks_of_the_transport_change_nothing(
    speaker: Speaker, client: Spoken, upstream: str, quirk: str, meter: Meter
):
    body = asked(client, requests.TEXT, f"[[say:世界]] [[fault:{quirk}]]")
    events = speaker.events(body, stream=True)
    if client.name == upstream:  # bytes in, bytes out: a provider that ends twice is seen to do so
        events = [
            one
            for place, one in enumerate(events)
            if not (isinstance(one, Finished) and one in events[place + 1 :])
        ]
    got = meaning(events)
    assert got.text == "[simulated] 世界"
    metered(meter, got)


@WAYS
@PAIRS
def test_an_answer_without_usage_is_estimated_and_never_free(
    speaker: Speaker, client: Spoken, stream: bool, meter: Meter
):
    body = asked(client, requests.TEXT, "[[tokens:40]] [[fault:no-usage]]")
    assert meaning(speaker.events(body, stream=stream)).reason == "stop"
    meter.unsaid()
