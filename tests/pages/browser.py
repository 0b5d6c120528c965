"""Headless Chromium over its own pipe, in the forty words of the DevTools protocol that these tests need.

    with chromium() as browser, browser.page(width=390, height=844, dark=True) as page:
        page.open(url)
        page.click("button[type=submit]")

Everything a page complains about is kept (`page.complaints`): what it logs, uncaught errors, requests that fail, violations of its
Content-Security-Policy. Clicks and keys go through the browser's own input, so what is covered or off the screen cannot be clicked.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import queue
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions", "--mute-audio", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
LIMIT_S = 60.0
"""For anything that is waited for, on a machine that is busy."""


class Browser:
    def __init__(self, to: int, back: int) -> None:
        self._to = to
        self._back = back
        self._answers: dict[int, queue.SimpleQueue[dict[str, Any]]] = {}
        self._listeners: dict[str, Callable[[str, dict[str, Any]], None]] = {}
        self._number = 0
        threading.Thread(target=self._read, daemon=True).start()

    def ask(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """One command and its result."""
        self._number += 1
        number = self._number
        answer = self._answers[number] = queue.SimpleQueue()
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        said = answer.get(timeout=LIMIT_S)
        assert "error" not in said, f"{method}: {said['error']}"
        return said["result"]

    @contextlib.contextmanager
    def page(
        self,
        *,
        width: int = 1280,
        height: int = 900,
        dark: bool = False,
        language: str = "en",
        scripts: bool = True,
    ) -> Iterator[Page]:
        """A page of its own, without cookies or storage of others."""
        context = self.ask("Target.createBrowserContext")["browserContextId"]
        target = self.ask("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session, context)
        rights = ["clipboardReadWrite", "clipboardSanitizedWrite"]
        self.ask("Browser.grantPermissions", browserContextId=context, permissions=rights)
        self._listeners[session] = page.hear
        page.prepare(width, height, dark=dark, language=language, scripts=scripts)
        try:
            yield page
        finally:
            del self._listeners[session]
            self.ask("Target.closeTarget", targetId=target)
            self.ask("Target.disposeBrowserContext", browserContextId=context)

    def _read(self) -> None:
        rest = b""
        while data := os.read(self._back, 1 << 20):
            *messages, rest = (rest + data).split(b"\0")
            for one in messages:
                message = json.loads(one)
                if "id" in message:
                    self._answers.pop(message["id"]).put(message)
                elif (listener := self._listeners.get(message.get("sessionId", ""))) is not None:
                    listener(message["method"], message["params"])


class Page:
    def __init__(self, browser: Browser, session: str, context: str) -> None:
        self._browser = browser
        self._session = session
        self._context = context
        self._loaded = 0
        self.complaints: list[str] = []
        self.requests: list[dict[str, Any]] = []
        """As the protocol words them: url, method, headers, postData."""

    def prepare(self, width: int, height: int, *, dark: bool, language: str, scripts: bool) -> None:
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.ask(f"{domain}.enable")
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        theme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.ask("Emulation.setEmulatedMedia", features=[theme, still])
        self.ask("Network.setExtraHTTPHeaders", headers={"Accept-Language": language})
        self.ask("Emulation.setScriptExecutionDisabled", value=not scripts)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.ask(method, self._session, **parameters)

    def hear(self, method: str, said: dict[str, Any]) -> None:
        """Called by the reader for every event of this page."""
        if method == "Page.loadEventFired":
            self._loaded += 1
        elif method == "Network.requestWillBeSent":
            self.requests.append(said["request"])
        elif method == "Log.entryAdded" and said["entry"]["level"] in ("error", "warning"):
            self.complaints.append(f"log: {said['entry']['text']} {said['entry'].get('url', '')}")
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(f"console.{said['type']}: {said['args']}")
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(f"uncaught: {said['exceptionDetails']}")
        elif method == "Audits.issueAdded" and said["issue"]["code"] == "ContentSecurityPolicyIssue":
            self.complaints.append(f"policy: {said['issue']['details']}")

    # Going somewhere

    def open(self, url: str) -> None:
        """Returns when everything of the page is loaded."""
        self.loads(lambda: self.ask("Page.navigate", url=url))

    def loads(self, act: Callable[[], object]) -> None:
        """Does something that leads to another document, and waits for it."""
        before = self._loaded
        act()
        until(lambda: self._loaded > before, "the page loads")

    # Looking

    def run(self, expression: str) -> Any:
        """The value of an expression of JavaScript, awaited. Not for pages whose scripts are off."""
        said = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said["exceptionDetails"]
        return said["result"].get("value")

    def text(self, selector: str = "main") -> str:
        """What is readable of an element, the empty text when it is not there."""
        return self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def waits_for(self, expression: str) -> None:
        """Until an expression is true."""
        until(lambda: bool(self.run(expression)), expression)

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """A PNG of what is on the screen, or of the whole page."""
        data = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        if whole:
            size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
            data = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)[
                "data"
            ]
        path.write_bytes(base64.b64decode(data))

    # Touching

    def click(self, selector: str) -> None:
        """In the middle of an element, brought into view first. Raises AssertionError when something else lies there."""
        place = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'center'}});"
            " const r = e.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2;"
            " const hit = document.elementFromPoint(x, y); return [x, y, e === hit || e.contains(hit)]; })()"
        )
        x, y, hit = place
        assert hit, f"{selector} is covered, or off the screen"
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def write(self, text: str) -> None:
        """Into what has the focus."""
        self.ask("Input.insertText", text=text)

    def saves(self, folder: Path, act: Callable[[], object]) -> Path:
        """Does something that saves a file, and returns the file when it is whole."""
        self._browser.ask(
            "Browser.setDownloadBehavior",
            behavior="allow",
            browserContextId=self._context,
            downloadPath=str(folder),
        )
        act()

        def saved() -> list[Path]:
            return [one for one in folder.iterdir() if one.suffix != ".crdownload"]

        until(lambda: bool(saved()), "a file is saved")
        return saved()[0]

    def press(self, key: str) -> None:
        """One key, such as Tab or Enter."""
        text = {"text": "\r"} if key == "Enter" else {}
        code = {"Tab": 9, "Enter": 13, "ArrowRight": 39, " ": 32}[key]
        self.ask(
            "Input.dispatchKeyEvent", type="keyDown", key=key, code=key, windowsVirtualKeyCode=code, **text
        )
        self.ask("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, windowsVirtualKeyCode=code)


def until(reached: Callable[[], bool], what: str) -> None:
    limit = time.monotonic() + LIMIT_S
    while not reached():
        assert time.monotonic() < limit, f"not within {LIMIT_S:g} s: {what}"
        time.sleep(0.02)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser with nothing in it, ended with the block."""
    assert PROGRAM is not None
    with tempfile.TemporaryDirectory(prefix="laidian-chromium-", ignore_cleanup_errors=True) as folder:
        theirs_in, ours_out = _pipe()
        ours_in, theirs_out = _pipe()
        nowhere = os.open(os.devnull, os.O_RDWR)
        pid = os.posix_spawn(
            PROGRAM,
            [PROGRAM, *FLAGS, f"--user-data-dir={folder}/profile", f"--disk-cache-dir={folder}/cache"],
            {**os.environ, "HOME": folder},
            # Chromium reads commands from 3 and answers on 4
            file_actions=[
                (os.POSIX_SPAWN_DUP2, place, number)
                for number, place in enumerate((nowhere, nowhere, nowhere, theirs_in, theirs_out))
            ],
            setsid=True,
        )
        for place in (theirs_in, theirs_out, nowhere):
            os.close(place)
        browser = Browser(ours_out, ours_in)
        try:
            yield browser
        finally:
            with contextlib.suppress(AssertionError, OSError, queue.Empty):
                browser.ask("Browser.close")
            os.close(ours_out)
            _end(pid)


def _pipe() -> tuple[int, int]:
    """Both ends well above the numbers that the browser wants for its own."""
    ends = os.pipe()
    high = (fcntl.fcntl(ends[0], fcntl.F_DUPFD_CLOEXEC, 20), fcntl.fcntl(ends[1], fcntl.F_DUPFD_CLOEXEC, 20))
    for end in ends:
        os.close(end)
    return high


def _end(pid: int) -> None:
    """Waits for the browser that was told to end, and ends it with its children when it does not."""
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return
        time.sleep(0.05)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
