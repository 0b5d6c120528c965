"""OpenAI's files and uploads (file_object.py, upload.py, upload_part.py of openai-python 3.54.0, seen 2026-11-22)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import parse_qsl

from .call import Call, Operation
from .multipart import FilePart, MultipartBody, read_multipart
from .openai_checks import Rule, check_parameters, invalid, maybe_integer, missing
from .openai_errors import bearer, openai_error
from .shelf import StoredFile, StoredUpload, new_id, page
from .values import Json, JsonObject, Refusal

Handle: TypeAlias = Callable[[Call, re.Match[str]], Awaitable[None]]

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
UPLOAD_S = 3_600
FORM_PARAMETERS: dict[str, Rule] = {
    "purpose": Rule("string", values=PURPOSES, required=True),
    "expires_after[anchor]": Rule("string", values=("created_at",)),
    "expires_after[seconds]": Rule("integer", 3_600, 2_592_000),
}
UPLOAD_PARAMETERS: dict[str, Rule] = {
    "bytes": Rule("integer", 1, required=True),
    "filename": Rule("string", required=True),
    "mime_type": Rule("string", required=True),
    "purpose": Rule("string", values=PURPOSES, required=True),
    "expires_after": Rule("object"),
}
COMPLETE_PARAMETERS: dict[str, Rule] = {
    "part_ids": Rule("array", required=True),
    "md5": Rule("string"),
}


async def create_file(call: Call, match: re.Match[str]) -> None:
    form = _form(call)
    file, body = _only_file(form, "file"), form.parameters(FORM_PARAMETERS)
    check_parameters(body, FORM_PARAMETERS)
    seconds = maybe_integer(body, "expires_after[seconds]")
    await call.begin("")
    expires_at = call.started_s + seconds if seconds is not None else None
    stored = _keep(call, file.filename, str(body["purpose"]), file.content, expires_at)
    await call.answer(stored)


async def list_files(call: Call, match: re.Match[str]) -> None:
    asked = dict(parse_qsl(call.exchange.query))
    files: list[Json] = [file.body for file in call.provider.shelves.files.all(call.key)]
    await call.begin("")
    await call.answer(page(files, asked, 10_000, newest_first=True))


async def show_file(call: Call, match: re.Match[str]) -> None:
    file = _file(call, match["id"])
    await call.begin("")
    await call.answer(file.body)


async def delete_file(call: Call, match: re.Match[str]) -> None:
    _file(call, match["id"])
    await call.begin("")
    call.provider.shelves.files.take(call.key, match["id"])
    await call.answer({"id": match["id"], "object": "file", "deleted": True})


async def file_content(call: Call, match: re.Match[str]) -> None:
    file = _file(call, match["id"])
    await call.begin("")
    await call.answer_bytes(file.content, "application/octet-stream")


async def create_upload(call: Call, match: re.Match[str]) -> None:
    body = call.object()
    check_parameters(body, UPLOAD_PARAMETERS)
    upload: JsonObject = {
        "id": new_id("upload_"),
        "object": "upload",
        "bytes": body["bytes"],
        "created_at": call.started_s,
        "filename": body["filename"],
        "purpose": body["purpose"],
        "status": "pending",
        "expires_at": call.started_s + UPLOAD_S,
        "file": None,
    }
    await call.begin("")
    stored = StoredUpload(upload, str(body["mime_type"]), {})
    call.provider.shelves.uploads.put(call.key, str(upload["id"]), stored)
    await call.answer(upload)


async def add_part(call: Call, match: re.Match[str]) -> None:
    upload = _upload(call, match["id"])
    data = _only_file(_form(call), "data")
    await call.begin("")
    part_id = new_id("part_")
    upload.parts[part_id] = data.content
    part: JsonObject = {
        "id": part_id,
        "object": "upload.part",
        "created_at": call.started_s,
        "upload_id": match["id"],
    }
    await call.answer(part)


async def complete_upload(call: Call, match: re.Match[str]) -> None:
    upload, body = _upload(call, match["id"]), call.object()
    check_parameters(body, COMPLETE_PARAMETERS)
    ids = body["part_ids"]
    if not isinstance(ids, list) or any(not isinstance(one, str) or one not in upload.parts for one in ids):
        raise invalid("part_ids", "Some of the parts do not belong to this upload.")
    content = b"".join(upload.parts[str(one)] for one in ids)
    if len(content) != upload.body["bytes"]:
        raise invalid("bytes", f"Expected {upload.body['bytes']} bytes, but got {len(content)}.")
    await call.begin("")
    file = _keep(call, str(upload.body["filename"]), str(upload.body["purpose"]), content, None)
    upload.body = {**upload.body, "status": "completed", "file": file}
    await call.answer(upload.body)


async def cancel_upload(call: Call, match: re.Match[str]) -> None:
    upload = _upload(call, match["id"])
    await call.begin("")
    upload.body = {**upload.body, "status": "cancelled"}
    await call.answer(upload.body)


def _form(call: Call) -> MultipartBody:
    return read_multipart(call.exchange.headers.get("content-type", ""), call.body)


def _only_file(form: MultipartBody, name: str) -> FilePart:
    found = form.files_of(name)
    if len(found) != 1 or len(form.files) != 1:
        raise missing(name)
    return found[0]


def _keep(call: Call, filename: str, purpose: str, content: bytes, expires_at: int | None) -> JsonObject:
    file: JsonObject = {
        "id": new_id("file-"),
        "object": "file",
        "bytes": len(content),
        "created_at": call.started_s,
        "expires_at": expires_at,
        "filename": filename,
        "purpose": purpose,
        "status": "processed",
        "status_details": None,
    }
    call.provider.shelves.files.put(call.key, str(file["id"]), StoredFile(file, content))
    return file


def _file(call: Call, file_id: str) -> StoredFile:
    file = call.provider.shelves.files.get(call.key, file_id)
    if file is None:
        raise Refusal(404, f"No such File object: {file_id}", param="id")
    return file


def _upload(call: Call, upload_id: str) -> StoredUpload:
    upload = call.provider.shelves.uploads.get(call.key, upload_id)
    if upload is None or upload.body["status"] != "pending":
        raise Refusal(404, f"No pending Upload with id: {upload_id}", param="upload_id")
    return upload


def _operation(method: str, path: str, handle: Handle) -> Operation:
    return Operation(method, re.compile(path), handle, "openai-files", openai_error, bearer, billed=False)


_ID = r"(?P<id>[^/]+)"

OPERATIONS = (
    _operation("POST", r"/v1/files", create_file),
    _operation("GET", r"/v1/files", list_files),
    _operation("GET", rf"/v1/files/{_ID}", show_file),
    _operation("DELETE", rf"/v1/files/{_ID}", delete_file),
    _operation("GET", rf"/v1/files/{_ID}/content", file_content),
    _operation("POST", r"/v1/uploads", create_upload),
    _operation("POST", rf"/v1/uploads/{_ID}/parts", add_part),
    _operation("POST", rf"/v1/uploads/{_ID}/complete", complete_upload),
    _operation("POST", rf"/v1/uploads/{_ID}/cancel", cancel_upload),
)
