"""Gemini's files with their resumable upload (files.py and _api_client.py of google-genai 3.4.0, seen 2026-11-22).

The address that `start` gives is all that the data brings along: no credential is asked for there, as at Google.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

from .call import Call, Operation
from .gemini_checks import known_fields
from .gemini_errors import gemini_error, gemini_key
from .openai_checks import maybe_object, maybe_string
from .openai_files import Handle
from .shelf import RunningUpload, StoredFile, new_id
from .values import Json, JsonObject, Refusal
from .wire import Exchange

CHUNK_BYTES = 262_144
"""What data must come in multiples of, but for the last."""
KEPT = timedelta(hours=48)
_FILE_FIELDS = ("name", "displayName", "mimeType", "sizeBytes")
_NAME = re.compile(r"files/[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


async def start(call: Call, match: re.Match[str]) -> None:
    headers = call.exchange.headers
    if (
        headers.get("x-goog-upload-protocol") != "resumable"
        or headers.get("x-goog-upload-command") != "start"
    ):
        raise Refusal(400, "Invalid upload protocol or command.")
    body = call.object() if call.body else {}
    file = known_fields(maybe_object(known_fields(body, ("file",), ""), "file"), _FILE_FIELDS, "file")
    name = maybe_string(file, "name")
    if name is not None and not _NAME.fullmatch(name):
        raise Refusal(400, f"* CreateFileRequest.file.name: invalid name {name}")
    if name is not None and call.provider.shelves.google_files.get(call.key, name) is not None:
        raise Refusal(409, f"The file {name} already exists.")
    kind = headers.get("x-goog-upload-header-content-type") or maybe_string(file, "mimeType")
    if not kind:
        raise Refusal(400, "Unable to determine the mime type of the file.")
    await call.begin("")
    upload_id = secrets.token_urlsafe(24)
    upload = RunningUpload(call.key, {**file, "mimeType": kind})
    call.provider.shelves.google_uploads[upload_id] = upload
    host = headers.get("host", "")
    url = f"http://{host}/upload/v1beta/files?upload_id={upload_id}&upload_protocol=resumable"
    told = [
        ("x-goog-upload-url", url),
        ("x-goog-upload-status", "active"),
        ("x-goog-upload-chunk-granularity", str(CHUNK_BYTES)),
    ]
    await call.exchange.send(200, b"", "text/plain; charset=utf-8", told)


async def carry_on(call: Call, match: re.Match[str]) -> None:
    upload_id = parse_qs(call.exchange.query).get("upload_id", [""])[0]
    upload = call.provider.shelves.google_uploads.get(upload_id)
    if upload is None:
        raise Refusal(404, "Upload not found.")
    await call.begin("")
    words = {word.strip() for word in call.exchange.headers.get("x-goog-upload-command", "").split(",")}
    if words == {"query"}:
        received = ("x-goog-upload-size-received", str(len(upload.content)))
        await call.exchange.send(200, b"", "text/plain", [("x-goog-upload-status", upload.state), received])
        return
    if words == {"cancel"}:
        del call.provider.shelves.google_uploads[upload_id]
        await call.exchange.send(200, b"", "text/plain", [("x-goog-upload-status", "cancelled")])
        return
    _take(call, upload, words)
    if "finalize" not in words:
        await call.exchange.send(200, b"", "text/plain", [("x-goog-upload-status", "active")])
        return
    del call.provider.shelves.google_uploads[upload_id]
    file = _finish(call, upload)
    await call.exchange.send_json(200, {"file": file}, [("x-goog-upload-status", "final")])


async def list_files(call: Call, match: re.Match[str]) -> None:
    files: list[Json] = [file.body for file in call.provider.shelves.google_files.all(call.key)]
    await call.begin("")
    await call.answer({"files": files} if files else {})


async def show_file(call: Call, match: re.Match[str]) -> None:
    file = find_file(call, f"files/{match['id']}")
    await call.begin("")
    await call.answer(file.body)


async def delete_file(call: Call, match: re.Match[str]) -> None:
    find_file(call, f"files/{match['id']}")
    await call.begin("")
    call.provider.shelves.google_files.take(call.key, f"files/{match['id']}")
    await call.answer({})


async def download(call: Call, match: re.Match[str]) -> None:
    file = find_file(call, f"files/{match['id']}")
    if parse_qs(call.exchange.query).get("alt") != ["media"]:
        raise Refusal(400, "Only alt=media can be downloaded.")
    await call.begin("")
    await call.answer_bytes(file.content, str(file.body["mimeType"]))


def find_file(call: Call, name: str) -> StoredFile:
    """Raises Refusal (403, as Google says of files that it has not)."""
    file = call.provider.shelves.google_files.get(call.key, name)
    if file is None:
        file_id = name.removeprefix("files/")
        raise Refusal(403, f"You do not have permission to access the File {file_id} or it may not exist.")
    return file


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"


def _take(call: Call, upload: RunningUpload, words: set[str]) -> None:
    if not words <= {"upload", "finalize"} or not words:
        raise Refusal(400, "Invalid upload command.")
    offset = call.exchange.headers.get("x-goog-upload-offset", "")
    if not offset.isdigit() or int(offset) != len(upload.content):
        raise Refusal(400, f"Invalid upload offset: expected {len(upload.content)}.")
    if "finalize" not in words and len(call.body) % CHUNK_BYTES:
        raise Refusal(400, f"Data must come in multiples of {CHUNK_BYTES} bytes.")
    upload.content += call.body


def _finish(call: Call, upload: RunningUpload) -> JsonObject:
    size = maybe_string(upload.file, "sizeBytes") or upload.file.get("sizeBytes")
    if size is not None and int(str(size)) != len(upload.content):
        raise Refusal(400, f"The file has {len(upload.content)} bytes, not {size}.")
    name, now = maybe_string(upload.file, "name") or f"files/{new_id('')}", datetime.now(UTC)
    file: JsonObject = {
        "name": name,
        "displayName": upload.file.get("displayName", ""),
        "mimeType": upload.file["mimeType"],
        "sizeBytes": str(len(upload.content)),
        "createTime": stamp(now),
        "updateTime": stamp(now),
        "expirationTime": stamp(now + KEPT),
        "sha256Hash": base64.b64encode(hashlib.sha256(upload.content).hexdigest().encode()).decode(),
        "uri": f"https://generativelanguage.googleapis.com/v1beta/{name}",
        "state": "ACTIVE",
        "source": "UPLOADED",
    }
    call.provider.shelves.google_files.put(upload.account, name, StoredFile(file, upload.content))
    return file


def _no_key(exchange: Exchange) -> str:
    return ""


def _begun(exchange: Exchange) -> bool:
    return "upload_id=" in exchange.query


def _operation(method: str, path: str, handle: Handle) -> Operation:
    return Operation(method, re.compile(path), handle, "gemini-files", gemini_error, gemini_key, billed=False)


_UPLOAD = re.compile(r"/upload/v1beta/files")
_ONE = r"/(?:v1beta|v1alpha)/files/(?P<id>[^/:]+)"

OPERATIONS = (
    Operation("POST", _UPLOAD, carry_on, "gemini-files", gemini_error, _no_key, False, _begun),
    Operation("POST", _UPLOAD, start, "gemini-files", gemini_error, gemini_key, billed=False),
    _operation("GET", r"/(?:v1beta|v1alpha)/files", list_files),
    _operation("GET", _ONE, show_file),
    _operation("DELETE", _ONE, delete_file),
    _operation("GET", rf"{_ONE}:download", download),
)
