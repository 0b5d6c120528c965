"""Google's official SDK with files and cached contents; it sends no key with a file's data (protocol.md 0.9)."""

from __future__ import annotations

import io

import pytest
from google import genai
from google.genai import errors, types

from tests.affinity.conftest import GEMINI, World

CONTENT = b"some text " * 900_000
"""More than one piece of 8 MiB."""


@pytest.fixture(params=["v1", "v1beta"])
def client(world: World, request: pytest.FixtureRequest) -> genai.Client:
    return connect(world, 0, request.param)


def connect(world: World, place: int, version: str) -> genai.Client:
    options = types.HttpOptions(base_url=world.laidian.base_url, api_version=version)
    return genai.Client(api_key=world.laidian.keys[place], http_options=options)


def test_a_file_lives_its_whole_life(world: World, client: genai.Client):
    file = client.files.upload(
        file=io.BytesIO(CONTENT), config={"mime_type": "text/plain", "display_name": "d"}
    )
    assert (file.size_bytes, file.state) == (len(CONTENT), types.FileState.ACTIVE)
    assert len([one for one in world.a.requests() if "upload_id=" in one.path]) == 2
    world.prefer("b")
    assert file.name is not None
    assert client.files.get(name=file.name).uri == file.uri
    assert [one.name for one in client.files.list()] == [file.name]
    answer = client.models.generate_content(model=GEMINI, contents=["read", file])
    assert (answer.text or "").startswith("[simulated]")
    other = connect(world, 1, "v1beta")
    assert list(other.files.list()) == []
    for foreign in (
        lambda: other.files.get(name=file.name or ""),
        lambda: other.files.delete(name=file.name or ""),
        lambda: other.models.generate_content(model=GEMINI, contents=["read", file]),
    ):
        with pytest.raises(errors.ClientError) as refused:
            foreign()
        assert refused.value.code == 404
    client.files.delete(name=file.name)
    assert list(client.files.list()) == []
    assert world.b.requests() == []


def test_a_cached_content_lives_its_whole_life(world: World, client: genai.Client):
    config = types.CreateCachedContentConfig(contents=["long text " * 100], display_name="c", ttl="600s")
    cache = client.caches.create(model=GEMINI, config=config)
    world.prefer("b")
    assert cache.name is not None
    assert client.caches.get(name=cache.name).model == f"models/{GEMINI}"
    renewed = client.caches.update(name=cache.name, config=types.UpdateCachedContentConfig(ttl="1200s"))
    assert renewed.expire_time != cache.expire_time
    assert [one.name for one in client.caches.list()] == [cache.name]
    using = types.GenerateContentConfig(cached_content=cache.name)
    answer = client.models.generate_content(model=GEMINI, contents="ask", config=using)
    assert answer.usage_metadata is not None
    assert (answer.usage_metadata.prompt_token_count or 0) > 200
    other = connect(world, 1, "v1beta")
    with pytest.raises(errors.ClientError) as refused:
        other.models.generate_content(model=GEMINI, contents="ask", config=using)
    assert refused.value.code == 404
    client.caches.delete(name=cache.name)
    assert list(client.caches.list()) == []
    assert world.b.requests() == []
