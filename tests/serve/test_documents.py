"""What docs/serve.md shows is what is done: its recpipe.toml is read, its function is run."""

from __future__ import annotations

import http.client
import json
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import pytest

from pipeline.storage.settings import read_settings
from pipeline.worker.serve.inbox.inbox import RETENTION_MS
from pipeline.worker.serve.inbox.rules import QUIET_MS
from pipeline.worker.serve.inbox.settings import ROUTES, serve_settings
from pipeline.worker.serve.listening import HEAD_S, MOST_CONNECTIONS
from pipeline.worker.serve.public.app import BODY_S, KEEP_S, MOST_AT_ONCE, MOST_BODY
from tests.documents import ROOT, blocks
from tests.serve.callbacks import SECRET
from tests.serve.served import configured, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serve.served import Serving

TEXT = (ROOT / "docs/serve.md").read_text(encoding="utf-8")
KEY = "{}/20055501_room7__UserId_s_YW5u__UserId_e_main_audio.m3u8"
AT = "2026-11-22T00:06:40.000Z"


def s3(name: str) -> dict[str, Any]:
    bucket = {"bucket": {"name": "calls"}, "object": {"key": KEY.format(name)}}
    return {"Records": [{"eventName": "ObjectCreated:Put", "eventTime": AT, "s3": bucket}]}


def cos(name: str) -> dict[str, Any]:
    told = {
        "cosObject": {"key": f"/1250000000/calls/{KEY.format(name)}"},
        "cosBucket": {"name": "calls", "appid": "1250000000"},
    }
    event = {"eventName": "cos:ObjectCreated:Put", "eventTime": 1_795_306_000}
    return {"Records": [{"cos": told, "event": event}]}


def oss(name: str) -> dict[str, Any]:
    told = {"bucket": {"name": "calls"}, "object": {"key": KEY.format(name)}}
    return {"events": [{"eventName": "ObjectCreated:PutObject", "eventTime": AT, "oss": told}]}


EVENTS = {
    "s3": s3("s3"),
    "sns": {"Records": [{"Sns": {"Message": json.dumps(s3("sns"))}}]},
    "cos": cos("cos"),
    "oss": json.dumps(oss("oss")).encode(),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("forwarded")
    configured(folder)
    with serving(folder) as running:
        yield running


@pytest.fixture
def forwarder(served: Serving, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    (code,) = blocks(TEXT, "python")
    module = ModuleType("forwarder")
    exec(compile(code, "docs/serve.md", "exec"), module.__dict__)  # noqa: S102 - our own document
    monkeypatch.setenv("URL", f"http://127.0.0.1:{served.port}/s3")
    monkeypatch.setenv("TOKEN", SECRET)
    return module


@pytest.mark.parametrize("name", EVENTS)
def test_the_function_passes_on_what_each_store_tells(
    served: Serving, forwarder: ModuleType, name: str
) -> None:
    before = counted(served)
    assert forwarder.handler(EVENTS[name]) == "{}"
    assert counted(served) == before + 1


def counted(served: Serving) -> float:
    """New events of stores, as the metrics of the other listener have it."""
    client = http.client.HTTPConnection("127.0.0.1", served.operations, timeout=30)
    client.request("GET", "/metrics")
    text = client.getresponse().read().decode()
    client.close()
    lines = [line for line in text.splitlines() if 'route="s3"' in line and 'outcome="new"' in line]
    return float(lines[0].rpartition(" ")[2]) if lines else 0


def test_the_function_passes_nothing_on_where_there_is_nothing(forwarder: ModuleType) -> None:
    assert forwarder.handler({"Event": "s3:TestEvent"}) == "nothing to pass on"


def test_the_function_fails_where_it_is_refused(
    forwarder: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "another token")
    with pytest.raises(HTTPError) as caught:
        forwarder.handler(EVENTS["s3"])
    assert caught.value.code == 401
    caught.value.close()


def test_the_settings_of_the_document_are_read(tmp_path: Path) -> None:
    text = "\n".join(blocks(TEXT, "toml"))
    found = serve_settings(read_settings(str(configured(tmp_path, text)), {}))
    (watched,) = found.watches
    assert (watched.every_ms, watched.settle_ms, watched.deadline_ms) == (600_000, 300_000, 86_400_000)
    assert set(found.apps) == {"trtc", "agora"}
    assert set(found.rules) == {"trtc", "agora"}


def test_the_numbers_of_the_document_are_those_of_the_code() -> None:
    assert f"took more than {BODY_S:.0f} s" in TEXT
    assert f"A head that takes more than {HEAD_S:.0f} s" in TEXT
    assert f"connections over {MOST_CONNECTIONS}" in TEXT
    assert f"within {KEEP_S:.0f} s, or there are {MOST_AT_ONCE} requests" in TEXT
    assert f"over {MOST_BODY >> 20} MiB" in TEXT
    assert f"nothing was heard for {QUIET_MS // 60_000} minutes" in TEXT
    assert f"for {RETENTION_MS // 86_400_000} days" in TEXT
    assert all(f"`{route}`" in TEXT for route in ROUTES)
