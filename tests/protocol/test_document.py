"""Bytes in, bytes out: reading a request's top level and replacing single values."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laidian.errors import BadRequest
from laidian.protocol.document import Fields, said

ODD = (
    b'{ "a\\"model" : 1.50e0 ,\n\t"model": "gpt-5.4" ,"s":"\\u00e9 \\"model\\":\\"x\\" \\\\",'
    b'"n":-0.0,"big":123456789012345678901234567890,"e":1E+2,"u":"\\ud83d\\ude00","nested":{"model":"inner","model":2}}'
)


def test_a_replaced_value_leaves_every_other_byte_alone():
    replaced = Fields(ODD).replaced({"model": b'"other"'})
    assert replaced == ODD.replace(b'"model": "gpt-5.4"', b'"model": "other"')


def test_a_missing_field_is_added_at_the_end():
    assert Fields(b'{"a":1 }').replaced({"b": b"[2]"}) == b'{"a":1 ,"b":[2]}'
    assert Fields(b" { } ").replaced({"b": b"2"}) == b' { "b":2} '


def test_several_values_are_replaced_in_one_go_whatever_their_order():
    replaced = Fields(b'{"x":1,"y":2,"z":3}').replaced({"z": b"30", "x": b"10", "w": b"0"})
    assert replaced == b'{"x":10,"y":2,"z":30,"w":0}'


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"a","model":"b"}',
        b'{"model":"a","x":1,"x":1}',
        b'{"x":1,"model":"a","x":2}',
        b'{"model":"a","mod\\u0065l":"b"}',
        b'{"x":"b","model":"a","x":"b"}',
    ],
)
def test_a_field_that_stands_twice_is_refused(body: bytes):
    for look in (Fields.spans, Fields.check_unique):
        with pytest.raises(BadRequest) as caught:
            look(Fields(body))
        assert caught.value.code == "duplicate_field"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"[]",
        b"null",
        b'"x"',
        b"{",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":"\xff"}',
        b'{"a":"\\ud800"}',
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":1}{"b":2}',
    ],
)
def test_what_is_not_a_strict_json_object_is_a_400(body: bytes):
    with pytest.raises(BadRequest) as caught:
        Fields(body)
    assert caught.value.status == 400
    assert "Traceback" not in caught.value.message


def test_a_wrong_type_names_the_field_and_shows_what_came():
    with pytest.raises(BadRequest) as caught:
        Fields(b'{"model":[1,2]}').get("model", str)
    assert caught.value.param == "model"
    assert "must be a string" in caught.value.message
    assert "[1,2]" in caught.value.message


def test_null_and_missing_are_both_none():
    fields = Fields(b'{"a":null}')
    assert fields.get("a", str) is None
    assert fields.get("b", str) is None


def test_said_tells_missing_null_and_values_apart():
    class Holder(msgspec.Struct):
        value: msgspec.Raw = msgspec.Raw()

    assert said(msgspec.json.decode(b"{}", type=Holder).value) is None
    assert said(msgspec.json.decode(b'{"value":null}', type=Holder).value) is None
    assert said(msgspec.json.decode(b'{"value": {"a":1}}', type=Holder).value) == b'{"a":1}'
    assert said(msgspec.json.decode(b'{"value":"null"}', type=Holder).value) == b'"null"'


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
SPACE = st.text(alphabet=" \t\r\n", max_size=3)


@given(
    st.dictionaries(st.text(max_size=6), JSON_VALUES, max_size=6), SPACE, st.booleans(), st.text(max_size=6)
)
def test_every_span_is_the_value_and_a_replacement_changes_only_that_value(
    document: dict[str, object], space: str, ascii_only: bool, target: str
):
    text = json.dumps(document, ensure_ascii=ascii_only, separators=(f"{space},{space}", f"{space}:{space}"))
    body = f"{space}{text}{space}".encode()
    fields = Fields(body)
    for name, (start, end) in fields.spans().items():
        assert json.loads(body[start:end]) == document[name]
    expected = {**document, target: "new"}
    assert json.loads(fields.replaced({target: b'"new"'})) == expected


@pytest.mark.parametrize(
    "body", [b'{"n":110,"n":1}', b'{"n":1.5,"m":2,"n":1}', b'{"n":1e3 ,"n":1}', b'{"":110,"":1}', b'{ "n":12, "n":1}']
)  # fmt: skip
def test_a_number_that_begins_with_the_later_one_of_its_name_stands_twice(body: bytes):
    for look in (Fields.spans, Fields.check_unique):
        with pytest.raises(BadRequest) as refused:
            look(Fields(body))
        assert refused.value.code == "duplicate_field"


@given(
    st.lists(st.tuples(st.text(alphabet="abé\\", max_size=3), st.integers(0, 10**6)), min_size=1, max_size=6),
    st.sampled_from([(",", ":"), (", ", ": "), (" ,", " :")]),
)
def test_the_quick_look_for_doubles_agrees_with_the_walk(
    pairs: list[tuple[str, int]], separators: tuple[str, str]
):
    comma, colon = separators
    body = ("{" + comma.join(f"{json.dumps(name)}{colon}{value}" for name, value in pairs) + "}").encode()
    unique = len({name for name, _ in pairs}) == len(pairs)
    for look in (Fields.spans, Fields.check_unique):
        try:
            look(Fields(body))
            assert unique
        except BadRequest:
            assert not unique
