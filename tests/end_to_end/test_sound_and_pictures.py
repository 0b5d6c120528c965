"""Pictures, sound, embeddings and legacy completions through a running instance, by the numbers of the protocol reference's cases.

Every test compares the record with the simulated provider's own bill.
"""

from __future__ import annotations

import base64
import http.client
import io
import json
import struct
from collections.abc import Iterator

import openai
import pytest
from openai import OpenAI

from laidian.domain.group import CAPABILITIES
from tests.served import HOST, Served, served
from tests.simulated_provider import BilledRow, SeenRequest, SimulatedProvider

PNG = b"\x89PNG\r\n\x1a\n" + bytes(500)
COLUMNS = (
    "status, ended, error_code, usage_from, amount_nano, held_nano, "
    "input, image_input, audio_input, output, image_output, audio_output, characters, seconds"
)


@pytest.fixture(scope="module")
def instance(provider_process: SimulatedProvider) -> Iterator[Served]:
    with served(provider_process) as running:
        running.write("UPDATE groups SET capabilities = ?", json.dumps(CAPABILITIES))
        yield running


@pytest.fixture
def client(laidian: Served) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{laidian.base_url}/v1", api_key=laidian.key, max_retries=0) as client:
        yield client


class Last:
    """The newest record of an instance, by column."""

    def __init__(self, laidian: Served) -> None:
        laidian.wait_settled()
        with laidian.database() as database:
            row = database.execute(f"SELECT {COLUMNS} FROM usage_records ORDER BY id DESC LIMIT 1").fetchone()
        self._row: dict[str, int] = dict(zip(COLUMNS.split(", "), row, strict=True))

    def __getitem__(self, name: str) -> int:
        return self._row[name]

    def used(self) -> dict[str, int]:
        """Every class of usage that is not 0."""
        classes = COLUMNS.partition("held_nano, ")[2].split(", ")
        return {name: self._row[name] for name in classes if self._row[name]}

    @property
    def how(self) -> tuple[int, int, int]:
        return self._row["status"], self._row["ended"], self._row["usage_from"]


COMPLETE = (200, "complete", "upstream")


def sent(provider: SimulatedProvider) -> list[SeenRequest]:
    return [seen for seen in provider.requests() if seen.method == "POST"]


def only_row(provider: SimulatedProvider) -> BilledRow:
    (row,) = provider.bill(rows=1).rows
    return row


def call(laidian: Served, path: str, body: bytes, kind: str = "application/json") -> http.client.HTTPResponse:
    """An answer whose body is still to be read."""
    connection = http.client.HTTPConnection(HOST, laidian.port, timeout=60)
    connection.request("POST", path, body, {"Authorization": f"Bearer {laidian.key}", "Content-Type": kind})
    return connection.getresponse()


# Pictures


def test_case_60_partial_pictures_come_while_the_last_one_is_still_made(
    client: OpenAI, laidian: Served, provider: SimulatedProvider
):
    stream = client.images.generate(
        model="gpt-image-2", prompt="a harbour [[pace:1000]]", stream=True, partial_images=2
    )
    kinds: list[str] = []
    for event in stream:
        if event.type == "image_generation.partial_image":
            assert provider.bill().rows == [], "the provider is not done yet"
        kinds.append(event.type)
    assert kinds == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]
    row, record = only_row(provider), Last(laidian)
    assert record.how == COMPLETE
    assert record.used() == {"input": row.usage.input_tokens, "image_output": row.usage.output_tokens}


def test_a_stream_of_several_pictures_gives_them_all(
    client: OpenAI, laidian: Served, provider: SimulatedProvider
):
    stream = client.images.generate(
        model="gpt-image-2", prompt="hats [[pace:50]]", stream=True, n=3, quality="low"
    )
    assert [event.type for event in stream] == ["image_generation.completed"] * 3
    assert Last(laidian)["image_output"] == only_row(provider).usage.output_tokens == 3 * 272


def test_cases_61_and_62_edits_with_one_picture_and_with_two_and_a_mask(
    client: OpenAI, laidian: Served, provider: SimulatedProvider
):
    for image, mask, pictures in (
        (("a.png", PNG), None, 1),
        ([("a.png", PNG), ("港.png", PNG)], ("mask.png", PNG), 3),
    ):
        provider.reset()
        more = {} if mask is None else {"mask": mask}
        answer = client.images.edit(model="gpt-image-2", image=image, prompt="a hat", **more)  # type: ignore[arg-type]
        assert answer.data is not None
        assert len(answer.data) == 1
        row, record = only_row(provider), Last(laidian)
        assert row.usage.input_image_tokens == 85 * pictures
        assert record.how == COMPLETE
        assert record.used() == {
            "input": row.usage.input_tokens - row.usage.input_image_tokens,
            "image_input": row.usage.input_image_tokens,
            "image_output": row.usage.output_image_tokens,
        }
        # gpt-image-2: text in 5, pictures in 8, pictures out 30 USD per million (price book)
        used = record.used()
        assert (
            record["amount_nano"]
            == used["input"] * 5_000 + used["image_input"] * 8_000 + used["image_output"] * 30_000
        )
        assert record["held_nano"] >= record["amount_nano"]


def test_case_63_the_model_may_come_after_the_file(laidian: Served, provider: SimulatedProvider):
    body = (
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
        + PNG
        + b'\r\n--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na hat\r\n'
        + b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\ngpt-image-2\r\n--b--\r\n'
    )
    answer = call(laidian, "/v1/images/edits", body, "multipart/form-data; boundary=b")
    assert answer.status == 200
    assert json.loads(answer.read())["data"][0]["b64_json"]
    (seen,) = sent(provider)
    assert seen.body == body


def test_case_64_json_edits_pass_as_they_came(laidian: Served, provider: SimulatedProvider):
    url = "data:image/png;base64," + base64.b64encode(PNG * 1_000).decode()
    body = json.dumps(
        {
            "model": "gpt-image-2",
            "prompt": "a hat",
            "images": [{"image_url": url}, {"image_url": "https://example.org/a.png"}],
        },
        indent=1,
    ).encode()
    answer = call(laidian, "/v1/images/edits", body)
    assert answer.status == 200
    assert json.loads(answer.read())["usage"]["input_tokens_details"]["image_tokens"] == 170
    (seen,) = sent(provider)
    assert (seen.path, seen.body) == ("/v1/images/edits", body)
    assert Last(laidian)["image_input"] == 170
    assert Last(laidian)["held_nano"] < 1_000_000_000, "a picture is held as a picture"


def test_streamed_edits_name_their_own_events(client: OpenAI, laidian: Served, provider: SimulatedProvider):
    stream = client.images.edit(
        model="gpt-image-2", image=("a.png", PNG), prompt="a hat", stream=True, partial_images=1
    )
    assert [event.type for event in stream] == ["image_edit.partial_image", "image_edit.completed"]
    row, record = only_row(provider), Last(laidian)
    assert record.how == COMPLETE
    assert (record["image_input"], record["image_output"]) == (85, row.usage.output_tokens)


def test_case_65_three_pictures_cost_what_was_used(
    client: OpenAI, laidian: Served, provider: SimulatedProvider
):
    answer = client.images.generate(model="gpt-image-2", prompt="hats", n=3, quality="low")
    assert answer.data is not None
    assert len(answer.data) == 3
    row, record = only_row(provider), Last(laidian)
    assert record["image_output"] == row.usage.output_tokens == 3 * 272
    assert record["amount_nano"] == row.usage.input_tokens * 5_000 + 3 * 272 * 30_000


@pytest.mark.parametrize("edit", [False, True])
def test_case_66_a_picture_that_is_refused_for_what_it_shows_is_not_charged(
    client: OpenAI, laidian: Served, provider: SimulatedProvider, edit: bool
):
    def draw() -> object:
        if edit:
            return client.images.edit(model="gpt-image-2", image=("a.png", PNG), prompt="[[blocked]]")
        return client.images.generate(model="gpt-image-2", prompt="[[blocked]]")

    with pytest.raises(openai.BadRequestError) as refused:
        draw()
    assert (refused.value.code, refused.value.type) == ("moderation_blocked", "image_generation_user_error")
    record = Last(laidian)
    assert record.how == (400, "refused", "none")
    assert (record["amount_nano"], record.used()) == (0, {})
    assert len(sent(provider)) == 1


def test_case_68_a_chat_with_an_image_model_is_told_where_to_go(
    client: OpenAI, laidian: Served, provider: SimulatedProvider
):
    with pytest.raises(openai.NotFoundError, match="POST /v1/images/generations"):
        client.chat.completions.create(model="gpt-image-2", messages=[{"role": "user", "content": "a hat"}])
    with pytest.raises(openai.NotFoundError, match="/v1/audio"):
        client.chat.completions.create(model="tts-1", messages=[{"role": "user", "content": "a hat"}])
    assert sent(provider) == []


def test_a_picture_stream_that_breaks_says_so_and_charges_what_was_seen(
    client: OpenAI, laidian: Served, provider: SimulatedProvider
):
    prompt = "a hat [[fault:cut-mid-stream]]"
    with pytest.raises(openai.APIError, match="broken off"):
        list(client.images.generate(model="gpt-image-2", prompt=prompt, stream=True, partial_images=2))
    record = Last(laidian)
    assert record.how == (502, "upstream_fault", "estimated")
    assert record["amount_nano"] > 0


# Sound


@pytest.mark.parametrize(
    ("format_", "kind"),
    [("mp3", "audio/mpeg"), ("wav", "audio/wav"), ("pcm", "audio/pcm"), ("opus", "audio/opus")],
)
def test_case_69_speech_keeps_its_type_and_costs_its_characters(
    client: OpenAI, laidian: Served, provider: SimulatedProvider, format_: str, kind: str
):
    text = "Ships leave the 港 at dawn."
    answer = client.audio.speech.create(model="tts-1", voice="alloy", input=text, response_format=format_)  # type: ignore[arg-type]
    assert answer.response.headers["content-type"] == kind
    assert answer.content.startswith(b"ID3")
    assert len(answer.content) == 10 + 600 * len(text)
    row, record = only_row(provider), Last(laidian)
    assert record.used() == {"characters": len(text)} == {"characters": row.usage.characters}
    assert record["amount_nano"] == len(text) * 15_000
    assert record.how[:2] == (200, "complete")


def test_speech_in_events_is_billed_by_its_tokens(
    client: OpenAI, laidian: Served, provider: SimulatedProvider
):
    text = "Ships leave at dawn. [[pace:500]]"
    kinds: list[str] = []
    with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts", voice="alloy", input=text, stream_format="sse"
    ) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if line.startswith("data: "):
                kinds.append(json.loads(line[6:])["type"])
            if len(kinds) == 1:
                assert provider.bill().rows == [], "the provider is not done yet"
    assert kinds[-1] == "speech.audio.done"
    assert set(kinds[:-1]) == {"speech.audio.delta"}
    row, record = only_row(provider), Last(laidian)
    assert record.how == COMPLETE
    assert record.used() == {"input": row.usage.input_tokens, "audio_output": row.usage.output_audio_tokens}
    assert record["amount_nano"] == row.usage.input_tokens * 600 + row.usage.output_tokens * 12_000


def test_speech_without_a_word_of_usage_is_estimated_and_never_free(
    client: OpenAI, laidian: Served, provider: SimulatedProvider
):
    client.audio.speech.create(model="gpt-4o-mini-tts", voice="alloy", input="Ships leave at dawn.")
    row, record = only_row(provider), Last(laidian)
    assert record.how == (200, "complete", "estimated")
    assert record["amount_nano"] > 0
    assert row.usage.output_tokens <= record["output"] + record["audio_output"] <= 3 * row.usage.output_tokens


def sound(seconds: int, name: str = "港.mp3") -> tuple[str, io.BytesIO]:
    return name, io.BytesIO(b"ID3" + bytes(seconds * 16_000 - 3))


@pytest.mark.parametrize("format_", ["json", "verbose_json", "srt", "vtt", "text"])
@pytest.mark.parametrize("translated", [False, True])
def test_case_70_what_is_heard_is_billed_by_the_second(
    laidian: Served, client: OpenAI, provider: SimulatedProvider, format_: str, translated: bool
):
    endpoint = client.audio.translations if translated else client.audio.transcriptions
    raw = endpoint.with_raw_response.create(model="whisper-1", file=sound(30), response_format=format_)  # type: ignore[arg-type]
    kind = raw.headers["content-type"]
    row, record = only_row(provider), Last(laidian)
    assert row.usage.seconds == 30
    if format_ in ("json", "verbose_json"):
        assert kind == "application/json"
        assert "[simulated]" in json.loads(raw.text if isinstance(raw.text, str) else raw.text())["text"]
    else:
        assert kind == ("text/vtt; charset=utf-8" if format_ == "vtt" else "text/plain; charset=utf-8")
        assert "[simulated]" in (raw.text if isinstance(raw.text, str) else raw.text())
    said = format_ in ("srt", "vtt", "verbose_json") or (format_ == "json" and not translated)
    assert record.how == (200, "complete", "upstream" if said else "estimated")
    assert record.used() == {"seconds": 30 if said else 60}, "a file of 64 kbit/s is what is guessed"
    assert record["amount_nano"] == record["seconds"] * 100_000


def test_transcriptions_by_tokens_whole_and_in_events(
    client: OpenAI, laidian: Served, provider: SimulatedProvider
):
    whole = client.audio.transcriptions.create(model="gpt-4o-transcribe", file=sound(20), prompt="names")
    assert whole.text.startswith("[simulated]")
    pieces, final = "", ""
    for event in client.audio.transcriptions.create(
        model="gpt-4o-transcribe", file=sound(20), prompt="names", stream=True
    ):
        if event.type == "transcript.text.delta":
            pieces += event.delta
        elif event.type == "transcript.text.done":
            final = event.text
    assert pieces == final == whole.text
    rows = provider.bill(rows=2).rows
    record = Last(laidian)
    assert [row.usage.input_audio_tokens for row in rows] == [200, 200]
    assert record.how == COMPLETE
    usage = rows[1].usage
    assert record.used() == {
        "input": usage.input_tokens - 200,
        "audio_input": 200,
        "output": usage.output_tokens,
    }
    assert (
        record["amount_nano"]
        == (usage.input_tokens - 200) * 2_500 + 200 * 6_000 + usage.output_tokens * 10_000
    )


def test_a_model_that_ignores_stream_is_answered_whole(
    client: OpenAI, laidian: Served, provider: SimulatedProvider
):
    answer = client.audio.transcriptions.with_raw_response.create(
        model="whisper-1", file=sound(5), stream=True
    )
    assert answer.headers["content-type"] == "application/json"
    assert Last(laidian).used() == {"seconds": 5} == {"seconds": only_row(provider).usage.seconds}


def test_arrays_of_a_form_arrive_as_they_were_sent(
    client: OpenAI, laidian: Served, provider: SimulatedProvider
):
    client.audio.transcriptions.create(
        model="whisper-1",
        file=sound(1),
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    (seen,) = sent(provider)
    assert seen.body.count(b'name="timestamp_granularities[]"') == 2
    assert Last(laidian).how == COMPLETE


# Embeddings


def test_case_71_embeddings_as_base64_as_numbers_and_of_token_ids(
    client: OpenAI, laidian: Served, provider: SimulatedProvider
):
    numbers = client.embeddings.create(model="text-embedding-3-small", input="hello", encoding_format="float")
    packed = call(
        laidian,
        "/v1/embeddings",
        b'{"input":[[1,2,3],[4]],"model":"text-embedding-3-small","encoding_format":"base64"}',
    )
    _, ids = (one["embedding"] for one in json.loads(packed.read())["data"])
    assert len(struct.unpack("<1536f", base64.b64decode(ids))) == len(numbers.data[0].embedding) == 1536
    assert sent(provider)[-1].body.startswith(b'{"input":[[1,2,3],[4]],"model"')
    assert [row.usage.input_tokens for row in provider.bill(rows=2).rows] == [2, 4]
    assert Last(laidian).used() == {"input": 4}


# Legacy completions, and what stands beside responses


def test_a_completion_is_billed_by_its_usage(client: OpenAI, laidian: Served, provider: SimulatedProvider):
    answer = client.completions.create(model="gpt-3.5-turbo-instruct", prompt=["one", "two"], n=2, best_of=3)
    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
    row, record = only_row(provider), Last(laidian)
    assert record.how == COMPLETE
    assert record.used() == {"input": row.usage.input_tokens, "output": row.usage.output_tokens}
    assert row.usage.output_tokens == 6 * 16
    assert record["held_nano"] >= record["amount_nano"] > 0


@pytest.mark.parametrize("asked", [False, True])
def test_a_completion_in_a_stream_shows_usage_only_to_who_asked(
    client: OpenAI, laidian: Served, provider: SimulatedProvider, asked: bool
):
    more = {"stream_options": {"include_usage": True}} if asked else {}
    stream = client.completions.create(
        model="gpt-3.5-turbo-instruct", prompt="x", stream=True, max_tokens=9, extra_body=more
    )
    chunks = list(stream)
    text = "".join(choice.text for chunk in chunks for choice in chunk.choices)
    assert text.startswith("[simulated]")
    assert [chunk.usage is not None for chunk in chunks if not chunk.choices] == ([True] if asked else [])
    row, record = only_row(provider), Last(laidian)
    assert record.how == COMPLETE
    assert record.used() == {"input": row.usage.input_tokens, "output": row.usage.output_tokens}
    assert json.loads(sent(provider)[-1].body)["stream_options"] == {"include_usage": True}


def test_a_completion_that_breaks_off_is_estimated(
    client: OpenAI, laidian: Served, provider: SimulatedProvider
):
    prompt = "x [[fault:cut-mid-stream]] [[tokens:14]]"
    with pytest.raises(openai.APIError, match="broken off"):
        list(client.completions.create(model="gpt-3.5-turbo-instruct", prompt=prompt, stream=True))
    record = Last(laidian)
    assert record.how == (502, "upstream_fault", "estimated")
    assert record["output"] > 0


def test_a_chat_model_is_not_refused_for_completions_but_an_image_model_is(
    client: OpenAI, laidian: Served, provider: SimulatedProvider
):
    with pytest.raises(openai.NotFoundError, match="images"):
        client.completions.create(model="gpt-image-2", prompt="x")
    assert sent(provider) == []
    with pytest.raises(openai.NotFoundError, match="not supported in the v1/completions endpoint"):
        client.completions.create(model="gpt-5.4", prompt="x")


def test_case_56_compaction_is_charged_and_counting_is_free(
    client: OpenAI, laidian: Served, provider: SimulatedProvider
):
    counted = client.responses.input_tokens.count(model="gpt-5.4", input="hello there")
    assert (counted.object, counted.input_tokens) == ("response.input_tokens", 7)
    record = Last(laidian)
    assert (record.how, record["amount_nano"], record["held_nano"]) == (COMPLETE, 0, 0)
    compacted = client.responses.compact(model="gpt-5.4", input="hello there")
    assert compacted.output[0].type == "compaction"
    row, record = only_row(provider), Last(laidian)
    assert record.how == COMPLETE
    assert record.used() == {"input": row.usage.input_tokens, "output": row.usage.output_tokens}
    assert record["amount_nano"] > 0
    assert [seen.path for seen in sent(provider)] == ["/v1/responses/input_tokens", "/v1/responses/compact"]


def test_tokens_are_counted_here_where_no_upstream_can(
    client: OpenAI, laidian: Served, provider: SimulatedProvider
):
    laidian.write("UPDATE upstreams SET kind = 'compatible'")
    raw = client.responses.input_tokens.with_raw_response.count(model="gpt-5.4", input="hello there " * 20)
    counted = raw.parse()
    assert raw.headers["x-laidian-estimated"] == "tokens"
    with pytest.raises(openai.APIStatusError) as refused:
        client.responses.compact(model="gpt-5.4", input="hello there")
    laidian.write("UPDATE upstreams SET kind = 'openai'")
    assert counted.object == "response.input_tokens"
    assert 60 <= counted.input_tokens <= 100
    assert refused.value.status_code == 404
    assert sent(provider) == []
    assert provider.bill().rows == []
