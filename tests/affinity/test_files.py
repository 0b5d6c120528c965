"""OpenAI's files and uploads: every row, local lists, requests that name files, and downloads that break off."""

from __future__ import annotations

import http.client

import pytest

from tests.affinity.conftest import MODEL, World, form

FORM = "multipart/form-data; boundary=b"


def files_of(world: World, query: str = "", *, key: int = 1) -> list[str]:
    return world.call("GET", f"/v1/files{query}", key=key).names("data", "id")


def asking(*file_ids: str) -> list[dict[str, object]]:
    parts = [{"type": "input_file", "file_id": file_id} for file_id in file_ids]
    return [{"role": "user", "content": [{"type": "input_text", "text": "read"}, *parts]}]


def test_a_file_goes_up_as_it_is_and_every_later_call_goes_to_its_holder(world: World):
    world.prefer("b")
    content = bytes(range(256)) * 2_000
    file_id = world.upload(content, filename='b %22é".txt'.replace('"', "%22"))
    assert world.b.requests()[0].body == form(content, 'b %22é".txt'.replace('"', "%22"))
    world.prefer("a")
    world.forget()
    shown = world.call("GET", f"/v1/files/{file_id}").json()
    assert (shown["bytes"], shown["purpose"]) == (len(content), "user_data")
    download = world.call("GET", f"/v1/files/{file_id}/content")
    assert download.body == content
    assert download.headers["content-length"] == str(len(content))
    assert download.headers["content-type"] == "application/octet-stream"
    assert "set-cookie" not in download.headers
    assert world.call("DELETE", f"/v1/files/{file_id}").json()["deleted"] is True
    one = f"/v1/files/{file_id}"
    assert world.paths() == ([], [f"GET {one}", f"GET {one}/content", f"DELETE {one}"])
    assert world.call("GET", one).status == 404
    assert files_of(world) == []


@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("DELETE", ""), ("GET", "/content")])
def test_a_foreign_file_does_not_exist(world: World, method: str, rest: str):
    file_id = world.upload()
    world.forget()
    for key, name in ((2, file_id), (1, "file-nobody")):
        reply = world.call(method, f"/v1/files/{name}{rest}", key=key)
        assert (reply.status, reply.code()) == (404, "file_not_found")
    assert world.paths() == ([], [])
    assert world.call("GET", f"/v1/files/{file_id}").status == 200


def test_the_list_is_the_keys_own_in_pages_and_no_upstream_is_asked(world: World):
    mine = [world.upload(filename=f"{number}.txt") for number in range(4)]
    theirs = world.upload(key=2)
    vision = form(b"x", purpose="vision")
    mine.append(world.call("POST", "/v1/files", vision, content_type=FORM).text("id"))
    world.forget()
    newest_first = mine[::-1]
    assert files_of(world) == newest_first
    assert files_of(world, key=2) == [theirs]
    first = world.call("GET", "/v1/files?limit=2")
    assert (first.names("data", "id"), first.json()["has_more"]) == (newest_first[:2], True)
    assert first.json()["last_id"] == newest_first[1]
    second = world.call("GET", f"/v1/files?limit=3&after={newest_first[1]}")
    assert (second.names("data", "id"), second.json()["has_more"]) == (newest_first[2:], False)
    assert files_of(world, "?order=asc&limit=2") == mine[:2]
    assert files_of(world, "?purpose=vision") == mine[-1:]
    assert files_of(world, "?purpose=batch") == []
    assert world.call("GET", f"/v1/files?after={theirs}").status == 404
    for bad in ("limit=0", "limit=x", "order=up", "limit=99999999999999999999"):
        assert world.call("GET", f"/v1/files?{bad}").status == 400
    assert world.paths() == ([], [])
    world.laidian.restart()
    assert files_of(world) == newest_first


def test_a_request_that_names_a_file_goes_to_its_holder(world: World):
    world.prefer("b")
    file_id = world.upload()
    world.prefer("a")
    world.forget()
    for _ in range(3):
        assert world.respond("", input=asking(file_id)).status == 200
    image = [{"role": "user", "content": [{"type": "input_image", "file_id": file_id}]}]
    assert world.respond("", input=image).status == 200
    assert world.paths() == ([], ["POST /v1/responses"] * 4)


@pytest.mark.parametrize("escaped", [False, True])
def test_a_request_that_names_a_foreign_file_is_refused_with_its_id(world: World, escaped: bool):
    file_id = world.upload()
    world.forget()
    body = b'{"model":"%s","input":[{"role":"user","content":[{"type":"input_file","file_id":"%s"}]}]}' % (
        MODEL.encode(),
        file_id.encode(),
    )
    body = body.replace(b'"file_id"', rb'"file\u005fid"') if escaped else body
    reply = world.call("POST", "/v1/responses", body, key=2, content_type="application/json")
    assert (reply.status, reply.code()) == (404, "file_not_found")
    assert file_id in reply.message()
    edit = {"model": "gpt-image-2", "prompt": "x", "images": [{"file_id": file_id}]}
    reply = world.call("POST", "/v1/images/edits", edit, key=2)
    assert (reply.status, reply.code()) == (404, "file_not_found")
    chat = [{"role": "user", "content": [{"type": "file", "file": {"file_id": file_id}}]}]
    reply = world.call("POST", "/v1/chat/completions", {"model": MODEL, "messages": chat}, key=2)
    assert (reply.status, reply.code()) == (404, "file_not_found")
    assert world.paths() == ([], [])


def test_a_file_id_that_stands_twice_cannot_hide_one_behind_the_other(world: World):
    mine, theirs = world.upload(), world.upload(key=2)
    world.forget()
    part = f'{{"type":"input_file","file_id":"{theirs}","file_id":"{mine}"}}'
    body = f'{{"model":"{MODEL}","input":[{{"role":"user","content":[{part}]}}]}}'.encode()
    reply = world.call("POST", "/v1/responses", body, content_type="application/json")
    assert (reply.status, reply.code()) == (400, "duplicate_field")
    assert world.paths() == ([], [])


def test_new_files_lie_beside_the_keys_last_one_and_files_that_lie_apart_are_told_so(world: World):
    first = world.upload()
    world.prefer("b")
    second = world.upload()
    assert world.respond("", input=asking(first, second)).status == 200
    world.laidian.write("UPDATE upstreams SET enabled = 0 WHERE name = 'a'")
    third = world.upload()
    world.laidian.write("UPDATE upstreams SET enabled = 1")
    world.forget()
    reply = world.respond("", input=asking(first, third))
    assert (reply.status, reply.code()) == (400, "objects_apart")
    assert third in reply.message()
    assert world.paths() == ([], [])


def test_a_file_that_the_first_upstream_does_not_take_goes_to_the_next(world: World):
    world.a.fault("http-503", path="/v1/files", times=1)
    file_id = world.upload(b"elsewhere")
    world.a.clear_faults()
    assert world.call("GET", f"/v1/files/{file_id}/content").body == b"elsewhere"
    assert [one.method for one in world.a.requests()] == ["POST"]
    assert [one.method for one in world.b.requests()] == ["POST", "GET"]


def test_a_download_that_breaks_off_is_never_taken_for_a_whole_file(world: World):
    file_id = world.upload(b"x" * 100_000)
    world.a.fault("cut-mid-stream", path="/content")
    with pytest.raises(http.client.IncompleteRead):
        world.call("GET", f"/v1/files/{file_id}/content")


def test_a_file_that_its_upstream_lost_is_a_404(world: World):
    file_id = world.upload()
    world.a.fault("http-401", path="/v1/files")
    reply = world.call("GET", f"/v1/files/{file_id}")
    assert (reply.status, reply.code()) == (502, "upstream_error")
    assert "sim-" not in reply.message()
    world.a.clear_faults()
    direct = http.client.HTTPConnection("127.0.0.1", world.a.port, timeout=10)
    direct.request("DELETE", f"/v1/files/{file_id}", headers={"authorization": "Bearer sim-0001"})
    assert direct.getresponse().status == 200
    direct.close()
    assert world.call("GET", f"/v1/files/{file_id}").status == 404
    assert world.call("DELETE", f"/v1/files/{file_id}").status == 404
    assert file_id not in files_of(world)


def test_a_form_that_is_none_or_too_large_reaches_nobody(world: World):
    assert world.call("POST", "/v1/files", b"x", content_type="text/plain").status == 400
    assert world.call("POST", "/v1/files", form(b"x")[:-5], content_type=FORM).status == 400
    assert world.paths() == ([], [])
    refused = world.call("POST", "/v1/files", form(b"x", purpose="nothing"), content_type=FORM)
    assert (refused.status, refused.code()) == (400, "invalid_value")


def test_an_upload_in_parts_becomes_a_file_at_the_same_credential(world: World):
    world.prefer("b")
    create = {"bytes": 6, "filename": "p.txt", "mime_type": "text/plain", "purpose": "user_data"}
    upload_id = world.call("POST", "/v1/uploads", create).text("id")
    world.prefer("a")
    path = f"/v1/uploads/{upload_id}"
    part_ids: list[str] = []
    for data in (b"abc", b"def"):
        part = form(data, field="data", purpose=None)
        foreign = world.call("POST", f"{path}/parts", part, key=2, content_type=FORM)
        assert (foreign.status, foreign.code()) == (404, "upload_not_found")
        part_ids.append(world.call("POST", f"{path}/parts", part, content_type=FORM).text("id"))
    assert world.call("POST", f"{path}/complete", {"part_ids": part_ids}, key=2).status == 404
    done = world.call("POST", f"{path}/complete", {"part_ids": part_ids}).json()["file"]
    assert isinstance(done, dict)
    assert world.a.requests() == []
    assert files_of(world) == [done["id"]]
    assert world.call("GET", f"/v1/files/{done['id']}/content").body == b"abcdef"
    assert world.call("GET", f"/v1/files/{done['id']}", key=2).status == 404


def test_an_upload_that_was_cancelled_is_gone(world: World):
    create = {"bytes": 6, "filename": "p.txt", "mime_type": "text/plain", "purpose": "user_data"}
    path = f"/v1/uploads/{world.call('POST', '/v1/uploads', create).text('id')}"
    assert world.call("POST", f"{path}/cancel", key=2).status == 404
    assert world.call("POST", f"{path}/cancel").json()["status"] == "cancelled"
    world.forget()
    part = form(b"x", field="data", purpose=None)
    assert world.call("POST", f"{path}/parts", part, content_type=FORM).status == 404
    assert world.paths() == ([], [])
