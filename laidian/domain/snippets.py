"""Client snippets: what to type into which program so that it uses this instance. One table for the command line, the dashboard and the
pages.

Owns the texts, the choice of a model for an example, and the filling-in. Pure. The rule a newcomer would break: a text stays with `{key}`
in it until the moment and the place where a secret may be shown, and nothing is filled in that could end a quoted string, since these
texts are run by a shell (`fill` refuses).

Each row was tried with the version it names: the programs that run without a window by tests/clients and tests/snippets, the others by
their source (seen 2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Literal
from urllib.parse import quote

import msgspec

Language = Literal["sh", "powershell", "python", "javascript", "toml", "json", "env", "settings", "link"]
"""settings: what to enter in a program's window, one `name: value` a line. link: an address that opens the program."""


class Part(msgspec.Struct, frozen=True):
    """One text, and where it goes."""

    place: str
    """A file's path, or the program that takes the text."""
    language: Language
    capability: str
    """What the key's group must have."""
    text: str
    """With {base_url}, {root_url}, {key}, {model} and {brand}; `{x:url}` is x percent-encoded."""


class Client(msgspec.Struct, frozen=True):
    id: str
    title: str
    tested: str
    """Version and how, or what was read instead."""
    says: str
    """The one thing that people get wrong."""
    says_zh: str
    parts: tuple[Part, ...]


CHATTING = frozenset({"chat", "responses", "gemini", "anthropic"})
"""The capabilities whose endpoints a chat model answers at."""


class Usable(msgspec.Struct, frozen=True):
    """A model that the key can use now."""

    name: str
    capabilities: frozenset[str]
    """Those that it suits; a model of which nothing is known suits everything."""

    def made_for(self, capability: str) -> bool:
        """Whether it may be named for this capability. As far as prices tell, what chats suits everything, and what embeds also judges;
        this does not believe it."""
        if capability not in self.capabilities:
            return False
        if "chat" in self.capabilities:
            return capability in CHATTING or (capability == "images" and "image" in self.name)
        return capability != "moderations" or "embeddings" not in self.capabilities


class Written(msgspec.Struct, frozen=True):
    """A part with everything filled in but the key."""

    part: Part
    model: str | None
    """In the text; None: the text names none, or stands with NO_MODEL because none can be used now."""
    text: str


_BASE_SAYS = "The base URL ends in /v1; the client appends the endpoint."
_BASE_SAYS_ZH = "Base URL 以 /v1 结尾，端点路径由客户端自动追加。"

_CURL_CHAT = r"""curl {base_url}/chat/completions \
  -H "Authorization: Bearer {key}" \
  -H "Content-Type: application/json" \
  -d '{
    "model": "{model}",
    "messages": [
      {"role": "user", "content": "Say hello in one sentence."}
    ]
  }'"""

_CURL_IMAGES = r"""curl {base_url}/images/generations \
  -H "Authorization: Bearer {key}" \
  -H "Content-Type: application/json" \
  -d '{
    "model": "{model}",
    "prompt": "A lighthouse in warm light.",
    "size": "1024x1024"
  }'"""

_OPENAI_PYTHON = """from openai import OpenAI

client = OpenAI(
    api_key="{key}",
    base_url="{base_url}",
)

answer = client.chat.completions.create(
    model="{model}",
    messages=[{"role": "user", "content": "Say hello in one sentence."}],
)
print(answer.choices[0].message.content)"""

_OPENAI_JAVASCRIPT = """import OpenAI from "openai";

const client = new OpenAI({
  apiKey: "{key}",
  baseURL: "{base_url}",
});

const answer = await client.chat.completions.create({
  model: "{model}",
  messages: [{ role: "user", content: "Say hello in one sentence." }],
});
console.log(answer.choices[0].message.content);"""

_GENAI = """from google import genai
from google.genai import types

client = genai.Client(
    api_key="{key}",
    http_options=types.HttpOptions(base_url="{root_url}"),
)

answer = client.models.generate_content(model="{model}", contents="Say hello in one sentence.")
print(answer.text)"""

_GEMINI_SETTINGS = """{
  "security": {
    "auth": { "selectedType": "gemini-api-key" }
  }
}"""

_CODEX = """model = "{model}"
model_provider = "laidian"

[model_providers.laidian]
name = "{brand}"
base_url = "{base_url}"
env_key = "LAIDIAN_API_KEY"
wire_api = "responses\""""

_OPENCODE = """{
  "model": "laidian/{model}",
  "provider": {
    "laidian": {
      "npm": "@ai-sdk/openai-compatible",
      "name": "{brand}",
      "options": {
        "baseURL": "{base_url}",
        "apiKey": "{key}"
      },
      "models": {
        "{model}": { "name": "{model}" }
      }
    }
  }
}"""

_LLM = """llm keys set laidian --value {key}
cat >> "$(dirname "$(llm logs path)")/extra-openai-models.yaml" <<'END'
- model_id: laidian
  model_name: {model}
  api_base: {base_url}
  api_key_name: laidian
END
llm -m laidian 'Say hello in one sentence.'"""

_CC_SWITCH = (
    "ccswitch://v1/import?resource=provider&app={app}&name={brand:url}&endpoint={endpoint:url}"
    "&apiKey={key}&model={model:url}&homepage={root_url:url}"
)


def _cc_switch(app: str, capability: str, endpoint: str) -> Part:
    text = _CC_SWITCH.replace("{app}", app).replace("{endpoint:url}", f"{{{endpoint}:url}}")
    return Part(f"CC Switch, {app}", "link", capability, text)


def _variables(*lines: tuple[str, str], then: str = "") -> str:
    """For a POSIX shell."""
    return "\n".join([*(f"export {name}='{value}'" for name, value in lines), *([then] if then else [])])


def _powershell(*lines: tuple[str, str]) -> str:
    return "\n".join(f"$env:{name} = '{value}'" for name, value in lines)


_OPENAI_VARIABLES = (("OPENAI_BASE_URL", "{base_url}"), ("OPENAI_API_KEY", "{key}"))
_GEMINI_VARIABLES = (("GOOGLE_GEMINI_BASE_URL", "{root_url}"), ("GEMINI_API_KEY", "{key}"))
_CLAUDE_VARIABLES = (("ANTHROPIC_BASE_URL", "{root_url}"), ("ANTHROPIC_AUTH_TOKEN", "{key}"))

CLIENTS: tuple[Client, ...] = (
    Client(
        "curl", "curl", "curl 7.88", _BASE_SAYS, _BASE_SAYS_ZH,
        (
            Part("shell", "sh", "chat", _CURL_CHAT),
            Part("shell, a picture", "sh", "images", _CURL_IMAGES),
        ),
    ),
    Client(
        "python", "OpenAI Python", "openai 3.54.0", _BASE_SAYS, _BASE_SAYS_ZH,
        (Part("Python", "python", "chat", _OPENAI_PYTHON),),
    ),
    Client(
        "javascript", "OpenAI JavaScript", "openai 7.57.0", _BASE_SAYS, _BASE_SAYS_ZH,
        (Part("Node.js", "javascript", "chat", _OPENAI_JAVASCRIPT),),
    ),
    Client(
        "chatbox", "Chatbox", "source of 2026-11",
        "Add a provider of the kind OpenAI API Compatible. Leave the API path as it is; never enter /chat/completions.",
        "添加“OpenAI API 兼容”类型的服务商。API 路径保持默认，不要填写 /chat/completions。",
        (
            Part("Settings, Model Provider", "settings", "chat",
                 "API Host: {base_url}\nAPI Key: {key}\nModel: {model}"),
        ),
    ),
    Client(
        "cherry-studio", "Cherry Studio", "source of 2026-11",
        "Add a provider of the type OpenAI. Cherry Studio adds /v1 itself; a host that ends in # is used as it is.",
        "添加类型为 OpenAI 的服务商。Cherry Studio 会自动追加 /v1；以 # 结尾的地址会原样使用。",
        (
            Part("Settings, Model Provider", "settings", "chat",
                 "API Host: {root_url}\nAPI Key: {key}\nModel: {model}"),
        ),
    ),
    Client(
        "lobechat", "LobeChat", "source of 2026-11",
        "The proxy URL has to end in /v1, and models are fetched from there.",
        "代理地址必须以 /v1 结尾，模型列表会从该地址获取。",
        (
            Part("Settings, AI Service Provider, OpenAI", "settings", "chat",
                 "API Key: {key}\nAPI proxy URL: {base_url}\nModel: {model}"),
            Part("environment of your own LobeChat", "env", "chat",
                 "OPENAI_PROXY_URL={base_url}\nOPENAI_API_KEY={key}"),
        ),
    ),
    Client(
        "gemini-cli", "Gemini CLI", "@google/gemini-cli 0.61.0",
        "The base URL has no /v1beta: the client adds it. Without the file it refuses to start with a base URL of its own.",
        "Base URL 不带 /v1beta，客户端会自行追加。缺少该文件时，设置了自定义地址的客户端会拒绝启动。",
        (
            Part("~/.gemini/settings.json", "json", "gemini", _GEMINI_SETTINGS),
            Part("shell", "sh", "gemini", _variables(*_GEMINI_VARIABLES, then="gemini -m {model}")),
        ),
    ),
    Client(
        "google-genai", "google-genai", "google-genai 3.4.0",
        "The base URL has no /v1beta: the library adds the version.",
        "Base URL 不带 /v1beta，版本号由 SDK 自行追加。",
        (Part("Python", "python", "gemini", _GENAI),),
    ),
    Client(
        "codex", "Codex", "@openai/codex 0.169.0",
        'Codex accepts only wire_api = "responses", and no provider may be named openai.',
        'Codex 只接受 wire_api = "responses"，且 provider 名称不能是 openai。',
        (
            Part("~/.codex/config.toml", "toml", "responses", _CODEX),
            Part("shell", "sh", "responses", _variables(("LAIDIAN_API_KEY", "{key}"), then="codex")),
        ),
    ),
    Client(
        "claude-code", "Claude Code", "@anthropic-ai/claude-code 2.1.330",
        "The base URL has no /v1. Any model of this instance can be named; requests to others are translated.",
        "Base URL 不带 /v1。可使用本站任意模型；其他协议的模型会自动转换。",
        (
            Part("shell", "sh", "anthropic", _variables(
                *_CLAUDE_VARIABLES, ("ANTHROPIC_MODEL", "{model}"),
                ("ANTHROPIC_DEFAULT_HAIKU_MODEL", "{model}"),
                ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"), then="claude",
            )),
        ),
    ),
    Client(
        "opencode", "opencode", "opencode-ai 1.18.33",
        "The file may hold more than this; add the provider to what is there.",
        "该文件可能已有其他内容；请把 provider 合并进去。",
        (Part("~/.config/opencode/opencode.json", "json", "chat", _OPENCODE),),
    ),
    Client(
        "aider", "aider", "aider-chat 0.86.2",
        "The model is named with openai/ before it, whoever provides it.",
        "无论由谁提供，模型名前都要加 openai/。",
        (
            Part("shell", "sh", "chat", _variables(
                ("OPENAI_API_BASE", "{base_url}"), ("OPENAI_API_KEY", "{key}"), then="aider --model openai/{model}",
            )),
        ),
    ),
    Client(
        "llm", "llm", "llm 0.30",
        "One entry in its list of models, named laidian; repeat it for other models.",
        "在其模型列表中添加名为 laidian 的一项；其他模型照此重复。",
        (Part("shell", "sh", "chat", _LLM),),
    ),
    Client(
        "cc-switch", "CC Switch", "its manual of 2026-11",
        "The link opens CC Switch, which shows what it is about to import. It holds the key: do not pass it on.",
        "链接会打开 CC Switch 并展示将要导入的内容。链接中含有密钥，请勿转发。",
        (
            _cc_switch("claude", "anthropic", "root_url"),
            _cc_switch("codex", "responses", "base_url"),
            _cc_switch("gemini", "gemini", "root_url"),
        ),
    ),
    Client(
        "env", "Environment variables", "openai 3.54.0, google-genai 3.4.0, anthropic 2.12.0",
        "What the official libraries and most programs read.",
        "官方 SDK 和多数程序会读取这些变量。",
        (
            Part("shell, OpenAI", "sh", "chat", _variables(*_OPENAI_VARIABLES)),
            Part("shell, Gemini", "sh", "gemini", _variables(*_GEMINI_VARIABLES)),
            Part("shell, Anthropic", "sh", "anthropic", _variables(*_CLAUDE_VARIABLES)),
            Part("PowerShell, OpenAI", "powershell", "chat", _powershell(*_OPENAI_VARIABLES)),
            Part("PowerShell, Gemini", "powershell", "gemini", _powershell(*_GEMINI_VARIABLES)),
            Part("PowerShell, Anthropic", "powershell", "anthropic", _powershell(*_CLAUDE_VARIABLES)),
        ),
    ),
)  # fmt: skip

NO_MODEL = "your-model"
"""Stands in an example while the key can use no model that suits it."""
NO_KEY = "sk-your-api-key"
"""Stands for the credential where none may be shown."""

_PREFERRED: dict[str, tuple[str, ...]] = {
    "chat": ("gpt-5.4", "gpt-5*", "gpt-*"),
    "responses": ("gpt-5.4", "gpt-5*", "gpt-*"),
    "images": ("gpt-image-2", "gpt-image-*"),
    "gemini": ("gemini-3*", "gemini-2*", "gemini-*"),
    "anthropic": ("claude-sonnet-*", "claude-opus-*", "claude-*"),
}
"""What an example names where it is there: the seed's examples first."""
_SPECIAL = ("*-image*", "*-tts*", "*-audio*", "*-live*", "*realtime*", "*-search*", "*transcribe*")
"""Models that talk, too, but are made for something else."""

_PLACE_HOLDER = re.compile(r"\{(base_url|root_url|model|brand)(:url)?\}")
_PLAIN = {
    "base_url": re.compile(r"https?://[A-Za-z0-9._~:/\[\]%-]+"),
    "root_url": re.compile(r"https?://[A-Za-z0-9._~:/\[\]%-]+"),
    "model": re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]*"),
    "brand": re.compile(r"[^\x00-\x1f\x7f\"'\\`$<>{}]{1,64}"),
}
"""What a shell, TOML, JSON, Python and JavaScript all take for a plain text between quotes, and a shell also without."""


def fits(model: str) -> bool:
    """Whether a model's name may stand in a snippet at all."""
    return _PLAIN["model"].fullmatch(model) is not None


def example_model(usable: Iterable[Usable], capability: str) -> str | None:
    """The model for an example that needs `capability`, or None when none can be used now."""
    names = sorted(one.name for one in usable if one.made_for(capability) and fits(one.name))
    if capability != "images":
        plain = [name for name in names if not any(fnmatchcase(name, mark) for mark in _SPECIAL)]
        names = plain or names
    for pattern in (*_PREFERRED.get(capability, ()), *_PREFERRED["chat"]):
        for name in names:
            if fnmatchcase(name, pattern):
                return name
    return names[0] if names else None


def offered(client: Client, capabilities: Iterable[str]) -> tuple[Part, ...]:
    """The parts of a client that a group with these capabilities can use."""
    known = set(capabilities)
    return tuple(part for part in client.parts if part.capability in known)


def examples(usable: Iterable[Usable], model: str | None = None) -> dict[str, str | None]:
    """The model for each capability's examples; `model` takes the place of the chosen one wherever it is made for it."""
    usable = tuple(usable)
    wanted = [one for one in usable if one.name == model]
    return {
        capability: model
        if any(one.made_for(capability) for one in wanted)
        else example_model(usable, capability)
        for capability in _PREFERRED
    }


def written(
    client: Client,
    capabilities: Iterable[str],
    models: Mapping[str, str | None],
    *,
    base_url: str,
    brand: str = "LaiDian",
) -> tuple[Written, ...]:
    """What a client's user needs, for a group's capabilities; empty when the client is of no use to it. `models`: what `examples` chose.

    Raises ValueError as `fill` does.
    """
    found: list[Written] = []
    for part in offered(client, capabilities):
        chosen = models[part.capability]
        text = fill(part.text, base_url=base_url, model=chosen or NO_MODEL, brand=brand)
        found.append(Written(part, chosen if "{model" in part.text else None, text))
    return tuple(found)


def root_of(base_url: str) -> str:
    """The base URL without /v1, for clients that add their own version."""
    return base_url.rstrip("/").removesuffix("/v1")


def fill(text: str, *, base_url: str, model: str, brand: str = "LaiDian") -> str:
    """The text with everything but `{key}` filled in. Raises ValueError for a value that could end a quoted string."""
    values = {"base_url": base_url, "root_url": root_of(base_url), "model": model, "brand": brand}
    for name, value in values.items():
        if not _PLAIN[name].fullmatch(value):
            raise ValueError(
                f"{value[:80]!a} cannot stand in a snippet: it holds characters that a shell would read."
            )

    def put(found: re.Match[str]) -> str:
        value = values[found[1]]
        return quote(value, safe="") if found[2] else value

    return _PLACE_HOLDER.sub(put, text)
