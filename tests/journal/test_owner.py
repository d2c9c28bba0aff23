"""Whose a job is, and when another may take it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.journal.owner import LEASE_MS, MARGIN_MS, Owner, Runner, may_take, owner_of

ME = Runner("here", "boot-1", "pid:[1]", 7, 100)
BESIDE = replace(ME, pid=8)
THERE = Runner("there", "boot-2", "pid:[1]", 8, 100)
UNTIL = 1_000_000


@pytest.mark.parametrize(
    ("runner", "alive", "now", "taken"),
    [
        pytest.param(BESIDE, True, UNTIL * 2, False, id="beside us and alive, however long ago it told"),
        pytest.param(BESIDE, False, 0, True, id="beside us and gone, however lately it told"),
        pytest.param(BESIDE, None, UNTIL, False, id="beside us, unseen, in time"),
        pytest.param(BESIDE, None, UNTIL + MARGIN_MS + 1, True, id="beside us, unseen, too late"),
        pytest.param(THERE, None, UNTIL + MARGIN_MS, False, id="elsewhere, as late as clocks may differ"),
        pytest.param(THERE, None, UNTIL + MARGIN_MS + 1, True, id="elsewhere, later than that"),
        pytest.param(replace(THERE, boot=""), False, UNTIL, False, id="a machine that tells no boot"),
        pytest.param(replace(ME, space="pid:[2]"), False, UNTIL, False, id="another container of ours"),
    ],
)
def test_a_job_is_taken_from_who_is_gone(runner: Runner, alive: bool | None, now: int, taken: bool) -> None:  # noqa: FBT001 - a table
    assert may_take(Owner(runner, "t", UNTIL), ME, alive=alive, now_ms=now) is taken


def test_a_record_that_is_none_keeps_nobody_out() -> None:
    assert may_take(None, ME, alive=None, now_ms=0)


def test_a_lease_outlives_a_call_that_is_tried_again() -> None:
    from pipeline.storage.retrying import PATIENT

    assert PATIENT.seconds * 1000 + MARGIN_MS < LEASE_MS


RUNNERS = st.builds(Runner, st.text(), st.text(), st.text(), st.integers(), st.integers())


@given(st.builds(Owner, RUNNERS, st.text(), st.integers(0, 10**12)))
def test_a_record_reads_back(owner: Owner) -> None:
    assert owner_of(owner.to_json()) == owner


RECORD = json.loads(Owner(ME, "t", UNTIL).to_json())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"3",
        b"{}",
        json.dumps({**RECORD, "until_ms": "soon"}).encode(),
        json.dumps({**RECORD, "until_ms": 10**18}).encode(),
        json.dumps({**RECORD, "token": 3}).encode(),
        json.dumps({**RECORD, "runner": None}).encode(),
        json.dumps({**RECORD, "runner": {"pid": 1}}).encode(),
        json.dumps({**RECORD, "runner": {**RECORD["runner"], "pid": None}}).encode(),
    ],
)
def test_what_no_runner_has_written_is_none(data: bytes) -> None:
    assert owner_of(data) is None
