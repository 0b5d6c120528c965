"""The pages in a real browser: every page, size, language and theme; then what people do with them, by mouse and by keyboard."""

from __future__ import annotations

import csv
import io
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages.accessible import barriers, invisible_focus
from tests.pages.browser import Browser, Page, until
from tests.served import Place, Served, Setup, served
from tests.simulated_provider import SimulatedProvider

SIZES = {"phone": (390, 844), "desktop": (1280, 900)}
PAGES = ["/", "/models", "/status", "/key"]
PICTURES = os.environ.get("LAIDIAN_PICTURES")
"""A folder to keep the screenshots in."""

pytestmark = pytest.mark.xdist_group("chromium")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = Path(PICTURES) if PICTURES else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """On a desk, in English and light; complains about nothing."""
    with browser.page() as page:
        yield page
        assert page.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_complains_about_nothing_and_shuts_nobody_out(
    browser: Browser, laidian: Served, pictures: Path, path: str, size: str, language: str, theme: str
):
    width, height = SIZES[size]
    with browser.page(width=width, height=height, dark=theme == "dark", language=language) as page:
        page.open(laidian.base_url + path)
        assert page.run("document.documentElement.lang") == ("en" if language == "en" else "zh-CN")
        dark = page.run("getComputedStyle(document.body).backgroundColor") == "rgb(15, 15, 17)"
        assert dark == (theme == "dark")
        assert barriers(page) == []
        picture = pictures / f"{path.strip('/') or 'docs'}-{size}-{language}-{theme}.png"
        page.picture(picture)
        data = picture.read_bytes()
        assert struct.unpack(">II", data[16:24]) == (width, height)
        assert len(data) > 5_000, "an empty picture"
        assert page.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("size", SIZES)
def test_where_nothing_is_says_so_and_leads_on(
    browser: Browser, laidian: Served, pictures: Path, size: str, language: str, theme: str
):
    width, height = SIZES[size]
    with browser.page(width=width, height=height, dark=theme == "dark", language=language) as page:
        page.open(f"{laidian.base_url}/nowhere")
        assert ("Not found" if language == "en" else "页面不存在") in page.text()
        assert barriers(page) == []
        assert invisible_focus(page, 8) == []
        page.picture(pictures / f"absent-{size}-{language}-{theme}.png")
        page.loads(lambda: page.click("a.language"))
        assert page.run("location.pathname") == "/nowhere"
        assert ("页面不存在" if language == "en" else "Not found") in page.text()
        assert all("404" in one for one in page.complaints), page.complaints
        page.loads(lambda: page.click("nav li:nth-child(3) a"))
        assert page.run("location.pathname") == "/status"


BARRIERS = {
    "document.documentElement.lang = ''": "language",
    "document.querySelector('h1').remove()": "0 times <h1>",
    "document.querySelector('h1').outerHTML += '<h4>x</h4>'": "skips a level",
    "document.querySelector('label').remove()": "has no label",
    "document.querySelector('main p').style.color = '#999'": "has a contrast of 2.",
    "document.querySelector('main p').id = 'key'": "is there twice",
    "document.querySelector('main p').setAttribute('aria-describedby', 'x')": "points at x",
    "document.querySelector('nav a').textContent = ''": "has no name",
    "document.querySelector('main p').style.width = '2000px'": "sticks out",
}


@pytest.mark.parametrize(("harm", "says"), BARRIERS.items())
def test_the_check_finds_what_shuts_people_out(browser: Browser, laidian: Served, harm: str, says: str):
    with browser.page() as page:
        page.open(f"{laidian.base_url}/key")
        page.run(f"(() => {{ document.querySelector('main p').style.maxWidth = 'none'; {harm}; }})()")
        assert any(says in one for one in barriers(page))


VIOLATIONS = {
    "document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')": "style",
    "document.body.insertAdjacentHTML('beforeend', '<img src=\"http://127.0.0.1:9/x.png\">')": "img",
    "fetch('http://127.0.0.1:9/').catch(() => 0)": "connect",
    "console.error('something broke')": "something broke",
    "setTimeout(() => { throw new Error('uncaught one'); })": "uncaught one",
}


@pytest.mark.parametrize(("harm", "says"), VIOLATIONS.items())
def test_the_browser_tells_what_a_page_may_not_do(browser: Browser, laidian: Served, harm: str, says: str):
    with browser.page() as page:
        page.open(f"{laidian.base_url}/key")
        page.run(f"(() => {{ {harm}; }})()")
        until(lambda: any(says in one for one in page.complaints), f"a complaint about {says}")


@pytest.mark.parametrize("path", PAGES)
def test_the_focus_is_seen_wherever_it_goes(page: Page, laidian: Served, path: str):
    page.open(laidian.base_url + path)
    assert invisible_focus(page, 25) == []


def test_the_first_tab_leads_past_the_navigation(page: Page, laidian: Served):
    page.open(laidian.base_url)
    page.press("Tab")
    assert page.run("document.activeElement.getAttribute('href')") == "#content"
    assert page.run("document.activeElement.getBoundingClientRect().left >= 0")


# A key


def look(page: Page, laidian: Served, key: str) -> None:
    page.open(f"{laidian.base_url}/key")
    page.click("#key")
    page.write(key)
    page.click("form.ask button[type=submit]")
    page.waits_for("document.querySelector('#view').childElementCount > 0")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_holder_sees_everything_of_their_key(
    browser: Browser, laidian: Served, pictures: Path, size: str, theme: str, language: str
):
    width, height = SIZES[size]
    with browser.page(width=width, height=height, dark=theme == "dark", language=language) as page:
        look(page, laidian, laidian.key)
        text = page.text("#view")
        for present in ("key-1", "default", "gpt-5.4", "claude-opus-4-5", "$2.00", "Claude Code"):
            assert present in text
        assert page.run("document.querySelectorAll('#view svg.chart rect').length") == 30
        assert page.run("document.activeElement.textContent") == "key-1", "what was found is read out"
        page.click(".receipts details summary")
        assert "$15.00" in page.text(".receipts details[open]") or "$25.00" in page.text(
            ".receipts details[open]"
        )
        assert barriers(page) == []
        page.picture(pictures / f"key-open-{size}-{language}-{theme}.png")
        page.picture(pictures / f"key-whole-{size}-{language}-{theme}.png", whole=True)
        assert page.complaints == []


def test_the_key_goes_into_one_header_and_nowhere_else(page: Page, laidian: Served):
    look(page, laidian, laidian.key)
    carried = [one for one in page.requests if laidian.key in str(one)]
    assert [one["url"] for one in carried] == [f"{laidian.base_url}/view/key?lang=en"]
    assert carried[0]["headers"]["Authorization"] == f"Bearer {laidian.key}"
    assert all(laidian.key not in one["url"] and "postData" not in one for one in page.requests)
    assert page.run("localStorage.length + sessionStorage.length") == 0
    assert page.run("document.cookie") == ""
    assert laidian.key not in page.run("location.href + document.documentElement.outerHTML")


def test_the_key_is_put_into_the_settings_when_its_holder_wants_it(page: Page, laidian: Served):
    look(page, laidian, laidian.key)
    page.click("#fill-key")
    page.waits_for(f"document.querySelector('.tabs').textContent.includes('{laidian.key}')")
    page.click("label[for=client-claude-code]")
    assert f"ANTHROPIC_AUTH_TOKEN='{laidian.key}'" in page.text(".tabs")
    page.click("#fill-key")
    page.waits_for(f"!document.querySelector('.tabs').textContent.includes('{laidian.key}')")


def test_the_requests_are_saved_as_a_file(page: Page, laidian: Served, tmp_path: Path):
    look(page, laidian, laidian.key)
    before = len(page.requests)
    file = page.saves(tmp_path, lambda: page.click("#view a[download]"))
    rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig"))))
    assert file.name == "laidian-requests.csv"
    assert [one["asked_model"] for one in rows] == ["gpt-5.4", "claude-opus-4-5", "gpt-5.4"]
    assert laidian.key not in file.read_text()
    assert all(one["url"].startswith("data:") for one in page.requests[before:]), "nothing was asked for"


def test_the_requests_are_saved_without_a_script(browser: Browser, laidian: Served, tmp_path: Path):
    with browser.page(scripts=False) as page:
        page.open(f"{laidian.base_url}/key")
        page.click("#key")
        page.write(laidian.key)
        page.loads(lambda: page.press("Enter"))
        file = page.saves(tmp_path, lambda: page.click("a[download]"))
        assert "claude-opus-4-5" in file.read_text("utf-8-sig")
        assert page.complaints == []


def test_forget_leaves_nothing_of_the_key(page: Page, laidian: Served):
    look(page, laidian, laidian.key)
    page.click("[data-forget]")
    assert page.run("document.querySelector('#key').value") == ""
    assert page.text("#view") == ""
    assert page.run("document.querySelector('[data-forget]').checkVisibility()") is False


def test_the_back_button_does_not_bring_the_key_back(page: Page, laidian: Served):
    look(page, laidian, laidian.key)
    page.loads(lambda: page.click("nav li:nth-child(1) a"))
    page.loads(lambda: page.run("history.back()"))
    page.waits_for("location.pathname === '/key' && document.querySelector('#key') !== null")
    assert page.run("document.querySelector('#key').value") == ""
    assert page.text("#view") == ""


def test_a_wrong_key_is_told_in_words(browser: Browser, laidian: Served):
    with browser.page(language="zh") as page:
        look(page, laidian, "sk-" + "q" * 43)
        assert "该密钥不存在" in page.text("#view")
        assert page.run("document.activeElement.className") == "wrong"
        assert all("401" in one for one in page.complaints), page.complaints
        look(page, laidian, laidian.key)
        assert "key-1" in page.text("#view")


def test_a_key_is_looked_at_without_a_script(browser: Browser, laidian: Served):
    with browser.page(scripts=False) as page:
        page.open(f"{laidian.base_url}/key")
        page.click("#key")
        page.write(laidian.key)
        page.loads(lambda: page.press("Enter"))
        assert "key-1" in page.text()
        assert "$2.00" in page.text()
        assert barriers(page) == []
        assert page.complaints == []


@pytest.mark.parametrize("path", PAGES)
def test_every_page_reads_without_a_script(browser: Browser, laidian: Served, path: str):
    with browser.page(scripts=False, width=390, height=844) as page:
        page.open(laidian.base_url + path)
        assert len(page.text()) > 100
        assert barriers(page) == []
        assert page.complaints == []


# The rest


def test_client_tabs_work_by_mouse_and_by_arrow_keys(page: Page, laidian: Served):
    page.open(laidian.base_url)
    shown = "[...document.querySelectorAll('.tabs .panel')].filter((e) => e.checkVisibility()).map((e) => e.previousElementSibling.textContent)"
    assert page.run(shown) == ["curl"]
    page.click("label[for=client-codex]")
    assert page.run(shown) == ["Codex"]
    assert 'wire_api = "responses"' in page.text(".tabs")
    page.press("ArrowRight")
    assert page.run(shown) == ["Claude Code"]


def test_a_block_is_copied_by_its_button(page: Page, laidian: Served):
    page.open(laidian.base_url)
    page.click("#quick-start .copy-button")
    page.waits_for("document.querySelector('#quick-start .copy-button').textContent === 'Copied'")
    copied = page.run("navigator.clipboard.readText()")
    assert copied == page.run("document.querySelector('#quick-start pre code').textContent")


def test_the_prices_are_searched_while_typing(page: Page, laidian: Served):
    page.open(f"{laidian.base_url}/models")
    page.click("#prices-search")
    page.write("claude-opus")
    left = "[...document.querySelectorAll('#prices tbody tr')].filter((e) => e.checkVisibility()).length"
    total = page.run("document.querySelectorAll('#prices tbody tr').length")
    page.waits_for(f"{left} < {total}")
    assert 0 < page.run(left) < total
    assert page.text("#prices output") == f"{page.run(left)} / {total}"


MANY = 1_000


@pytest.fixture(scope="module")
def many(provider: SimulatedProvider) -> Iterator[Served]:
    """A thousand models, every fifth of an account that is drained."""
    names = [f"model-{number:04}" for number in range(MANY)]
    setup = Setup(
        upstreams=(
            Place("sim", "openai", "/v1", tuple(one for number, one in enumerate(names) if number % 5)),
            Place("drained", "openai", "/v1", tuple(names[::5])),
        ),
        capabilities=("chat", "embeddings"),
        config='[[price]]\nmodel = "model-*"\nrates = { input = "1", output = "2" }\n',
    )
    with served(provider, setup=setup) as running:
        running.write("UPDATE upstreams SET enabled = 0 WHERE name = 'drained'")
        yield running


ROWS = "[...document.querySelectorAll('#prices tbody tr')].filter((e) => e.checkVisibility()).length"


@pytest.mark.parametrize("size", SIZES)
def test_a_thousand_models_are_found_by_name_and_by_what_works(
    browser: Browser, many: Served, pictures: Path, size: str
):
    width, height = SIZES[size]
    with browser.page(width=width, height=height) as page:
        page.open(f"{many.base_url}/models")
        assert page.run("document.querySelectorAll('#prices tbody tr').length") == MANY
        assert (page.run(ROWS), page.text("#prices output")) == (100, f"100 / {MANY}")
        assert "800 of 1000 models work now" in page.text()
        page.picture(pictures / f"models-many-{size}.png")
        assert barriers(page) == []
        page.click("#prices-search")
        page.write("model-01")
        page.waits_for(f"{ROWS} === 100")
        assert page.text("#prices output") == f"100 / {MANY}"
        page.click("#prices-up")
        page.waits_for(f"{ROWS} === 80")
        page.click("#prices-up")
        page.run("document.querySelector('#prices-search').select()")
        page.write("taken out")
        page.waits_for(f"document.querySelector('#prices output').textContent === '100 / {MANY // 5}'")
        page.click("#prices .search button")
        page.waits_for(f"{ROWS} === {MANY // 5}")
        assert page.run("document.activeElement.id") == "prices-search"
        assert page.complaints == []


def test_the_models_are_found_by_what_they_are_for(page: Page, laidian: Served):
    page.open(f"{laidian.base_url}/models")
    page.run("(() => { const e = document.querySelector('#prices-capability'); e.focus(); e.value = 'Embeddings';"
             " e.dispatchEvent(new Event('input', { bubbles: true })); })()")  # fmt: skip
    page.waits_for(f"{ROWS} < 10")
    assert "text-embedding-3-small" in page.text("#prices table")
    assert "claude" not in page.text("#prices table")


def test_a_badge_is_a_picture(page: Page, laidian: Served, pictures: Path):
    page.open(f"{laidian.base_url}/status")
    shown = page.run(
        "(async () => { const sizes = []; for (const query of ['', '?name=gpt-5.4&show=uptime', '?lang=zh']) {"
        " const e = new Image(); e.src = '/status/badge.svg' + query; await e.decode(); document.querySelector('main').prepend(e);"
        " sizes.push(e.naturalWidth > 80 && e.naturalHeight === 20); } return sizes; })()"
    )
    assert shown == [True, True, True]
    page.run("scrollTo(0, 0)")
    page.picture(pictures / "badges.png")


def test_a_key_sees_its_own_prices_below_the_public_ones(page: Page, laidian: Served):
    page.open(f"{laidian.base_url}/models")
    page.click("#key")
    page.write(laidian.key)
    page.click("form.ask button[type=submit]")
    page.waits_for("document.querySelector('#own table') !== null")
    assert "gpt-5.4" in page.text("#own")
    assert barriers(page) == []


def test_the_status_renews_itself(page: Page, laidian: Served):
    page.ask(
        "Page.addScriptToEvaluateOnNewDocument",
        source="const real = setInterval; window.setInterval = (work) => real(work, 300);",
    )
    page.open(f"{laidian.base_url}/status")
    assert "Renews itself every minute" in page.text()
    page.run("document.querySelector('.headline').textContent = 'stale'")
    page.waits_for("document.querySelector('.headline').textContent.includes('Everything works')")
    assert page.run("document.querySelectorAll('.monitor').length") == 5, (
        "two models were asked for, the rest is by account"
    )


def test_the_language_is_switched_and_stays(page: Page, laidian: Served):
    page.open(f"{laidian.base_url}/status")
    page.loads(lambda: page.click("a.language"))
    assert page.run("document.documentElement.lang") == "zh-CN"
    page.loads(lambda: page.click("nav li:nth-child(4) a"))
    assert page.run("location.pathname + location.search") == "/key?lang=zh"
    assert "查询密钥" in page.text()
