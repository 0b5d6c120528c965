"""The table of client snippets: complete, of the versions that are tested, and safe to run."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from laidian.domain.group import CAPABILITIES
from laidian.domain.snippets import (
    CLIENTS,
    Client,
    Part,
    Usable,
    example_model,
    examples,
    fill,
    fits,
    root_of,
    written,
)

ROOT = Path(__file__).resolve().parents[2]
BASE_URL = "https://relay.example/v1"
CHAT = frozenset(CAPABILITIES)
"""What a chat model suits, as far as its price tells."""
USABLE = (
    Usable("claude-opus-4-5", CHAT),
    Usable("gemini-3-flash-preview", CHAT),
    Usable("gpt-4o-audio-preview", CHAT),
    Usable("gpt-5.4", CHAT),
    Usable("gpt-5.5", CHAT),
    Usable("gpt-image-2", frozenset({"images"})),
)
EXAMPLES = examples(USABLE)
NAMED = {
    "curl", "python", "javascript", "chatbox", "cherry-studio", "lobechat", "gemini-cli", "google-genai", "codex", "claude-code",
    "opencode", "aider", "llm", "cc-switch", "env",
}  # fmt: skip


def of(client: str) -> Client:
    (found,) = [one for one in CLIENTS if one.id == client]
    return found


def texts(client: str, capabilities: tuple[str, ...] = CAPABILITIES) -> list[str]:
    return [
        one.text.replace("{key}", "sk-secret")
        for one in written(of(client), capabilities, EXAMPLES, base_url=BASE_URL)
    ]


def test_every_client_has_one_row():
    assert [one.id for one in CLIENTS] == list(dict.fromkeys(one.id for one in CLIENTS))
    assert {one.id for one in CLIENTS} == NAMED


@pytest.mark.parametrize("client", CLIENTS, ids=lambda one: one.id)
def test_each_part_needs_a_capability_that_exists_and_says_something_in_both_languages(client: Client):
    assert client.parts
    assert client.says.endswith(".")
    assert client.says_zh.endswith("。")
    for part in client.parts:
        assert part.capability in CAPABILITIES
        assert not part.text.startswith("\n")
        assert part.text == part.text.rstrip()


@pytest.mark.parametrize("client", CLIENTS, ids=lambda one: one.id)
def test_only_the_key_is_left_open(client: Client):
    for one in written(client, CAPABILITIES, EXAMPLES, base_url=BASE_URL):
        assert not re.search(r"\{(base_url|root_url|model|brand)", one.text)
        assert one.model is None or one.model in one.text
    assert any("{key}" in part.text for part in client.parts)


def test_the_versions_are_those_that_the_tests_install():
    locked = json.loads((ROOT / "tests/clients/node/package.json").read_text())["dependencies"]
    python = "".join((ROOT / f"requirements/{name}.txt").read_text() for name in ("dev", "clients"))
    for client in CLIENTS:
        for package, version in re.findall(r"([@\w/-]+) (\d[\d.]*)", client.tested):
            if client.id != "curl" and "of 2026" not in client.tested:
                assert f"\n{package}=={version} " in python or locked.get(package) == version, client.id


def test_a_group_is_offered_only_what_it_may_use():
    offered = {one.id for one in CLIENTS if written(one, ("images",), EXAMPLES, base_url=BASE_URL)}
    assert offered == {"curl"}
    assert "/images/generations" in texts("curl", ("images",))[0]
    without = {one.id for one in CLIENTS if written(one, ("chat",), EXAMPLES, base_url=BASE_URL)}
    assert without.isdisjoint({"codex", "claude-code", "gemini-cli", "google-genai", "cc-switch"})
    assert len(texts("env", ("chat",))) == 2
    assert all(not written(one, ("embeddings",), EXAMPLES, base_url=BASE_URL) for one in CLIENTS)


def test_an_example_names_the_seeds_model_where_it_is_and_one_that_suits_where_not():
    assert [example_model(USABLE, name) for name in ("chat", "images", "gemini", "anthropic")] == [
        "gpt-5.4", "gpt-image-2", "gemini-3-flash-preview", "claude-opus-4-5",
    ]  # fmt: skip
    assert example_model([one for one in USABLE if "gpt" not in one.name], "chat") == "claude-opus-4-5"
    assert example_model([one for one in USABLE if one.name.startswith("gpt-5")], "anthropic") == "gpt-5.4"
    assert example_model([USABLE[2]], "chat") == "gpt-4o-audio-preview"
    assert example_model([one for one in USABLE if "image" not in one.name], "images") is None
    assert "your-model" in written(of("codex"), CAPABILITIES, examples(()), base_url=BASE_URL)[0].text


def test_a_wanted_model_takes_the_place_of_the_chosen_one_where_it_suits():
    chat, image = written(of("curl"), CAPABILITIES, examples(USABLE, "gpt-5.5"), base_url=BASE_URL)
    assert (chat.model, image.model) == ("gpt-5.5", "gpt-image-2")


@pytest.mark.parametrize("name", ["'; rm -rf ~; '", "a b", "$(id)", "a\nb", '"', "`id`", "", "-rf", "模型"])
def test_a_model_name_that_a_shell_would_read_is_neither_chosen_nor_filled_in(name: str):
    assert not fits(name)
    assert example_model([Usable(name, CHAT)], "chat") is None
    with pytest.raises(ValueError, match="shell"):
        fill("{model}", base_url=BASE_URL, model=name)


@pytest.mark.parametrize(
    ("base_url", "brand"),
    [
        ("https://x/'v1", "LaiDian"),
        ("javascript:alert(1)", "LaiDian"),
        (BASE_URL, 'a"b'),
        (BASE_URL, "{key}"),
    ],
)
def test_an_address_or_brand_that_would_end_a_string_is_refused(base_url: str, brand: str):
    with pytest.raises(ValueError, match="snippet"):
        fill("{base_url} {brand}", base_url=base_url, model="gpt-5.4", brand=brand)


def test_what_is_filled_in_is_not_read_again():
    assert fill("{brand}", base_url=BASE_URL, model="gpt-5.4", brand="base_url") == "base_url"


@pytest.mark.parametrize(
    ("base_url", "root"),
    [
        ("https://a.example/v1", "https://a.example"),
        ("https://a.example/v1/", "https://a.example"),
        ("https://a.example/sub/v1", "https://a.example/sub"),
        ("http://[::1]:8080/v1", "http://[::1]:8080"),
    ],
)
def test_the_root_is_the_base_url_without_its_version(base_url: str, root: str):
    assert root_of(base_url) == root


def test_the_base_urls_are_those_that_each_client_wants():
    ends = {
        "chatbox": "API Host: https://relay.example/v1\n",
        "cherry-studio": "API Host: https://relay.example\n",
        "lobechat": "API proxy URL: https://relay.example/v1\n",
        "claude-code": "ANTHROPIC_BASE_URL='https://relay.example'\n",
        "aider": "OPENAI_API_BASE='https://relay.example/v1'\n",
    }
    for client, line in ends.items():
        assert line in texts(client)[0] + "\n"
    settings, variables = texts("gemini-cli")
    assert json.loads(settings)["security"]["auth"]["selectedType"] == "gemini-api-key"
    assert "GOOGLE_GEMINI_BASE_URL='https://relay.example'\n" in variables


def test_codex_gets_a_file_that_it_accepts():
    settings = tomllib.loads(texts("codex")[0])
    provider = settings["model_providers"][settings["model_provider"]]
    assert settings["model_provider"] != "openai"
    assert provider == {
        "name": "LaiDian", "base_url": BASE_URL, "env_key": "LAIDIAN_API_KEY", "wire_api": "responses",
    }  # fmt: skip
    assert "export LAIDIAN_API_KEY='sk-secret'" in texts("codex")[1]


def test_opencode_gets_a_file_with_the_provider():
    settings = json.loads(texts("opencode")[0])
    provider = settings["provider"]["laidian"]
    assert settings["model"] == "laidian/gpt-5.4"
    assert provider["options"] == {"baseURL": BASE_URL, "apiKey": "sk-secret"}
    assert provider["models"] == {"gpt-5.4": {"name": "gpt-5.4"}}


def test_the_import_links_hold_what_cc_switch_reads():
    links = [urlsplit(text) for text in texts("cc-switch")]
    assert {(link.scheme, link.netloc, link.path) for link in links} == {("ccswitch", "v1", "/import")}
    asked = [{name: value[0] for name, value in parse_qs(link.query).items()} for link in links]
    assert [one["app"] for one in asked] == ["claude", "codex", "gemini"]
    assert [one["endpoint"] for one in asked] == ["https://relay.example", BASE_URL, "https://relay.example"]
    assert {(one["resource"], one["apiKey"], one["name"]) for one in asked} == {
        ("provider", "sk-secret", "LaiDian")
    }


def test_a_brand_with_blanks_is_encoded_in_a_link():
    (link, *_) = written(of("cc-switch"), CAPABILITIES, EXAMPLES, base_url=BASE_URL, brand="来点 & Co")
    assert parse_qs(urlsplit(link.text).query)["name"] == ["来点 & Co"]


def test_settings_of_windows_are_lines_of_name_and_value():
    parts: list[Part] = [part for one in CLIENTS for part in one.parts if part.language == "settings"]
    assert len(parts) == 3
    for part in parts:
        assert all(re.fullmatch(r"[\w ]+: \S+", line) for line in part.text.splitlines())
