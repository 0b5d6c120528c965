"""Every snippet that runs without a window, as the admin API hands it out and with nothing but the key filled in, is run as it stands."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from laidian.admin.client import AdminClient
from laidian.admin.schema import Snippet, SnippetPart
from tests.clients.billing import Meter
from tests.clients.conftest import MODELS
from tests.clients.installed import AIDER, CLAUDE, CODEX, FOLDER, GEMINI, LLM, NODE, OPENCODE, SDKS, needs
from tests.clients.test_command_lines import LIMIT_S, Shell
from tests.served import Served, wait_until

pytestmark = pytest.mark.timeout(LIMIT_S + 60)
SAID = "[simulated]"
TURN = "[[say:hello]]"


def ask(laidian: Served, model: str | None) -> tuple[Snippet, ...]:
    async def question() -> tuple[Snippet, ...]:
        async with AdminClient.over_http(laidian.base_url, laidian.folder.token()) as client:
            return await client.snippets(key="key-1", model=model)

    return asyncio.run(question())


@pytest.fixture
def parts(laidian: Served) -> Callable[..., list[SnippetPart]]:
    """Of one client, ready to run; `model` named in them where it suits."""

    def found(client: str, model: str | None = None) -> list[SnippetPart]:
        snippets = {one.client: one.parts for one in ask(laidian, model)}
        assert all("{key}" not in part.text or laidian.key not in part.text for part in snippets[client])
        return list(snippets[client])

    wait_until(
        lambda: (
            {part.model for one in ask(laidian, None) for part in one.parts} >= {"gpt-5.4", "gpt-image-2"}
        ),
        "the instance has asked its upstreams for their models",
    )
    return found


def filled(part: SnippetPart, laidian: Served) -> str:
    return part.text.replace("{key}", laidian.key)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_curl(shell: Shell, laidian: Served, parts: Callable[..., list[SnippetPart]], meter: Meter):
    chat, image = parts("curl")
    assert SAID in shell.says("sh", "-c", filled(chat, laidian))
    assert "b64_json" in shell.says("sh", "-c", filled(image, laidian))
    assert [record.model for record in meter.check(requests=2)] == ["gpt-5.4", "gpt-image-2"]


def test_openai_python(
    shell: Shell, laidian: Served, model: str, parts: Callable[..., list[SnippetPart]], meter: Meter
):
    (part,) = parts("python", model)
    assert SAID in shell.says(sys.executable, "-c", filled(part, laidian))
    assert [record.model for record in meter.check(requests=1)] == [model]


def test_google_genai(
    shell: Shell, laidian: Served, model: str, parts: Callable[..., list[SnippetPart]], meter: Meter
):
    (part,) = parts("google-genai", model)
    assert SAID in shell.says(sys.executable, "-c", filled(part, laidian))
    (record,) = meter.check(requests=1)
    assert (record.operation, record.model) == ("gemini.generate", model)


@needs("the JavaScript SDKs", SDKS)
def test_openai_javascript(
    shell: Shell, laidian: Served, parts: Callable[..., list[SnippetPart]], meter: Meter
):
    (part,) = parts("javascript")
    (shell.work / "node_modules").symlink_to(FOLDER / "node_modules")
    (shell.work / "snippet.mjs").write_text(filled(part, laidian))
    assert SAID in shell.says(NODE, shell.work / "snippet.mjs")
    meter.check(requests=1)


ENVIRONMENT = {
    "OpenAI": "from openai import OpenAI\nprint(OpenAI().models.list().data[0].object)",
    "Gemini": "from google import genai\nclient = genai.Client()\nprint(next(iter(client.models.list())).name)",
    "Anthropic": "from anthropic import Anthropic\nprint(Anthropic().models.list().data[0].type)",
}


@pytest.mark.parametrize("library", ENVIRONMENT)
def test_the_official_libraries_read_the_variables(
    shell: Shell, laidian: Served, library: str, parts: Callable[..., list[SnippetPart]]
):
    (part,) = [one for one in parts("env") if one.place == f"shell, {library}"]
    script = f"{filled(part, laidian)}\nexec '{sys.executable}' -c \"$1\""
    assert "model" in shell.says("sh", "-c", script, "sh", ENVIRONMENT[library])


@pytest.mark.skipif(shutil.which("pwsh") is None, reason="PowerShell is not installed")
@pytest.mark.parametrize("library", ENVIRONMENT)
def test_the_variables_of_powershell(
    shell: Shell, laidian: Served, library: str, parts: Callable[..., list[SnippetPart]]
):
    (part,) = [one for one in parts("env") if one.place == f"PowerShell, {library}"]
    script = f"{filled(part, laidian)}\n& '{sys.executable}' -c '{ENVIRONMENT[library]}'"
    assert "model" in shell.says("pwsh", "-NoProfile", "-Command", script)


def run_last_line_with(part: SnippetPart, laidian: Served, command: str) -> str:
    """The snippet's variables, and in the place of its last line the same program with a question and no window."""
    *variables, _ = filled(part, laidian).splitlines()
    return "\n".join([*variables, command])


@needs("Codex CLI", CODEX)
def test_codex(
    shell: Shell, laidian: Served, model: str, parts: Callable[..., list[SnippetPart]], meter: Meter
):
    file, start = parts("codex", model)
    shell.write(file.place.removeprefix("~/"), filled(file, laidian))
    command = f"'{NODE}' '{CODEX}' exec --skip-git-repo-check '{TURN}'"
    assert SAID in shell.says("sh", "-c", run_last_line_with(start, laidian, command))
    assert [record.model for record in meter.check(requests=1)] == [model]


@needs("Claude Code", CLAUDE)
def test_claude_code(
    shell: Shell, laidian: Served, model: str, parts: Callable[..., list[SnippetPart]], meter: Meter
):
    (part,) = parts("claude-code", model)
    assert SAID in shell.says("sh", "-c", run_last_line_with(part, laidian, f"'{CLAUDE}' -p '{TURN}'"))
    assert {record.model for record in meter.check()} == {model}


@needs("Gemini CLI", GEMINI)
def test_gemini_cli(
    shell: Shell, laidian: Served, model: str, parts: Callable[..., list[SnippetPart]], meter: Meter
):
    file, part = parts("gemini-cli", model)
    quiet = {"privacy": {"usageStatisticsEnabled": False}, "general": {"disableAutoUpdate": True}}
    shell.write(file.place.removeprefix("~/"), json.dumps(json.loads(file.text) | quiet))
    command = f"GEMINI_CLI_TRUST_WORKSPACE=true '{NODE}' '{GEMINI}' -m {model} -p '{TURN}'"
    assert filled(part, laidian).endswith(f"\ngemini -m {model}")
    assert SAID in shell.says("sh", "-c", run_last_line_with(part, laidian, command))
    assert model in {record.model for record in meter.check()}


@needs("opencode", OPENCODE)
def test_opencode(
    shell: Shell, laidian: Served, model: str, parts: Callable[..., list[SnippetPart]], meter: Meter
):
    (part,) = parts("opencode", model)
    shell.write(part.place.removeprefix("~/"), filled(part, laidian))
    assert SAID in shell.says(OPENCODE, "run", TURN, OPENCODE_DISABLE_MODELS_FETCH="1")
    assert {record.model for record in meter.check()} == {model}


@needs("aider", AIDER)
def test_aider(shell: Shell, laidian: Served, parts: Callable[..., list[SnippetPart]], meter: Meter):
    (part,) = parts("aider")
    assert filled(part, laidian).endswith("\naider --model openai/gpt-5.4")
    command = (
        f"'{AIDER}' --model openai/gpt-5.4 --message '{TURN}' --no-git --map-tokens 0 --yes-always"
        " --no-check-update --no-show-model-warnings --no-analytics --no-gitignore"
    )
    assert SAID in shell.says("sh", "-c", run_last_line_with(part, laidian, command))
    meter.check(requests=1)


@needs("llm", LLM)
def test_llm(shell: Shell, laidian: Served, parts: Callable[..., list[SnippetPart]], meter: Meter):
    (part,) = parts("llm", MODELS["anthropic"])
    script = f"PATH='{LLM.parent}':$PATH\n{filled(part, laidian)}"
    assert SAID in shell.says("sh", "-c", script, LLM_USER_PATH=str(shell.home / "llm"))
    assert [record.model for record in meter.check(requests=1)] == [MODELS["anthropic"]]
