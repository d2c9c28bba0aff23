"""`[[serve.watches]]`: recordings whose callbacks were all lost are made all the same, and once."""

from __future__ import annotations

import json
import shutil
import signal
import socket
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import CommandError
from pipeline.storage.settings import read_settings
from pipeline.worker.queue.jobs import Order
from pipeline.worker.queue.sqlite.engine import SqliteEngine
from pipeline.worker.serve.inbox.settings import serve_settings
from pipeline.worker.serve.serving import END_S
from tests.cli.running import run
from tests.serve.served import PATIENCE_S, STORES, configured, serving, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.demo.made import Made

NAMES = ("plain-agora", "plain-trtc")


def watching(folder: Path) -> None:
    """Recordings in a folder that is looked at each second."""
    (folder / "calls").mkdir()
    configured(
        folder,
        f"""
[serve]
root = "."

[[serve.watches]]
store = "{folder}/calls"
settle = "0s"
every = "1s"

[serve.watches.job]
version = 1
source = "{{source}}"
targets = [{{place = "{folder}/out"}}]
limits = {{settle = "0", settle_limit = "0"}}
""",
    )


def test_recordings_that_no_callback_announced_are_made_once(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    watching(tmp_path)
    with serving(tmp_path) as served:
        for name in NAMES:
            shutil.copytree(made(name).place, tmp_path / "calls" / name)
        until(lambda: len(served.jobs()) == len(NAMES))
        queue = f"sqlite:{tmp_path / 'queue.db'}"
        assert run("worker", "--engine", queue, "--concurrency", "2", "--drain").code == 0
        assert len(list((tmp_path / "out").glob("*/manifest.json"))) == len(NAMES)
    with serving(tmp_path) as again:
        shutil.copytree(made("plain-agora").place, tmp_path / "calls" / "later")
        until(lambda: len(again.jobs()) > len(NAMES))
        sources = [json.loads(job.order.document)["source"] for job in again.jobs()]
        assert sorted(source.rstrip("/").rpartition("/")[2] for source in sources) == ["later", *NAMES]


def test_what_was_announced_is_not_submitted_again_wherever_it_goes(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    watching(tmp_path)
    for name in NAMES:
        shutil.copytree(made(name).place, tmp_path / "calls" / name)
    announced = {
        "version": 1,
        "source": f"{tmp_path}/calls/plain-trtc",
        "targets": [{"place": f"{tmp_path}/of-a-rule/2026-01-01"}],
    }
    with closing(SqliteEngine(tmp_path / "queue.db")) as engine:
        engine.submit(Order("of a rule", json.dumps(announced)))
    with serving(tmp_path) as served:
        until(lambda: len(served.jobs()) > 1)
        shutil.copytree(made("plain-agora").place, tmp_path / "calls" / "later")
        until(lambda: bool(served.of("later")))
        assert len(served.of("plain-trtc")) == 1


def test_a_store_that_does_not_answer_does_not_hold_up_the_end(tmp_path: Path) -> None:
    job = 'job = {version = 1, source = "{source}", targets = [{place = "vod:"}]}'
    watches = "".join(f'\n[[serve.watches]]\nstore = "calls:{name}"\n{job}\n' for name in "ab")
    with socket.create_server(("127.0.0.1", 0)) as silent, ExitStack() as asked:
        silent.settimeout(PATIENCE_S)
        stores = STORES.replace("127.0.0.1:9", f"127.0.0.1:{silent.getsockname()[1]}")
        configured(tmp_path, stores + watches)
        environ = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
        with serving(tmp_path, environ=environ) as served:
            for _ in "ab":
                asked.enter_context(silent.accept()[0])
            served.process.send_signal(signal.SIGTERM)
            assert served.process.wait(END_S * 0.8) == 0


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        (
            'store = "calls:"\njob = {version = 1, source = "calls:a", targets = [{place = "vod:"}]}',
            "{source}",
        ),
        (
            'store = "else:"\njob = {version = 1, source = "{source}", targets = [{place = "vod:"}]}',
            "else:: [serve] of recpipe.toml does not list this part of a store",
        ),
        (
            'store = "calls:"\njob = {version = 1, source = "{source}", targets = [{place = "/etc"}]}',
            ": [serve] of recpipe.toml has no root",
        ),
        (
            (
                'store = "calls:"\nevery = "often"\n'
                'job = {version = 1, source = "{source}", targets = [{place = "vod:"}]}'
            ),
            "often",
        ),
        ('store = "calls:"\njob = "none.json"', "none.json cannot be read"),
        (
            (
                'store = "calls:"\nevery = "0"\n'
                'job = {version = 1, source = "{source}", targets = [{place = "vod:"}]}'
            ),
            "every: expected 1s or more",
        ),
        (
            'store = "calls:"\njob = {version = 1, source = "{source}", targets = [{place = "vod:{task}"}]}',
            "job.targets: {task} is not known of what nobody announced, only {name}",
        ),
    ],
)
def test_what_cannot_be_watched_is_said_with_its_path(tmp_path: Path, entry: str, fault: str) -> None:
    path = configured(tmp_path, f"{STORES}\n[[serve.watches]]\n{entry}\n")
    with pytest.raises(CommandError) as raised:
        serve_settings(read_settings(str(path), {}))
    assert "serve.watches.0: " in str(raised.value)
    assert fault in str(raised.value)
