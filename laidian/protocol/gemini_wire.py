"""What Gemini's bodies are made of, as far as they are read and written here. Names are Google's, in camelCase on the wire.

Sources, seen 2026-11-22: google-genai 3.4.0 (types.py, _*_to_mldev in models.py) and protocol.md 2.3.
"""

from __future__ import annotations

import base64
import re

import msgspec

from laidian.errors import BadRequest

Raw = msgspec.Raw


class Blob(msgspec.Struct, rename="camel", omit_defaults=True):
    mime_type: str = ""
    data: str = ""
    """Base64; Google's Python SDK sends the URL-safe alphabet."""
    display_name: str | None = None


class FileData(msgspec.Struct, rename="camel", omit_defaults=True):
    file_uri: str = ""
    mime_type: str = ""


class FunctionCall(msgspec.Struct, omit_defaults=True):
    id: str | None = None
    name: str = ""
    args: Raw = Raw()


class ResponsePart(msgspec.Struct, rename="camel", omit_defaults=True):
    inline_data: Blob | None = None
    file_data: FileData | None = None


class FunctionResponse(msgspec.Struct, omit_defaults=True):
    id: str | None = None
    name: str = ""
    response: Raw = Raw()
    parts: list[ResponsePart] | None = None


class Part(msgspec.Struct, rename="camel", omit_defaults=True):
    text: str | None = None
    thought: bool | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    thought_signature: str | None = None


class Content(msgspec.Struct, omit_defaults=True):
    parts: list[Part] | Part | None = None
    """Google takes a single part without its list, and its documents show it."""
    role: str | None = None

    def listed(self) -> list[Part]:
        if isinstance(self.parts, Part):
            return [self.parts]
        return self.parts or []


class FunctionDeclaration(msgspec.Struct, rename="camel", omit_defaults=True):
    name: str = ""
    description: str = ""
    parameters: Raw = Raw()
    """Google's OpenAPI subset."""
    parameters_json_schema: Raw = Raw()


class CallingConfig(msgspec.Struct, rename="camel", omit_defaults=True):
    mode: str | None = None
    allowed_function_names: list[str] | None = None


class ToolConfig(msgspec.Struct, rename="camel", omit_defaults=True):
    function_calling_config: CallingConfig | None = None


class ThinkingConfig(msgspec.Struct, rename="camel", omit_defaults=True):
    include_thoughts: bool | None = None
    thinking_budget: int | None = None
    """Tokens; 0 is off, -1 as the model likes."""
    thinking_level: str | None = None


class ImageConfig(msgspec.Struct, rename="camel", omit_defaults=True):
    aspect_ratio: str | None = None
    image_size: str | None = None


class GenerationConfig(msgspec.Struct, rename="camel", omit_defaults=True):
    temperature: float | None = None
    top_p: float | None = None
    top_k: float | None = None
    candidate_count: int | None = None
    max_output_tokens: int | None = None
    stop_sequences: list[str] | None = None
    response_logprobs: bool | None = None
    logprobs: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    response_mime_type: str | None = None
    response_schema: Raw = Raw()
    response_json_schema: Raw = Raw()
    response_modalities: list[str] | None = None
    thinking_config: ThinkingConfig | None = None
    image_config: ImageConfig | None = None


_AT = re.compile(r"`\$\.?([^`]*)`")


def misread(error: Exception, at: str = "") -> BadRequest:
    """A decoder's complaint about a client's body, with the field it is about."""
    if isinstance(error, RecursionError):
        return BadRequest(
            "The JSON body is nested too deeply; real requests need fewer than 1,000 levels.",
            param=at or None,
        )
    found = _AT.search(str(error))
    field = ".".join(one for one in (at, found[1] if found else "") if one)
    what = str(error).partition(" - at ")[0].replace("`", "")
    return BadRequest(
        f"`{field or 'body'}` is wrong: {what[:160]}.", param=field or None, code="invalid_type"
    )


def standard_base64(data: str) -> str:
    """The same bytes in the standard alphabet with padding, which other protocols insist on."""
    text = data.replace("-", "+").replace("_", "/").rstrip("=")
    return text + "=" * (-len(text) % 4)


def is_base64(data: str) -> bool:
    """Whether it is base64 in either alphabet; decodes it to see."""
    try:
        base64.b64decode(standard_base64(data), validate=True)
    except ValueError:
        return False
    return bool(data)
