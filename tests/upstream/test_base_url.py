"""Base URLs and proxy URLs: what is taken, what is refused, and that no refusal repeats a secret."""

from io import StringIO

import pytest
from rich.console import Console
from rich.pretty import Pretty

from laidian.upstream.origin import Origin, parse_base_url
from laidian.upstream.proxy import Proxy, parse_proxy


@pytest.mark.parametrize(
    ("url", "origin", "prefix"),
    [
        ("https://api.example.com", Origin("https", "api.example.com", 443), ""),
        ("https://api.example.com/", Origin("https", "api.example.com", 443), ""),
        ("https://api.example.com/v1/", Origin("https", "api.example.com", 443), "/v1"),
        ("HTTPS://API.Example.com:8443/a/b//", Origin("https", "api.example.com", 8443), "/a/b"),
        ("http://127.0.0.1:8080/v1", Origin("http", "127.0.0.1", 8080), "/v1"),
        ("http://[::1]:8080", Origin("http", "::1", 8080), ""),
        ("http://host/a%2Fb/模型", Origin("http", "host", 80), "/a%2Fb/%E6%A8%A1%E5%9E%8B"),
        ("https://bücher.example/v1", Origin("https", "xn--bcher-kva.example", 443), "/v1"),
    ],
)
def test_a_base_url_becomes_origin_and_prefix(url: str, origin: Origin, prefix: str):
    assert parse_base_url(url) == (origin, prefix)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "scheme"),
        ("api.example.com/v1", "scheme"),
        ("ftp://host", "scheme is 'ftp'"),
        ("https://", "host and port"),
        ("https:///v1", "host and port"),
        ("https://host:99999", "host and port"),
        ("https://host:0", "host and port"),
        ("https://host:port", "host and port"),
        ("https://[::1", "host and port"),
        ("https://me:hunter2@host", "user or password"),
        ("https://@host", "user or password"),
        ("https://host/v1?key=hunter2", "query"),
        ("https://host/v1?", "query"),
        ("https://host/v1#hunter2", "fragment"),
        ("https://host/v1\r\nhunter2", "control character"),
        ("https://ho st", "blank"),
        ("https://" + "ü" * 80, "international name"),
    ],
)
def test_a_base_url_that_is_refused_gets_a_sentence_without_secrets(url: str, said: str):
    with pytest.raises(ValueError, match=said) as caught:
        parse_base_url(url)
    assert str(caught.value).endswith(".")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://proxy:3128", Proxy("http", "proxy", 3128)),
        ("http://me:p%40ss@proxy", Proxy("http", "proxy", 80, "me", "p@ss")),
        ("http://me@proxy/", Proxy("http", "proxy", 80, "me", "")),
        ("socks5://[::1]", Proxy("socks5", "::1", 1080)),
        ("socks5h://me:pw@proxy:9", Proxy("socks5", "proxy", 9, "me", "pw")),
    ],
)
def test_a_proxy_url_is_read(url: str, proxy: Proxy):
    assert parse_proxy(url) == proxy
    assert parse_base_url("https://host", url)[0].proxy == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "proxy:3128",
        "https://me:hunter2@proxy",
        "socks4://me:hunter2@proxy",
        "http://me:hunter2@",
        "http://me:hunter2@proxy:0",
        "http://me:hunter2@proxy:99999",
        "http://me:hunter2@proxy/path",
        "http://me:hunter2@proxy?x",
        "socks5://me@proxy",
        "socks5://hunter2" + "x" * 256 + ":pw@proxy",
        "http://me:hunter2@pro xy",
    ],
)
def test_a_proxy_url_that_is_refused_gets_a_sentence_without_secrets(url: str):
    with pytest.raises(ValueError, match=r"\.$") as caught:
        parse_base_url("https://host", url)
    assert "hunter2" not in str(caught.value)


def test_neither_an_origin_nor_a_proxy_shows_its_credentials():
    origin = Origin("https", "host", 443, "http://me:hunter2@proxy:3128")
    shown = f"{origin!r} {origin} {[origin]} {parse_proxy('http://me:hunter2@proxy:3128')!r}"
    console = Console(file=StringIO(), width=200)
    console.print(Pretty([origin, parse_proxy("http://me:hunter2@proxy:3128")]))
    shown += console.file.getvalue()  # pyright: ignore[reportAttributeAccessIssue]
    assert "hunter2" not in shown
    assert "https://host:443" in shown
    assert "proxy:3128" in shown


def test_origins_differ_by_proxy():
    direct, _ = parse_base_url("https://host")
    by_proxy, _ = parse_base_url("https://host", "http://proxy:3128")
    assert len({direct, by_proxy, parse_base_url("https://host:443/v1")[0]}) == 2
