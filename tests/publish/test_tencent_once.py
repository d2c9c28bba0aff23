"""One medium for a film, wherever an earlier try was stopped, or a clear sentence in doubt."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

import pytest

from pipeline.errors import BusyError, StorageError
from tests.publish.tc3 import Fault
from tests.publish.tencent_fake import Media
from tests.publish.tencent_scene import ONCE, PARTS, SHORT, Notes, film
from tests.servers.faults import Drop, Strike, never

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.publish.tencent_scene import Scene
    from tests.servers.faults import Fault as NetFault
    from tests.servers.faults import Request

FORK = multiprocessing.get_context("fork")
PATIENCE_S = 60
DAY_S = 24 * 3600
Again = Literal["same", "refused", "another"]
any_second_commit = pytest.mark.parametrize("again", ["same", "refused", "another"])


class Stopped(BaseException):
    """As a signal that ends the process."""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", [1, 2])
@any_second_commit
def test_stopped_at_a_note_one_medium_comes_out(tencent: Scene, again: Again, number: int, when: str) -> None:
    tencent.fake.behaviour.again = again

    def act(at: int, moment: str) -> None:
        if (at, moment) == (number, when):
            raise Stopped

    notes = Notes(act=act)
    with pytest.raises(Stopped):
        tencent.vod().publish(film(), {}, notes)
    assert tencent.fake.media == []
    assert tencent.vod().publish(film(), notes.kept, Notes()).id == tencent.published(film())


def _api(number: int) -> Callable[[Request], bool]:
    return lambda request: request.number == number


def _cos(method: str, query: str) -> Callable[[Request], bool]:
    return lambda request: request.method == method and query in request.query


POINTS: dict[str, tuple[str, Callable[[Request], bool]]] = {
    "ApplyUpload": ("api", _api(1)),
    "the upload is begun": ("cos", lambda request: request.query == "uploads"),
    "part 1": ("cos", _cos("PUT", "partNumber=1")),
    "part 2": ("cos", _cos("PUT", "partNumber=2")),
    "the upload is completed": (
        "cos",
        lambda request: request.method == "POST" and request.query.startswith("uploadId="),
    ),
    "the object is looked at": ("cos", _cos("HEAD", "")),
    "the object is read back": ("cos", _cos("GET", "")),
    "CommitUpload": ("api", _api(2)),
}


@pytest.mark.parametrize("when", ["before the answer", "after the answer"])
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_request_one_medium_comes_out(
    tencent: Scene, tmp_path: Path, point: str, when: str
) -> None:
    kept = tmp_path / "kept.json"
    kept.write_text("{}")
    vod = tencent.vod()
    child = FORK.Process(target=lambda: vod.publish(film(PARTS), {}, lambda noted: _keep(kept, noted)))

    def kill(_: Request) -> None:
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        with suppress(ChildProcessError):  # it was waited for already
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    side, meant = POINTS[point]

    def rule(request: Request) -> NetFault | None:
        return Strike(kill, after=when == "after the answer") if meant(request) else None

    if side == "api":
        tencent.api.rule = rule
    else:
        tencent.cos_rule = rule
    child.start()
    child.join(PATIENCE_S)
    assert child.exitcode == -signal.SIGKILL
    tencent.api.rule, tencent.cos_rule = never, never
    begun = json.loads(kept.read_text())
    medium = tencent.vod().publish(film(PARTS), begun, Notes())
    assert medium.id == tencent.published(film(PARTS))


def _keep(path: Path, noted: Mapping[str, str]) -> None:
    path.write_text(json.dumps(dict(noted)))


@any_second_commit
def test_an_answer_that_was_lost_is_found_by_the_search(tencent: Scene, again: Again) -> None:
    tencent.fake.behaviour.again = again
    tencent.api.rule = lambda request: Drop(after=True) if request.number == 2 else None
    assert tencent.vod().publish(film(), {}, Notes()).id == tencent.published(film())
    assert len(tencent.fake.calls("CommitUpload")) == 1


@pytest.mark.parametrize("off_s", [-240, 240])
def test_a_clock_that_is_a_little_off_is_no_matter(tencent: Scene, off_s: int) -> None:
    tencent.api.rule = lambda request: Drop(after=True) if request.number == 2 else None
    vod = tencent.vod(clock=lambda: tencent.fake.now_s() + off_s)
    assert vod.publish(film(), {}, Notes()).id == tencent.published(film())


def test_a_search_that_fails_is_no_doubt(tencent: Scene) -> None:
    begun = _unsent(tencent)
    tencent.fake.uploads.clear()
    busy = Fault("InternalError", "Later.")
    tencent.fake.behaviour.rule = lambda name, n: busy if name == "SearchMedia" and n > 1 else None
    with pytest.raises(BusyError, match="SearchMedia: the service is busy"):
        tencent.vod(patience=SHORT).publish(film(), begun, Notes())


@any_second_commit
def test_a_later_try_finds_what_was_committed(tencent: Scene, again: Again) -> None:
    begun = _lost(tencent, again)
    notes = Notes()
    assert tencent.vod().publish(film(), begun, notes).id == tencent.published(film())
    assert notes.steps == []
    assert len(tencent.fake.calls("CommitUpload")) == 1


def test_what_has_no_path_is_found_by_its_source_context(tencent: Scene) -> None:
    begun = _lost(tencent, "refused")
    tencent.fake.behaviour.without_path = True
    assert tencent.vod().publish(film(), begun, Notes()).id == tencent.published(film())


@pytest.mark.parametrize(("again", "hidden"), [("same", 1), ("refused", 1), ("refused", 3)])
def test_a_search_that_is_late_is_asked_again(tencent: Scene, again: Again, hidden: int) -> None:
    begun = _lost(tencent, again)
    tencent.fake.behaviour.hidden = hidden
    assert tencent.vod().publish(film(), begun, Notes()).id == tencent.published(film())


def test_a_session_that_is_over_and_was_not_seen_is_told_and_a_day_later_begun_anew(tencent: Scene) -> None:
    """It was killed before CommitUpload, and the session is forgotten by the service."""
    begun = _unsent(tencent)
    tencent.fake.uploads.clear()
    told = (
        r"1_av\.mp4: whether Tencent VOD \(main\) has a medium of it is not certain: .*, or run again after 2"
    )
    notes = Notes(begun)
    with pytest.raises(StorageError, match=told) as caught:
        tencent.vod(patience=SHORT).publish(film(), notes.kept, notes)
    assert not caught.value.retryable
    assert tencent.fake.media == []
    assert notes.kept == begun

    tencent.fake.behaviour.off_s = DAY_S
    vod = tencent.vod(patience=SHORT, clock=tencent.fake.now_s)
    assert vod.publish(film(), notes.kept, notes).id == tencent.published(film())


def test_a_commit_of_the_last_minutes_is_not_taken_for_one_of_yesterday(tencent: Scene) -> None:
    begun = _unsent(tencent)
    tencent.fake.behaviour.off_s = DAY_S + 10
    tencent.api.rule = lambda request: Drop(after=True) if request.number >= 3 else None
    notes = Notes(begun)
    with pytest.raises(BusyError):
        tencent.vod(patience=ONCE, clock=tencent.fake.now_s).publish(film(), begun, notes)
    tencent.api.rule = never
    assert len(tencent.fake.media) == 1
    tencent.fake.behaviour.hidden = 100
    with pytest.raises(StorageError, match="is not certain"):
        tencent.vod(patience=SHORT, clock=tencent.fake.now_s).publish(film(), notes.kept, notes)
    tencent.fake.behaviour.hidden = 0
    medium = tencent.vod(clock=tencent.fake.now_s).publish(film(), notes.kept, notes)
    assert medium.id == tencent.published(film())


def test_a_first_commit_that_is_refused_made_nothing_and_the_next_try_begins_anew(tencent: Scene) -> None:
    over = Fault("InvalidParameterValue.VodSessionKey", "The session is over.")
    tencent.fake.behaviour.rule = lambda name, _: over if name == "CommitUpload" else None
    notes = Notes()
    with pytest.raises(StorageError, match="CommitUpload: the service does not take the request"):
        tencent.vod().publish(film(), {}, notes)
    assert (notes.kept, notes.steps) == ({}, ["sending", "committing", ""])
    tencent.fake.behaviour.rule = lambda *_: None
    assert tencent.vod().publish(film(), notes.kept, notes).id == tencent.published(film())


def test_rights_that_are_given_later_go_on_with_the_same_upload(tencent: Scene) -> None:
    denied = Fault("UnauthorizedOperation", "No.")
    tencent.fake.behaviour.rule = lambda name, _: denied if name == "CommitUpload" else None
    notes = Notes()
    with pytest.raises(StorageError, match="UnauthorizedOperation"):
        tencent.vod().publish(film(), {}, notes)
    tencent.fake.behaviour.rule = lambda *_: None
    assert tencent.vod().publish(film(), notes.kept, notes).id == tencent.published(film())
    assert len(tencent.fake.uploads) == 1


@pytest.mark.parametrize("others", [99, 100, 250])
def test_the_search_is_read_to_its_end(tencent: Scene, others: int) -> None:
    begun = _lost(tencent, "refused")
    mine = tencent.fake.media.pop()
    tencent.fake.media += [_other(mine, number) for number in range(others)]
    tencent.fake.media.append(mine)
    assert tencent.vod().publish(film(), begun, Notes()).id == mine.file_id


def test_more_than_the_search_shows_is_told(tencent: Scene) -> None:
    begun = _lost(tencent, "refused")
    mine = tencent.fake.media.pop()
    tencent.fake.media += [_other(mine, number) for number in range(5000)]
    told = r"cannot be found out: 5000 others or more were uploaded between \d+-.*Z\. Look there for a medium"
    with pytest.raises(StorageError, match=told):
        tencent.vod().publish(film(), begun, Notes())


@pytest.mark.parametrize("change", [{"app": "7"}, {"service": "volcengine"}, {"step": "sending"}])
def test_what_was_begun_elsewhere_is_begun_here(tencent: Scene, change: dict[str, str]) -> None:
    begun = {**_unsent(tencent), **change}
    assert tencent.vod().publish(film(), begun, Notes()).id == tencent.published(film())
    assert len(tencent.fake.uploads) == 2


def test_two_films_of_the_same_bytes_are_two_media_where_both_are_asked_for(tencent: Scene) -> None:
    ids = {tencent.vod().publish(film(), {}, Notes()).id for _ in range(2)}
    assert len(ids) == len(tencent.fake.media) == 2


def _unsent(tencent: Scene) -> Mapping[str, str]:
    """What is kept of a try that was stopped right before its first CommitUpload."""

    def act(number: int, when: str) -> None:
        if (number, when) == (2, "after"):
            raise Stopped

    notes = Notes(act=act)
    with pytest.raises(Stopped):
        tencent.vod().publish(film(), {}, notes)
    assert tencent.fake.media == []
    return notes.kept


def _lost(tencent: Scene, again: Again) -> Mapping[str, str]:
    """What is kept of a try whose CommitUpload was done and not answered."""
    tencent.fake.behaviour.again = again
    tencent.api.rule = lambda request: Drop(after=True) if request.number == 2 else None
    notes = Notes()
    with pytest.raises(BusyError):
        tencent.vod(patience=ONCE).publish(film(), {}, notes)
    tencent.api.rule = never
    assert len(tencent.fake.media) == 1
    return notes.kept


def _other(like: Media, number: int) -> Media:
    asked: Mapping[str, Any] = {**like.asked, "SourceContext": f"other {number}"}
    return Media(f"other-{number}", f"/other/{number}.mp4", like.created_s, asked)
