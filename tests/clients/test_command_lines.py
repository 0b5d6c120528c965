"""Command-line clients as people run them, headless, with nothing but base URL and key of their own; skipped where not installed.

Each runs one turn natively and through every translation, and most a second turn with the result of a tool. The environment they get
holds no other key, no configuration of this machine, and a proxy that refuses: what they send anywhere but to the instance fails.
"""

from __future__ import annotations

import json
import os
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.clients.billing import Meter
from tests.clients.conftest import ALIASES, MODELS
from tests.clients.installed import (
    AI_SDK,
    AIDER,
    CLAUDE,
    CODEX,
    FOLDER,
    GEMINI,
    LLM,
    NODE,
    OPENCODE,
    SDKS,
    needs,
)
from tests.served import Served, wait_until
from tests.simulated_provider import SimulatedProvider

LIMIT_S = 90
ASK = "[[say:a harbour]]"
ANSWER = "[simulated] a harbour"
NOWHERE = "http://127.0.0.1:9"

_codex, _claude, _gemini = (
    needs("Codex CLI", CODEX),
    needs("Claude Code", CLAUDE),
    needs("Gemini CLI", GEMINI),
)
_opencode, _ai_sdk = needs("opencode", OPENCODE), needs("the Vercel AI SDK", AI_SDK)
_sdks = needs("the JavaScript SDKs", SDKS)
_aider, _llm = needs("aider", AIDER), needs("llm", LLM)

pytestmark = pytest.mark.timeout(LIMIT_S + 60)


class Shell:
    """A home folder with nothing in it, and a working folder beside it."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.work = folder / "work"
        self.home.mkdir()
        self.work.mkdir()

    def write(self, path: str, text: str) -> None:
        place = self.home / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def run(self, *command: object, **variables: str) -> tuple[int, str]:
        """Exit code, and everything it printed."""
        environment = {
            "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            "TMPDIR": str(self.home),
            "LANG": "C.UTF-8",
            "HTTP_PROXY": NOWHERE,
            "HTTPS_PROXY": NOWHERE,
            "NO_PROXY": "127.0.0.1",
            **variables,
        }
        done = subprocess.run(
            [str(word) for word in command],
            cwd=self.work,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_S,
        )
        return done.returncode, done.stdout

    def says(self, *command: object, **variables: str) -> str:
        """What it printed. Raises AssertionError when it failed."""
        code, said = self.run(*command, **variables)
        assert code == 0, said
        return said


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def refusals(laidian: Served) -> int:
    """How often the key whose quota is used up was refused so far, this one request of ours included."""

    request = urllib.request.Request(
        f"{laidian.base_url}/v1/chat/completions",
        json.dumps({"model": "gpt-5.4", "messages": [{"role": "user", "content": "hi"}]}).encode(),
        {"Authorization": f"Bearer {laidian.keys[1]}", "Content-Type": "application/json"},
    )
    with pytest.raises(urllib.error.HTTPError, match="429") as told:
        urllib.request.urlopen(request)
    mine = told.value.headers["x-request-id"]
    # lines are written in the order of their requests, up to a tenth of a second later
    wait_until(lambda: mine in laidian.log(), "the line of this request is written")
    return sum(
        line.get("key") == "key-2" and line["error"] == "insufficient_quota" for line in laidian.lines()
    )


# Codex CLI


def codex(shell: Shell, laidian: Served, model: str, prompt: str, key: str | None = None) -> tuple[int, str]:
    provider = f'model_provider = "laidian"\n[model_providers.laidian]\nname = "LaiDian"\nbase_url = "{laidian.base_url}/v1"\n'
    shell.write(".codex/config.toml", f'{provider}env_key = "LAIDIAN_KEY"\nwire_api = "responses"\n')
    command = (NODE, CODEX, "exec", "--skip-git-repo-check", "-m", model, prompt)
    return shell.run(*command, LAIDIAN_KEY=key or laidian.key)


@_codex
def test_codex_answers(shell: Shell, laidian: Served, model: str, meter: Meter):
    code, said = codex(shell, laidian, model, ASK)
    assert (code, ANSWER in said) == (0, True), said
    (record,) = meter.check(requests=1)
    assert (record.operation, record.model, record.stream) == ("responses", model, 1)


@_codex
def test_codex_runs_a_tool_and_sends_its_result(shell: Shell, laidian: Served, model: str, meter: Meter):
    code, said = codex(shell, laidian, model, "please [[tool]] [[reasoning:5]]")
    assert (code, "[simulated]" in said) == (0, True), said
    records = meter.check(requests=2)
    assert records[1].input > records[0].input


@_codex
@pytest.mark.parametrize("name", [name for name in ALIASES if name.startswith("gpt")])
def test_codex_runs_a_tool_under_a_name_that_leads_elsewhere(
    shell: Shell, laidian: Served, name: str, meter: Meter
):
    code, said = codex(shell, laidian, name, "please [[tool]] [[reasoning:5]]")
    assert (code, "[simulated]" in said) == (0, True), said
    assert {record.model for record in meter.check(requests=2)} == {ALIASES[name]}


@_codex
def test_codex_asks_again_after_a_broken_stream(
    shell: Shell, laidian: Served, provider: SimulatedProvider, meter: Meter
):
    provider.fault("eof-mid-stream", times=1)
    code, said = codex(shell, laidian, "gpt-5.4", ASK)
    assert (code, ANSWER in said) == (0, True), said
    assert [record.ended for record in meter.check(requests=2)] == ["upstream_fault", "complete"]


@_codex
def test_codex_asks_once_when_the_quota_is_used_up(shell: Shell, laidian: Served, meter: Meter):
    before = refusals(laidian)
    code, said = codex(shell, laidian, "gpt-5.4", ASK, laidian.keys[1])
    assert code != 0
    assert "quota" in said.lower()
    assert refusals(laidian) == before + 2, "it asked more than once"
    meter.check(requests=0)


# Claude Code


def claude(shell: Shell, laidian: Served, model: str, prompt: str, key: str | None = None) -> tuple[int, str]:
    return shell.run(
        CLAUDE,
        "-p",
        "--model",
        model,
        prompt,
        ANTHROPIC_BASE_URL=laidian.base_url,
        ANTHROPIC_AUTH_TOKEN=key or laidian.key,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1",
        DISABLE_AUTOUPDATER="1",
    )


@_claude
def test_claude_code_answers(shell: Shell, laidian: Served, model: str, meter: Meter):
    code, said = claude(shell, laidian, model, ASK)
    assert (code, ANSWER in said) == (0, True), said
    records = meter.check()
    assert {(record.operation, record.model) for record in records} == {("anthropic.messages", model)}


@_claude
def test_claude_code_runs_tools_and_sends_their_results(
    shell: Shell, laidian: Served, model: str, meter: Meter
):
    code, said = claude(shell, laidian, model, "please [[tools:2]] [[reasoning:5]]")
    assert (code, "[simulated]" in said) == (0, True), said
    assert len(meter.check()) > 1


@_claude
@pytest.mark.parametrize(
    "name", ["claude-sonnet-5", *(name for name in ALIASES if name.startswith("claude"))]
)
def test_claude_code_asks_a_model_it_knows_for_more(shell: Shell, laidian: Served, name: str, meter: Meter):
    """Adaptive thinking, effort, context management, system messages in the middle; natively, and where the name leads elsewhere."""
    code, said = claude(shell, laidian, name, ASK)
    assert (code, ANSWER in said) == (0, True), said
    assert {record.model for record in meter.check()} == {ALIASES.get(name, name)}


@_claude
@pytest.mark.parametrize("name", [name for name in ALIASES if name.startswith("claude")])
def test_claude_code_runs_tools_under_a_name_that_leads_elsewhere(
    shell: Shell, laidian: Served, name: str, meter: Meter
):
    code, said = claude(shell, laidian, name, "please [[tools:2]] [[reasoning:5]]")
    assert (code, "[simulated]" in said) == (0, True), said
    assert {record.model for record in meter.check()} == {ALIASES[name]}


@_claude
def test_claude_code_asks_once_when_the_quota_is_used_up(shell: Shell, laidian: Served, meter: Meter):
    before = refusals(laidian)
    code, said = claude(shell, laidian, "claude-opus-4-5", ASK, laidian.keys[1])
    assert code != 0, said
    assert refusals(laidian) == before + 2, "it asked more than once"
    meter.check(requests=0)


# Gemini CLI


def gemini(
    shell: Shell, laidian: Served, model: str, prompt: str, path: str = "", key: str | None = None
) -> tuple[int, str]:
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": False},
        "telemetry": {"enabled": False},
        "general": {"disableAutoUpdate": True},
    }
    shell.write(".gemini/settings.json", json.dumps(settings))
    return shell.run(
        NODE,
        GEMINI,
        "-m",
        model,
        "-p",
        prompt,
        GEMINI_API_KEY=key or laidian.key,
        GOOGLE_GEMINI_BASE_URL=laidian.base_url + path,
        GEMINI_CLI_TRUST_WORKSPACE="true",
    )


@_gemini
@pytest.mark.parametrize("path", ["", "/v1beta"])
def test_gemini_cli_answers_at_either_base_url(
    shell: Shell, laidian: Served, model: str, path: str, meter: Meter
):
    code, said = gemini(shell, laidian, model, ASK, path)
    assert (code, ANSWER in said) == (0, True), said
    records = meter.check()
    assert ("gemini.stream", model) in {(record.operation, record.model) for record in records}


@_gemini
def test_gemini_cli_runs_tools_and_sends_their_results(
    shell: Shell, laidian: Served, model: str, meter: Meter
):
    code, said = gemini(shell, laidian, model, "please [[tools:2]]")
    assert (code, "[simulated]" in said) == (0, True), said
    assert len(meter.check()) > 1


@_gemini
@pytest.mark.parametrize("name", [name for name in ALIASES if name.startswith("gemini")])
def test_gemini_cli_runs_tools_under_a_name_that_leads_elsewhere(
    shell: Shell, laidian: Served, name: str, meter: Meter
):
    code, said = gemini(shell, laidian, name, "please [[tools:2]] [[reasoning:5]]")
    assert (code, "[simulated]" in said) == (0, True), said
    assert {record.model for record in meter.check()} == {ALIASES[name]}


@_gemini
def test_gemini_cli_asks_once_when_the_quota_is_used_up(shell: Shell, laidian: Served, meter: Meter):
    before = refusals(laidian)
    code, said = gemini(shell, laidian, "gemini-3-flash-preview", ASK, key=laidian.keys[1])
    assert code != 0, said
    assert refusals(laidian) == before + 2, "it asked more than once"
    meter.check(requests=0)


# opencode


@_opencode
@pytest.mark.parametrize("prompt", [ASK, "please [[tools:2]]"], ids=["answer", "tools"])
def test_opencode_answers_and_runs_tools(
    shell: Shell, laidian: Served, model: str, prompt: str, meter: Meter
):
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "LaiDian",
        "options": {"baseURL": f"{laidian.base_url}/v1", "apiKey": laidian.key},
        "models": {model: {"name": model}},
    }
    settings = {"autoupdate": False, "share": "disabled", "provider": {"laidian": provider}}
    shell.write(".config/opencode/opencode.json", json.dumps(settings))
    said = shell.says(OPENCODE, "run", "-m", f"laidian/{model}", prompt, OPENCODE_DISABLE_MODELS_FETCH="1")
    assert "[simulated]" in said
    records = meter.check()
    assert {(record.operation, record.model) for record in records} == {("chat.completions", model)}
    assert len(records) > 1


# aider and llm


@_aider
@pytest.mark.parametrize(
    ("spoken", "operation"),
    [
        *((f"openai/{model}", "chat.completions") for model in MODELS.values()),
        ("anthropic/claude-opus-4-5", "anthropic.messages"),
        ("gemini/gemini-3-flash-preview", "gemini.stream"),
    ],
)
def test_aider_answers(shell: Shell, laidian: Served, spoken: str, operation: str, meter: Meter):
    said = shell.says(
        AIDER,
        *("--model", spoken, "--message", ASK, "--no-git", "--map-tokens", "0", "--yes-always"),
        *("--no-check-update", "--no-show-model-warnings", "--no-analytics", "--no-gitignore"),
        OPENAI_API_BASE=f"{laidian.base_url}/v1",
        OPENAI_API_KEY=laidian.key,
        ANTHROPIC_API_BASE=laidian.base_url,
        ANTHROPIC_API_KEY=laidian.key,
        GEMINI_API_BASE=f"{laidian.base_url}/v1beta",
        GEMINI_API_KEY=laidian.key,
    )
    assert ANSWER in said
    (record,) = meter.check(requests=1)
    assert (record.operation, record.model) == (operation, spoken.partition("/")[2])


@_llm
def test_llm_answers(shell: Shell, laidian: Served, model: str, meter: Meter):
    entry = [
        {
            "model_id": "mine",
            "model_name": model,
            "api_base": f"{laidian.base_url}/v1",
            "api_key_name": "mine",
        }
    ]
    shell.write("llm/extra-openai-models.yaml", json.dumps(entry))
    shell.write("llm/keys.json", json.dumps({"mine": laidian.key}))
    folder = str(shell.home / "llm")
    assert ANSWER in shell.says(LLM, "-m", "mine", ASK, LLM_USER_PATH=folder)
    assert ANSWER in shell.says(LLM, "-m", "mine", "--no-stream", ASK, LLM_USER_PATH=folder)
    assert [record.stream for record in meter.check(requests=2)] == [1, 0]


# JavaScript SDKs


@_sdks
@pytest.mark.parametrize(
    ("name", "path", "operations"),
    [
        ("chat", "/v1", {"chat.completions"}),
        ("responses", "/v1", {"responses"}),
        ("google", "", {"gemini.generate", "gemini.stream"}),
        ("anthropic", "", {"anthropic.messages"}),
    ],
)
def test_the_javascript_sdks_have_a_whole_conversation(
    shell: Shell, laidian: Served, model: str, name: str, path: str, operations: set[str], meter: Meter
):
    script = Path(__file__).parent / "node" / "sdks.mjs"
    said = shell.says(NODE, script, FOLDER, name, laidian.base_url + path, model, LAIDIAN_KEY=laidian.key)
    told = json.loads(said.strip().splitlines()[-1])
    assert (told["plain"], told["streamed"]) == ("[simulated] plain", "[simulated] stream")
    assert told["calls"] == [["weather", {"city": "simulated"}]] * 2
    assert told["answer"].startswith("[simulated]")
    records = meter.check(requests=4)
    assert {record.operation for record in records} == operations
    assert told["usage"] == [records[-1].input, records[-1].output]


# Vercel AI SDK


@_ai_sdk
@pytest.mark.parametrize(
    ("provider_name", "path", "operations"),
    [
        ("openai", "/v1", {"responses"}),
        ("chat", "/v1", {"chat.completions"}),
        ("compatible", "/v1", {"chat.completions"}),
        ("google", "/v1beta", {"gemini.generate", "gemini.stream"}),
        ("anthropic", "/v1", {"anthropic.messages"}),
    ],
)
def test_the_vercel_ai_sdk_has_a_whole_conversation(
    shell: Shell,
    laidian: Served,
    model: str,
    provider_name: str,
    path: str,
    operations: set[str],
    meter: Meter,
):
    script = Path(__file__).parent / "node" / "ai_sdk.mjs"
    said = shell.says(
        NODE, script, FOLDER, provider_name, laidian.base_url + path, model, LAIDIAN_KEY=laidian.key
    )
    told = json.loads(said.strip().splitlines()[-1])
    assert (told["plain"], told["streamed"], told["finish"]) == (
        "[simulated] plain",
        "[simulated] stream",
        "stop",
    )
    assert told["calls"] == ["weather", "weather"]
    assert told["results"] == [{"city": "simulated", "celsius": 21}] * 2
    assert told["answer"].startswith("[simulated]")
    assert set(told["object"]) == {"name", "people"}
    records = meter.check(requests=5)
    assert {record.operation for record in records} == operations
    plain = records[0]
    assert told["usage"]["inputTokens"] == plain.input
    assert told["usage"]["outputTokens"] == plain.output
    if provider_name == "compatible":
        assert "inputTokens" not in told["streamedUsage"], "it did not ask for the usage of a stream"
    else:
        assert told["streamedUsage"]["inputTokens"] == records[1].input
