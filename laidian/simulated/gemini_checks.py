"""What Gemini's generateContent accepts: the body is judged here and turned into a `Prompt`.

Fields are those of google-genai 3.4.0 (the project's protocol study, 2026-11-22). Like Google's JSON, camelCase and
snake_case are the same name.
"""

from __future__ import annotations

import re
from typing import TypeAlias

import msgspec

from .models import Model
from .openai_chat_checks import AUDIO_TOKENS, FILE_TOKENS, IMAGE_TOKENS
from .openai_checks import maybe_integer, maybe_object, maybe_string
from .shelf import Shelves
from .values import Json, JsonObject, Prompt, Refusal, Tool

FIELDS = (
    "model",
    "contents",
    "systemInstruction",
    "tools",
    "toolConfig",
    "safetySettings",
    "generationConfig",
    "cachedContent",
    "labels",
    "serviceTier",
    "store",
    "continuationToken",
)
CONFIG_FIELDS = (
    "temperature",
    "topP",
    "topK",
    "candidateCount",
    "maxOutputTokens",
    "stopSequences",
    "responseLogprobs",
    "logprobs",
    "presencePenalty",
    "frequencyPenalty",
    "seed",
    "responseMimeType",
    "responseSchema",
    "responseJsonSchema",
    "responseModalities",
    "mediaResolution",
    "speechConfig",
    "thinkingConfig",
    "imageConfig",
    "responseFormat",
    "audioTranscriptionConfig",
    "enableEnhancedCivicAnswers",
)
PART_FIELDS = (
    "text",
    "thought",
    "thoughtSignature",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
    "videoMetadata",
    "mediaResolution",
)
_MEDIA = {"image": IMAGE_TOKENS, "audio": AUDIO_TOKENS}


Account: TypeAlias = tuple[Shelves, str]
"""What is kept, and whose."""

_FILE = re.compile(r"(?:https://generativelanguage\.googleapis\.com/v1(?:beta)?/)?(files/[^/?#]+)")


class _Reading:
    def __init__(self, account: Account | None = None) -> None:
        self.shelves, self.account = account or (Shelves(), "")
        self.texts: list[str] = []
        self.messages = 0
        self.media_tokens = 0
        self.last_user_text = ""
        self.answers_tools = False
        self.unsigned: str | None = None
        """Name of a function call of the current turn that lacks its thought signature."""


def content_prompt(body: JsonObject, model: Model, *, stream: bool, account: Account | None = None) -> Prompt:
    """The prompt of a generateContent body. Raises Refusal (400, or 403 for what this account has not stored)."""
    body = known_fields(body, FIELDS, "")
    config = known_fields(_object(body, "generationConfig", ""), CONFIG_FIELDS, "generation_config")
    _check_config(config)
    reading = _Reading(account)
    if body.get("systemInstruction") is not None:
        _content("system_instruction", body["systemInstruction"], reading)
    read_contents(body.get("contents"), reading)
    if reading.unsigned is not None and model.id.startswith("gemini-3"):
        message = (
            f"Function call is missing a thought_signature in functionCall parts: `{reading.unsigned}`. "
            "This is required for tools to work correctly."
        )
        raise Refusal(400, message)
    if body.get("cachedContent") is not None:
        _recall(body["cachedContent"], model, reading)
    tools = _tools(body.get("tools"))
    return Prompt(
        model=model.id,
        texts=tuple(reading.texts),
        messages=reading.messages,
        media_tokens=reading.media_tokens,
        last_user_text=reading.last_user_text,
        answers_tools=reading.answers_tools,
        stream=stream,
        max_output_tokens=maybe_integer(config, "maxOutputTokens"),
        choices=maybe_integer(config, "candidateCount") or 1,
        stop=_stop(config.get("stopSequences")),
        tools=tools,
        tool_choice=_tool_choice(_object(body, "toolConfig", ""), tools),
        schema=_schema(config),
        service_tier=_tier(body),
    )


def _recall(name: Json, model: Model, reading: _Reading) -> None:
    """What was cached is input again; counted like media, since its texts were counted when it was made."""
    cache = reading.shelves.google_caches.get(reading.account, str(name))
    if cache is None:
        raise Refusal(403, "CachedContent not found (or permission denied)")
    if cache["model"] != f"models/{model.id}":
        raise Refusal(
            400, f"Model used by GenerateContent request (models/{model.id}) and CachedContent differ."
        )
    reading.media_tokens += maybe_integer(maybe_object(cache, "usageMetadata"), "totalTokenCount") or 0


def _check_file(data: JsonObject, reading: _Reading) -> None:
    uri = maybe_string(data, "fileUri")
    found = None if uri is None else _FILE.fullmatch(uri)
    if found is not None and reading.shelves.google_files.get(reading.account, found[1]) is None:
        file_id = found[1].removeprefix("files/")
        raise Refusal(403, f"You do not have permission to access the File {file_id} or it may not exist.")


def contents_prompt_tokens(value: Json, account: Account | None = None) -> tuple[list[str], int, int]:
    """Texts, messages and media tokens of `contents`. Raises Refusal (400)."""
    reading = _Reading(account)
    read_contents(value, reading)
    return reading.texts, reading.messages, reading.media_tokens


def known_fields(body: JsonObject, fields: tuple[str, ...], where: str) -> JsonObject:
    """The same object with camelCase names. Raises Refusal (400) for a name Google does not know."""
    renamed: JsonObject = {}
    for name, value in body.items():
        camel = _camel(name)
        if camel not in fields:
            place = f" at '{where}'" if where else ""
            raise Refusal(
                400, f'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.'
            )
        renamed[camel] = value
    return renamed


def read_contents(value: Json, reading: _Reading) -> None:
    """Check and count `contents`: a list of turns. Raises Refusal (400)."""
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list) or not value:
        raise Refusal(400, "* GenerateContentRequest.contents: contents is not specified")
    for place, item in enumerate(value):
        where = f"contents[{place}]"
        content = item if isinstance(item, dict) else {}
        if not isinstance(item, dict):
            raise Refusal(
                400, f"Invalid value at '{where}' (type.googleapis.com/google.ai.generativelanguage.Content)"
            )
        role = content.get("role", "user")
        if role not in ("user", "model", "function"):
            raise Refusal(400, "Please use a valid role: user, model.")
        text = _content(where, content, reading)
        responded = any(
            isinstance(part, dict) and "functionResponse" in _renamed(part) for part in _parts(content)
        )
        reading.answers_tools = responded
        if role == "user" and not responded:
            reading.last_user_text = text
            reading.unsigned = None


def _content(where: str, value: Json, reading: _Reading) -> str:
    if not isinstance(value, dict):
        raise Refusal(400, f"Invalid value at '{where}'")
    known_fields(value, ("role", "parts"), where)
    parts = _parts(value)
    if not parts:
        raise Refusal(400, f"* GenerateContentRequest.{where}.parts: contents.parts must not be empty.")
    reading.messages += 1
    first_call = True
    texts: list[str] = []
    for place, item in enumerate(parts):
        path = f"{where}.parts[{place}]"
        if not isinstance(item, dict):
            raise Refusal(400, f"Invalid value at '{path}'")
        part = known_fields(item, PART_FIELDS, path)
        texts.append(_part(path, part, reading))
        if "functionCall" in part:
            if first_call and not part.get("thoughtSignature"):
                reading.unsigned = str(maybe_object(part, "functionCall").get("name"))
            first_call = False
    return "".join(texts)


def _part(path: str, part: JsonObject, reading: _Reading) -> str:
    if not part.keys() - {"thought", "thoughtSignature", "videoMetadata", "mediaResolution"}:
        raise Refusal(400, f"* {path}.data: required oneof field 'data' must have one initialized field")
    if "text" in part:
        text = part["text"]
        if not isinstance(text, str):
            raise Refusal(
                400, f"Invalid value at '{path}.text' (TYPE_STRING), {msgspec.json.encode(text).decode()}"
            )
        reading.texts.append(text)
        return text
    if "inlineData" in part or "fileData" in part:
        data = _renamed(maybe_object(part, "inlineData") or maybe_object(part, "fileData"))
        _check_file(data, reading)
        kind = (maybe_string(data, "mimeType") or "").partition("/")[0]
        reading.media_tokens += _MEDIA.get(kind, FILE_TOKENS)
    for name in ("functionCall", "functionResponse"):
        if name in part:
            value = _object(part, name, path)
            if not isinstance(value.get("name"), str):
                raise Refusal(400, f"* {path}.{name}.name: Name cannot be empty.")
            inner = value.get("args" if name == "functionCall" else "response") or {}
            reading.texts += [str(value["name"]), msgspec.json.encode(inner).decode()]
    return ""


def _check_config(config: JsonObject) -> None:
    for name, kinds in (
        ("temperature", (int, float)),
        ("topP", (int, float)),
        ("maxOutputTokens", (int,)),
        ("candidateCount", (int,)),
    ):
        value = config.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, kinds)):
            raise Refusal(
                400,
                f"Invalid value at 'generation_config.{_snake(name)}', {msgspec.json.encode(value).decode()}",
            )
    temperature = config.get("temperature")
    if isinstance(temperature, (int, float)) and not 0 <= temperature <= 2:
        raise Refusal(
            400,
            f"Unable to submit request because it has a temperature value of {temperature}: supported range 0 to 2.",
        )
    for name, high in (("maxOutputTokens", None), ("candidateCount", 8)):
        value = maybe_integer(config, name)
        if value is not None and (value < 1 or (high is not None and value > high)):
            raise Refusal(
                400, f"* GenerateContentRequest.generation_config.{_snake(name)}: {name} must be positive."
            )


def _tools(value: Json) -> tuple[Tool, ...]:
    if value is None:
        return ()
    tools: list[Tool] = []
    for item in value if isinstance(value, list) else [value]:
        holder = _renamed(item) if isinstance(item, dict) else {}
        declarations = holder.get("functionDeclarations")
        for declaration in declarations if isinstance(declarations, list) else []:
            if not isinstance(declaration, dict) or not isinstance(declaration.get("name"), str):
                raise Refusal(
                    400, "* GenerateContentRequest.tools[0].function_declarations[0].name: [FIELD_INVALID]"
                )
            named = _renamed(declaration)
            schema = maybe_object(named, "parametersJsonSchema") or maybe_object(named, "parameters")
            tools.append(Tool(str(declaration["name"]), schema))
    return tuple(tools)


def _tool_choice(config: JsonObject, tools: tuple[Tool, ...]) -> str:
    calling = _renamed(maybe_object(_renamed(config), "functionCallingConfig"))
    allowed = calling.get("allowedFunctionNames")
    names = [name for name in allowed if isinstance(name, str)] if isinstance(allowed, list) else []
    match str(calling.get("mode", "AUTO")).upper():
        case "NONE":
            return "none"
        case "ANY":
            if names and names[0] not in {tool.name for tool in tools}:
                raise Refusal(400, f"allowed_function_names: '{names[0]}' is not declared.")
            return f"={names[0]}" if names else "required"
        case _:
            return "auto"


def _schema(config: JsonObject) -> JsonObject | None:
    if config.get("responseMimeType") != "application/json":
        return None
    return maybe_object(config, "responseJsonSchema") or maybe_object(config, "responseSchema")


def _tier(body: JsonObject) -> str | None:
    tier = maybe_string(body, "serviceTier")
    if tier is None or tier == "unspecified":
        return None
    if tier not in ("flex", "standard", "priority"):
        raise Refusal(400, f"Invalid value at 'service_tier', \"{tier}\"")
    return tier


def _stop(value: Json) -> tuple[str, ...]:
    words = tuple(word for word in value if isinstance(word, str)) if isinstance(value, list) else ()
    if len(words) > 5:
        raise Refusal(
            400, "* GenerateContentRequest.generation_config.stop_sequences: at most 5 are supported."
        )
    return words


def _object(body: JsonObject, name: str, where: str) -> JsonObject:
    value = body.get(name)
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    place = f"{where}.{_snake(name)}" if where else _snake(name)
    raise Refusal(400, f"Invalid value at '{place}', {msgspec.json.encode(value).decode()}")


def _parts(content: JsonObject) -> list[Json]:
    parts = content.get("parts")
    if isinstance(parts, dict):
        return [parts]
    return parts if isinstance(parts, list) else []


def _renamed(body: JsonObject) -> JsonObject:
    return {_camel(name): value for name, value in body.items()}


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda found: f"_{found[1].lower()}", name)
