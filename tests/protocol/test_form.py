"""Multipart forms: parts are found wherever the network cuts, and replaced without touching another byte."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laidian.errors import BadRequest
from laidian.protocol.form import HEADER_BYTES, TEXT_BYTES, Edit, Form, FormReader, boundary_of

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


def part(disposition: bytes, more: bytes = b"", value: bytes = b"v") -> bytes:
    return b"--x y\r\nContent-Disposition: " + disposition + more + b"\r\n\r\n" + value + b"\r\n"


@pytest.mark.parametrize(
    ("disposition", "name", "filename"),
    [
        (b'form-data; name="image[]"; filename="a.png"', "image[]", "a.png"),
        (b"form-data; name=image; filename=a.png", "image", "a.png"),
        (b'FORM-DATA;NAME="image";FileName=""', "image", ""),
        (b'form-data; name="svg[model]"', "svg[model]", None),
        (b'form-data; name="image"; filename="\xe6\xb8\xaf \\"1\\".png"', "image", '港 "1".png'),
        (b'form-data; name="image"; filename="dir\\"', "image", "dir\\"),
        (b'form-data; name="image"; filename="a;b=c.png"', "image", "a;b=c.png"),
        (b"form-data; name=\"image\"; filename*=UTF-8''%E6%B8%AF.png", "image", "UTF-8''%E6%B8%AF.png"),
        (b'form-data; name="image"; filename="caf\xe9.png"', "image", "caf\ufffd.png"),
        (b'form-data; name="image"; filename="a.png";', "image", "a.png"),
    ],
)
def test_file_names_as_clients_write_them(disposition: bytes, name: str, filename: str | None):
    (found,) = read(part(disposition) + b"--x y--\r\n").parts
    assert (found.name, found.filename) == (name, filename)
    assert found.text == (b"v" if filename is None else b"")


@pytest.mark.parametrize(
    ("disposition", "more"),
    [
        (b'form-data; name="prompt"; name="model"', b""),
        (b"form-data; name=\"prompt\"; name*=UTF-8''model", b""),
        (b"form-data; name*=UTF-8''model", b""),
        (b'form-data; filename="a\\"; name="model"; x="', b""),
        (b'form-data; name="a\\"; name="model"', b""),
        (b'form-data; name=""', b""),
        (b'form-data; name="model', b""),
        (b'form-data name="model"', b""),
        (b'form-data; name="prompt"', b'\r\nContent-Disposition: form-data; name="model"'),
        (b'form-data;\r\n name="model"', b""),
        (b'form-data; name="prompt"', b'\nContent-Disposition: form-data; name="model"'),
        (b'form-data; name="model"', b"\r\nContent-Transfer-Encoding: base64"),
        (b'form-data; name="model"', b"\r\nno header"),
        (b'form-data; name="mo\x00del"', b""),
    ],
)
def test_what_two_readers_could_take_for_two_fields_is_refused(disposition: bytes, more: bytes):
    with pytest.raises(BadRequest) as refused:
        read(part(disposition, more) + b"--x y--")
    assert refused.value.code == "invalid_form"


def test_two_boundaries_are_none():
    for kind in (
        b"multipart/form-data; boundary=a; boundary=b",
        b'multipart/form-data; boundary="a',
        b"multipart/mixed; boundary=a",
    ):
        with pytest.raises(BadRequest):
            boundary_of(kind)
    assert boundary_of(b'Multipart/Form-Data; charset=utf-8; Boundary="----x=y"') == b"----x=y"


def test_a_flag_is_true_or_false_and_nothing_else():
    def flag(word: bytes) -> bool:
        return read(part(b'form-data; name="stream"', value=word) + b"--x y--").flag("stream")

    assert (flag(b"true"), flag(b"false"), read(BODY).flag("stream")) == (True, False, False)
    for word in (b"True", b"1", b"yes", b""):
        with pytest.raises(BadRequest) as refused:
            flag(word)
        assert refused.value.param == "stream"


def test_headers_too_long_are_refused_whatever_the_cuts():
    body = part(b'form-data; name="a"', b"\r\nX-Long: " + b"h" * HEADER_BYTES) + b"--x y--"
    for cuts in ((), (100,), (HEADER_BYTES,), (HEADER_BYTES + 50,)):
        with pytest.raises(BadRequest):
            read(body, *cuts)


@given(st.binary(max_size=3_000), st.integers(1, 64))
def test_any_content_comes_through_any_cuts(content: bytes, step: int):
    body = part(b'form-data; name="f"; filename="f"', value=content) + part(
        b'form-data; name="model"', value=b"m"
    )
    form = read(body + b"--x y--\r\n", *range(step, len(body), step))
    if b"\r\n--x y" not in content:
        (file,) = form.files()
        assert body[file.start : file.end] == content
        assert form.text("model") == "m"


def test_50_mb_in_slices_are_read_in_memory_of_one_slice():
    reader = FormReader(TYPE)
    slice_ = bytes(64 * 1024)
    reader.feed(b'--x y\r\nContent-Disposition: form-data; name="image"; filename="f"\r\n\r\n')
    tracemalloc.start()
    for _ in range(800):
        reader.feed(slice_)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    reader.feed(b"\r\n--x y--\r\n")
    (file,) = reader.form().files()
    assert file.end - file.start == 800 * len(slice_)
    assert peak < 4 * len(slice_)
