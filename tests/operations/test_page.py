"""The status page in a real Chromium whose scripts are off and on: what people see of hostile names."""

from __future__ import annotations

import json
import re
from html import unescape
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from pipeline.worker.queue.jobs import Ended, Order, State
from pipeline.worker.queue.sqlite.engine import SqliteEngine
from tests.browser.chromium import BROWSER
from tests.operations.devtools import Page, paging
from tests.operations.listener import Orders, listening, written
from tests.servers.fixtures import require
from tests.worker.contract import taken

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.browser

RED = (0xB0, 0x00, 0x20)
"""Of what is dead or late."""
NAMES = {
    "a script": "<script>document.title='taken'</script>",
    "an image": "<img src=x onerror=\"document.title='taken'\">",
    "a style": "</style><style>body{display:none}</style>",
    "a change of direction": "calls/\u202egnp.exe",
    "an Arabic name": "تسجيل/غرفة",
    "an attribute": "\"'><a href=javascript:1>x</a>",
    "ten thousand characters": "x" * 10_000,
}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page of jobs that have each of the names."""
    require("" if BROWSER else "chromium")
    folder = tmp_path_factory.mktemp("page")
    engine = SqliteEngine(folder / "queue.db")
    for name in NAMES.values():
        engine.submit(Order(name, json.dumps({"source": name}), vendor=name[:20]))
        engine.end(taken(engine, name), Ended(State.DEAD, 4, name))
        engine.submit(Order(name, json.dumps({"source": name})))
        engine.beat(taken(engine, name), 500)
    with listening(Orders(f"sqlite:{folder / 'queue.db'}", str(written(folder)))) as there:
        yield there.url
    engine.close()


@pytest.fixture(params=[False, True], ids=["without scripts", "with scripts"])
def shown(request: pytest.FixtureRequest, page: str) -> Iterator[Page]:
    """The page in a browser."""
    with paging(scripts=request.param) as opened:
        opened.show(page)
        yield opened


def test_names_are_text_and_nothing_else(shown: Page) -> None:
    dom = shown.html()
    assert "<title>recpipe</title>" in dom
    assert set(re.findall(r"<([a-z0-9]+)", dom)) <= {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "ul", "li", "b", "a", "bdi"),
        *("table", "thead", "tbody", "tr", "th", "td", "span", "progress", "br"),
    }
    assert dom.count("<style>") == 1
    named = [unescape(text) for text in re.findall(r"<bdi>(.*?)</bdi>", dom, re.DOTALL)]
    for name in ("a script", "an image", "a style", "an Arabic name", "an attribute"):
        assert named.count(NAMES[name]) == 4, name  # what runs has it in two cells, what ended too
    assert r"calls/\u202egnp.exe" in named
    assert max(map(len, named)) < 400
    assert dom.count("<progress") == len(NAMES)


def test_the_page_is_drawn_in_its_own_style_and_nothing_was_refused(shown: Page) -> None:
    """A style whose hash is not that of the policy would not be applied, and nothing would be red."""
    with Image.open(BytesIO(shown.picture())) as drawn:
        pixels = np.asarray(drawn.convert("RGB"))
    assert np.count_nonzero((pixels == RED).all(axis=2)) > 50
    assert np.count_nonzero((pixels < 100).all(axis=2)) > 2000  # it has text
    assert [said for said in shown.console if "favicon" not in said and "404" not in said] == []


def test_the_page_comes_again_by_itself(shown: Page) -> None:
    shown.wait("Page.loadEventFired")
    assert "<title>recpipe</title>" in shown.html()


def test_a_browser_without_scripts_runs_none() -> None:
    """Else the tests above would say less than they seem to."""
    said = {}
    for scripts in (True, False):
        with paging(scripts=scripts) as opened:
            opened.show("data:text/html,<title>no</title><script>document.title='yes'</script>")
            said[scripts] = "<title>yes</title>" in opened.html()
    assert said == {True: True, False: False}
