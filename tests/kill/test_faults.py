"""Stores that misbehave under a whole job: it comes right, or ends with a sentence and nothing half done."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from tests.kill.launcher import Circumstances
from tests.kill.scene import IN, VARIANTS, scene
from tests.servers import rclone
from tests.servers.faults import (
    DENIED,
    EXPIRED,
    Answer,
    Drop,
    Header,
    Truncate,
    every,
    slow_down,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kill.scene import Call, Servers, Variant
    from tests.servers.faults import Fault, Request, Rule

RCLONE, SWIFT = VARIANTS[:2]
OTHER_ETAG = Header("ETag", '"0123456789abcdef0123456789abcdef"')
HASTE = Circumstances(haste=True)
NO_BUCKET = Answer(HTTPStatus.NOT_FOUND, "NoSuchBucket")


def some(method: str, path: str, fault: Fault, *, count: int = 1, since: int = 0) -> Rule:
    """A fault at each n-th request of a kind, from a request on."""
    seen = 0

    def rule(request: Request) -> Fault | None:
        nonlocal seen
        if request.number < since or request.method != method:
            return None
        if not re.search(path, f"{request.path}?{request.query}"):
            return None
        seen += 1
        return fault if seen % count == 0 else None

    return rule


def bursts(request: Request) -> Fault | None:
    """Four of twenty-five, one after the other."""
    return slow_down("0") if request.number % 25 in {1, 2, 3, 4} else None


def first_only(rule: Rule) -> Rule:
    """The first fault of a rule, and no other."""
    left = 1

    def once(request: Request) -> Fault | None:
        nonlocal left
        fault = rule(request) if left else None
        left -= fault is not None
        return fault

    return once


@pytest.mark.parametrize(
    ("variant", "rule"),
    [
        pytest.param(
            RCLONE, every(3, Drop()), id="every third request is dropped", marks=pytest.mark.soak
        ),
        pytest.param(
            RCLONE, every(3, Drop(after=True)), id="every third answer is dropped", marks=pytest.mark.soak
        ),
        pytest.param(SWIFT, every(3, Drop(after=True)), id="every third answer is dropped, by Swift"),
        pytest.param(RCLONE, bursts, id="SlowDown in bursts"),
        pytest.param(RCLONE, some("GET", r"room/.+\.ts", Truncate(100), count=2), id="slices are cut off"),
        pytest.param(
            SWIFT, first_only(some("PUT", "partNumber=2", OTHER_ETAG)), id="a part has another ETag once"
        ),
        pytest.param(
            RCLONE, first_only(some("POST", "uploadId=", Drop(after=True))), id="completed, not answered"
        ),
        pytest.param(
            RCLONE, first_only(some("POST", r"\?uploads", Drop(after=True))), id="begun, not answered"
        ),
    ],
)  # fmt: skip
def test_it_comes_right(variant: Variant, rule: Rule, call: Call, servers: Servers, tmp_path: Path) -> None:
    with scene(variant, call, servers, tmp_path / "home") as made:
        made.more = rule
        said = made.run(HASTE)
        assert said.code == 0, said
        made.assert_made_good()
        assert made.states() == ["done"]


def test_credentials_that_expire_on_the_way_are_asked_for_again(
    call: Call, servers: Servers, tmp_path: Path
) -> None:
    old, new = servers.rclone.accounts[:2]

    def expire(request: Request) -> Fault | None:
        if request.number == 45:
            (tmp_path / "expired").touch()
        used = f"Credential={old.access_key}/" in request.headers.get("authorization", "")
        return EXPIRED if used and (tmp_path / "expired").exists() else None

    with scene(RCLONE, call, servers, tmp_path / "home") as made:
        answers = []
        for number, account in enumerate((old, new)):
            answers.append(tmp_path / f"keys-{number}")
            keys = {"AccessKeyId": account.access_key, "SecretAccessKey": account.secret_key}
            answers[-1].write_text(json.dumps({"Version": 1, **keys}))
        process = f"sh -c 'test -e {tmp_path}/expired && cat {answers[1]} || cat {answers[0]}'"
        (made.home / ".aws").mkdir()
        (made.home / ".aws" / "config").write_text(f"[profile calls]\ncredential_process = {process}\n")
        settings = made.home / "recpipe.toml"
        by_profile, many = re.subn(
            r"access_key_env = .+\nsecret_key_env = .+\n", 'aws_profile = "calls"\n', settings.read_text()
        )  # fmt: skip
        assert many == 2
        settings.write_text(by_profile)
        made.more = expire
        said = made.run(HASTE)
        assert said.code == 0, said
        made.assert_made_good()
        assert old.secret_key not in said.out + said.err


def test_a_clock_that_is_twenty_minutes_off_is_no_hindrance(
    call: Call, servers: Servers, tmp_path: Path
) -> None:
    with scene(SWIFT, call, servers, tmp_path / "home") as made:
        said = made.run(Circumstances(ahead_s=1200))
        assert said.code == 0, said
        made.assert_made_good()


FAILS = [
    pytest.param(every(1, DENIED), r"is refused \(AccessDenied", id="everything is refused"),
    pytest.param(
        lambda request: DENIED if request.number >= 40 else None,
        r"is refused \(AccessDenied",
        id="everything is refused from the middle of the job on",
    ),
    pytest.param(some("PUT", "/manifest.json", DENIED), r"is refused \(AccessDenied", id="the manifest"),
    pytest.param(some("GET", "prefix=room", NO_BUCKET), "there is no such bucket", id="the source's bucket"),
    pytest.param(some("PUT", "/done/", NO_BUCKET), "there is no such bucket", id="the bucket for the files"),
    pytest.param(
        some("GET", r"room/.+\.ts", OTHER_ETAG), "run again", id="slices have other ETags than listed"
    ),
]


@pytest.mark.parametrize(("rule", "sentence"), FAILS)
def test_it_ends_with_the_sentence_and_nothing_half_done(
    rule: Rule, sentence: str, call: Call, servers: Servers, tmp_path: Path
) -> None:
    with scene(RCLONE, call, servers, tmp_path / "home") as made:
        made.more = rule
        said = made.run(HASTE)
        assert said.code == 6, said
        assert re.search(sentence, said.out + said.err), said
        assert "Traceback" not in said.err
        made.assert_nothing_half_done()
        assert made.states() == ["failed"]
        made.more = lambda _: None
        again = made.run(name="again")
        assert again.code == 0, again
        made.assert_made_good()
        assert made.states() == ["failed", "done"]


@pytest.mark.soak
def test_20000_keys_of_others_are_left_alone(call: Call, servers: Servers, tmp_path: Path) -> None:
    """They lie in the same prefix; files are made faster than they are put."""
    (home := tmp_path / "many").mkdir()
    room = home / "data" / "many" / IN
    shutil.copytree(call.made.place, room)
    for number in range(20_000):
        (room / f"snapshot-{number:05}.jpg").touch()
    with rclone.rclone(home, servers.certificates) as many:
        crowded = replace(servers, rclone=many)
        with scene(RCLONE, call, crowded, tmp_path / "home") as made:
            settings = made.home / "recpipe.toml"
            settings.write_text(settings.read_text().replace(made.buckets[0], "many"))
            made.buckets = ("many", made.buckets[1])
            said = made.run(HASTE)
            assert said.code == 0, said
            left = made.slices()
            assert len(left) == 20_000
            assert not left & made.recording
            assert made.states() == ["done"]
            found = made.files()
            assert {name: found[name] for name in call.files} == call.files
