"""Multipart forms: parts are found wherever the network cuts, and replaced without touching another byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laidian.errors import BadRequest
from laidian.protocol.form import TEXT_BYTES, Edit, Form, FormReader, boundary_of

TYPE = b'multipart/form-data; boundary="x y"'
BODY = (
    b'--x y\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nAdd a token \xe6\xb0\xb4\r\n'
    b'--x y\r\nContent-Disposition: form-data; name="image"; filename="\xe5\x9b\xbe \\"1\\".png"\r\n'
    b"Content-Type: image/png\r\n\r\n\x89PNG\r\n--x z\r\n--x\x00\r\n"
    b'--x y\r\ncontent-disposition: form-data; name="model"\r\n\r\ngpt-image-2\r\n'
    b"--x y--\r\nepilogue"
)


def read(body: bytes, *cuts: int, content_type: bytes = TYPE) -> Form:
    reader = FormReader(content_type)
    for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True):
        reader.feed(body[start:end])
    return reader.form()


def test_fields_and_files_are_found_by_their_place():
    form = read(BODY)
    assert form.text("model") == "gpt-image-2"
    assert form.text("prompt") == "Add a token 水"
    assert form.text("mask") is None
    (image,) = form.files()
    assert BODY[image.start : image.end] == b"\x89PNG\r\n--x z\r\n--x\x00"
    assert (image.name, image.content_type, image.text) == ("image", "image/png", b"")
    assert form.size == len(BODY)


def test_every_cut_gives_the_same_form():
    whole = read(BODY)
    for cut in range(len(BODY) + 1):
        assert read(BODY, cut) == whole


@given(st.lists(st.integers(0, len(BODY)), max_size=9))
def test_any_cuts_give_the_same_form(cuts: list[int]):
    assert read(BODY, *sorted(cuts)) == read(BODY)


def test_a_replaced_value_is_one_edit():
    (edit,) = read(BODY).replaced("model", b"other")
    assert edit == Edit(BODY.index(b"gpt-image-2"), BODY.index(b"gpt-image-2") + 11, b"other")
    assert read(BODY).replaced("size", b"x") == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        BODY[:-20],
        b"--x y\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x y--",
        b'--x y\r\nContent-Disposition: attachment; name="a"\r\n\r\nx\r\n--x y--',
        b"--x y\r\n" + b"h" * 20_000,
        b"--x yjunk\r\n",
        b'--x y\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 200 + b"--x y--",
    ],
)
def test_what_is_no_form_is_a_400(body: bytes):
    with pytest.raises(BadRequest) as refused:
        read(body)
    assert refused.value.code == "invalid_form"


def test_an_endless_text_field_is_refused_and_an_endless_file_is_not_kept():
    head = b'--x y\r\nContent-Disposition: form-data; name="prompt"%s\r\n\r\n'
    reader = FormReader(TYPE)
    with pytest.raises(BadRequest):
        reader.feed(head % b"" + b"x" * (TEXT_BYTES + 100))
    reader = FormReader(TYPE)
    reader.feed(head % b'; filename="f"')
    for _ in range(50):
        reader.feed(b"x" * 100_000)
    reader.feed(b"\r\n--x y--")
    (part,) = reader.form().files()
    assert part.end - part.start == 5_000_000


def test_a_field_twice_a_file_as_text_and_bad_utf8_name_the_field():
    twice = BODY.replace(
        b"--x y--", b'--x y\r\nContent-Disposition: form-data; name="model"\r\n\r\nb\r\n--x y--'
    )
    for body, name in ((twice, "model"), (BODY, "image"), (BODY.replace(b"gpt", b"\xff"), "model")):
        with pytest.raises(BadRequest) as refused:
            read(body).text(name)
        assert refused.value.param == name


@pytest.mark.parametrize(
    "kind", [b"multipart/form-data", b"text/plain; boundary=x", b"multipart/form-data; boundary=", b"\xff"]
)
def test_a_content_type_without_a_boundary_is_a_400(kind: bytes):
    with pytest.raises(BadRequest):
        boundary_of(kind)
