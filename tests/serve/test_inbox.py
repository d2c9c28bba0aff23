"""What an inbox keeps, once, and what it says where it cannot."""

from __future__ import annotations

import stat
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import CommandError, NoSpaceError, OutputError
from pipeline.vendors.events import Event, Phase
from pipeline.worker.queue.sqlite.engine import SqliteEngine
from pipeline.worker.serve.inbox.inbox import MOST_AT_ONCE, RETENTION_MS, Inbox, Kept, Made
from pipeline.worker.serve.inbox.rows import event_of, text_of
from tests.serve.rooms import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLOCK_MS = Clock().utc_ms
READY = Event("trtc", "1", "k1", "t", "305", Phase.READY, CLOCK_MS - 9, room="r", files=("a", "b"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def inbox(tmp_path: Path, clock: Clock) -> Iterator[Inbox]:
    with closing(Inbox(tmp_path / "inbox.db", clock=clock)) as made:
        yield made


def test_an_event_is_kept_once(inbox: Inbox) -> None:
    assert inbox.keep(READY) == (Kept.NEW,)
    assert inbox.keep(READY, replace(READY, at_ms=CLOCK_MS)) == (Kept.DUPLICATE, Kept.DUPLICATE)
    assert inbox.counts() == (1, 1)


@pytest.mark.parametrize("other", [{"vendor": "agora"}, {"app": "2"}, {"key": "k2"}], ids=str)
def test_the_same_key_of_another_is_another_event(inbox: Inbox, other: dict[str, str]) -> None:
    assert inbox.keep(READY, replace(READY, **other)) == (Kept.NEW, Kept.NEW)  # type: ignore[arg-type]  # texts only


def test_an_event_older_than_what_is_kept_is_not_taken_for_a_new_one(inbox: Inbox) -> None:
    old = replace(READY, at_ms=CLOCK_MS - RETENTION_MS - 1)
    assert inbox.keep(old) == (Kept.OLD,)
    assert inbox.keep(replace(old, at_ms=old.at_ms + 1)) == (Kept.NEW,)
    assert inbox.counts() == (1, 1)


def test_what_belongs_to_no_task_is_kept_and_waits_for_nothing(inbox: Inbox) -> None:
    assert inbox.keep(replace(READY, task="", phase=Phase.OTHER)) == (Kept.NEW,)
    assert inbox.counts() == (1, 0)


def test_tasks_of_one_name_in_two_rooms_are_two(inbox: Inbox) -> None:
    inbox.keep(replace(READY, scope="a"), replace(READY, key="k2", scope="b"))
    assert [seen.task for seen in inbox.latest()] == ["b/t", "a/t"]
    assert {due.task.task for due in inbox.due()} == {"t"}


def test_what_was_marked_is_due_again_at_its_time_and_with_news(inbox: Inbox, clock: Clock) -> None:
    inbox.keep(READY)
    (due,) = inbox.due()
    inbox.mark(due, "waits", due_ms=clock.utc_ms + 10, made={})
    assert inbox.due() == []
    clock.utc_ms += 10
    (due,) = inbox.due()
    inbox.mark(due, "job 7", due_ms=None, made={"a": Made(7, "k")})
    assert inbox.due() == []
    inbox.keep(replace(READY, key="k2", phase=Phase.PARTIAL))
    (due,) = inbox.due()
    assert due.made == {"a": Made(7, "k")}
    assert due.task.phases == {Phase.READY, Phase.PARTIAL}


def test_news_that_came_while_a_task_was_looked_at_are_looked_at(inbox: Inbox) -> None:
    inbox.keep(READY)
    (before,) = inbox.due()
    inbox.keep(replace(READY, key="k2"))
    inbox.mark(before, "job 7", due_ms=None, made={"a": Made(7, "k")})
    (due,) = inbox.due()
    assert due.made == {"a": Made(7, "k")}
    assert due.news > before.news


def test_what_decides_nothing_has_no_task_looked_at_again(inbox: Inbox, clock: Clock) -> None:
    """A long call tells tens of thousands of slices."""
    settling = replace(READY, phase=Phase.SETTLING)
    inbox.keep(settling)
    (due,) = inbox.due()
    inbox.mark(due, "waits", due_ms=clock.utc_ms + 10, made={})
    inbox.keep(*(replace(settling, key=f"s{number}") for number in range(50)))
    inbox.keep(*(replace(READY, key=f"o{number}", phase=Phase.OTHER) for number in range(50)))
    assert inbox.due() == []
    clock.utc_ms += 10
    (due,) = inbox.due()
    inbox.mark(due, "job 7", due_ms=None, made={})
    inbox.keep(replace(READY, key="o", phase=Phase.OTHER))
    assert inbox.due() == []
    inbox.keep(replace(settling, key="s"))
    assert len(inbox.due()) == 1


def test_whatever_is_told_of_a_task_that_lacks_something_has_it_looked_at(inbox: Inbox) -> None:
    inbox.keep(READY)
    (due,) = inbox.due()
    inbox.mark(due, "no job: it tells no user", due_ms=None, made={}, lacks=True)
    inbox.keep(replace(READY, key="k2", phase=Phase.OTHER, user="ann"))
    (due,) = inbox.due()
    assert due.task.users == ("ann",)


def test_tasks_come_in_the_order_of_their_times_some_at_once(inbox: Inbox) -> None:
    inbox.keep(*(replace(READY, key=str(number), task=f"t{number}") for number in range(MOST_AT_ONCE + 1)))
    first = inbox.due()
    assert [due.task.task for due in first] == [f"t{number}" for number in range(MOST_AT_ONCE)]
    for due in first:
        inbox.mark(due, "", due_ms=None, made={})
    assert [due.task.task for due in inbox.due()] == [f"t{MOST_AT_ONCE}"]


def test_after_30_days_events_go_and_tasks_without_events(inbox: Inbox, clock: Clock) -> None:
    inbox.keep(READY, replace(READY, key="k2", task="still"))
    for due in inbox.due():
        inbox.mark(due, "job 7", due_ms=None, made={"a": Made(7, "k")})
    clock.utc_ms += RETENTION_MS
    inbox.keep(replace(READY, key="k3", task="still", at_ms=clock.utc_ms))
    assert inbox.tidy() == 0
    clock.utc_ms += 1
    assert inbox.tidy() == 2
    assert [seen.task for seen in inbox.latest()] == ["still"]
    (due,) = inbox.due()
    assert due.made == {"a": Made(7, "k")}


def test_a_new_process_finds_what_was_kept(tmp_path: Path, inbox: Inbox, clock: Clock) -> None:
    inbox.keep(READY)
    with closing(Inbox(tmp_path / "inbox.db", clock=clock)) as other:
        assert other.keep(READY) == (Kept.DUPLICATE,)
        assert [due.task.room for due in other.due()] == ["r"]


def test_it_is_for_its_owner_alone(tmp_path: Path, inbox: Inbox) -> None:
    inbox.keep(READY)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {0o600}


def test_a_full_disk_is_said_and_what_came_then_is_kept_when_there_is_room(inbox: Inbox) -> None:
    db = inbox._connections.mine()
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(NoSpaceError, match="no space left for the inbox"):
        inbox.keep(*(replace(READY, key=str(number), room="r" * 500) for number in range(100)))
    assert inbox.counts() == (0, 0)
    db.execute("PRAGMA max_page_count = 100000")
    assert inbox.keep(READY) == (Kept.NEW,)


def test_a_queue_is_no_inbox_and_an_inbox_no_queue(tmp_path: Path, inbox: Inbox) -> None:
    SqliteEngine(tmp_path / "queue.db").close()
    with pytest.raises(CommandError, match="no inbox"):
        Inbox(tmp_path / "queue.db", clock=Clock())
    with pytest.raises(CommandError, match="no queue"):
        SqliteEngine(tmp_path / "inbox.db")
    assert inbox.counts() == (0, 0)


def test_an_inbox_of_a_newer_version_is_refused(tmp_path: Path, inbox: Inbox) -> None:
    inbox._connections.mine().execute("PRAGMA user_version = 99")
    with pytest.raises(CommandError, match=r"the inbox .* newer recpipe \(version 99"):
        Inbox(tmp_path / "inbox.db", clock=Clock())


def test_without_a_folder_there_is_no_inbox(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="for the inbox"):
        Inbox(tmp_path / "no" / "inbox.db", clock=Clock())


anything = st.text(max_size=20)
several = st.lists(anything).map(tuple)
events = st.builds(
    Event,
    **dict.fromkeys(("vendor", "app", "key", "task", "kind", "room", "user", "reason", "call"), anything),
    phase=st.sampled_from(Phase),
    at_ms=st.integers(0, 2**53),
    files=several,
    people=several,
)


@given(events)
def test_an_event_comes_back_as_it_was_kept(event: Event) -> None:
    assert event_of(text_of(event)) == event
