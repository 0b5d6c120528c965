from __future__ import annotations

import pytest

from laidian.admin.service.places import checked_base_url, checked_proxy
from laidian.errors import BadRequest


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.0.1",
        "2852039166",  # 169.254.169.254 as one number
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "169.16689662",
        "[fe80::1]",
        "[fe80::1%25eth0]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::1]",
        "[fd00:ec2::254]",
        "0.0.0.0",
        "0",
        "[::]",
        "100.100.100.200",
        "metadata.google.internal",
        "METADATA.google.internal.",
    ],
)
def test_no_upstream_is_at_a_metadata_link_local_or_unspecified_address(host: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        checked_base_url("compatible", f"http://{host}/v1")
    assert refusal.value.param == "base_url"


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434/v1"),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1"),
        ("http://10.0.0.7/api", "http://10.0.0.7/api"),
        ("http://192.168.1.2:8080", "http://192.168.1.2:8080/v1"),
        ("http://[::1]:8080", "http://[::1]:8080/v1"),
        ("  https://example.com  ", "https://example.com/v1"),
    ],
)
def test_private_and_loopback_addresses_are_the_operators_own_business(url: str, whole: str) -> None:
    assert checked_base_url("compatible", url) == whole


def test_an_empty_base_url_is_the_providers_own_and_a_compatible_one_has_none() -> None:
    assert checked_base_url("openai", "") == "https://api.openai.com/v1"
    with pytest.raises(BadRequest, match="needs a base URL"):
        checked_base_url("compatible", "")


@pytest.mark.parametrize(
    "url",
    ["ftp://h/v1", "https://", "https://user:secret@h/v1", "https://h/v1?key=secret", "http://[bad", "h/v1"],
)
def test_a_base_url_that_cannot_be_used_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        checked_base_url("openai", url)
    assert "secret" not in refusal.value.message


def test_a_proxy_is_shown_without_its_credentials() -> None:
    assert checked_proxy("socks5h://user:hush@proxy.example:1080") == "socks5h://proxy.example:1080"
    with pytest.raises(BadRequest) as refusal:
        checked_proxy("gopher://user:hush@proxy.example")
    assert "hush" not in refusal.value.message
    with pytest.raises(BadRequest, match="link-local"):
        checked_proxy("http://169.254.169.254:80")
