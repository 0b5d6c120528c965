"""Gemini's files: the resumable upload that authenticates itself (protocol.md, case 79), ownership, local lists, pinned requests."""

from __future__ import annotations

import json
import socket

import msgspec
import pytest

from tests.affinity.conftest import GEMINI, Reply, World
from tests.served import Place, Setup, served
from tests.simulated_provider import SimulatedProvider

CHUNK = 262_144
START = {
    "x_goog_upload_protocol": "resumable",
    "x_goog_upload_command": "start",
    "x_goog_upload_header_content_type": "text/plain",
    "content_type": "application/json",
}


class Uploaded(msgspec.Struct):
    name: str
    uri: str
    id: str


def start(world: World, size: int, *, key: int | None = 1, name: str | None = None) -> Reply:
    file = {"mime_type": "text/plain", "sizeBytes": str(size)} | ({"name": name} if name else {})
    return world.call(
        "POST",
        "/upload/v1beta/files",
        {"file": file},
        key=key,
        gemini=True,
        headers=START,
        x_goog_upload_header_content_length=str(size),
    )


def carry_on(
    world: World, path: str, data: bytes, command: str, offset: int, key: int | None = None
) -> Reply:
    return world.call(
        "POST",
        path,
        data,
        key=key,
        gemini=True,
        x_goog_upload_command=command,
        x_goog_upload_offset=str(offset),
    )


def address(reply: Reply) -> str:
    """Path and query of the address that a start answers."""
    assert reply.status == 200, reply.body
    return "/" + reply.headers["x-goog-upload-url"].split("/", 3)[3]


def uploaded(world: World, content: bytes = b"content", *, key: int = 1) -> Uploaded:
    reply = carry_on(world, address(start(world, len(content), key=key)), content, "upload, finalize", 0)
    assert reply.status == 200, reply.body
    file = reply.json()["file"]
    assert isinstance(file, dict)
    return Uploaded(file["name"], file["uri"], file["name"].removeprefix("files/"))


def generate(
    world: World,
    *uris: str,
    key: int = 1,
    verb: str = "generateContent",
    fields: dict[str, object] | None = None,
) -> Reply:
    parts: list[object] = [{"text": "read"}]
    parts += [{"fileData": {"mimeType": "text/plain", "fileUri": uri}} for uri in uris]
    body: dict[str, object] = {"contents": [{"role": "user", "parts": parts}], **(fields or {})}
    return world.call("POST", f"/v1beta/models/{GEMINI}:{verb}", body, key=key, gemini=True)


def test_case_79_an_upload_is_begun_with_a_key_and_carried_on_without_one(world: World):
    world.prefer("b")
    content = bytes(range(256)) * (2 * CHUNK // 256) + b"the rest"
    begun = start(world, len(content))
    assert begun.headers["x-goog-upload-status"] == "active"
    assert begun.headers["x-goog-upload-chunk-granularity"] == str(CHUNK)
    url = begun.headers["x-goog-upload-url"]
    assert url.startswith(f"{world.laidian.base_url}/upload/v1beta/files?upload_id=")
    world.prefer("a")
    path = address(begun)
    first = carry_on(world, path, content[:CHUNK], "upload", 0)
    assert (first.status, first.headers["x-goog-upload-status"]) == (200, "active")
    world.laidian.restart()
    asked = carry_on(world, path, b"", "query", 0)
    assert asked.headers["x-goog-upload-size-received"] == str(CHUNK)
    last = carry_on(world, path, content[CHUNK:], "upload, finalize", CHUNK)
    assert (last.status, last.headers["x-goog-upload-status"]) == (200, "final")
    file = last.json()["file"]
    assert isinstance(file, dict)
    assert file["sizeBytes"] == str(len(content))
    a, b = world.seen()
    assert a == []
    assert b"".join(one.body for one in b[1:]) == content
    for one in b:
        assert one.headers["x-goog-api-key"] == "sim-0004"[:8]
        assert not any(key in one.path or key in str(one.headers) for key in world.laidian.keys)
    assert carry_on(world, path, b"", "query", 0).status == 404, "its address ended with it"


def test_an_address_that_nobody_was_given_is_a_404_and_another_key_cannot_use_one(world: World):
    path = address(start(world, 7))
    world.forget()
    token = path.split("upload_id=")[1].split("&")[0]
    for wrong in ("x" * len(token), token[:-1], "", token + "a"):
        reply = carry_on(world, f"/upload/v1beta/files?upload_id={wrong}", b"content", "upload, finalize", 0)
        assert reply.status == (404 if wrong else 401), wrong
    assert carry_on(world, path, b"content", "upload, finalize", 0, key=2).status == 404
    assert [one for one in world.a.requests() if one.body] == []
    assert carry_on(world, path, b"content", "upload, finalize", 0, key=1).status == 200
    with world.laidian.database() as database:
        rows = str(database.execute("SELECT * FROM objects").fetchall())
    assert token not in rows
    assert token not in world.laidian.log()


def test_a_key_that_was_disabled_cannot_go_on_with_its_upload(world: World):
    path = address(start(world, 7))
    world.forget()
    world.laidian.write("UPDATE keys SET enabled = 0 WHERE id = 1")
    try:
        assert carry_on(world, path, b"content", "upload, finalize", 0).status == 404
    finally:
        world.laidian.write("UPDATE keys SET enabled = 1")
    assert world.paths() == ([], [])


def test_an_upload_is_begun_only_in_the_one_form_and_with_a_key(world: World):
    assert start(world, 7, key=None).status == 401
    for header in ("x_goog_upload_protocol", "x_goog_upload_command"):
        headers = START | {header: "multipart"}
        reply = world.call("POST", "/upload/v1beta/files", {}, gemini=True, headers=headers)
        assert reply.status == 400
    path = address(start(world, 7))
    world.forget()
    assert carry_on(world, path, b"content", "explode", 0).status == 400
    assert world.paths() == ([], [])


def test_an_upload_that_was_cancelled_is_gone(world: World):
    path = address(start(world, 7))
    assert carry_on(world, path, b"", "cancel", 0).headers["x-goog-upload-status"] == "cancelled"
    world.forget()
    assert carry_on(world, path, b"content", "upload, finalize", 0).status == 404
    assert world.paths() == ([], [])


def test_a_compressed_piece_is_refused_here(world: World):
    path = address(start(world, 7))
    world.forget()
    reply = world.call(
        "POST", path, b"content", key=None, x_goog_upload_command="upload", content_encoding="gzip"
    )
    assert reply.status == 415
    assert [one.body for one in world.a.requests()] == []


def test_a_body_that_stalls_ends_its_piece_with_408_and_leaves_nothing_behind(
    providers: tuple[SimulatedProvider, SimulatedProvider],
):
    setup = Setup(
        upstreams=(Place("ga", "gemini", "/v1beta"),),
        capabilities=("gemini",),
        config="[limits]\nbody_timeout_s = 0.3\n",
    )
    with served(providers[0], setup=setup) as laidian:
        world = World(laidian, *providers)
        path = address(start(world, 100))
        with socket.create_connection(("127.0.0.1", laidian.port), timeout=20) as stalled:
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
            stalled.sendall(f"{head}X-Goog-Upload-Command: upload, finalize\r\n\r\n".encode() + b"x" * 50)
            assert stalled.recv(65_536).startswith(b"HTTP/1.1 408 ")
        reply = carry_on(world, path, b"y" * 100, "upload, finalize", 0)
        assert reply.status == 200, reply.body
        assert "a bug" not in laidian.log()


def test_every_operation_on_a_file_goes_to_its_holder(world: World):
    world.prefer("b")
    file = uploaded(world)
    world.prefer("a")
    world.forget()
    path = f"/v1beta/files/{file.id}"
    assert world.call("GET", path, gemini=True).text("uri") == file.uri
    assert world.call("GET", f"{path}:download?alt=media", gemini=True).body == b"content"
    assert world.call("DELETE", path, gemini=True).json() == {}
    assert world.paths() == ([], [f"GET {path}", f"GET {path}:download?alt=media", f"DELETE {path}"])
    assert world.call("GET", path, gemini=True).status == 404


@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("DELETE", ""), ("GET", ":download?alt=media")])
def test_a_foreign_file_does_not_exist(world: World, method: str, rest: str):
    file = uploaded(world)
    world.forget()
    for key, name in ((2, file.id), (1, "nobody")):
        reply = world.call(method, f"/v1beta/files/{name}{rest}", key=key, gemini=True)
        assert reply.status == 404
        assert reply.json()["error"]["status"] == "NOT_FOUND"  # type: ignore[index]
    assert world.paths() == ([], [])


def test_the_list_is_the_keys_own_in_pages_and_no_upstream_is_asked(world: World):
    mine = [uploaded(world).name for _ in range(3)][::-1]
    theirs = uploaded(world, key=2).name
    world.forget()
    assert world.call("GET", "/v1beta/files", gemini=True).names("files", "name") == mine
    assert world.call("GET", "/v1beta/files", key=2, gemini=True).names("files", "name") == [theirs]
    first = world.call("GET", "/v1beta/files?pageSize=2", gemini=True)
    assert first.names("files", "name") == mine[:2]
    rest = world.call("GET", f"/v1/files?pageSize=2&pageToken={first.text('nextPageToken')}", gemini=True)
    assert rest.names("files", "name") == mine[2:]
    assert "nextPageToken" not in rest.json()
    for bad in ("pageToken=%21", "pageToken=bm9ib2R5", "pageSize=x"):
        assert world.call("GET", f"/v1beta/files?{bad}", gemini=True).status == 400
    assert world.paths() == ([], [])


def test_an_empty_list_is_an_empty_object(world: World):
    assert world.call("GET", "/v1beta/files", gemini=True).json() == {}


@pytest.mark.parametrize("verb", ["generateContent", "streamGenerateContent?alt=sse", "countTokens"])
def test_a_request_that_names_a_file_goes_to_its_holder_and_nobody_elses_gets_through(
    world: World, verb: str
):
    world.prefer("b")
    file = uploaded(world)
    world.prefer("a")
    world.forget()
    assert generate(world, file.uri, verb=verb).status == 200
    assert len(world.b.requests()) == 1
    for key, uri in (
        (2, file.uri),
        (2, file.name),
        (2, file.uri.replace("https:", "http:")),
        (2, file.uri.replace(".com", ".com:443")),
        (2, file.uri.replace("generativelanguage", "GenerativeLanguage")),
        (2, f"{world.a.base_url}/v1beta/{file.name}"),
        (1, "files/nobody"),
        (1, file.uri + "?x"),
        (1, file.uri.replace("/v1beta/", "/v1beta/../v1beta/")),
        (1, "gs://bucket/files"),
    ):
        reply = generate(world, uri, key=key, verb=verb)
        assert reply.status == 404, uri
    assert (len(world.a.requests()), len(world.b.requests())) == (0, 1)


def test_an_address_that_is_not_the_providers_is_the_callers_own_business(world: World):
    assert generate(world, "https://example.com/v1beta/files/abc", "https://youtu.be/x").status == 200


def test_names_behind_escapes_and_in_snake_case_are_seen(world: World):
    file = uploaded(world)
    world.forget()
    for name, inner in (
        (b"file_data", b"file_uri"),
        (b"fileData", rb"file\u0055ri"),
        (b"fileData", b"file_uri"),
    ):
        body = b'{"contents":{"parts":{"%s":{"%s":"%s"}}}}' % (name, inner, file.uri.encode())
        path = f"/v1beta/models/{GEMINI}:generateContent"
        reply = world.call("POST", path, body, key=2, gemini=True, content_type="application/json")
        assert reply.status == 404, body
    assert world.paths() == ([], [])


def test_a_tools_own_arguments_may_be_called_anything(world: World):
    call = {
        "functionCall": {"name": "f", "args": {"fileUri": "files/of-another-world"}},
        "thoughtSignature": "eA==",
    }
    contents: list[dict[str, object]] = [
        {"role": "user", "parts": [{"text": "go"}]},
        {"role": "model", "parts": [call]},
        {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"fileUri": "files/x"}}}]},
    ]
    body = {"contents": contents}
    reply = world.call("POST", f"/v1beta/models/{GEMINI}:generateContent", body, gemini=True)
    assert reply.status == 200, reply.body


def test_a_name_that_any_key_has_taken_is_a_conflict(world: World):
    path = address(start(world, 7, name="files/mine"))
    assert carry_on(world, path, b"content", "upload, finalize", 0).status == 200
    world.forget()
    assert start(world, 7, key=2, name="files/mine").status == 409
    assert world.paths() == ([], [])


def test_a_file_of_an_upstream_that_is_out_of_service_is_a_503_with_the_reason(world: World):
    file = uploaded(world)
    world.forget()
    world.laidian.write("UPDATE upstreams SET enabled = 0 WHERE name = 'ga'")
    for reply in (generate(world, file.uri), world.call("GET", f"/v1beta/files/{file.id}", gemini=True)):
        assert reply.status == 503
        assert "ga: disabled by the operator" in reply.message()
    assert world.paths() == ([], [])


def test_a_file_that_its_upstream_lost_is_a_404_and_no_fault_of_the_operators_credential(world: World):
    file = uploaded(world)
    world.laidian.write("UPDATE upstreams SET base_url = ? WHERE name = 'ga'", world.b.base_url + "/v1beta")
    try:
        reply = world.call("GET", f"/v1beta/files/{file.id}", gemini=True)
        assert reply.status == 404
        assert "credential" not in json.dumps(reply.json())
    finally:
        world.laidian.write(
            "UPDATE upstreams SET base_url = ? WHERE name = 'ga'", world.a.base_url + "/v1beta"
        )
