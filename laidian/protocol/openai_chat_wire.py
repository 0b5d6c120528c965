"""The JSON of Chat Completions as structs: requests from clients and to upstreams, answers from upstreams and to clients.

One set for both directions, since it is one format. Reading is tolerant (unknown keys are skipped, what a compatible server leaves
out has a default); writing leaves out every key that has its default, so a key that must stand as null is set to None over `UNSET`.
Shapes are those of openai-python 3.54.0 (types/chat, read 2026-11-22) with the extensions that clients are known to read:
`reasoning_content` and `reasoning`, `reasoning_details` and `images` (OpenRouter), `extra_content.google` (Google's compatible endpoint).
The rule a newcomer would break: schemas, tool arguments and signatures stay as they came, raw or as one string.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, Raw, UnsetType

NOTHING = Raw()
"""The raw value that is left out when it is written: the very object, since msgspec tells it from other empty ones."""


class Wire(msgspec.Struct, frozen=True, omit_defaults=True):
    """Base of everything here."""


# Parts of messages


class ImageUrl(Wire, frozen=True):
    url: str = ""
    detail: str | None = None


class InputAudio(Wire, frozen=True):
    data: str = ""
    format: str = ""


class FileData(Wire, frozen=True):
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class Part(Wire, frozen=True):
    """A content part of any type; `type` says which field counts."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None
    image_url: ImageUrl | str | None = None
    """Some clients send the address itself."""
    input_audio: InputAudio | None = None
    file: FileData | None = None
    index: int | None = None
    """Position among the images of an answer: SDKs merge deltas by it."""


Content = str | tuple[Part, ...] | None


class FunctionCall(Wire, frozen=True):
    name: str | None = None
    arguments: str | None = None


class CustomCall(Wire, frozen=True):
    name: str | None = None
    input: str | None = None


class Google(Wire, frozen=True):
    thought_signature: str | None = None


class ExtraContent(Wire, frozen=True):
    google: Google | None = None


class ToolCall(Wire, frozen=True):
    index: int | None = None
    id: str | None = None
    type: str | None = None
    function: FunctionCall | None = None
    custom: CustomCall | None = None
    extra_content: ExtraContent | None = None


class ReasoningDetail(Wire, frozen=True):
    """A piece of reasoning with the proof of who thought it, in OpenRouter's form."""

    type: str = ""
    text: str | None = None
    data: str | None = None
    """Reasoning that only its maker can read."""
    signature: str | None = None
    format: str | None = None
    """Whose signature: `anthropic-claude-v1` …"""
    index: int | None = None


class UrlCitation(Wire, frozen=True):
    url: str = ""
    title: str | UnsetType | None = UNSET
    start_index: int | UnsetType | None = UNSET
    end_index: int | UnsetType | None = UNSET


class Annotation(Wire, frozen=True):
    type: str = ""
    url_citation: UrlCitation | None = None
    index: int | None = None


class AudioAnswer(Wire, frozen=True):
    id: str = ""
    data: str = ""
    transcript: str | UnsetType = UNSET
    expires_at: int | UnsetType = UNSET


class Message(Wire, frozen=True):
    """A message of a request, the message of an answer, or one delta of a streamed answer."""

    role: str | None = None
    content: Content | UnsetType = UNSET
    name: str | None = None
    refusal: str | UnsetType | None = UNSET
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: tuple[ReasoningDetail, ...] | None = None
    tool_calls: tuple[ToolCall, ...] | None = None
    tool_call_id: str | None = None
    function_call: FunctionCall | None = None
    images: tuple[Part, ...] | None = None
    annotations: tuple[Annotation, ...] | None = None
    audio: Raw = NOTHING


# What a request asks for


class Function(Wire, frozen=True):
    name: str = ""
    description: str | None = None
    parameters: Raw = NOTHING
    strict: bool | None = None


class Custom(Wire, frozen=True):
    name: str = ""
    description: str | None = None
    format: Raw = NOTHING


class Tool(Wire, frozen=True):
    type: str = ""
    function: Function | None = None
    custom: Custom | None = None


class AllowedTools(Wire, frozen=True):
    mode: str = ""
    tools: tuple[Tool, ...] = ()


class ToolChoice(Wire, frozen=True):
    type: str = ""
    function: Function | None = None
    custom: Custom | None = None
    allowed_tools: AllowedTools | None = None


class JsonSchema(Wire, frozen=True):
    name: str = ""
    description: str | None = None
    schema: Raw = NOTHING
    strict: bool | None = None


class ResponseFormat(Wire, frozen=True):
    type: str = ""
    json_schema: JsonSchema | None = None


class StreamOptions(Wire, frozen=True):
    include_usage: bool = False


class Asked(Wire, frozen=True):
    """A request as it is written; reading goes field by field, so that each error can name its field."""

    model: str
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: str | ToolChoice = ""
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    max_completion_tokens: int | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logprobs: bool = False
    top_logprobs: int | None = None
    reasoning_effort: str | None = None
    verbosity: str = ""
    modalities: tuple[str, ...] = ()
    user: str = ""
    service_tier: str = ""
    stream: bool = False
    stream_options: StreamOptions | None = None


# What an answer says


class PromptDetails(Wire, frozen=True):
    cached_tokens: int | UnsetType = UNSET
    cache_write_tokens: int = 0
    audio_tokens: int = 0
    image_tokens: int = 0


class CompletionDetails(Wire, frozen=True):
    reasoning_tokens: int | UnsetType = UNSET
    audio_tokens: int = 0
    image_tokens: int = 0


class UsageSaid(Wire, frozen=True):
    prompt_tokens: int | UnsetType = UNSET
    completion_tokens: int | UnsetType = UNSET
    total_tokens: int | UnsetType = UNSET
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None


class Logprobs(Wire, frozen=True):
    content: Raw = NOTHING
    """An array, one entry a token, as it came."""
    refusal: UnsetType | None = UNSET


class Choice(Wire, frozen=True):
    index: int | UnsetType = UNSET
    delta: Message | None = None
    message: Message | None = None
    logprobs: Logprobs | UnsetType | None = UNSET
    finish_reason: str | UnsetType | None = UNSET


class Answer(Wire, frozen=True):
    """A completion or one chunk, as it is written."""

    id: str
    object: str
    created: int | UnsetType
    model: str
    choices: tuple[Choice, ...]
    usage: UsageSaid | UnsetType | None = UNSET
    service_tier: str = ""


class ChoiceRead(msgspec.Struct):
    index: int = 0
    delta: Message | None = None
    message: Message | None = None
    logprobs: Logprobs | None = None
    finish_reason: str | None = None


class AnswerRead(msgspec.Struct):
    """A completion or one chunk, as compatible servers send it."""

    id: str | None = None
    created: int | float | None = None
    model: str | None = None
    choices: list[ChoiceRead] | None = None
    usage: Raw = NOTHING
    error: Raw = NOTHING
    service_tier: str | None = None


def raw(text: bytes) -> Raw:
    """JSON that is written as it is; nothing when empty."""
    return Raw(text) if text else NOTHING
