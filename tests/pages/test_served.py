"""The pages over the wire: what a browser gets, what a program gets, what their heads say, and what is never in them."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import re
from xml.etree import ElementTree

import msgspec
import pytest

from laidian.pages.headers import CSP
from laidian.pages.sheet import sheet
from laidian.pages.status import percent
from laidian.relay.holder_request import HolderRequest
from tests.pages.conftest import BROWSER, SETUP, Answer, ask, bearer
from tests.served import Place, Served, Setup, served, wait_until
from tests.simulated_provider import SimulatedProvider

PAGES = ["/", "/models", "/status", "/key"]
SECRETS = re.compile(r"sk-[0-9A-Za-z]{40,}|sim-000")


def send(laidian: Served, path: str, key: str) -> Answer:
    """The form of a page, as a browser without a script sends it."""
    headers = {**BROWSER, "Content-Type": "application/x-www-form-urlencoded"}
    return ask(laidian, path, headers, method="POST", body=f"key={key}".encode())


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_browser_gets_a_page_under_a_strict_policy(laidian: Served, path: str, language: str):
    answer = ask(laidian, f"{path}?lang={language}")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == CSP
    assert "unsafe" not in CSP
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "accept-language" in answer.headers["vary"].lower()
    assert "set-cookie" not in answer.headers
    assert f'<html lang="{"en" if language == "en" else "zh-CN"}">' in answer.text


@pytest.mark.parametrize("path", PAGES)
def test_nothing_inline_and_nothing_from_elsewhere(laidian: Served, path: str):
    text = ask(laidian, path).text
    assert not re.search(r"<[^>]+\sstyle=|\son\w+=|<style|javascript:|<iframe|<object", text)
    assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
    linked = re.findall(r'(?:href|src|action|data-\w+)="([^"]*)"', text)
    assert all(not re.match(r"(https?:)?//", link) for link in linked), linked
    assert "mailto:help@relay.example" in linked


@pytest.mark.parametrize("path", PAGES)
def test_the_operators_texts_are_shown_as_text(laidian: Served, path: str):
    text = ask(laidian, path).text
    assert "<p>Nothing will be &lt;b&gt;lost&lt;/b&gt;.</p>" in text
    assert ("One account is slow." in text) == (path == "/status")


@pytest.mark.parametrize("path", [*PAGES, "/models.json", "/status.json"])
def test_no_secret_is_in_anything_that_everybody_sees(laidian: Served, path: str):
    text = ask(laidian, path).text
    assert not SECRETS.search(text)
    for name in ("sim-openai", "sim-gemini", "key-1"):
        assert name not in text, "accounts and keys are nobody's business"


def test_the_language_follows_the_browser_and_the_address_wins(laidian: Served):
    chinese = {**BROWSER, "Accept-Language": "zh-CN,zh;q=0.9"}
    assert "查询密钥" in ask(laidian, "/key", chinese).text
    assert "查询密钥" not in ask(laidian, "/key?lang=en", chinese).text
    assert "Check a key" in ask(laidian, "/key").text


# Programs


def test_a_program_never_gets_a_page(laidian: Served):
    for headers in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}, {**BROWSER, **bearer(laidian.key)},
                    {**BROWSER, "Authorization": "Bearer x"}, {**BROWSER, "x-api-key": "x"}):  # fmt: skip
        for path in (*PAGES, "/v1", "/nowhere"):
            answer = ask(laidian, path, headers)
            assert answer.headers["content-type"].startswith("application/json"), (path, headers)
            assert isinstance(answer.json(), dict)


def test_the_root_greets_a_program(laidian: Served):
    answer = ask(laidian, "/", {"Accept": "*/*"})
    assert (answer.status, answer.json()["name"], answer.json()["models"]) == (200, "LaiDian", "/v1/models")


def test_models_without_a_version_are_still_the_relays_for_a_client(laidian: Served):
    listed = ask(laidian, "/models", bearer(laidian.key)).json()
    assert listed["object"] == "list"
    assert "gpt-5.4" in [one["id"] for one in listed["data"]]
    assert ask(laidian, "/models", {"Accept": "*/*"}).status == 401
    assert ask(laidian, "/models/gpt-5.4", bearer(laidian.key)).json()["id"] == "gpt-5.4"


def test_the_head_of_a_page_can_be_asked_for_alone(laidian: Served):
    for path in (*PAGES, "/models.json", "/status.json"):
        whole, head = ask(laidian, path), ask(laidian, path, method="HEAD")
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-type"] == whole.headers["content-type"]


def test_other_methods_are_refused_in_json(laidian: Served):
    for path in PAGES:
        assert ask(laidian, path, method="DELETE").status == 405


# Nothing there


@pytest.mark.parametrize(("language", "said"), [("en", "Not found"), ("zh", "页面不存在")])
def test_a_browser_is_told_in_a_page_that_there_is_none(laidian: Served, language: str, said: str):
    for method, path in (
        ("GET", "/nowhere"),
        ("POST", "/nowhere"),
        ("GET", "/assets/other.js/x"),
        ("GET", "/key/x"),
    ):
        answer = ask(laidian, path, {**BROWSER, "Accept-Language": language}, method=method)
        assert (answer.status, answer.headers["content-security-policy"]) == (404, CSP), path
        assert f"<h1>{said}</h1>" in answer.text
        assert 'href="/key?lang=' in answer.text, "the way on"
    other = "en" if language == "zh" else "zh"
    assert f'href="?lang={other}"' in answer.text, "the same address in the other language"
    assert ask(laidian, "/nowhere", {**BROWSER, "Accept-Language": language}, method="HEAD").body == b""


def test_an_api_answers_a_browser_in_json(laidian: Served):
    for path in ("/admin/v1/nothing", "/v1/nothing", "/v1beta/nothing"):
        assert ask(laidian, path).headers["content-type"].startswith("application/json"), path


def test_what_is_switched_off_is_a_page_that_is_not_there(provider: SimulatedProvider):
    off = "".join(f'{name} = "off"\n' for name in ("docs", "models", "status", "key"))
    with served(provider, setup=msgspec.structs.replace(SETUP, config=f"[pages]\n{off}", keys=1)) as laidian:
        for path in PAGES:
            answer = ask(laidian, path)
            assert (answer.status, "<h1>Not found</h1>" in answer.text) == (404, True), path
            assert "<li>" not in answer.text, "nothing leads to what is off"
            assert (
                ask(laidian, path, {"Accept": "*/*"}).headers["content-type"].startswith("application/json")
            )
            assert ask(laidian, path, bearer(laidian.key)).status == (200 if path == "/models" else 404)
        style = re.search(r'href="(/assets/page.css[^"]*)"', answer.text)
        assert style is not None
        assert ask(laidian, style[1]).status == 200


# Kept and compressed


def test_the_page_of_a_key_is_never_kept(laidian: Served):
    assert ask(laidian, "/key").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/models", "/status"])
def test_a_page_is_kept_compressed_and_not_sent_twice(laidian: Served, path: str):
    plain = ask(laidian, path)
    packed = ask(laidian, path, {**BROWSER, "Accept-Encoding": "gzip, br"})
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) * 0.6
    again = ask(laidian, path, {**BROWSER, "If-None-Match": plain.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert plain.headers["cache-control"] == "public, max-age=30"


def test_assets_are_kept_forever_under_an_address_of_their_content(laidian: Served):
    links = re.findall(r'"(/assets/[^"]+)"', ask(laidian, "/").text)
    assert len(links) == 3
    for link in links:
        answer = ask(laidian, link)
        assert answer.status == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert ask(laidian, "/assets/page.py").status == 404
    assert ask(laidian, "/assets/..%2f__init__.py").status == 404


# Data


def test_models_as_data(laidian: Served):
    found = {one["id"]: one for one in ask(laidian, "/models.json", {"Accept": "*/*"}).json()["data"]}
    model = found["gpt-5.4"]
    assert (model["state"], model["multipliers"], model["until"]) == ("up", ["1x"], None)
    assert {"chat", "responses", "gemini", "anthropic"} == set(model["capabilities"])
    assert found["gpt-image-2"]["capabilities"] == ["images"]
    assert found["text-embedding-3-small"]["capabilities"] == ["embeddings", "gemini"]
    assert {
        "unit": "input",
        "usd_per_million": "2.50",
        "service_tier": "default",
        "above_input_tokens": 0,
    } in model["rates"]
    assert model["price_source"]
    assert model["price_source_date"]


def test_status_as_data(laidian: Served):
    found = ask(laidian, "/status.json", {"Accept": "*/*"}).json()
    assert (found["state"], found["incident"]) == ("all_up", "One account is slow.")
    (asked,) = [one for one in found["data"] if one["names"] == ["gpt-5.4"]]
    assert asked["first_byte_p50_ms"] is not None
    (card,) = [one for one in found["data"] if "gpt-5.5" in one["names"]]
    assert card["first_byte_p50_ms"] is None
    assert (len(card["days"]), len(card["hours"])) == (90, 24)
    assert 0 < card["uptime_90d"] < 1
    assert 0.5 in card["hours"].values()
    assert None in card["days"].values()


# Why not


def test_a_model_says_why_it_is_unavailable_without_naming_an_account(provider: SimulatedProvider):
    """Drained, without a credential, and resting after a limit of the provider's."""
    places = tuple(
        Place(f"sim-{model}", "openai", "/v1", (model,))
        for model in ("gpt-5.4", "gpt-5.5", "gpt-5.4-mini", "gpt-5.4-nano")
    )
    with served(provider, setup=Setup(upstreams=places)) as laidian:
        laidian.write("UPDATE upstreams SET enabled = 0 WHERE id = 1")
        laidian.write("UPDATE credentials SET enabled = 0 WHERE upstream_id = 2")
        body = json.dumps({"model": "gpt-5.4-mini", "messages": [{"role": "user", "content": "hi"}]}).encode()
        headers = {**bearer(laidian.key), "Content-Type": "application/json"}
        provider.fault("http-429-quota")
        try:
            assert ask(laidian, "/v1/chat/completions", headers, method="POST", body=body).status >= 400
        finally:
            provider.clear_faults()
        found = {
            one["id"]: (one["state"], one["reason"], one["until"] is not None)
            for one in ask(laidian, "/models.json", bearer(laidian.key)).json()["data"]
        }
        assert found == {
            "gpt-5.4": ("down", "disabled", False),
            "gpt-5.5": ("down", "no_credential", False),
            "gpt-5.4-mini": ("resting", "resting", True),
            "gpt-5.4-nano": ("up", None, False),
        }
        for language, said in (
            ("en", ("Taken out of service by the operator", "no credential", "asked to wait", "next try")),
            ("zh", ("运营者已将其停用", "缺少凭据", "要求等待", "下次尝试")),
        ):
            page = ask(laidian, f"/models?lang={language}").text
            assert all(one in page for one in said), language
            assert "sim-gpt" not in page
        named = {
            name
            for one in ask(laidian, "/status.json", {"Accept": "*/*"}).json()["data"]
            for name in one["names"]
        }
        assert named == {"gpt-5.5", "gpt-5.4-mini", "gpt-5.4-nano"}, "what was taken out is no disturbance"


# For other people's pages and readers


def test_a_badge_says_how_it_stands(laidian: Served):
    plain = {"Accept": "image/svg+xml,*/*"}
    whole = ask(laidian, "/status/badge.svg", plain)
    assert (whole.status, whole.headers["content-type"]) == (200, "image/svg+xml")
    assert whole.headers["content-security-policy"] == CSP
    assert "set-cookie" not in whole.headers
    said = ElementTree.fromstring(whole.text)
    assert said.get("aria-label") == "LaiDian Token: Everything works"
    for query, label in (
        ("?lang=zh", "LaiDian Token: 一切正常"),
        ("?name=gpt-5.4", "gpt-5.4: Available"),
        ("?name=gpt-5.5&lang=zh", "gpt-5.5: 可用"),
    ):
        assert (
            ElementTree.fromstring(ask(laidian, f"/status/badge.svg{query}", plain).text).get("aria-label")
            == label
        )
    uptime = ask(laidian, "/status/badge.svg?name=gpt-5.5&show=uptime", plain).text
    (card,) = [one for one in ask(laidian, "/status.json", plain).json()["data"] if "gpt-5.5" in one["names"]]
    assert f"gpt-5.5: 90 days: {percent(card['uptime_90d'])}" in uptime
    assert ask(laidian, "/status/badge.svg", plain, method="HEAD").body == b""


def test_a_badge_of_nothing_is_refused_and_nothing_gets_out_of_it(laidian: Served):
    refused = ask(laidian, "/status/badge.svg?name=%3Cscript%3E", {"Accept": "image/*"})
    assert (refused.status, refused.headers["content-type"]) == (404, "application/json")
    assert "<script>" not in ask(laidian, "/status/badge.svg?show=%3Cscript%3E&lang=%3Cscript%3E").text


def test_a_public_status_is_subscribed_to_where_the_operator_wants_it(laidian: Served):
    """An entry for the incident and one for each disturbed day, under a mark that stays."""
    assert (
        '<link rel="alternate" type="application/rss+xml" href="/status.rss?lang=en">'
        in ask(laidian, "/status").text
    )
    answer = ask(laidian, "/status.rss", {"Accept": "*/*"})
    assert (answer.status, answer.headers["content-type"]) == (200, "application/rss+xml; charset=utf-8")
    channel = ElementTree.fromstring(answer.text).find("channel")
    assert channel is not None
    assert channel.findtext("title") == "LaiDian Token · Status"
    assert channel.findtext("link") == f"{laidian.base_url}/status?lang=en"
    incident, *days = channel.findall("item")
    assert incident.findtext("description") == "One account is slow."
    assert 1 <= len(days) <= 3
    for day in days:
        assert re.fullmatch(r"day-\d{4}-\d\d-\d\d", day.findtext("guid") or "")
        assert re.search(r"gpt-5.5.*: \d+\.\d\d%", day.findtext("description") or "")
    kept = {**BROWSER, "If-None-Match": answer.headers["etag"]}
    assert ask(laidian, "/status.rss", kept).status == 304
    assert "incident" in ask(laidian, "/status.rss?lang=zh").text
    assert "有异常" in ask(laidian, "/status.rss?lang=zh").text


# Keys


def test_a_key_sees_its_own_and_its_credential_is_not_in_the_answer(laidian: Served):
    answer = ask(laidian, "/view/key", bearer(laidian.key))
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
    html = answer.json()["html"]
    assert laidian.key not in html
    assert f"{laidian.key[:7]}…{laidian.key[-4:]}" in html
    for present in ("key-1", "gpt-5.4", "claude-opus-4-5", "of $2.00 that this key may spend", "of $1.00,", "Day", "Month",
                    "of 60", "Receipt", "sk-your-api-key"):  # fmt: skip
        assert present in html, present
    assert "sim-openai" not in html


def test_its_figures_are_the_ledgers(laidian: Served):
    usage = ask(laidian, "/v1/usage", bearer(laidian.key)).json()
    html = ask(laidian, "/view/key", bearer(laidian.key)).json()["html"]
    charged = sum(record.charged_nano for record in laidian.records() if record.key_id == 1)
    assert round(usage["usage"]["total"]["cost"] * 1e9) == charged
    assert f"${charged / 1e9:.9f}".rstrip("0") in html
    assert html.count("<details><summary>") >= 3, "a receipt for each request"


def test_a_receipts_lines_are_those_of_the_endpoint(laidian: Served):
    record = laidian.records()[0]
    receipt = ask(laidian, f"/v1/usage/{record.request_id}", bearer(laidian.key)).json()
    html = ask(laidian, "/view/key", bearer(laidian.key)).json()["html"]
    assert record.request_id in html
    for line in receipt["lines"]:
        assert f"${line['cost_usd']}" in html


def test_its_requests_are_saved_as_csv_without_asking_again(laidian: Served):
    """The link is the file: no address of ours, and no key in it."""
    view = ask(laidian, "/view/key", bearer(laidian.key)).json()["html"]
    (content,) = re.findall(
        r'href="data:text/csv;charset=utf-8;base64,([^"]+)" download="laidian-requests.csv"', view
    )
    text = base64.b64decode(content).decode("utf-8-sig")
    assert laidian.key not in text
    rows = list(csv.DictReader(io.StringIO(text)))
    asked = ask(laidian, "/v1/usage/requests?limit=100", bearer(laidian.key)).json()["data"]
    assert [one["request_id"] for one in rows] == [one["request_id"] for one in asked]
    assert [one["charged_usd"] for one in rows] == [one["charged_usd"] for one in asked]
    assert set(rows[0]) == set(asked[0])


def test_a_spreadsheet_runs_nothing_of_what_a_client_called_a_model():
    one = HolderRequest(
        request_id="r", started_at="t", operation="o", model="m,\"x\"", asked_model='=HYPERLINK("http://x")', stream=True, status=200,
        error_code="", duration_ms=1, input_tokens=1, cached_tokens=0, output_tokens=1, estimated=False, charged_usd="0.10",
    )  # fmt: skip
    (row,) = csv.DictReader(io.StringIO(sheet([one])))
    assert row["asked_model"] == '\'=HYPERLINK("http://x")'
    assert (row["model"], row["stream"], row["charged_usd"]) == ('m,"x"', "true", "0.10")


def test_a_large_view_goes_compressed_to_who_can_read_that(laidian: Served):
    plain = ask(laidian, "/view/models", bearer(laidian.key))
    packed = ask(laidian, "/view/models", {**bearer(laidian.key), "Accept-Encoding": "gzip"})
    assert (packed.headers["content-encoding"], packed.headers["cache-control"]) == ("gzip", "no-store")
    assert "content-encoding" not in plain.headers
    assert "gpt-5.4" in json.loads(gzip.decompress(packed.body))["html"]
    assert len(packed.body) * 3 < len(plain.body)


def test_a_key_sees_the_models_and_the_status_of_its_group(laidian: Served):
    laidian.write("UPDATE groups SET allow = '[\"gpt-5.5\"]' WHERE id = 1")
    try:
        assert [one["id"] for one in ask(laidian, "/models.json", bearer(laidian.key)).json()["data"]] == [
            "gpt-5.5"
        ]
        html = ask(laidian, "/view/models", bearer(laidian.key)).json()["html"]
        assert "gpt-5.5" in html
        assert "claude" not in html
        assert ask(laidian, "/status.json", bearer(laidian.key)).json()["data"][0]["names"] == ["gpt-5.5"]
    finally:
        laidian.write("UPDATE groups SET allow = '[]' WHERE id = 1")


def test_a_form_works_without_a_script_and_is_not_stored(laidian: Served):
    answer = send(laidian, "/key?lang=zh", laidian.key)
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.headers["content-security-policy"] == CSP
    assert "key-1" in answer.text
    assert "剩余额度" in answer.text
    assert laidian.key not in answer.text
    assert send(laidian, "/models", laidian.key).status == 200


def test_an_expired_key_is_shown_and_one_of_a_disabled_group_sees_what_it_spent(laidian: Served):
    expired = ask(laidian, "/view/key", bearer(laidian.keys[2]))
    assert expired.status == 200
    assert "Expired" in expired.json()["html"]
    closed = ask(laidian, "/view/key", bearer(laidian.keys[1]))
    assert closed.status == 200
    assert "opens nothing" in closed.json()["html"]
    assert ask(laidian, "/view/models", bearer(laidian.keys[1])).status == 401


@pytest.mark.parametrize(
    "body", [b"", b"key=", b"nothing=1", b"key=%00%ff", b"key=" + b"a" * 5000, b"\xff\xfe"]
)
def test_a_form_without_a_key_is_refused_as_a_page(laidian: Served, body: bytes):
    answer = ask(
        laidian,
        "/key",
        {**BROWSER, "Content-Type": "application/x-www-form-urlencoded"},
        method="POST",
        body=body,
    )
    assert answer.status in (401, 413, 429)
    assert "Traceback" not in answer.text


@pytest.fixture
def fresh(provider: SimulatedProvider):
    """One that has counted nothing yet, and wants a key for everything."""
    config = '[pages]\nmodels = "keyed"\nstatus = "keyed"\nlanguage = "zh"\nstatus_of = "upstreams"\n'
    with served(provider, setup=msgspec.structs.replace(SETUP, config=config, keys=1)) as running:
        yield running


def test_what_is_keyed_shows_nothing_without_a_key(fresh: Served):
    for path in ("/models", "/status"):
        page = ask(fresh, path)
        assert page.status == 200
        assert "gpt-" not in page.text
        assert "sim-openai" not in page.text
        assert "查询" in page.text, "the configured language"
        assert ask(fresh, f"{path}.json", {"Accept": "*/*"}).status == 401
        assert ask(fresh, f"{path}.json", bearer(fresh.key)).status == 200
    assert ask(fresh, "/view/status/public").status in (401, 404)
    for path in ("/status/badge.svg", "/status.rss"):
        assert ask(fresh, path, {"Accept": "*/*"}).status == 404, "what is for everybody is there for nobody"


def test_the_status_names_the_accounts_where_the_operator_allows_it(fresh: Served):
    def named() -> set[str]:
        data = ask(fresh, "/status.json", bearer(fresh.key)).json()["data"]
        return {name for one in data for name in one["names"]}

    wait_until(
        lambda: named() == {"sim-openai", "sim-gemini", "sim-anthropic"},
        "every account was asked for its models",
    )


def test_guessing_keys_is_slowed_as_everywhere_and_the_answer_is_always_the_same(fresh: Served):
    def guess(number: int) -> Answer:
        key = f"sk-{number:043}"
        if number % 2:
            return send(fresh, "/key", key)
        return ask(fresh, "/view/key", bearer(key))

    answers = [guess(number) for number in range(12)]
    assert [one.status for one in answers[:5]] == [401] * 5
    assert {one.status for one in answers[5:]} == {429}
    assert ask(fresh, "/v1/usage", bearer("sk-" + "z" * 43)).status == 429, "one count for all"
    assert ask(fresh, "/view/key", bearer(fresh.key)).status == 200, "a key that exists is never slowed"
    malformed = ask(fresh, "/view/key", bearer("nonsense"))
    assert malformed.status == 429


def test_no_key_reaches_the_log(laidian: Served):
    send(laidian, "/key", laidian.key)
    ask(laidian, "/view/key", bearer(laidian.key))
    send(laidian, "/key", "sk-" + "y" * 43)
    assert laidian.key not in laidian.log()
    assert "y" * 43 not in laidian.log()


def test_a_forged_host_is_only_ever_text(laidian: Served):
    for host in ('"><script>alert(1)</script>', "evil.example/../", "a b", "x" * 300):
        try:
            answer = ask(laidian, "/", {**BROWSER, "Host": host})
        except ValueError:
            continue
        assert "<script>alert" not in answer.text
    assert (
        "https://relay.example/v1"
        in ask(laidian, "/", {**BROWSER, "Host": "relay.example", "X-Forwarded-Proto": "https"}).text
    )


def test_a_models_name_from_outside_is_escaped(laidian: Served):
    name = "evil<img src=x onerror=alert(1)>'\"\u202e"
    laidian.write("UPDATE groups SET aliases = ? WHERE id = 1", json.dumps({name: "gpt-5.4"}))
    try:
        html = ask(laidian, "/view/models", bearer(laidian.key)).json()["html"]
        assert "<img" not in html
        assert "\u202e" not in html
        assert "evil&lt;img" in html
        view = ask(laidian, "/view/key", bearer(laidian.key))
        assert view.status == 200
        assert "<img" not in view.json()["html"]
    finally:
        laidian.write("UPDATE groups SET aliases = '{}' WHERE id = 1")
