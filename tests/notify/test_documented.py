"""The receiver that docs/notify.md shows takes our events, once, and nobody else's."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import NotifyError
from pipeline.notify.event import ID, SIGNATURE, TIMESTAMP
from pipeline.notify.sending import BUSY, READ_SECONDS, send
from pipeline.notify.webhook import LEAST_SECRET, MOST_SECRET, SecretInEnvironment, Url, Webhook
from pipeline.storage.retrying import PATIENT
from tests.documents import ROOT, RUN_AS, blocks
from tests.notify.test_sending import ENVIRON, EVENT

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = (ROOT / "docs/notify.md").read_text(encoding="utf-8")
(EXAMPLE,) = blocks(TEXT, "python")


@contextmanager
def example() -> Iterator[tuple[Url, subprocess.Popen[str]]]:
    """The receiver of the document in a process of its own, at a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert EXAMPLE.count("8000") == 1
    process = subprocess.Popen(
        [sys.executable, "-c", EXAMPLE.replace("8000", str(port))],
        env=RUN_AS | {"RECPIPE_WEBHOOK_SECRET": ENVIRON["HOOK"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield Url.parse(f"http://127.0.0.1:{port}/"), process
    finally:
        process.terminate()
        process.wait()


def now_ms() -> int:
    return int(time.time() * 1000)


def test_the_example_takes_an_event_once_and_refuses_what_is_not_ours() -> None:
    with example() as (url, process):
        ours = Webhook(url, (SecretInEnvironment("HOOK_OLD"), SecretInEnvironment("HOOK")))
        send(ours, EVENT, now_ms=now_ms, environ=ENVIRON)  # tried again until the process listens
        send(ours, EVENT, now_ms=now_ms, environ=ENVIRON)
        with pytest.raises(NotifyError, match="403 Forbidden"):
            send(ours, EVENT, now_ms=lambda: now_ms() - 400_000, environ=ENVIRON)
        others = Webhook(url, (SecretInEnvironment("HOOK_OLD"),))
        with pytest.raises(NotifyError, match="403 Forbidden"):
            send(others, EVENT, now_ms=now_ms, environ=ENVIRON)
        process.terminate()
        said, _ = process.communicate()
    assert said == f"partial {EVENT.summary.place}\n"


def test_the_example_is_short_enough_to_be_read() -> None:
    assert len(EXAMPLE.splitlines()) <= 20


def test_the_headers_and_numbers_are_those_of_the_code() -> None:
    named = set(re.findall(r"^\| `(Recpipe-[\w-]+)`", TEXT, re.MULTILINE))
    assert named == {ID, TIMESTAMP, SIGNATURE}
    assert f"{', '.join(str(int(code)) for code in sorted(BUSY))}, 500 and above" in TEXT
    assert f"no answer in {READ_SECONDS} s" in TEXT
    assert PATIENT.seconds == 120
    assert "two minutes in all" in TEXT
    assert f"{LEAST_SECRET} to {MOST_SECRET} bytes" in TEXT


def test_the_fields_that_it_names_are_in_the_document() -> None:
    document = json.loads(EVENT.body())
    summary = document["summary"]
    named = {name for name in re.findall(r"`([a-z_]+)`", TEXT) if name in summary | document}
    assert {"id", "summary", "revision", "place", "lost_ms", "outputs", "failure"} <= named
