"""Composites in shares between hosts: a queue in PostgreSQL, a store, real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.demo.recorder import make
from pipeline.demo.scenario_toml import parse
from pipeline.worker.queue.jobs import State
from pipeline.worker.queue.open import open_engine
from tests.compose.pieces import CALL
from tests.job.between import Buckets
from tests.job.jobs import ENVIRON
from tests.sources.stored import put_all
from tests.worker.chunk_calls import SHARES, Calls, alone, job_of
from tests.worker.chunk_launcher import Strike

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.postgres import Postgres
    from tests.servers.s3 import S3Server


@pytest.fixture
def buckets(rclone_tls: S3Server, tmp_path: Path) -> Buckets:
    found = Buckets(tmp_path / "recpipe.toml")
    found.add("calls", rclone_tls, rclone_tls.accounts[0])
    found.add("vod", rclone_tls, rclone_tls.accounts[1])
    return found


@pytest.fixture
def calls(
    postgres_server: Postgres, buckets: Buckets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Calls]:
    source = make(parse(CALL), tmp_path / "source").place
    put_all(source, buckets.open("calls:room"))
    monkeypatch.setenv("PGPASSWORD", postgres_server.password)
    queue = f"postgres:{postgres_server.dsn(postgres_server.emptied())}"
    calls = Calls(
        "calls:room", alone(source, tmp_path / "alone"), tmp_path, open_engine(queue), queue, lease_ms=60_000
    )
    calls.config = str(buckets.config)
    calls.environ = {**ENVIRON, **buckets.environ}
    yield calls
    calls.close()


def test_workers_of_several_hosts_make_a_call_together(calls: Calls, buckets: Buckets) -> None:
    calls.strike = Strike("kill", "sent in store", behind=True, mark=str(calls.home / "mark"), first=2)
    number = calls.submit_as(job_of(calls.source, "vod:room", limits={"spread": "10s"}))
    calls.works_off(2)
    assert calls.struck()
    job, parts = calls.job(number), calls.parts(number)
    assert (job.state, job.attempts) == (State.DONE, 1), job.sentence
    assert [part.state for part in parts] == [State.DONE] * SHARES
    assert len({part.worker for part in parts}) == 2
    place = buckets.open("vod:room")
    there = {stat.key: place.get(stat.key).data for stat in place.list("")}
    assert sorted(there) == sorted(calls.wanted)
    (film,) = [name for name in there if name.endswith(".mp4")]
    assert there[film] == calls.wanted[film]
    assert list(place.uploads("")) == []
