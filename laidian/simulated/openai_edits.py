"""OpenAI image edits: a form with pictures, or JSON that points at them; the answer is that of image generation.

A picture that is sent, the mask included, is 85 image tokens of input, as everywhere in this package. Its content is judged by its first
bytes and its size alone.
"""

from __future__ import annotations

import re

from .call import Call, Operation
from .multipart import FilePart, read_multipart
from .openai_checks import Rule, check_parameters, invalid, maybe_string, missing, need_array, need_object
from .openai_errors import bearer, openai_error
from .openai_images import PARAMETERS as GENERATION
from .openai_images import answer_pictures
from .values import JsonObject

PARAMETERS: dict[str, Rule] = {
    **GENERATION,
    "input_fidelity": Rule("string", values=("high", "low")),
}
JSON_PARAMETERS: dict[str, Rule] = {
    **PARAMETERS,
    "images": Rule("array", required=True),
    "mask": Rule("object"),
}
MOST_PICTURES = 16
LARGEST_PICTURE = 50_000_000
_BEGINNINGS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")


async def answer_edit(call: Call, match: re.Match[str]) -> None:
    kind = call.exchange.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() == "application/json":
        body = call.object()
        check_parameters(body, JSON_PARAMETERS)
        pictures = _referred(body)
        body = {name: value for name, value in body.items() if name not in ("images", "mask")}
    else:
        form = read_multipart(kind, call.body)
        known = ("image", "image[]", "mask")
        for file in form.files:
            if file.name not in known:
                raise invalid(file.name, f"Unknown parameter: '{file.name}'.", "unknown_parameter")
            _check_picture(file)
        if not form.files_of("image", "image[]"):
            raise missing("image")
        if len(form.files_of("image")) > 1:
            raise invalid("image", "Duplicate parameter: 'image'. Use 'image[]'.", "duplicate_parameter")
        pictures = len(form.files)
        body = form.parameters(PARAMETERS)
    if pictures > MOST_PICTURES + 1:
        raise invalid("image", f"At most {MOST_PICTURES} images, but got {pictures}.")
    await answer_pictures(call, body, PARAMETERS, "image_edit", pictures)


def _check_picture(file: FilePart) -> None:
    if not file.content.startswith(_BEGINNINGS) or not file.content_type.startswith("image/"):
        raise invalid(file.name, "Invalid image file or mode for image.", "invalid_image_file")
    if len(file.content) > LARGEST_PICTURE:
        raise invalid(file.name, "The image is larger than 50 MB.", "image_too_large")


def _referred(body: JsonObject) -> int:
    """Pictures of the JSON form. Raises Refusal (400) for one that is neither a URL nor a file."""
    images = need_array("images", body["images"])
    if not images:
        raise invalid("images", "Invalid 'images': an empty array.", "empty_array")
    referred = [(f"images[{place}]", image) for place, image in enumerate(images)]
    if body.get("mask") is not None:
        referred.append(("mask", body["mask"]))
    for param, value in referred:
        picture = need_object(param, value)
        url, file_id = maybe_string(picture, "image_url"), maybe_string(picture, "file_id")
        if (url is None) == (file_id is None):
            raise invalid(param, f"Invalid '{param}': exactly one of 'image_url' and 'file_id'.")
        if url is not None and not url.startswith(("https://", "data:image/")):
            raise invalid(param, f"Invalid '{param}.image_url': expected a URL or a data URL.", "invalid_url")
    return len(referred)


OPERATIONS = (
    Operation("POST", re.compile(r"/v1/images/edits"), answer_edit, "openai-edits", openai_error, bearer),
)
