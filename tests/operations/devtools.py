"""A Chromium that is told over a pipe what to do (Chrome DevTools Protocol), scripts forbidden or not."""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.browser.chromium import BROWSER, FLAGS

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT_S = 60
_BLOCK = 1 << 16


@dataclass(slots=True)
class Page:
    """A page of the browser.

    Attributes:
        says: where we write to.
        hears: what the browser writes to.
        session: of the page; "" for the browser itself.
    """

    says: int
    hears: int
    session: str = ""
    console: list[str] = field(default_factory=list)
    _rest: bytes = b""
    _number: int = 0
    _events: list[str] = field(default_factory=list)

    def call(self, method: str, **parameters: Any) -> Any:
        """What a method returns."""
        self._number += 1
        told = {"id": self._number, "method": method, "params": parameters}
        if self.session:
            told["sessionId"] = self.session
        os.write(self.says, json.dumps(told).encode() + b"\0")
        while True:
            heard = self._hear()
            if heard.get("id") == self._number:
                assert "error" not in heard, heard
                return heard["result"]

    def wait(self, event: str) -> None:
        """Until an event has come since the last one was waited for."""
        while event not in self._events:
            self._hear()
        self._events.clear()

    def _hear(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self.hears], [], [], TIMEOUT_S)
            assert ready, "the browser says nothing"
            data = os.read(self.hears, _BLOCK)
            assert data, "the browser is gone"
            self._rest += data
        line, self._rest = self._rest.split(b"\0", 1)
        heard: dict[str, Any] = json.loads(line)
        if "method" in heard:
            self._events.append(heard["method"])
        if heard.get("method") == "Log.entryAdded":
            self.console.append(heard["params"]["entry"]["text"])
        return heard

    def show(self, url: str) -> None:
        """Go there, until all is loaded."""
        self._events.clear()
        self.call("Page.navigate", url=url)
        self.wait("Page.loadEventFired")

    def html(self) -> str:
        """What the browser made of the page, as it writes it out again."""
        root = self.call("DOM.getDocument", depth=0)["root"]["nodeId"]
        return str(self.call("DOM.getOuterHTML", nodeId=root)["outerHTML"])

    def picture(self) -> bytes:
        """What a person sees, a PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot")["data"])


@contextmanager
def paging(*, scripts: bool) -> Iterator[Page]:
    """A new browser with a page, which may run scripts or not."""
    assert BROWSER is not None
    down, says = os.pipe()
    hears, up = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [
                *("bash", "-c", 'exec "$@" 3<&"$DOWN" 4>&"$UP"', "bash", BROWSER, *FLAGS),
                *("--remote-debugging-pipe", f"--user-data-dir={profile}", "--window-size=1200,1600"),
            ],
            env={**os.environ, "DOWN": str(down), "UP": str(up)},
            pass_fds=(down, up),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(down)
        os.close(up)
        try:
            page = Page(says, hears)
            target = page.call("Target.createTarget", url="about:blank")["targetId"]
            page.session = page.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Log", "DOM"):
                page.call(f"{domain}.enable")
            page.call("Emulation.setScriptExecutionDisabled", value=not scripts)
            yield page
        finally:
            os.close(says)
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            os.close(hears)
