"""Processes of a crew: results, sentences, bugs, kills, and an end that lets them tidy up."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.job.crew import Broken, Crew, Killed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipeline.job.crew import Ways

PATIENCE = 30


def silent(_key: str, _sentence: str) -> None:
    pass


def all_ended(crew: Crew[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    while len(crew):
        found.update(crew.ended())
    return found


def until(there: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < end
        time.sleep(0.01)


def waits(begun: Path, tidied: Path, ways: Ways) -> None:
    """Works for ever, and tidies up."""
    try:
        begun.touch()
        while True:
            time.sleep(0.01)
            ways.heed()
    finally:
        tidied.touch()


def forgets(begun: Path, tidied: Path, ways: Ways) -> None:
    """As a library does that drops what is raised in its callbacks."""
    while True:
        try:
            waits(begun, tidied, ways)
        except Exception:
            if tidied.with_suffix(".twice").exists():
                raise
            tidied.with_suffix(".twice").touch()


def test_each_work_has_a_process_and_a_result_of_its_own() -> None:
    with Crew[str, int](silent) as crew:
        for key in "abc":
            crew.start(key, lambda _ways: os.getpid())
        assert len(crew) == 3
        found = all_ended(crew)
    assert set(found) == set("abc")
    assert len({*found.values(), os.getpid()}) == 4


def test_what_a_work_says_is_heard_before_its_result() -> None:
    heard: list[tuple[str, str]] = []

    def work(ways: Ways) -> str:
        for number in range(3):
            ways.tell(f"{number}")
        return "done"

    with Crew[str, str](lambda key, sentence: heard.append((key, sentence))) as crew:
        crew.start("a", work)
        assert all_ended(crew) == {"a": "done"}
    assert heard == [("a", "0"), ("a", "1"), ("a", "2")]


def test_a_result_may_be_larger_than_a_pipe() -> None:
    with Crew[str, bytes](silent) as crew:
        crew.start("a", lambda _ways: bytes(3 << 20))
        assert all_ended(crew) == {"a": bytes(3 << 20)}


def test_a_bug_in_one_work_ends_no_other() -> None:
    def buggy(_ways: Ways) -> int:
        raise KeyError("x")

    with Crew[str, int](silent) as crew:
        crew.start("bug", buggy)
        crew.start("good", lambda _ways: 7)
        assert all_ended(crew) == {"bug": Broken("KeyError", "KeyError: 'x'"), "good": 7}


@pytest.mark.parametrize(
    ("end", "told"),
    [
        pytest.param(lambda: os.kill(os.getpid(), signal.SIGKILL), Killed(-signal.SIGKILL), id="killed"),
        pytest.param(lambda: os._exit(3), Killed(3), id="gone"),
    ],
)
def test_a_process_that_is_killed_ends_no_other(end: Callable[[], None], told: Killed) -> None:
    with Crew[str, int | None](silent) as crew:
        crew.start("killed", lambda _ways: end())
        crew.start("good", lambda _ways: 7)
        assert all_ended(crew) == {"killed": told, "good": 7}


@pytest.mark.parametrize("work", [waits, forgets], ids=["listens", "a library forgets the exception"])
def test_whoever_is_ended_tidies_up(work: Callable[[Path, Path, Ways], None], tmp_path: Path) -> None:
    with Crew[str, None](silent) as crew:
        for key in "ab":
            crew.start(key, partial(work, tmp_path / f"{key}-begun", tmp_path / f"{key}-tidied"))
        until(lambda: len(list(tmp_path.glob("*-begun"))) == 2)
    assert len(list(tmp_path.glob("*-tidied"))) == 2
    assert len(crew) == 0


def test_a_terminal_that_interrupts_all_leaves_the_end_to_who_started_them(tmp_path: Path) -> None:
    with Crew[str, int](silent) as crew:

        def work(_ways: Ways) -> int:
            os.kill(os.getpid(), signal.SIGINT)
            return 7

        crew.start("a", work)
        assert all_ended(crew) == {"a": 7}
    assert list(tmp_path.iterdir()) == []


def test_signals_are_heeded_again_after_a_start() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    with Crew[str, Any](silent) as crew:
        crew.start("a", lambda _ways: sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))
        assert all_ended(crew) == {"a": sorted(before)}
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before


@pytest.fixture(autouse=True)
def _nobody_stays() -> Iterator[None]:
    yield
    assert multiprocessing.active_children() == []
