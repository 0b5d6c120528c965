"""Google's official SDK (google-genai, which calls /v1 unless told otherwise) on an upstream of every kind."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from google import genai
from google.genai import errors, types
from pydantic import BaseModel

from tests.clients.billing import Meter
from tests.clients.conftest import BROKEN, PNG, upstream_body
from tests.served import Served
from tests.simulated_provider import SimulatedProvider

TOOL = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="weather",
            description="The weather of a city.",
            parameters=types.Schema(
                type=types.Type.OBJECT,
                properties={"city": types.Schema(type=types.Type.STRING)},
                required=["city"],
            ),
        )
    ]
)
BY_HAND = types.AutomaticFunctionCallingConfig(disable=True)


class Town(BaseModel):
    name: str
    people: int


def connect(
    laidian: Served, key: str | None = None, path: str = "", version: str | None = None
) -> genai.Client:
    options = types.HttpOptions(base_url=laidian.base_url + path, api_version=version)
    return genai.Client(api_key=key or laidian.key, http_options=options)


@pytest.fixture
def client(laidian: Served) -> Iterator[genai.Client]:
    with connect(laidian) as client:
        yield client


def told(usage: types.GenerateContentResponseUsageMetadata | None) -> dict[str, int]:
    assert usage is not None
    reasoning = usage.thoughts_token_count or 0
    return {
        "input": usage.prompt_token_count or 0,
        "output": (usage.candidates_token_count or 0) + reasoning,
        "cached": usage.cached_content_token_count or 0,
        "reasoning": reasoning,
    }


def finish(response: types.GenerateContentResponse) -> str:
    assert response.candidates is not None
    reason = response.candidates[0].finish_reason
    assert reason is not None
    return reason.name


def test_it_answers_with_a_system_prompt(
    client: genai.Client, model: str, meter: Meter, provider: SimulatedProvider
):
    response = client.models.generate_content(
        model=model,
        contents="[[say:hello]] [[cached:2]]",
        config=types.GenerateContentConfig(system_instruction="You are a lighthouse."),
    )
    assert (response.text, finish(response)) == ("[simulated] hello", "STOP")
    assert response.model_version == model
    assert "You are a lighthouse." in upstream_body(provider)
    record = meter.same(**told(response.usage_metadata))
    assert record.cached_input == 2
    assert response.sdk_http_response is not None
    assert response.sdk_http_response.headers is not None
    assert record.request_id == response.sdk_http_response.headers["x-request-id"]


def test_it_streams(client: genai.Client, model: str, meter: Meter):
    chunks = list(client.models.generate_content_stream(model=model, contents="[[say:hello]]"))
    assert "".join(chunk.text or "" for chunk in chunks) == "[simulated] hello"
    assert finish(chunks[-1]) == "STOP"
    meter.same(**told(chunks[-1].usage_metadata))


async def test_the_async_client(client: genai.Client, model: str, meter: Meter):
    response = await client.aio.models.generate_content(model=model, contents="[[say:hello]]")
    meter.same(**told(response.usage_metadata))
    stream = await client.aio.models.generate_content_stream(model=model, contents="[[say:hello]]")
    texts = [chunk.text or "" async for chunk in stream]
    assert "".join(texts) == response.text == "[simulated] hello"
    await client.aio.aclose()
    meter.check(requests=2)


@pytest.mark.parametrize(
    ("path", "version"),
    [("", "v1"), ("", "v1beta"), ("/v1beta", None), ("/v1beta", "v1beta"), ("/v1beta", ""), ("/v1", "")],
)
def test_every_base_url_that_people_write_works(
    laidian: Served, path: str, version: str | None, meter: Meter
):
    """The seed says /v1beta; the SDK adds its own version to it."""
    with connect(laidian, path=path, version=version) as client:
        assert client.models.generate_content(model="gpt-5.4", contents="[[say:hello]]").text
        assert client.models.generate_content(model="gemini-3-flash-preview", contents="[[say:hello]]").text
        assert "models/gpt-5.4" in {model.name for model in client.models.list()}
    meter.check(requests=2)


def test_the_key_in_the_query_reaches_neither_log_nor_upstream(
    laidian: Served, meter: Meter, provider: SimulatedProvider
):
    """As Chatbox and Cherry Studio have it; the SDK always sends its header, here an empty one."""
    options = types.HttpOptions(
        base_url=laidian.base_url,
        headers={"x-goog-api-key": ""},
        client_args={"params": {"key": laidian.key}},
    )
    with genai.Client(api_key="unused", http_options=options) as client:
        response = client.models.generate_content(model="gemini-3-flash-preview", contents="[[say:hello]]")
    assert response.text == "[simulated] hello"
    meter.check(requests=1)
    assert laidian.key not in laidian.log()
    assert all(laidian.key not in request.path for request in provider.requests())


def test_it_calls_tools_in_parallel_and_takes_their_results(client: genai.Client, model: str, meter: Meter):
    question = types.Content(role="user", parts=[types.Part(text="the weather in two towns [[tools:2]]")])
    config = types.GenerateContentConfig(tools=[TOOL], automatic_function_calling=BY_HAND)
    chunks = list(client.models.generate_content_stream(model=model, contents=[question], config=config))
    parts = [
        part
        for chunk in chunks
        for candidate in chunk.candidates or []
        for part in (candidate.content and candidate.content.parts) or []
    ]
    calls = [part.function_call for part in parts if part.function_call is not None]
    assert [(call.name, call.args) for call in calls] == [("weather", {"city": "simulated"})] * 2
    meter.same(**told(chunks[-1].usage_metadata))
    results = [
        types.Part(
            function_response=types.FunctionResponse(
                id=call.id, name="weather", response={"output": {"celsius": 21}}
            )
        )
        for call in calls
    ]
    said = types.Content(role="model", parts=[part for part in parts if part.function_call is not None])
    final = client.models.generate_content(
        model=model, contents=[question, said, types.Content(role="user", parts=results)], config=config
    )
    assert final.text
    meter.same(**told(final.usage_metadata))
    meter.check(requests=2)


def test_a_python_function_is_called_by_the_sdk_itself(client: genai.Client, model: str, meter: Meter):
    asked: list[str] = []

    def weather(city: str) -> str:
        """The weather of a city."""
        asked.append(city)
        return "21 degrees"

    chat = client.chats.create(model=model, config=types.GenerateContentConfig(tools=[weather]))
    assert chat.send_message("the weather [[tool]]").text
    assert asked == ["simulated"]
    meter.check(requests=2)


def test_it_gives_structured_outputs(client: genai.Client, model: str, meter: Meter):
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=Town)
    response = client.models.generate_content(model=model, contents="a town", config=config)
    assert isinstance(response.parsed, Town)
    meter.same(**told(response.usage_metadata))


def test_it_sees_pictures(client: genai.Client, model: str, meter: Meter, provider: SimulatedProvider):
    picture = types.Part.from_bytes(data=base64.b64decode(PNG), mime_type="image/png")
    response = client.models.generate_content(model=model, contents=[picture, "what is it?"])
    as_sent = PNG.replace("+", "-").replace(
        "/", "_"
    )  # the SDK's base64; Google takes it, others want the usual one
    assert (as_sent if model.startswith("gemini") else PNG) in upstream_body(provider)
    assert meter.same(**told(response.usage_metadata)).input > 85


def test_thoughts_are_counted_apart(client: genai.Client, model: str, meter: Meter):
    config = types.GenerateContentConfig(
        thinking_config=types.ThinkingConfig(thinking_level=types.ThinkingLevel.HIGH)
    )
    response = client.models.generate_content(
        model=model, contents="[[reasoning:7]] [[say:hello]]", config=config
    )
    assert meter.same(**told(response.usage_metadata)).reasoning == 7


def test_it_stops_at_a_word_and_at_the_limit(client: genai.Client, model: str, meter: Meter):
    config = types.GenerateContentConfig(stop_sequences=["two"])
    stopped = client.models.generate_content(model=model, contents="[[say:one two three]]", config=config)
    assert (stopped.text, finish(stopped)) == ("[simulated] one ", "STOP")
    meter.same(**told(stopped.usage_metadata))
    config = types.GenerateContentConfig(max_output_tokens=20)
    cut = client.models.generate_content(model=model, contents="[[tokens:50]]", config=config)
    assert finish(cut) == "MAX_TOKENS"
    assert meter.same(**told(cut.usage_metadata)).output == 20


def test_counting_tokens_is_free(client: genai.Client, model: str, meter: Meter):
    assert (client.models.count_tokens(model=model, contents="how long is this?").total_tokens or 0) > 0
    assert all(record.amount_nano == 0 for record in meter.check())


@pytest.mark.parametrize("version", [None, "v1beta"])
def test_files_are_uploaded_asked_about_and_deleted(
    laidian: Served, tmp_path: Path, version: str | None, meter: Meter
):
    """The SDK sends the bytes to the address it was given, without a key."""
    text = tmp_path / "harbour.txt"
    text.write_text("a harbour " * 50)
    with connect(laidian, version=version) as client:
        file = client.files.upload(file=text)
        assert file.name is not None
        assert [one.name for one in client.files.list()] == [file.name]
        response = client.models.generate_content(
            model="gemini-3-flash-preview", contents=[file, "what is it?"]
        )
        assert meter.same(**told(response.usage_metadata)).input > 100
        client.files.delete(name=file.name)
        assert list(client.files.list()) == []
    meter.check(requests=1)


def test_embeddings_are_metered(client: genai.Client, meter: Meter):
    response = client.models.embed_content(model="gemini-embedding-001", contents=["one", "two"])
    assert len(response.embeddings or []) == 2
    records = meter.check()
    assert sum(record.input for record in records) > 0


def test_the_callers_errors_have_the_sdks_class_and_status(laidian: Served, meter: Meter):
    for key, model, status, word in (
        ("sk-wrong", "gemini-3-flash-preview", (400, 401), "UNAUTHENTICATED"),
        (laidian.key, "gemini-0", (404,), "NOT_FOUND"),
        (laidian.keys[1], "gpt-5.4", (429,), "RESOURCE_EXHAUSTED"),
    ):
        with connect(laidian, key) as client, pytest.raises(errors.ClientError) as told:
            client.models.generate_content(model=model, contents="hi")
        assert told.value.code in status
        assert told.value.status == word
        assert key not in str(told.value)
    assert meter.check() == []


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize("fault", ["http-500", "http-502-html", "junk", "error-200"])
def test_an_upstream_that_fails_before_its_answer_is_a_server_error(
    client: genai.Client, model: str, fault: str, provider: SimulatedProvider
):
    provider.fault(fault)
    with pytest.raises(errors.ServerError) as failed:
        client.models.generate_content(model=model, contents="hi")
    assert failed.value.code == 502
    assert "sim-000" not in str(failed.value)
    provider.clear_faults()


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize("fault", BROKEN)
def test_a_stream_that_breaks_off_is_never_a_short_answer(
    client: genai.Client, model: str, fault: str, meter: Meter
):
    text = f"[[fault:{fault}]] [[tokens:40]]"
    with pytest.raises(errors.APIError):
        list(client.models.generate_content_stream(model=model, contents=text))
    assert meter.records()[-1].ended == "upstream_fault"
