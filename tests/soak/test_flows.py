"""Twenty recordings of sixty users each go from the bucket of one account into that of another, by command.

Each fiftieth request is dropped: one before the server hears of it, the next once it has answered.
"""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING

import pytest

from pipeline.demo.recorder import make
from pipeline.demo.scenario_toml import parse
from pipeline.job.merge import merge_all
from pipeline.model.options import Options
from pipeline.sources.folder import Folder
from pipeline.steps.place import Limits
from tests.cli.test_stores import started
from tests.job.between import Buckets
from tests.job.jobs import document
from tests.merge.merging import tree
from tests.servers.faults import Drop, faulty
from tests.sources.stored import objects, put_all, same

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.faults import Fault, FaultyServer, Request
    from tests.servers.s3 import S3Server

RECORDINGS, USERS, DROPPED = 20, 60, 50
PATIENCE_S = 1800
FEWEST = 10
"""Requests that are dropped of each recording: each user takes a dozen."""
VENDORS = ("agora", "trtc", "volcengine")
HEAD = """
vendor = "{vendor}"
start = 2026-03-02T09:00:00.250Z
slice_seconds = 4
"""
USER = """
[[users]]
uid = "{uid}"
size = "160x120"
fps = 4
sound = [[{begins}, {mute}], [{heard}, {ends}]]
picture = [[{begins}, {ends}]]
"""


def scenario(number: int) -> str:
    """Users who come, mute themselves and go at times of their own; the same for a number every time."""
    chance = Random(number)  # noqa: S311 - the same every time
    vendor = VENDORS[number % len(VENDORS)]
    merged = "merged = true\n" if vendor == "volcengine" else ""  # it knows no slices of one medium
    users = []
    for user in range(USERS):
        begins = chance.randrange(0, 5)
        mute = begins + chance.randrange(1, 5)
        heard = mute + chance.randrange(1, 3)
        times = {"begins": begins, "mute": mute, "heard": heard, "ends": heard + chance.randrange(1, 5)}
        told = USER.format(uid=1000 + user, **{name: float(at) for name, at in times.items()})
        users.append(told + merged)
    return HEAD.format(vendor=vendor) + "".join(users)


def dropped(request: Request) -> Fault | None:
    if request.number % DROPPED:
        return None
    return Drop(after=request.number % (2 * DROPPED) == 0)


@pytest.fixture(scope="module")
def between(swift_http: S3Server) -> Iterator[FaultyServer]:
    with faulty(swift_http, dropped) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def straight(swift_http: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Buckets:
    """The buckets without the proxy."""
    found = Buckets(tmp_path_factory.mktemp("straight") / "recpipe.toml")
    found.add("calls", swift_http, swift_http.accounts[0])
    found.add("vod", swift_http, swift_http.accounts[1])
    return found


@pytest.fixture(scope="module")
def buckets(straight: Buckets, between: FaultyServer, tmp_path_factory: pytest.TempPathFactory) -> Buckets:
    """The same behind it."""
    return straight.behind(between.server, tmp_path_factory.mktemp("behind") / "recpipe.toml")


@pytest.mark.soak
@pytest.mark.parametrize("number", range(RECORDINGS))
def test_sixty_users_arrive_as_a_merge_of_the_folder_makes_them(
    number: int, buckets: Buckets, straight: Buckets, between: FaultyServer, tmp_path: Path
) -> None:
    folder = make(parse(scenario(number)), tmp_path / "in").place
    source, place = f"calls:{number}", f"vod:{number}"
    put_all(folder, straight.open(source))
    (local,) = merge_all(Folder(folder), tmp_path / "local", Options(), Limits())
    assert len(local.manifest.outputs) == USERS

    job, before = tmp_path / "job.json", len(between.seen)
    job.write_text(json.dumps(document(source, place, limits={"jobs": 2})), "utf-8")
    command = ["run", str(job), "--config", str(buckets.config)]
    with started(tmp_path, *command, **buckets.environ) as process:
        said = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, said

    target = straight.open(place)
    assert same(objects(target), tree(tmp_path / "local"))
    assert list(target.uploads("")) == []
    assert len([request for request in between.seen[before:] if dropped(request)]) >= FEWEST
