"""OpenAI embeddings and moderations: bytes through, usage read."""

import pytest

from laidian.domain.usage import Usage
from laidian.errors import BadRequest
from laidian.protocol.dialect import StreamFault
from laidian.protocol.openai_embeddings import MODERATION_MODEL, OpenAIEmbeddings, OpenAIModerations

EMBEDDINGS, MODERATIONS = OpenAIEmbeddings(), OpenAIModerations()


@pytest.mark.parametrize(
    "given",
    [b'"hello"', b'["a","b"]', b"[1,2,3]", b"[[1,2],[3]]", b'[{"type":"image_url","image_url":{"url":"x"}}]'],
)
def test_every_kind_of_input_passes_as_it_came(given: bytes):
    body = b'{"input": ' + given + b', "model":"mine","encoding_format":"base64" }'
    peek = EMBEDDINGS.peek(body, "")
    assert (peek.model, peek.output_limit, peek.stream) == ("mine", 0, False)
    assert EMBEDDINGS.splice(peek, "mine") is body
    assert EMBEDDINGS.splice(peek, "theirs") == body.replace(b'"mine"', b'"theirs"')


def test_usage_is_the_prompt():
    peek = EMBEDDINGS.peek(b'{"model":"a","input":"x"}', "")
    body = b'{"data":[{"embedding":"AAAA"}],"usage":{"prompt_tokens":7,"total_tokens":7}}'
    assert EMBEDDINGS.read_answer(peek, body).usage == Usage(input=7)
    assert EMBEDDINGS.read_answer(peek, b'{"data":[]}').usage is None
    assert EMBEDDINGS.tap(peek) is None


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"data":null}', b'{"error":{"message":"no"}}'])
def test_what_holds_no_embeddings_is_a_fault(body: bytes):
    peek = EMBEDDINGS.peek(b'{"model":"a","input":"x"}', "")
    with pytest.raises(StreamFault):
        EMBEDDINGS.read_answer(peek, body)


def test_an_embedding_needs_a_model_and_a_moderation_does_not():
    with pytest.raises(BadRequest) as refused:
        EMBEDDINGS.peek(b'{"input":"x"}', "")
    assert refused.value.param == "model"
    body = b'{"input":"x"}'
    peek = MODERATIONS.peek(body, "")
    assert peek.model == MODERATION_MODEL
    assert MODERATIONS.splice(peek, "other") is body
    assert MODERATIONS.splice(MODERATIONS.peek(b'{"model":"a"}', ""), "b") == b'{"model":"b"}'


def test_a_moderation_has_used_nothing():
    peek = MODERATIONS.peek(b'{"input":"x"}', "")
    assert MODERATIONS.read_answer(peek, b'{"results":[]}').usage == Usage()
    for body in (b"{}", b"x", b'{"error":{}}'):
        with pytest.raises(StreamFault):
            MODERATIONS.read_answer(peek, body)
